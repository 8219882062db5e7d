//! The diagram as SVG, for light and dark pages.

use svg::node::element::{Circle as CircleElement, Group, Line, Rectangle, Style, Text, Title};
use svg::{Document, Node};

use super::labels::{Half, Place, Plot, Size, places};
use super::layout::{Circle, circles};
use super::regions::Regions;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 650.0;
const PLOT: Plot = Plot { left: 24.0, top: 96.0, width: 912.0, height: 500.0 };

/// The services that a region names.
const NAMED: usize = 3;

/// The letters that have room in a line.
const ONE_LINE: usize = 28;

/// What is allowed is green, and what is denied is red; the policies tell themselves apart by the colours of their edges.
const STYLE: &str = "
text { font-family: system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif; fill: #1f2328; }
.page, .base { fill: #ffffff; }
.title { font-size: 20px; font-weight: 600; }
.legend { font-size: 14px; }
.count { font-size: 22px; font-weight: 600; }
.service { font-size: 12.5px; }
.small { font-size: 12px; fill: #59636e; }
.denied { fill: #ffeae8; stroke: #f0c0bb; }
.allowed { fill: #2da44e; fill-opacity: 0.2; }
.edge { fill: none; stroke-width: 2; }
.first { stroke: #1a7f37; }
.second { stroke: #0969da; }
.third { stroke: #9a6700; }
.pointer { stroke: #59636e; }
.tip { fill: #59636e; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.page, .base { fill: #0d1117; }
.small { fill: #9198a1; }
.denied { fill: #301517; stroke: #6b2a2a; }
.allowed { fill: #3fb950; fill-opacity: 0.24; }
.first { stroke: #56d364; }
.second { stroke: #58a6ff; }
.third { stroke: #e3b341; }
.pointer { stroke: #9198a1; }
.tip { fill: #9198a1; }
}
";

const SHADES: [&str; 3] = ["first", "second", "third"];

pub(crate) fn svg(regions: &Regions) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts of actions")]
    let counts: Vec<f64> = regions.regions.iter().map(|region| region.count as f64).collect();
    let (unscaled, is_right) = circles(&counts);
    let (drawn, is_to_scale) = in_plot(&unscaled, counts.iter().sum());
    let names: Vec<&str> = regions.policies.iter().map(|policy| policy.name.as_str()).collect();
    let title = format!("What {} allow", list(&names));
    let mut document = Document::new()
        .set("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .set("width", WIDTH)
        .set("height", HEIGHT)
        .set("role", "img")
        .add(Title::new(title.clone()))
        .add(Style::new(STYLE))
        .add(rectangle(0.0, 0.0, WIDTH, HEIGHT).set("class", "page").set("rx", 8))
        .add(text(PLOT.left, 36.0, "title", "start", &title));
    legend(&mut document, regions);
    document
        .append(rectangle(PLOT.left, PLOT.top, PLOT.width, PLOT.height).set("class", "denied").set("rx", 6));
    // What is allowed is not on red ground, whatever covers it.
    for class in ["base", "allowed", "edge"] {
        for (circle, shade) in drawn.iter().zip(SHADES) {
            let class = if class == "edge" { format!("edge {shade}") } else { class.to_owned() };
            document.append(dot(circle.x, circle.y, circle.r, &class));
        }
    }
    let labels: Vec<Option<Label>> =
        (0..regions.regions.len()).map(|bits| Label::new(regions, bits)).collect();
    let half = |bits: usize, size: Size| Some(labels.get(bits)?.as_ref()?.half(size));
    let mut not_drawn = Vec::new();
    for (label, place) in labels.iter().zip(places(PLOT, &drawn, labels.len(), half)) {
        match (label, place) {
            (Some(label), Some(place)) => document.append(label.draw(place)),
            (Some(label), None) => not_drawn.push(label.hint.as_str()),
            (None, _) => {}
        }
    }
    let total = grouped(regions.total());
    let areas = match (is_right, is_to_scale) {
        (true, true) => "all areas in proportion",
        (true, false) => "circles in proportion to each other",
        (false, _) => "areas as near to the counts as circles come",
    };
    let note = format!(
        "the rectangle is the {total} actions that AWS documents · green: allowed, red: denied · {areas}"
    );
    document.append(text(PLOT.left, HEIGHT - 32.0, "small", "start", &note));
    if !not_drawn.is_empty() {
        let note = format!("without an area of their own: {}", not_drawn.join(" · "));
        document.append(text(PLOT.left, HEIGHT - 14.0, "small", "start", &note));
    }
    document.to_string() + "\n"
}

/// The circles in the middle of the plot: by the scale of the rectangle, if they fit.
fn in_plot(circles: &[Circle], total: f64) -> (Vec<Circle>, bool) {
    // Beside them stand the texts of regions that are too small for theirs.
    let room = (PLOT.width - 360.0, PLOT.height - 48.0);
    let bounds = |low: fn(&Circle) -> f64, high: fn(&Circle) -> f64| {
        let low = circles.iter().map(low).fold(f64::INFINITY, f64::min);
        (low, circles.iter().map(high).fold(f64::NEG_INFINITY, f64::max))
    };
    let (left, right) = bounds(|circle| circle.x - circle.r, |circle| circle.x + circle.r);
    let (top, bottom) = bounds(|circle| circle.y - circle.r, |circle| circle.y + circle.r);
    let of_plot = (PLOT.width * PLOT.height / total.max(1.0)).sqrt();
    let fitting = (room.0 / (right - left).max(f64::EPSILON)).min(room.1 / (bottom - top).max(f64::EPSILON));
    let scale = of_plot.min(fitting);
    let (middle_x, middle_y) = (PLOT.left + PLOT.width / 2.0, PLOT.top + PLOT.height / 2.0);
    let moved = |circle: &Circle| Circle {
        x: middle_x + (circle.x - f64::midpoint(left, right)) * scale,
        y: middle_y + (circle.y - f64::midpoint(top, bottom)) * scale,
        r: circle.r * scale,
    };
    (circles.iter().map(moved).collect(), of_plot <= fitting)
}

fn legend(document: &mut Document, regions: &Regions) {
    let mut x = PLOT.left;
    for (policy, shade) in regions.policies.iter().zip(SHADES) {
        let words = format!("{} · {} allowed", policy.name, grouped(policy.count));
        for class in ["allowed", &format!("edge {shade}")] {
            document.append(dot(x + 8.0, 69.0, 7.0, class));
        }
        document.append(text(x + 24.0, 74.0, "legend", "start", &words));
        #[expect(clippy::cast_precision_loss, reason = "a name")]
        let width = words.chars().count() as f64 * 7.6;
        x += 24.0 + width + 28.0;
    }
}

/// The text of a region.
struct Label {
    count: String,
    /// Whose it is, in a line or two.
    whose: Vec<String>,
    services: Vec<String>,
    hint: String,
}

const OF_COUNT: f64 = 24.0;
const OF_LINE: f64 = 15.5;

impl Label {
    /// None for a region without actions.
    fn new(regions: &Regions, bits: usize) -> Option<Label> {
        let region = regions.regions.get(bits).filter(|region| region.count > 0)?;
        let names = regions.names(bits);
        let all = if regions.policies.len() == 2 { "both" } else { "all three" };
        let whose = match names.as_slice() {
            [] => vec![format!("denied by {all}")],
            [one] => vec![format!("only {one}")],
            names if names.len() == regions.policies.len() => vec![all.to_owned()],
            names => {
                let together = names.join(" and ");
                let apart = || names.join("\nand ").lines().map(str::to_owned).collect();
                if together.len() <= ONE_LINE { vec![together] } else { apart() }
            }
        };
        let services = region.services.iter().take(NAMED);
        Some(Label {
            count: grouped(region.count),
            hint: format!("{}: {} actions", whose.join(" "), grouped(region.count)),
            whose: whose.iter().map(|line| shorter(line)).collect(),
            services: services.map(|(service, count)| format!("{service} {}", grouped(*count))).collect(),
        })
    }

    fn lines(&self, size: Size) -> impl Iterator<Item = (&'static str, &str)> {
        let (whose, services): (&[String], usize) = match size {
            Size::Full => (&self.whose, NAMED),
            Size::Short(services) => (&[], services),
        };
        let services = self.services.iter().take(services).map(|line| ("service", line.as_str()));
        whose.iter().map(|line| ("small", line.as_str())).chain(services)
    }

    /// As large as a usual font makes it.
    #[expect(clippy::cast_precision_loss, reason = "a few lines of a few characters")]
    fn half(&self, size: Size) -> Half {
        let of_lines = self.lines(size).map(|(_, line)| line.chars().count() as f64 * 6.5);
        let width = of_lines.fold(self.count.len() as f64 * 14.0, f64::max);
        let height = OF_COUNT + self.lines(size).count() as f64 * OF_LINE;
        (width / 2.0 + 4.0, height / 2.0 + 4.0)
    }

    fn draw(&self, place: Place) -> Group {
        let mut group = Group::new().add(Title::new(self.hint.as_str()));
        let Place { x, y, half: (w, h), .. } = place;
        if let Some((to_x, to_y)) = place.points_to {
            // From where the text is nearest.
            let line = Line::new()
                .set("class", "pointer")
                .set("x1", rounded(to_x.clamp(x - w, x + w)))
                .set("y1", rounded(to_y.clamp(y - h, y + h)))
                .set("x2", rounded(to_x))
                .set("y2", rounded(to_y));
            group = group.add(line).add(dot(to_x, to_y, 2.5, "tip"));
        }
        let mut baseline = y - h + 4.0 + OF_COUNT * 0.8;
        group.append(text(x, baseline, "count", "middle", &self.count));
        baseline += 2.0;
        for (class, line) in self.lines(place.size) {
            baseline += OF_LINE;
            group.append(text(x, baseline, class, "middle", line));
        }
        group
    }
}

/// As much of a text as has room.
fn shorter(text: &str) -> String {
    if text.chars().count() <= ONE_LINE {
        return text.to_owned();
    }
    text.chars().take(ONE_LINE - 1).chain(['…']).collect()
}

fn dot(x: f64, y: f64, r: f64, class: &str) -> CircleElement {
    CircleElement::new().set("class", class).set("cx", rounded(x)).set("cy", rounded(y)).set("r", rounded(r))
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Rectangle {
    Rectangle::new().set("x", x).set("y", y).set("width", width).set("height", height)
}

fn text(x: f64, y: f64, class: &str, anchor: &str, words: &str) -> Text {
    Text::new(words).set("class", class).set("x", rounded(x)).set("y", rounded(y)).set("text-anchor", anchor)
}

/// To a tenth: the same text on every machine.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A number in groups of three digits.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn list(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.join(", "),
    }
}

//! The diagram as SVG, for light and dark pages.

use svg::node::element::{Circle as CircleElement, Group, Line, Rectangle, Style, Text, Title};
use svg::{Document, Node};

use super::labels::{Place, Plot, Size, places};
use super::layout::{Circle, circles};
use super::regions::Regions;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 640.0;
const PLOT: Plot = Plot { left: 24.0, top: 96.0, width: 912.0, height: 500.0 };

/// The services that a region names.
const NAMED: usize = 3;

/// What is allowed is green, and what is denied is red; the policies tell themselves apart by the shades of their edges.
const STYLE: &str = "
text { font-family: system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif; fill: #1f2328; }
.page { fill: #ffffff; }
.title { font-size: 20px; font-weight: 600; }
.legend { font-size: 14px; }
.small { font-size: 12px; fill: #59636e; }
.service { font-size: 12.5px; fill: #3d444d; }
.count { font-size: 22px; font-weight: 600; }
.denied { fill: #fdeceb; stroke: #e5b4b0; }
.allowed { fill: #2da44e; fill-opacity: 0.26; stroke-width: 2; }
.first { stroke: #1a7f37; }
.second { stroke: #0969da; }
.third { stroke: #9a6700; }
.key { fill: #2da44e; fill-opacity: 0.26; stroke-width: 2; }
.pointer { stroke: #59636e; stroke-width: 1; }
.tip { fill: #59636e; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.page { fill: #0d1117; }
.small { fill: #9198a1; }
.service { fill: #d1d7e0; }
.denied { fill: #2a1416; stroke: #6e3030; }
.allowed { fill: #3fb950; fill-opacity: 0.24; }
.key { fill: #3fb950; fill-opacity: 0.24; }
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
    let is_wanted: Vec<bool> = regions.regions.iter().map(|region| region.count > 0).collect();
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
    for (circle, shade) in drawn.iter().zip(SHADES) {
        document.append(
            CircleElement::new()
                .set("class", format!("allowed {shade}"))
                .set("cx", rounded(circle.x))
                .set("cy", rounded(circle.y))
                .set("r", rounded(circle.r)),
        );
    }
    for (bits, place) in places(PLOT, &drawn, &is_wanted).into_iter().enumerate() {
        if let Some(place) = place {
            document.append(label(regions, bits, place));
        }
    }
    let total = grouped(regions.total());
    let areas = match (is_right, is_to_scale) {
        (true, true) => "all areas in proportion",
        (true, false) => "circles in proportion to each other, the rectangle is smaller than it should be",
        (false, _) => "areas as near to the counts as circles come",
    };
    let note =
        format!("rectangle: the {total} actions that AWS documents; red: denied, green: allowed; {areas}");
    document.append(text(PLOT.left, HEIGHT - 18.0, "small", "start", &note));
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
        document.append(
            CircleElement::new()
                .set("class", format!("key {shade}"))
                .set("cx", x + 8.0)
                .set("cy", 69)
                .set("r", 7),
        );
        document.append(text(x + 24.0, 74.0, "legend", "start", &words));
        #[expect(clippy::cast_precision_loss, reason = "a name")]
        let width = words.chars().count() as f64 * 7.6;
        x += 24.0 + width + 28.0;
    }
}

fn label(regions: &Regions, bits: usize, place: Place) -> Group {
    let mut group = Group::new();
    let Some(region) = regions.regions.get(bits) else { return group };
    let names = regions.names(bits);
    let whose = match (names.len(), regions.policies.len()) {
        (0, _) => "denied by all".to_owned(),
        (1, _) => format!("only {}", names.concat()),
        (number, all) if number == all => "all".to_owned(),
        _ => names.join(" and "),
    };
    group.append(Title::new(format!("{whose}: {} actions", grouped(region.count))));
    if let Some((x, y)) = place.points_to {
        // From the edge of the text that is nearer.
        let from_x = place.x + if x < place.x { -52.0 } else { 52.0 };
        group.append(
            Line::new()
                .set("class", "pointer")
                .set("x1", rounded(from_x))
                .set("y1", rounded(place.y))
                .set("x2", rounded(x))
                .set("y2", rounded(y)),
        );
        group.append(
            CircleElement::new()
                .set("class", "tip")
                .set("cx", rounded(x))
                .set("cy", rounded(y))
                .set("r", 2.5),
        );
    }
    if place.size == Size::Count {
        group.append(text(place.x, place.y + 7.5, "count", "middle", &grouped(region.count)));
        return group;
    }
    let services = region.services.iter().take(NAMED);
    let lines: Vec<String> =
        services.map(|(service, count)| format!("{service} {}", grouped(*count))).collect();
    #[expect(clippy::cast_precision_loss, reason = "three lines")]
    let top = place.y - (lines.len() as f64 + 1.0) * 8.0;
    group.append(text(place.x, top, "count", "middle", &grouped(region.count)));
    group.append(text(place.x, top + 17.0, "small", "middle", &shorter(&whose)));
    let mut y = top + 35.0;
    for line in lines {
        group.append(text(place.x, y, "service", "middle", &line));
        y += 15.5;
    }
    group
}

/// As much of a text as has room.
fn shorter(text: &str) -> String {
    const MOST: usize = 24;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
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

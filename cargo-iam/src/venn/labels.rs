//! Where each region has room for its text.

use super::layout::Circle;

/// The part of the page that the diagram is drawn in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// How much of a region's text there is: all of it, or less.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Size {
    /// The count, the policies, and the largest services.
    Full,
    /// The count and some of the largest services.
    Short(usize),
}

/// Half the width and half the height of a text.
pub(crate) type Half = (f64, f64);

/// Where the text of a region stands, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its middle.
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: Size,
    pub(crate) half: Half,
    /// A point of the region, where the text stands outside.
    pub(crate) points_to: Option<(f64, f64)>,
}

const STEP: usize = 4;

impl Plot {
    fn points(self) -> impl Iterator<Item = (f64, f64)> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a page")]
        let (columns, rows) = (self.width as usize, self.height as usize);
        #[expect(clippy::cast_precision_loss, reason = "pixels of a page")]
        (0..rows).step_by(STEP).flat_map(move |row| {
            (0..columns).step_by(STEP).map(move |column| (self.left + column as f64, self.top + row as f64))
        })
    }

    /// Whether a box is within, with some air.
    fn has(self, (x, y): (f64, f64), (w, h): Half) -> bool {
        let air = 10.0;
        x - w >= self.left + air
            && x + w <= self.left + self.width - air
            && y - h >= self.top + air
            && y + h <= self.top + self.height - air
    }
}

/// How much of a text is tried within its region, the best first; then all of it beside; then no more than the count.
const WITHIN: [Size; 3] = [Size::Full, Size::Short(3), Size::Short(2)];
const AT_LEAST: Size = Size::Short(0);

/// Between a text and what is not its own.
const GAP: f64 = 12.0;

/// The places of the texts of regions, by their bits; `half` tells how large a text is, if the region has one.
pub(crate) fn places(
    plot: Plot,
    circles: &[Circle],
    regions: usize,
    half: impl Fn(usize, Size) -> Option<Half>,
) -> Vec<Option<Place>> {
    let mut places: Vec<Option<Place>> = vec![None; regions];
    // What is outside of all circles may have its text anywhere, and goes last.
    for bits in (1..regions).chain([0]) {
        let region = Region { plot, circles, bits, taken: places.iter().flatten().copied().collect() };
        let inside = |size: Size| region.inside(size, half(bits, size)?);
        let place = WITHIN
            .into_iter()
            .find_map(inside)
            .or_else(|| region.beside(half(bits, Size::Full)?))
            .or_else(|| inside(AT_LEAST));
        if let Some(slot) = places.get_mut(bits) {
            *slot = place;
        }
    }
    places
}

/// A region that is to have a text.
struct Region<'d> {
    plot: Plot,
    circles: &'d [Circle],
    bits: usize,
    taken: Vec<Place>,
}

impl Region<'_> {
    /// Within the region, where it is widest.
    fn inside(&self, size: Size, half: Half) -> Option<Place> {
        let (x, y) = self.widest(|x, y| self.fits(x, y, half))?;
        Some(Place { x, y, size, half, points_to: None })
    }

    /// Outside of all circles, as near as there is room.
    fn beside(&self, half: Half) -> Option<Place> {
        let (to_x, to_y) = self.widest(|_, _| true)?;
        let outside = Region { bits: 0, taken: self.taken.clone(), ..*self };
        let away = |(x, y): &(f64, f64)| (x - to_x).hypot(y - to_y);
        let with_gap = (half.0 + GAP, half.1 + GAP);
        let places = self.plot.points().filter(|(x, y)| outside.fits(*x, *y, with_gap));
        let (x, y) = places.min_by(|a, b| away(a).total_cmp(&away(b)))?;
        Some(Place { x, y, size: Size::Full, half, points_to: Some((to_x, to_y)) })
    }

    fn widest(&self, is_wanted: impl Fn(f64, f64) -> bool) -> Option<(f64, f64)> {
        let points = self.plot.points();
        let of_region =
            points.filter(|(x, y)| bits_of(self.circles, *x, *y) == self.bits && is_wanted(*x, *y));
        of_region.max_by(|a, b| self.room(*a).total_cmp(&self.room(*b)))
    }

    fn fits(&self, x: f64, y: f64, half: Half) -> bool {
        self.plot.has((x, y), half)
            && corners(x, y, half).all(|(x, y)| bits_of(self.circles, x, y) == self.bits)
            && self.circles.iter().all(|circle| is_clear(circle, x, y, half))
            && self.taken.iter().all(|place| {
                let (w, h) = (half.0 + place.half.0 + GAP, half.1 + place.half.1 + GAP);
                (place.x - x).abs() > w || (place.y - y).abs() > h
            })
    }

    /// How far it is to the nearest edge, and to the texts of others.
    fn room(&self, (x, y): (f64, f64)) -> f64 {
        let plot = self.plot;
        let sides = [x - plot.left, plot.left + plot.width - x, y - plot.top, plot.top + plot.height - y];
        let edges = self.circles.iter().map(|circle| circle.distance(x, y).abs());
        let texts = self.taken.iter().map(|place| {
            let beyond = |at: f64, middle: f64, half: f64| ((at - middle).abs() - half).max(0.0);
            beyond(x, place.x, place.half.0).hypot(beyond(y, place.y, place.half.1))
        });
        edges.chain(sides).chain(texts).fold(f64::INFINITY, f64::min)
    }
}

fn bits_of(circles: &[Circle], x: f64, y: f64) -> usize {
    circles
        .iter()
        .enumerate()
        .filter(|(_, circle)| circle.distance(x, y) < 0.0)
        .map(|(bit, _)| 1 << bit)
        .sum()
}

fn corners(x: f64, y: f64, (w, h): (f64, f64)) -> impl Iterator<Item = (f64, f64)> {
    [(-w, -h), (w, -h), (-w, h), (w, h)].into_iter().map(move |(dx, dy)| (x + dx, y + dy))
}

/// Whether the circle's edge does not cross the box: no corner tells of one that comes in by a side.
fn is_clear(circle: &Circle, x: f64, y: f64, (w, h): (f64, f64)) -> bool {
    let nearest = (circle.x.clamp(x - w, x + w), circle.y.clamp(y - h, y + h));
    let is_inside = circle.distance(x, y) < 0.0;
    is_inside || circle.distance(nearest.0, nearest.1) > 0.0
}

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

/// The text of a region: where it stands, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its middle.
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) size: Size,
    /// A point of the region, where the text stands outside.
    pub(crate) points_to: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Size {
    /// The count, and the largest services.
    Full,
    /// The count.
    Count,
}

/// Half the width and half the height of a text.
const FULL: (f64, f64) = (74.0, 48.0);
const COUNT: (f64, f64) = (30.0, 14.0);
const STEP: usize = 6;

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
    fn has(self, (x, y): (f64, f64), (w, h): (f64, f64)) -> bool {
        let air = 10.0;
        x - w >= self.left + air
            && x + w <= self.left + self.width - air
            && y - h >= self.top + air
            && y + h <= self.top + self.height - air
    }
}

/// The places of the texts of the regions that have one, by their bits.
pub(crate) fn places(plot: Plot, circles: &[Circle], is_wanted: &[bool]) -> Vec<Option<Place>> {
    let mut places: Vec<Option<Place>> = vec![None; is_wanted.len()];
    let wanted = |bits: &usize| is_wanted.get(*bits) == Some(&true);
    // What is outside of all circles may have its text anywhere, and goes last.
    for bits in (1..is_wanted.len()).filter(wanted).chain([0].into_iter().filter(wanted)) {
        let place = inside(plot, circles, bits, &places).or_else(|| beside(plot, circles, bits, &places));
        if let Some(slot) = places.get_mut(bits) {
            *slot = place;
        }
    }
    places
}

/// Within the region, where it is widest.
fn inside(plot: Plot, circles: &[Circle], bits: usize, taken: &[Option<Place>]) -> Option<Place> {
    for (size, half) in [(Size::Full, FULL), (Size::Count, COUNT)] {
        let fits = |(x, y): &(f64, f64)| {
            plot.has((*x, *y), half)
                && corners(*x, *y, half).all(|(x, y)| bits_of(circles, x, y) == bits)
                && circles.iter().all(|circle| is_clear(circle, *x, *y, half))
                && is_free(taken, *x, *y, half)
        };
        let best = plot.points().filter(fits).max_by(|a, b| {
            let room = |(x, y): &(f64, f64)| room(plot, circles, *x, *y);
            room(a).total_cmp(&room(b))
        });
        if let Some((x, y)) = best {
            return Some(Place { x, y, size, points_to: None });
        }
    }
    None
}

/// Outside of all circles, as near as there is room.
fn beside(plot: Plot, circles: &[Circle], bits: usize, taken: &[Option<Place>]) -> Option<Place> {
    let of_region = plot.points().filter(|(x, y)| bits_of(circles, *x, *y) == bits);
    let (to_x, to_y) = of_region.max_by(|a, b| {
        let room = |(x, y): &(f64, f64)| room(plot, circles, *x, *y);
        room(a).total_cmp(&room(b))
    })?;
    let fits = |(x, y): &(f64, f64)| {
        plot.has((*x, *y), FULL)
            && circles.iter().all(|circle| bits_of(circles, *x, *y) == 0 && is_clear(circle, *x, *y, FULL))
            && is_free(taken, *x, *y, FULL)
    };
    let away = |(x, y): &(f64, f64)| (x - to_x).hypot(y - to_y);
    let (x, y) = plot.points().filter(fits).min_by(|a, b| away(a).total_cmp(&away(b)))?;
    Some(Place { x, y, size: Size::Full, points_to: Some((to_x, to_y)) })
}

/// How far it is to the nearest edge.
fn room(plot: Plot, circles: &[Circle], x: f64, y: f64) -> f64 {
    let sides = [x - plot.left, plot.left + plot.width - x, y - plot.top, plot.top + plot.height - y];
    let edges = circles.iter().map(|circle| circle.distance(x, y).abs());
    edges.chain(sides).fold(f64::INFINITY, f64::min)
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

fn is_free(taken: &[Option<Place>], x: f64, y: f64, (w, h): (f64, f64)) -> bool {
    taken.iter().flatten().all(|place| {
        let (other_w, other_h) = if place.size == Size::Full { FULL } else { COUNT };
        (place.x - x).abs() > w + other_w || (place.y - y).abs() > h + other_h
    })
}

//! Circles whose areas, and the areas of what they share, are in proportion to counts.
//!
//! Two circles can have any overlap exactly. Three have six numbers to place and seven areas to meet, so that they are as near
//! as they come: the radii stay exact, and the centres go where the areas are wrong by the least.

/// A circle of the diagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Circle {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) r: f64,
}

impl Circle {
    /// How far a point is from the circle's edge: less than nothing inside.
    pub(crate) fn distance(&self, x: f64, y: f64) -> f64 {
        (x - self.x).hypot(y - self.y) - self.r
    }
}

/// Circles for the counts of regions, which are by the bits of the circles that have them; and whether their areas are right, to
/// a hundredth of all.
pub(crate) fn circles(counts: &[f64]) -> (Vec<Circle>, bool) {
    let number = counts.len().trailing_zeros() as usize;
    let shared = |bits: usize| -> f64 {
        (0..counts.len()).filter(|of| of & bits == bits).filter_map(|of| counts.get(of)).sum()
    };
    let radius = |circle: usize| (shared(1 << circle) / std::f64::consts::PI).sqrt();
    let apart = |a: usize, b: usize| distance(radius(a), radius(b), shared(1 << a | 1 << b));
    let first = Circle { x: 0.0, y: 0.0, r: radius(0) };
    let second = Circle { x: apart(0, 1), y: 0.0, r: radius(1) };
    let mut circles = vec![first, second];
    if number > 2 {
        // Where two sides of a triangle meet, or as near as they come.
        let (a, b, c) = (apart(0, 2), apart(1, 2), second.x.max(f64::EPSILON));
        let x = ((a * a - b * b + c * c) / (2.0 * c)).clamp(-a, a);
        circles.push(Circle { x, y: -(a * a - x * x).max(0.0).sqrt(), r: radius(2) });
        fit(&mut circles, counts);
    }
    let total: f64 = counts.iter().skip(1).sum();
    let areas = areas(&circles, counts.len());
    let is_right =
        areas.iter().zip(counts).skip(1).all(|(area, count)| (area - count).abs() <= total / 100.0);
    (circles, is_right)
}

/// How far apart two circles are that share an area.
fn distance(r: f64, s: f64, shared: f64) -> f64 {
    let (small, large) = (r.min(s), r.max(s));
    let gap = 0.04 * small;
    if shared <= 0.0 {
        return r + s + gap;
    }
    // One within the other, and not at its edge.
    if shared >= 0.9999 * std::f64::consts::PI * small * small {
        return (large - small - gap).max(0.0);
    }
    let (mut low, mut high) = (large - small, r + s);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if lens(r, s, middle) > shared { low = middle } else { high = middle }
    }
    low
}

/// The area that two circles share.
fn lens(r: f64, s: f64, d: f64) -> f64 {
    if d <= (r - s).abs() {
        return std::f64::consts::PI * r.min(s).powi(2);
    }
    if d >= r + s {
        return 0.0;
    }
    let part = |r: f64, s: f64| {
        let to_chord = (d * d + r * r - s * s) / (2.0 * d);
        let angle = (to_chord / r).clamp(-1.0, 1.0).acos();
        r * r * angle - to_chord * (r * r - to_chord * to_chord).max(0.0).sqrt()
    };
    part(r, s) + part(s, r)
}

/// Moves the centres as long as it makes the areas better, by smaller and smaller steps.
fn fit(circles: &mut [Circle], counts: &[f64]) {
    let mut best = error(circles, counts);
    let mut step = circles.iter().map(|circle| circle.r).fold(0.0, f64::max) / 4.0;
    let end = step / 500.0;
    while step > end {
        let mut is_better = false;
        for at in 1..circles.len() {
            for (dx, dy) in [(step, 0.0), (-step, 0.0), (0.0, step), (0.0, -step)] {
                let moved = |circles: &mut [Circle], sign: f64| {
                    if let Some(circle) = circles.get_mut(at) {
                        circle.x += sign * dx;
                        circle.y += sign * dy;
                    }
                };
                moved(circles, 1.0);
                let new = error(circles, counts);
                if new < best {
                    (best, is_better) = (new, true);
                } else {
                    moved(circles, -1.0);
                }
            }
        }
        if !is_better {
            step /= 2.0;
        }
    }
}

/// How wrong the areas are: of small ones little is much.
fn error(circles: &[Circle], counts: &[f64]) -> f64 {
    let areas = areas(circles, counts.len());
    let usual = counts.iter().skip(1).sum::<f64>() / 100.0;
    areas.iter().zip(counts).skip(1).map(|(area, count)| (area - count).powi(2) / (count + usual)).sum()
}

/// The areas of the regions, line by line.
fn areas(circles: &[Circle], regions: usize) -> Vec<f64> {
    const LINES: u32 = 300;
    let top = circles.iter().map(|circle| circle.y - circle.r).fold(f64::INFINITY, f64::min);
    let bottom = circles.iter().map(|circle| circle.y + circle.r).fold(f64::NEG_INFINITY, f64::max);
    let height = (bottom - top) / f64::from(LINES);
    let mut areas = vec![0.0; regions];
    for line in 0..LINES {
        let y = top + (f64::from(line) + 0.5) * height;
        let mut ends: Vec<(f64, usize)> = Vec::new();
        for (bit, circle) in circles.iter().enumerate() {
            let half = (circle.r * circle.r - (y - circle.y).powi(2)).max(0.0).sqrt();
            if half > 0.0 {
                ends.extend([(circle.x - half, 1 << bit), (circle.x + half, 1 << bit)]);
            }
        }
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut inside = 0;
        let mut from = 0.0;
        for (x, bit) in ends {
            if let Some(area) = areas.get_mut(inside).filter(|_| inside > 0) {
                *area += (x - from) * height;
            }
            inside ^= bit;
            from = x;
        }
    }
    areas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_circles_have_their_areas_exactly() {
        for counts in
            [[0.0, 50.0, 30.0, 20.0], [0.0, 1.0, 500.0, 5.0], [0.0, 10.0, 10.0, 0.0], [0.0, 0.0, 90.0, 10.0]]
        {
            let (circles, is_right) = circles(&counts);
            assert!(is_right, "{counts:?} {circles:?}");
            let areas = areas(&circles, 4);
            for (area, count) in areas.iter().zip(counts).skip(1) {
                assert!((area - count).abs() <= counts.iter().sum::<f64>() / 200.0, "{counts:?} {areas:?}");
            }
        }
    }

    #[test]
    fn three_circles_come_near() {
        let counts = [0.0, 40.0, 40.0, 12.0, 40.0, 12.0, 12.0, 6.0];
        let (fitted, is_right) = circles(&counts);
        let areas = areas(&fitted, 8);
        assert!(is_right, "{areas:?}");
        // A share of three and none of two: no circles have that.
        assert!(!circles(&[0.0, 10.0, 10.0, 0.0, 10.0, 0.0, 0.0, 30.0]).1 || areas[7] > 0.0);
    }
}

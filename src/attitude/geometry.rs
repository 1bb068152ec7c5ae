// SPDX-License-Identifier: MPL-2.0

//! Points, boxes and similarity transforms.
//!
//! Coordinates are continuous, in pixels: pixel (0, 0) covers the square from (0, 0) to (1, 1), so
//! its center is at (0.5, 0.5). Names contain the coordinate space of a value (`bbox_in_frame`,
//! `displayed_from_crop`).

/// Maximum absolute value of a valid coordinate, in pixels. No frame is this large, and areas and
/// weighted sums of valid coordinates are finite.
const MAX_COORDINATE: f32 = 1e7;

/// Minimum side of a valid box, in pixels. The area of a valid box is not rounded to 0.
const MIN_SIDE: f32 = 1e-3;

/// A position; x points to the right, y downwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Horizontal position.
    pub x: f32,
    /// Vertical position.
    pub y: f32,
}

impl Point {
    /// Creates the point (`x`, `y`).
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Returns `true` if both coordinates are numbers from -10,000,000 to 10,000,000.
    pub fn is_valid(&self) -> bool {
        [self.x, self.y].iter().all(|v| v.abs() <= MAX_COORDINATE)
    }
}

/// Five landmarks: left eye, right eye, tip of the nose, left and right corner of the mouth. Left
/// and right are those in the upright picture, not those of the person.
pub type Landmarks = [Point; 5];

/// An axis-aligned box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width; not negative in results of this crate.
    pub w: f32,
    /// Height; not negative in results of this crate.
    pub h: f32,
}

impl Rect {
    /// Creates a box with its top left corner at (`x`, `y`).
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// Creates a box of `w` by `h` around `center`.
    pub fn from_center(center: Point, w: f32, h: f32) -> Self {
        Self::new(center.x - w / 2.0, center.y - h / 2.0, w, h)
    }

    /// Returns the center.
    pub fn center(&self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Returns the area; 0 for an empty box.
    pub fn area(&self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    /// Returns the area that both boxes cover; empty if they do not overlap.
    pub fn intersection(&self, other: &Rect) -> Rect {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        let right = (self.x + self.w).min(other.x + other.w);
        let bottom = (self.y + self.h).min(other.y + other.h);
        Rect::new(x, y, (right - x).max(0.0), (bottom - y).max(0.0))
    }

    /// Returns the intersection over union (IoU), 0 to 1; 0 for empty boxes.
    pub fn iou(&self, other: &Rect) -> f32 {
        let intersection = self.intersection(other).area();
        let union = self.area() + other.area() - intersection;
        if union > 0.0 {
            intersection / union
        } else {
            0.0
        }
    }

    /// Returns the box moved by (`dx`, `dy`).
    pub fn translated(&self, dx: f32, dy: f32) -> Rect {
        Rect::new(self.x + dx, self.y + dy, self.w, self.h)
    }

    /// Returns `true` if every coordinate is a number from -10,000,000 to 10,000,000 and the box
    /// has sides of at least 0.001.
    pub fn is_valid(&self) -> bool {
        let mut coordinates = [self.x, self.y, self.w, self.h].into_iter();
        coordinates.all(|v| v.abs() <= MAX_COORDINATE) && self.w.min(self.h) >= MIN_SIDE
    }
}

/// Rotation, uniform scale and translation: maps (x, y) to (a·x − b·y + tx, b·x + a·y + ty).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    a: f32,
    b: f32,
    tx: f32,
    ty: f32,
}

impl Similarity {
    /// Creates a transform that scales by `scale`, and maps (0, 0) to `origin`.
    pub fn from_scale_and_origin(scale: f32, origin: Point) -> Self {
        Self {
            a: scale,
            b: 0.0,
            tx: origin.x,
            ty: origin.y,
        }
    }

    /// Returns the transform that maps `from` to `to` with the smallest sum of squared distances,
    /// or `None` if the points of `from` coincide, or points are not finite. This is Umeyama's
    /// solution ("Least-squares estimation of transformation parameters between two point
    /// patterns", 1991) in two dimensions, without reflections: with points as complex numbers, the
    /// rotation and scale are the covariance divided by the variance.
    pub(crate) fn from_points(from: &[Point], to: &[Point]) -> Option<Self> {
        let n = from.len().min(to.len()) as f32;
        if n < 2.0 {
            return None;
        }
        let mean = |points: &[Point]| {
            let (x, y) = points
                .iter()
                .fold((0.0, 0.0), |(x, y), p| (x + p.x, y + p.y));
            Point::new(x / n, y / n)
        };
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut real, mut imaginary, mut variance) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (p.x - from_mean.x, p.y - from_mean.y);
            let (qx, qy) = (q.x - to_mean.x, q.y - to_mean.y);
            real += px * qx + py * qy;
            imaginary += px * qy - py * qx;
            variance += px * px + py * py;
        }
        let (a, b) = (real / variance, imaginary / variance);
        let transform = Self {
            a,
            b,
            tx: to_mean.x - (a * from_mean.x - b * from_mean.y),
            ty: to_mean.y - (b * from_mean.x + a * from_mean.y),
        };
        (transform.scale() > 0.0 && [transform.tx, transform.ty].iter().all(|v| v.is_finite()))
            .then_some(transform)
    }

    /// Returns the point to which `p` is mapped.
    pub(crate) fn apply(&self, p: Point) -> Point {
        Point::new(
            self.a * p.x - self.b * p.y + self.tx,
            self.b * p.x + self.a * p.y + self.ty,
        )
    }

    /// Returns the inverse transform.
    pub(crate) fn inverse(&self) -> Self {
        let norm = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / norm, -self.b / norm);
        Self {
            a,
            b,
            tx: -(a * self.tx - b * self.ty),
            ty: -(b * self.tx + a * self.ty),
        }
    }

    /// Returns the scale: units of the target per unit of the source.
    pub(crate) fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Returns the vector (x, y) to which the vector (1, 0) is mapped; (0, 1) is mapped to (−y, x).
    pub(crate) fn step_right(&self) -> Point {
        Point::new(self.a, self.b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_half_overlapping_squares_is_a_third() {
        let a = Rect::new(0.0, 0.0, 2.0, 2.0);
        assert_eq!(a.iou(&Rect::new(1.0, 0.0, 2.0, 2.0)), 1.0 / 3.0);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&Rect::new(5.0, 5.0, 1.0, 1.0)), 0.0);
        assert_eq!(Rect::default().iou(&Rect::default()), 0.0);
    }

    #[test]
    fn similarity_recovers_a_quarter_turn_with_scale_and_shift() {
        // (x, y) -> (-2y + 3, 2x - 1)
        let from = [
            Point::new(0.0, 0.0),
            Point::new(1.0, 0.0),
            Point::new(0.0, 1.0),
        ];
        let to = [
            Point::new(3.0, -1.0),
            Point::new(3.0, 1.0),
            Point::new(1.0, -1.0),
        ];
        let transform = Similarity::from_points(&from, &to).unwrap();
        assert!((transform.scale() - 2.0).abs() < 1e-5);
        let p = transform.apply(Point::new(2.0, 5.0));
        assert!((p.x + 7.0).abs() < 1e-4 && (p.y - 3.0).abs() < 1e-4);
        let back = transform.inverse().apply(p);
        assert!((back.x - 2.0).abs() < 1e-4 && (back.y - 5.0).abs() < 1e-4);
    }

    #[test]
    fn similarity_of_coinciding_points_does_not_exist() {
        let p = [Point::new(1.0, 1.0); 5];
        assert_eq!(Similarity::from_points(&p, &p), None);
        let nan = [Point::new(f32::NAN, 0.0); 5];
        assert_eq!(Similarity::from_points(&nan, &p), None);
    }
}

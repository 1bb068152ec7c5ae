// SPDX-License-Identifier: MPL-2.0

//! The orientation of the picture in a frame.

use crate::geometry::{Point, Rect};

/// The rotation and mirroring that turn the picture of a frame upright.
///
/// Phones store pictures as the sensor reads them, and add the orientation. The analysis reads such
/// frames in place: the detector's input and crops are upright, and boxes and landmarks in the
/// frame are turned back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Orientation {
    /// `true` if the columns of the upright picture are rows of the frame.
    is_transposed: bool,
    /// `true` if the columns of the frame are read from right to left.
    is_mirrored_x: bool,
    /// `true` if the rows of the frame are read from bottom to top.
    is_mirrored_y: bool,
}

impl Orientation {
    /// The picture is upright.
    pub const IDENTITY: Self = Self::new(false, false, false);
    /// The picture is upright after a rotation by 90 degrees clockwise.
    pub const ROTATE_90: Self = Self::new(true, false, true);
    /// The picture is upright after a rotation by 180 degrees.
    pub const ROTATE_180: Self = Self::new(false, true, true);
    /// The picture is upright after a rotation by 90 degrees counterclockwise.
    pub const ROTATE_270: Self = Self::new(true, true, false);
    /// The picture is mirrored: left and right are exchanged.
    pub const HORIZONTAL_FLIP: Self = Self::new(false, true, false);
    /// The picture is mirrored: top and bottom are exchanged.
    pub const VERTICAL_FLIP: Self = Self::new(false, false, true);
    /// The picture is mirrored at the diagonal from the upper left to the lower right corner.
    pub const UPPER_LEFT_DIAGONAL: Self = Self::new(true, false, false);
    /// The picture is mirrored at the diagonal from the upper right to the lower left corner.
    pub const UPPER_RIGHT_DIAGONAL: Self = Self::new(true, true, true);

    /// All orientations.
    pub const ALL: [Self; 8] = [
        Self::IDENTITY,
        Self::ROTATE_90,
        Self::ROTATE_180,
        Self::ROTATE_270,
        Self::HORIZONTAL_FLIP,
        Self::VERTICAL_FLIP,
        Self::UPPER_LEFT_DIAGONAL,
        Self::UPPER_RIGHT_DIAGONAL,
    ];

    const fn new(is_transposed: bool, is_mirrored_x: bool, is_mirrored_y: bool) -> Self {
        Self {
            is_transposed,
            is_mirrored_x,
            is_mirrored_y,
        }
    }

    /// Returns `true` if the columns of the upright picture are rows of the frame, so that width
    /// and height are exchanged.
    pub const fn is_transposed(self) -> bool {
        self.is_transposed
    }

    /// Returns the values for x and y in the frame, of those for x and y in the upright picture, or
    /// the other way around.
    pub(crate) fn swapped<T>(self, (x, y): (T, T)) -> (T, T) {
        if self.is_transposed { (y, x) } else { (x, y) }
    }

    /// Returns the pixel of a frame of `frame_size` (width, height) in a column and row of the
    /// upright picture.
    pub(crate) fn pixel_in_frame(
        self,
        upright: (usize, usize),
        frame_size: (usize, usize),
    ) -> (usize, usize) {
        let (x, y) = self.swapped(upright);
        (
            if self.is_mirrored_x {
                frame_size.0 - 1 - x
            } else {
                x
            },
            if self.is_mirrored_y {
                frame_size.1 - 1 - y
            } else {
                y
            },
        )
    }

    /// Converts a vector from the upright picture to the frame.
    pub(crate) fn vector_in_frame(self, v: Point) -> Point {
        let (x, y) = self.swapped((v.x, v.y));
        Point::new(
            if self.is_mirrored_x { -x } else { x },
            if self.is_mirrored_y { -y } else { y },
        )
    }

    /// Converts a point from the upright picture to a frame of `frame_size` (width, height).
    pub(crate) fn point_in_frame(self, p: Point, frame_size: (f32, f32)) -> Point {
        let (x, y) = self.swapped((p.x, p.y));
        self.mirrored(Point::new(x, y), frame_size)
    }

    /// Converts a point from a frame of `frame_size` (width, height) to the upright picture.
    pub(crate) fn point_upright(self, p: Point, frame_size: (f32, f32)) -> Point {
        let p = self.mirrored(p, frame_size);
        let (x, y) = self.swapped((p.x, p.y));
        Point::new(x, y)
    }

    /// Converts a box from the upright picture to a frame of `frame_size` (width, height).
    pub(crate) fn rect_in_frame(self, r: Rect, frame_size: (f32, f32)) -> Rect {
        let center = self.point_in_frame(r.center(), frame_size);
        self.rect_around(r, center)
    }

    /// Converts a box from a frame of `frame_size` (width, height) to the upright picture.
    pub(crate) fn rect_upright(self, r: Rect, frame_size: (f32, f32)) -> Rect {
        let center = self.point_upright(r.center(), frame_size);
        self.rect_around(r, center)
    }

    fn mirrored(self, p: Point, frame_size: (f32, f32)) -> Point {
        Point::new(
            if self.is_mirrored_x {
                frame_size.0 - p.x
            } else {
                p.x
            },
            if self.is_mirrored_y {
                frame_size.1 - p.y
            } else {
                p.y
            },
        )
    }

    /// Returns `r` turned and moved to `center`. Without an orientation it is not rounded.
    fn rect_around(self, r: Rect, center: Point) -> Rect {
        if self == Self::IDENTITY {
            return r;
        }
        let (w, h) = self.swapped((r.w, r.h));
        Rect::from_center(center, w, h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (f32, f32) = (40.0, 30.0);

    #[test]
    fn a_rotation_by_90_degrees_moves_the_lower_left_corner_to_the_upper_left() {
        let upright = |orientation: Orientation| {
            let p = orientation.point_upright(Point::new(1.0, 28.0), SIZE);
            (p.x, p.y)
        };
        assert_eq!(upright(Orientation::IDENTITY), (1.0, 28.0));
        assert_eq!(upright(Orientation::ROTATE_90), (2.0, 1.0));
        assert_eq!(upright(Orientation::ROTATE_180), (39.0, 2.0));
        assert_eq!(upright(Orientation::ROTATE_270), (28.0, 39.0));
        assert_eq!(upright(Orientation::HORIZONTAL_FLIP), (39.0, 28.0));
        assert_eq!(upright(Orientation::VERTICAL_FLIP), (1.0, 2.0));
        assert_eq!(upright(Orientation::UPPER_LEFT_DIAGONAL), (28.0, 1.0));
        assert_eq!(upright(Orientation::UPPER_RIGHT_DIAGONAL), (2.0, 39.0));
    }

    #[test]
    fn points_boxes_vectors_and_pixels_are_converted_alike() {
        for orientation in Orientation::ALL {
            let (p, q) = (Point::new(3.5, 4.5), Point::new(9.5, 6.5));
            let in_frame = |p| orientation.point_in_frame(p, SIZE);
            assert_eq!(orientation.point_upright(in_frame(p), SIZE), p);
            let step = orientation.vector_in_frame(Point::new(q.x - p.x, q.y - p.y));
            let (from, to) = (in_frame(p), in_frame(q));
            assert_eq!(step, Point::new(to.x - from.x, to.y - from.y));
            let (column, row) = orientation.pixel_in_frame((3, 4), (40, 30));
            let center = Point::new(column as f32 + 0.5, row as f32 + 0.5);
            assert_eq!(center, from);
            let bbox = Rect::new(3.5, 4.5, 6.0, 2.0);
            let turned = orientation.rect_in_frame(bbox, SIZE);
            assert_eq!((turned.x, turned.y), (from.x.min(to.x), from.y.min(to.y)));
            assert_eq!(orientation.rect_upright(turned, SIZE), bbox);
        }
    }
}

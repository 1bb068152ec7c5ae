// SPDX-License-Identifier: MPL-2.0

//! The position of a frame in the input of a detector.

use crate::geometry::{Point, Rect};
use crate::orientation::Orientation;

/// Sizes that a detector's input may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSize {
    /// Any size whose width and height are multiples of this number of pixels; 0 counts as 1.
    MultipleOf(usize),
    /// A fixed size.
    Fixed {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
}

/// The position of a frame in the input of a detector. The scaled frame, upright, is in the top left
/// corner; the rest is black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// Width of the input in pixels.
    pub input_width: usize,
    /// Height of the input in pixels.
    pub input_height: usize,
    /// Width of the scaled frame in pixels of the input.
    pub content_width: usize,
    /// Height of the scaled frame in pixels of the input.
    pub content_height: usize,
    /// Factors from pixels of the input to frame pixels of the upright picture.
    upright_from_input: (f32, f32),
}

impl Letterbox {
    /// Fits an upright picture of `width` by `height` pixels, both at least 1, into an input with
    /// square pixels. `pixel_aspect` is its pixel aspect ratio. In an input without a fixed
    /// size, the long side of the scaled frame has at most `long_side` pixels and is not larger
    /// than that of the displayed frame; width and height of the input are rounded up to multiples.
    pub fn new(
        (width, height): (usize, usize),
        pixel_aspect: f32,
        size: InputSize,
        long_side: usize,
    ) -> Self {
        let displayed_width = (width as f32 * pixel_aspect).max(1.0);
        let (max_width, max_height) = match size {
            InputSize::MultipleOf(_) => {
                let side = long_side
                    .min((displayed_width.ceil() as usize).max(height))
                    .max(1);
                (side, side)
            }
            InputSize::Fixed {
                width: fixed_width,
                height: fixed_height,
            } => (fixed_width, fixed_height),
        };
        let scale = (max_width as f32 / displayed_width).min(max_height as f32 / height as f32);
        let scaled = |side: f32, max: usize| ((side * scale).round() as usize).clamp(1, max);
        let content_width = scaled(displayed_width, max_width);
        let content_height = scaled(height as f32, max_height);
        let (input_width, input_height) = match size {
            InputSize::MultipleOf(multiple) => (
                content_width.next_multiple_of(multiple.max(1)),
                content_height.next_multiple_of(multiple.max(1)),
            ),
            InputSize::Fixed {
                width: fixed_width,
                height: fixed_height,
            } => (fixed_width, fixed_height),
        };
        Self {
            input_width,
            input_height,
            content_width,
            content_height,
            upright_from_input: (
                width as f32 / content_width as f32,
                height as f32 / content_height as f32,
            ),
        }
    }

    /// Returns the letterbox of the frame as it is stored, without padding.
    pub(super) fn of_stored(&self, orientation: Orientation) -> Self {
        let content = (self.content_width, self.content_height);
        let (width, height) = orientation.swapped(content);
        Self {
            input_width: width,
            input_height: height,
            content_width: width,
            content_height: height,
            upright_from_input: orientation.swapped(self.upright_from_input),
        }
    }

    /// Converts a point from pixels of the input to frame pixels of the upright picture.
    pub(crate) fn point_upright(&self, p: Point) -> Point {
        let (sx, sy) = self.upright_from_input;
        Point::new(p.x * sx, p.y * sy)
    }

    /// Converts a box from pixels of the input to frame pixels of the upright picture.
    pub(crate) fn rect_upright(&self, r: Rect) -> Rect {
        let (sx, sy) = self.upright_from_input;
        Rect::new(r.x * sx, r.y * sy, r.w * sx, r.h * sy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letterbox_of_a_wide_frame_is_padded_to_multiples_of_32() {
        let multiple = InputSize::MultipleOf(32);
        let letterbox = Letterbox::new((1280, 720), 1.0, multiple, 320);
        assert_eq!((letterbox.input_width, letterbox.input_height), (320, 192));
        assert_eq!(
            (letterbox.content_width, letterbox.content_height),
            (320, 180)
        );
        let r = letterbox.rect_upright(Rect::new(10.0, 20.0, 30.0, 40.0));
        assert_eq!(r, Rect::new(40.0, 80.0, 120.0, 160.0));
        let tiny = Letterbox::new((1, 1), 1.0, multiple, 320);
        assert_eq!((tiny.input_width, tiny.content_width), (32, 1));
        let thin = Letterbox::new((7680, 1), 1.0, multiple, 320);
        assert_eq!((thin.content_width, thin.content_height), (320, 1));
    }

    #[test]
    fn wide_pixels_become_square() {
        // PAL at a display aspect ratio of 16:9.
        let letterbox = Letterbox::new((720, 576), 64.0 / 45.0, InputSize::MultipleOf(32), 320);
        assert_eq!(
            (letterbox.content_width, letterbox.content_height),
            (320, 180)
        );
        let r = letterbox.rect_upright(Rect::new(160.0, 45.0, 80.0, 90.0));
        assert_eq!(r, Rect::new(360.0, 144.0, 180.0, 288.0));
    }
}

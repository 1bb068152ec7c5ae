// SPDX-License-Identifier: MPL-2.0

//! How a frame lies in a detector's input.

use crate::analysis::geometry::{Point, Rect};

/// What sizes a detector's input may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSize {
    /// Any whose sides are multiples of this many pixels.
    MultipleOf(usize),
    /// This one alone.
    Fixed {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
}

/// How a frame lies in a detector's input: scaled, at the top left corner, the rest black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// Width of the input in pixels.
    pub input_width: usize,
    /// Height of the input in pixels.
    pub input_height: usize,
    /// Width of the part that shows the frame.
    pub content_width: usize,
    /// Height of the part that shows the frame.
    pub content_height: usize,
    frame_from_input: (f32, f32),
}

impl Letterbox {
    /// Fits a frame of `width` by `height`, both at least 1, into an input. One of free size gets
    /// a long side of at most `long_side`, and is never larger than the frame needs.
    pub fn new(width: usize, height: usize, size: InputSize, long_side: usize) -> Self {
        let (max_width, max_height) = match size {
            InputSize::MultipleOf(_) => {
                let side = long_side.min(width.max(height)).max(1);
                (side, side)
            }
            InputSize::Fixed { width, height } => (width, height),
        };
        let scale = (max_width as f32 / width as f32).min(max_height as f32 / height as f32);
        let scaled =
            |side: usize, max: usize| ((side as f32 * scale).round() as usize).clamp(1, max);
        let content_width = scaled(width, max_width);
        let content_height = scaled(height, max_height);
        let (input_width, input_height) = match size {
            InputSize::MultipleOf(multiple) => (
                content_width.next_multiple_of(multiple.max(1)),
                content_height.next_multiple_of(multiple.max(1)),
            ),
            InputSize::Fixed { width, height } => (width, height),
        };
        Self {
            input_width,
            input_height,
            content_width,
            content_height,
            frame_from_input: (
                width as f32 / content_width as f32,
                height as f32 / content_height as f32,
            ),
        }
    }

    /// A point of the input in the frame.
    pub fn point_in_frame(&self, p: Point) -> Point {
        Point::new(p.x * self.frame_from_input.0, p.y * self.frame_from_input.1)
    }

    /// A box of the input in the frame.
    pub fn rect_in_frame(&self, r: Rect) -> Rect {
        let (sx, sy) = self.frame_from_input;
        Rect::new(r.x * sx, r.y * sy, r.w * sx, r.h * sy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letterbox_of_a_wide_frame_is_padded_to_multiples_of_32() {
        let letterbox = Letterbox::new(1280, 720, InputSize::MultipleOf(32), 320);
        assert_eq!((letterbox.input_width, letterbox.input_height), (320, 192));
        assert_eq!(
            (letterbox.content_width, letterbox.content_height),
            (320, 180)
        );
        let r = letterbox.rect_in_frame(Rect::new(10.0, 20.0, 30.0, 40.0));
        assert_eq!(r, Rect::new(40.0, 80.0, 120.0, 160.0));
        let tiny = Letterbox::new(1, 1, InputSize::MultipleOf(32), 320);
        assert_eq!((tiny.input_width, tiny.content_width), (32, 1));
        let thin = Letterbox::new(7680, 1, InputSize::MultipleOf(32), 320);
        assert_eq!((thin.content_width, thin.content_height), (320, 1));
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Sizes of the drawing, in pixels, for a frame size.

/// Minimum length of the shorter side; nothing is readable below it.
const MIN_SIDE_PX: u32 = 32;
/// Maximum length of the longer side; Cairo's limit.
const MAX_SIDE_PX: u32 = 32_767;

/// Sizes of the drawing on frames of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// Size of the frame.
    pub(super) frame: Size,
    /// Em size of the text.
    pub(super) font_px: i32,
    /// Width of the colored line of a box.
    pub(super) line_px: i32,
    /// Width of the dark line on either side of it, and of the rim of a history strip.
    pub(super) halo_px: i32,
    /// Size of the corner of a box, including the halo.
    pub(super) corner_px: i32,
    /// Gap between a box and its label or history strip, and inside plates.
    pub(super) gap_px: i32,
    /// Margin between the edge of the frame and the history strip of the scene.
    pub(super) margin_px: i32,
    /// Height of the history strip of a face.
    pub(super) face_strip_height_px: i32,
    /// Height of the history strip of the scene.
    pub(super) scene_strip_height_px: i32,
}

/// Width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width_px: i32,
    pub(super) height_px: i32,
}

impl Size {
    pub(super) const fn new(width_px: i32, height_px: i32) -> Self {
        Self {
            width_px,
            height_px,
        }
    }
}

impl Scale {
    /// Returns the sizes for a frame; `None` if nothing can be drawn on it.
    pub(super) fn for_frame(width_px: u32, height_px: u32) -> Option<Self> {
        let shorter_px = width_px.min(height_px);
        if shorter_px < MIN_SIDE_PX || width_px.max(height_px) > MAX_SIDE_PX {
            return None;
        }
        let fraction = |divisor: u32, min_px: i32| ((shorter_px / divisor) as i32).max(min_px);
        let line_px = even_up(fraction(270, 2));
        let halo_px = fraction(540, 1);
        Some(Self {
            frame: Size::new(width_px as i32, height_px as i32),
            font_px: fraction(40, 11),
            line_px,
            halo_px,
            corner_px: 3 * line_px + halo_px,
            gap_px: even_up(fraction(240, 2)),
            margin_px: even_up(fraction(60, 4)),
            face_strip_height_px: even_up(fraction(80, 6)),
            scene_strip_height_px: even_up(fraction(60, 8)),
        })
    }

    /// Returns the width of the line of a box with its halo.
    pub(super) const fn bar_px(&self) -> i32 {
        self.line_px + 2 * self.halo_px
    }

    /// Returns the width of the history strip of a face with `slots` slots: whole pixels per slot.
    /// It is the same for every face, so that the strip is not drawn again when a face comes
    /// closer.
    pub(super) fn face_strip_width_px(&self, slots: usize) -> i32 {
        let shorter_px = self.frame.width_px.min(self.frame.height_px);
        let slots = i32::try_from(slots).unwrap_or(i32::MAX).max(1);
        let slot_px = (shorter_px / 4 / slots).max(2);
        let cells_px = slots.saturating_mul(slot_px);
        cells_px
            .saturating_add(2 * self.halo_px)
            .min(self.frame.width_px)
    }
}

/// Rounds down to an even number. Bitmaps start on even pixels if possible: with subsampled chroma,
/// a line that starts on an odd pixel would bleed or lose its color.
pub(super) const fn even_down(px: i32) -> i32 {
    px & !1
}

/// Rounds up to an even number.
pub(super) const fn even_up(px: i32) -> i32 {
    even_down(px + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_readable_and_grows_with_the_frame() {
        assert_eq!(Scale::for_frame(320, 240).unwrap().font_px, 11);
        assert_eq!(Scale::for_frame(1280, 720).unwrap().font_px, 18);
        assert_eq!(Scale::for_frame(3840, 2160).unwrap().font_px, 54);
        assert_eq!(Scale::for_frame(2160, 3840).unwrap().font_px, 54);
    }

    #[test]
    fn frames_that_are_too_small_or_large_have_no_scale() {
        for (width_px, height_px) in [(0, 0), (1, 1), (2, 2), (31, 1000), (40_000, 100)] {
            assert_eq!(Scale::for_frame(width_px, height_px), None);
        }
    }

    #[test]
    fn a_history_strip_is_never_wider_than_the_frame() {
        let scale = Scale::for_frame(320, 240).unwrap();
        for slots in [0, 1, 50, 300, 5000, usize::MAX] {
            assert!((1..=320).contains(&scale.face_strip_width_px(slots)));
        }
    }
}

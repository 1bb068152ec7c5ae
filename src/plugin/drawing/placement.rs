// SPDX-License-Identifier: MPL-2.0

//! Positions of outlines, labels and history strips; all lie inside the frame.

use super::scale::{Scale, Size, even_down, even_up};
use attitude::geometry::Rect;

/// A rectangle in whole pixels of the frame; right and bottom are exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PixelRect {
    pub(super) left_px: i32,
    pub(super) top_px: i32,
    pub(super) right_px: i32,
    pub(super) bottom_px: i32,
}

impl PixelRect {
    /// Returns the rectangle of `size` with its top left corner at (`x`, `y`).
    pub(super) const fn new((x, y): (i32, i32), size: Size) -> Self {
        Self {
            left_px: x,
            top_px: y,
            right_px: x.saturating_add(size.width_px),
            bottom_px: y.saturating_add(size.height_px),
        }
    }

    /// Returns the top left corner, x and y.
    pub(super) const fn position(&self) -> (i32, i32) {
        (self.left_px, self.top_px)
    }

    pub(super) const fn size(&self) -> Size {
        Size::new(self.width_px(), self.height_px())
    }

    pub(super) const fn width_px(&self) -> i32 {
        self.right_px - self.left_px
    }

    pub(super) const fn height_px(&self) -> i32 {
        self.bottom_px - self.top_px
    }
}

/// Returns the outer edges of the line around `bbox_in_frame`; the line does not cover the box if
/// the frame has room. `None` for an invalid box or one outside the frame.
pub(super) fn outline_around(bbox_in_frame: Rect, scale: &Scale) -> Option<PixelRect> {
    let Size {
        width_px,
        height_px,
    } = scale.frame;
    let frame = Rect::new(0.0, 0.0, width_px as f32, height_px as f32);
    let visible = bbox_in_frame.intersection(&frame);
    if !bbox_in_frame.is_valid() || !visible.is_valid() {
        return None;
    }
    let (left_px, right_px) = outer_edges_px(visible.x, visible.x + visible.w, width_px, scale);
    let (top_px, bottom_px) = outer_edges_px(visible.y, visible.y + visible.h, height_px, scale);
    Some(PixelRect {
        left_px,
        top_px,
        right_px,
        bottom_px,
    })
}

/// Returns the outer edges, in one direction, of lines around the pixels `low..high` of a frame of
/// `frame_px` pixels.
fn outer_edges_px(low: f32, high: f32, frame_px: i32, scale: &Scale) -> (i32, i32) {
    let reach_px = scale.line_px + scale.halo_px;
    let min_px = even_up(2 * (scale.corner_px - scale.halo_px));
    let first_px = even_up(scale.halo_px);
    let last_px = even_down(frame_px - scale.halo_px);

    let start_px = even_down(low.floor() as i32 - reach_px);
    let end_px = even_up(high.ceil() as i32 + reach_px);
    let missing_px = (min_px - (end_px - start_px)).max(0);
    let start_px = (start_px - even_down(missing_px / 2)).clamp(first_px, last_px - min_px);
    let end_px = end_px.clamp(start_px + min_px, last_px);
    (start_px - scale.halo_px, end_px + scale.halo_px)
}

/// Positions of the label and the history strip of a face: their top left corners, x and y.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) label: (i32, i32),
    pub(super) strip: (i32, i32),
}

/// Places the label above the box, otherwise below it, otherwise inside at its top. Places the
/// strip below the box, otherwise above it, otherwise inside at its bottom. Both stay in `area`,
/// the upper part of the frame that is free for them. An empty size takes no space.
pub(super) fn place_label_and_strip(
    outline: PixelRect,
    label: Size,
    strip: Size,
    area: Size,
    scale: &Scale,
) -> Placement {
    let inset_px = scale.bar_px() + scale.gap_px;
    let needed_px = |size: Size| match size.height_px {
        0 => 0,
        height_px => height_px + scale.gap_px,
    };

    let strip_fits_below = outline.bottom_px + needed_px(strip) <= area.height_px;
    let below_y = outline.bottom_px
        + if strip_fits_below {
            needed_px(strip)
        } else {
            0
        };
    let label_fits_above = outline.top_px >= needed_px(label);
    let label_y = if label_fits_above {
        outline.top_px - needed_px(label)
    } else if below_y + needed_px(label) <= area.height_px {
        below_y + scale.gap_px
    } else {
        outline.top_px + inset_px
    };

    let above_y = if label_fits_above {
        label_y
    } else {
        outline.top_px
    };
    let strip_y = if strip_fits_below {
        outline.bottom_px + scale.gap_px
    } else if above_y >= needed_px(strip) {
        above_y - needed_px(strip)
    } else {
        outline.bottom_px.min(area.height_px) - inset_px - strip.height_px
    };

    let clamped = |size: Size, y: i32| {
        let clamp = |start_px: i32, max_px: i32| even_up(start_px).min(even_down(max_px)).max(0);
        (
            clamp(outline.left_px, area.width_px - size.width_px),
            clamp(y, area.height_px - size.height_px),
        )
    };
    Placement {
        label: clamped(label, label_y),
        strip: clamped(strip, strip_y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: Size = Size::new(100, 20);
    const STRIP: Size = Size::new(60, 8);

    fn scale() -> Scale {
        Scale::for_frame(640, 360).unwrap()
    }

    fn placed(bbox_in_frame: Rect) -> (PixelRect, Placement) {
        let scale = scale();
        let outline = outline_around(bbox_in_frame, &scale).unwrap();
        (
            outline,
            place_label_and_strip(outline, LABEL, STRIP, scale.frame, &scale),
        )
    }

    #[test]
    fn the_line_lies_outside_the_face_and_starts_on_even_pixels() {
        let scale = scale();
        let outline = outline_around(Rect::new(101.0, 50.5, 80.0, 90.0), &scale).unwrap();
        assert!(
            outline.left_px + scale.bar_px() <= 101 && outline.right_px - scale.bar_px() >= 181
        );
        assert!(outline.top_px + scale.bar_px() <= 50 && outline.bottom_px - scale.bar_px() >= 141);
        assert_eq!((outline.left_px + scale.halo_px) % 2, 0);
        assert_eq!((outline.bottom_px - scale.halo_px) % 2, 0);
    }

    #[test]
    fn boxes_of_any_kind_stay_in_the_frame() {
        let values = [-1e30, -700.0, -1.0, 0.0, 0.5, 3.0, 359.5, 639.9, 1e30];
        let sizes = [1e-6, 1.0, 24.0, 360.0, 5000.0, 1e30, f32::MAX];
        let scale = scale();
        for (x, y) in values.iter().flat_map(|x| values.map(|y| (*x, y))) {
            for (w, h) in sizes.iter().flat_map(|w| sizes.map(|h| (*w, h))) {
                let Some(outline) = outline_around(Rect::new(x, y, w, h), &scale) else {
                    continue;
                };
                assert!(
                    outline.left_px >= 0 && outline.right_px <= 640,
                    "{outline:?}"
                );
                assert!(
                    outline.top_px >= 0 && outline.bottom_px <= 360,
                    "{outline:?}"
                );
                assert!(outline.width_px() >= 2 * scale.corner_px, "{outline:?}");
                assert!(outline.height_px() >= 2 * scale.corner_px, "{outline:?}");
                let placement = place_label_and_strip(outline, LABEL, STRIP, scale.frame, &scale);
                for ((x, y), size) in [(placement.label, LABEL), (placement.strip, STRIP)] {
                    assert!(x >= 0 && x + size.width_px <= 640);
                    assert!(y >= 0 && y + size.height_px <= 360);
                }
            }
        }
    }

    #[test]
    fn boxes_that_are_invalid_or_outside_are_not_drawn() {
        for bbox in [
            Rect::new(f32::NAN, 0.0, 10.0, 10.0),
            Rect::new(0.0, 0.0, f32::INFINITY, 10.0),
            Rect::new(10.0, 10.0, 0.0, 10.0),
            Rect::new(10.0, 10.0, -5.0, -5.0),
            Rect::new(641.0, 10.0, 50.0, 50.0),
            Rect::new(10.0, -60.0, 50.0, 50.0),
        ] {
            assert_eq!(outline_around(bbox, &scale()), None, "{bbox:?}");
        }
    }

    #[test]
    fn label_above_and_strip_below_by_default() {
        let (outline, placement) = placed(Rect::new(100.0, 100.0, 80.0, 80.0));
        assert!(placement.label.1 + LABEL.height_px <= outline.top_px);
        assert!(placement.strip.1 >= outline.bottom_px);
    }

    #[test]
    fn at_the_top_edge_both_are_below_and_do_not_overlap() {
        let (outline, placement) = placed(Rect::new(100.0, 2.0, 80.0, 80.0));
        assert!(placement.strip.1 >= outline.bottom_px);
        assert!(placement.label.1 >= placement.strip.1 + STRIP.height_px);
    }

    #[test]
    fn at_the_bottom_edge_both_are_above_and_do_not_overlap() {
        let (outline, placement) = placed(Rect::new(100.0, 270.0, 80.0, 88.0));
        assert!(placement.label.1 + LABEL.height_px <= outline.top_px);
        assert!(placement.strip.1 + STRIP.height_px <= placement.label.1);
    }

    #[test]
    fn in_a_box_that_fills_the_frame_both_are_inside() {
        let (outline, placement) = placed(Rect::new(0.0, 0.0, 640.0, 360.0));
        assert!(placement.label.1 > outline.top_px);
        assert!(placement.strip.1 > placement.label.1 + LABEL.height_px);
        assert!(placement.strip.1 + STRIP.height_px < outline.bottom_px);
    }
}

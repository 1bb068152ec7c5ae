// SPDX-License-Identifier: MPL-2.0

//! The box around a face.
//!
//! Put together from the corners of a small picture and from bars that are cut to length, which
//! share the memory of one picture per colour: a box of any size costs no pixels of its own.

use gst_video::VideoOverlayRectangle;

use super::RenderError;
use super::palette::{Color, HALO};
use super::placement::PixelRect;
use super::scale::{Scale, Size};
use super::sprite::{Sprite, rounded_path};

/// What boxes of one colour are made of.
#[derive(Debug)]
pub(super) struct Outline {
    corner_px: i32,
    bar_px: i32,
    corners: Sprite,
    horizontal_bar: Sprite,
    vertical_bar: Sprite,
}

impl Outline {
    /// Draws the parts, the bars as long as the frame.
    pub(super) fn new(color: Color, scale: &Scale) -> Result<Self, RenderError> {
        let bar_px = scale.bar_px();
        let Size {
            width_px,
            height_px,
        } = scale.frame;
        let line = (f64::from(scale.halo_px), f64::from(scale.line_px));
        Ok(Self {
            corner_px: scale.corner_px,
            bar_px,
            corners: draw_corners(color, scale)?,
            horizontal_bar: Sprite::draw(Size::new(width_px, bar_px), |cr| {
                HALO.select(cr);
                cr.paint()?;
                color.select(cr);
                cr.rectangle(0.0, line.0, f64::from(width_px), line.1);
                cr.fill()
            })?,
            vertical_bar: Sprite::draw(Size::new(bar_px, height_px), |cr| {
                HALO.select(cr);
                cr.paint()?;
                color.select(cr);
                cr.rectangle(line.0, 0.0, line.1, f64::from(height_px));
                cr.fill()
            })?,
        })
    }

    /// Appends the rectangles that make up a box with the outer edges `outer`, which lie in the
    /// frame and are at least two corners apart.
    pub(super) fn push_box(
        &self,
        outer: PixelRect,
        rectangles: &mut Vec<VideoOverlayRectangle>,
    ) -> Result<(), RenderError> {
        let (corner_px, bar_px) = (self.corner_px, self.bar_px);
        let corner = Size::new(corner_px, corner_px);
        for (from_x, x) in [(0, outer.left), (corner_px, outer.right - corner_px)] {
            for (from_y, y) in [(0, outer.top), (corner_px, outer.bottom - corner_px)] {
                rectangles.push(self.corners.part_at((from_x, from_y), corner, (x, y))?);
            }
        }
        let (x, width_px) = (outer.left + corner_px, outer.width_px() - 2 * corner_px);
        if width_px > 0 {
            let bar = Size::new(width_px, bar_px);
            for y in [outer.top, outer.bottom - bar_px] {
                rectangles.push(self.horizontal_bar.part_at((0, 0), bar, (x, y))?);
            }
        }
        let (y, height_px) = (outer.top + corner_px, outer.height_px() - 2 * corner_px);
        if height_px > 0 {
            let bar = Size::new(bar_px, height_px);
            for x in [outer.left, outer.right - bar_px] {
                rectangles.push(self.vertical_bar.part_at((0, 0), bar, (x, y))?);
            }
        }
        Ok(())
    }
}

/// The smallest box there can be: nothing but corners.
fn draw_corners(color: Color, scale: &Scale) -> Result<Sprite, RenderError> {
    let side_px = 2 * scale.corner_px;
    Sprite::draw(Size::new(side_px, side_px), |cr| {
        let bar = f64::from(scale.bar_px());
        let middle = bar / 2.0;
        let side = f64::from(side_px) - bar;
        let radius = f64::from(scale.corner_px) - middle;
        rounded_path(cr, (middle, middle), (side, side), radius);
        HALO.select(cr);
        cr.set_line_width(bar);
        cr.stroke_preserve()?;
        color.select(cr);
        cr.set_line_width(f64::from(scale.line_px));
        cr.stroke()
    })
}

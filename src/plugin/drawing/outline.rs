// SPDX-License-Identifier: MPL-2.0

//! The box around a face.
//!
//! It consists of bitmaps of its corners, and of bars that are cut to length. They are drawn once
//! per color, and serve boxes of any size.

use super::bitmap::{Bitmap, rounded_path};
use super::placement::PixelRect;
use super::scale::{Scale, Size};
use super::style::{Color, HALO};
use super::{RenderError, Surface};

/// Bitmaps of the boxes in one color.
#[derive(Debug)]
pub(super) struct Outline {
    /// Top left, top right, bottom left, bottom right.
    corners: [Bitmap; 4],
    horizontal_bar: Bitmap,
    vertical_bar: Bitmap,
}

impl Outline {
    /// Draws the corners, and bars as long as the frame.
    pub(super) fn new(color: Color, scale: &Scale) -> Result<Self, RenderError> {
        let bar_px = scale.bar_px();
        let Size {
            width_px,
            height_px,
        } = scale.frame;
        let (halo, line) = (f64::from(scale.halo_px), f64::from(scale.line_px));
        let corner = |column, row| draw_corner(column, row, color, scale);
        Ok(Self {
            corners: [corner(0, 0)?, corner(1, 0)?, corner(0, 1)?, corner(1, 1)?],
            horizontal_bar: Bitmap::draw(Size::new(width_px, bar_px), |cr| {
                HALO.select(cr);
                cr.paint()?;
                color.select(cr);
                cr.rectangle(0.0, halo, f64::from(width_px), line);
                cr.fill()
            })?,
            vertical_bar: Bitmap::draw(Size::new(bar_px, height_px), |cr| {
                HALO.select(cr);
                cr.paint()?;
                color.select(cr);
                cr.rectangle(halo, 0.0, line, f64::from(height_px));
                cr.fill()
            })?,
        })
    }

    /// Draws a box with the outer edges `outer` on `surface`. The edges lie in the frame and are at
    /// least two corners apart. Bars start and end on even pixels.
    pub(super) fn draw_on(
        &mut self,
        surface: &mut impl Surface,
        outer: PixelRect,
    ) -> Result<(), RenderError> {
        let corner = self.corners[0].size();
        let (left, right) = (outer.left_px, outer.right_px - corner.width_px);
        let (top, bottom) = (outer.top_px, outer.bottom_px - corner.height_px);
        let positions = [(left, top), (right, top), (left, bottom), (right, bottom)];
        for (bitmap, position) in self.corners.iter_mut().zip(positions) {
            surface.add(bitmap, PixelRect::new(position, corner))?;
        }
        let (x, width_px) = (
            left + corner.width_px,
            outer.width_px() - 2 * corner.width_px,
        );
        if width_px > 0 {
            let bar = &mut self.horizontal_bar;
            let size = Size::new(width_px, bar.size().height_px);
            for y in [outer.top_px, outer.bottom_px - size.height_px] {
                surface.add(bar, PixelRect::new((x, y), size))?;
            }
        }
        let (y, height_px) = (
            top + corner.height_px,
            outer.height_px() - 2 * corner.height_px,
        );
        if height_px > 0 {
            let bar = &mut self.vertical_bar;
            let size = Size::new(bar.size().width_px, height_px);
            for x in [outer.left_px, outer.right_px - size.width_px] {
                surface.add(bar, PixelRect::new((x, y), size))?;
            }
        }
        Ok(())
    }
}

/// Draws a corner of the smallest possible box, which consists of corners only.
fn draw_corner(column: i32, row: i32, color: Color, scale: &Scale) -> Result<Bitmap, RenderError> {
    let corner_px = scale.corner_px;
    Bitmap::draw(Size::new(corner_px, corner_px), |cr| {
        let bar = f64::from(scale.bar_px());
        let middle = bar / 2.0;
        let side = f64::from(2 * corner_px) - bar;
        let radius = f64::from(corner_px) - middle;
        cr.translate(f64::from(-column * corner_px), f64::from(-row * corner_px));
        rounded_path(cr, (middle, middle), (side, side), radius);
        HALO.select(cr);
        cr.set_line_width(bar);
        cr.stroke_preserve()?;
        color.select(cr);
        cr.set_line_width(f64::from(scale.line_px));
        cr.stroke()
    })
}

// SPDX-License-Identifier: MPL-2.0

//! The history of the whole scene along the bottom of the frame, with a legend.

use gst_video::VideoOverlayRectangle;

use super::RenderError;
use super::palette::{Color, PLATE};
use super::scale::{Scale, Size, even_down};
use super::sprite::{Sprite, fill_plate};
use super::strip::Strip;
use super::text::MarkedText;
use crate::analysis::attitude::Attitude;
use crate::analysis::history::History;

/// The scene's band and the legend, which is drawn once.
#[derive(Debug)]
pub(super) struct Scene {
    band: Strip,
    band_size: Size,
    legend: Option<Sprite>,
}

impl Scene {
    pub(super) fn new(scale: &Scale) -> Result<Self, RenderError> {
        let band_size = Size::new(
            even_down(scale.frame.width_px - 2 * scale.margin_px),
            scale.band_height_px,
        );
        Ok(Self {
            band: Strip::default(),
            band_size,
            legend: draw_legend(band_size.width_px, scale)?,
        })
    }

    /// Appends the rectangles that show `history`. Returns the height of the frame above them.
    pub(super) fn push(
        &mut self,
        history: &History,
        scale: &Scale,
        rectangles: &mut Vec<VideoOverlayRectangle>,
    ) -> Result<i32, RenderError> {
        let x = scale.margin_px;
        let mut y = even_down(scale.frame.height_px - scale.margin_px - self.band_size.height_px);
        let band = self.band.picture(history, self.band_size, scale.halo_px)?;
        rectangles.push(band.at(x, y));
        if let Some(legend) = &mut self.legend {
            y = even_down(y - scale.gap_px - legend.size().height_px);
            rectangles.push(legend.at(x, y));
        }
        Ok(y)
    }
}

/// The names of the colours; `None` where they take more than the band's width or a quarter of the
/// frame's height.
fn draw_legend(width_px: i32, scale: &Scale) -> Result<Option<Sprite>, RenderError> {
    let names = Attitude::ALL
        .map(|attitude| MarkedText::new(attitude.name(), Color::of_label(Some(attitude)), scale));
    let side_px = 2 * scale.gap_px;
    let space_px = scale.font_px;
    let names_px: i32 = names.iter().map(|name| name.size().width_px).sum();
    let size = Size::new(
        names_px + 2 * space_px + 2 * side_px,
        names[0].size().height_px + scale.gap_px,
    );
    if size.width_px > width_px || size.height_px > scale.frame.height_px / 4 {
        return Ok(None);
    }
    Sprite::draw(size, |cr| {
        fill_plate(cr, size, scale.gap_px, PLATE)?;
        let mut x = side_px;
        for name in &names {
            name.draw(cr, x, scale.gap_px / 2)?;
            x += name.size().width_px + space_px;
        }
        Ok(())
    })
    .map(Some)
}

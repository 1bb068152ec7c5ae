// SPDX-License-Identifier: MPL-2.0

//! The history of the whole scene along the bottom of the frame, with a legend.

use gst_video::VideoOverlayRectangle;

use super::RenderError;
use super::look::Look;
use super::scale::{Size, even_down};
use super::sprite::Sprite;
use super::strip::Strip;
use super::text::MarkedTexts;
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
    pub(super) fn new(look: &Look) -> Result<Self, RenderError> {
        let scale = &look.scale;
        let band_size = Size::new(
            even_down(scale.frame.width_px - 2 * scale.margin_px),
            scale.band_height_px,
        );
        Ok(Self {
            band: Strip::default(),
            band_size,
            legend: draw_legend(band_size.width_px, look)?,
        })
    }

    /// Appends the rectangles that show `history`. Returns the height of the frame above them.
    pub(super) fn push(
        &mut self,
        history: &History,
        look: &Look,
        rectangles: &mut Vec<VideoOverlayRectangle>,
    ) -> Result<i32, RenderError> {
        let scale = &look.scale;
        let x = scale.margin_px;
        let mut y = even_down(scale.frame.height_px - scale.margin_px - self.band_size.height_px);
        let band = self.band.picture(history, self.band_size, look)?;
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
fn draw_legend(width_px: i32, look: &Look) -> Result<Option<Sprite>, RenderError> {
    let name = |attitude: Attitude| {
        let color = look.style.colors.of_label(Some(attitude));
        (attitude.name(), color)
    };
    let names = MarkedTexts::new(Attitude::ALL.map(name), look);
    let height_px = look.scale.frame.height_px / 4;
    if names.size().width_px > width_px || names.size().height_px > height_px {
        return Ok(None);
    }
    names.draw().map(Some)
}

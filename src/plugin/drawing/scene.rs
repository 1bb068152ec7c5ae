// SPDX-License-Identifier: MPL-2.0

//! The history of the whole scene along the bottom of the frame, with a legend.

use super::error::RenderError;
use super::look::Look;
use super::placement::PixelRect;
use super::scale::{Size, even_down};
use super::sprite::Sprite;
use super::strip::Strip;
use super::text::MarkedTexts;
use attitude::Attitude;
use attitude::history::History;

/// The scene's band and, with its place, the legend, which is drawn once.
#[derive(Debug)]
pub(super) struct Scene {
    band: Strip,
    band_place: PixelRect,
    legend: Option<(Sprite, (i32, i32))>,
}

impl Scene {
    pub(super) fn new(look: &Look) -> Result<Self, RenderError> {
        let scale = &look.scale;
        let (x, width_px) = (scale.margin_px, scale.frame.width_px - 2 * scale.margin_px);
        let band_size = Size::new(even_down(width_px), scale.band_height_px);
        let y = even_down(scale.frame.height_px - scale.margin_px - band_size.height_px);
        let legend = draw_legend(band_size.width_px, look)?.map(|legend| {
            let y = even_down(y - scale.gap_px - legend.size().height_px);
            (legend, (x, y))
        });
        Ok(Self {
            band: Strip::default(),
            band_place: PixelRect::at((x, y), band_size),
            legend,
        })
    }

    pub(super) fn update(&mut self, history: &History, look: &Look) -> Result<(), RenderError> {
        self.band.update(history, self.band_place.size(), look)
    }

    /// The height of the frame above it.
    pub(super) fn top_px(&self) -> i32 {
        self.legend
            .as_ref()
            .map_or(self.band_place.top, |(_, (_, y))| *y)
    }

    pub(super) fn show(
        &mut self,
        show: &mut impl FnMut(&mut Sprite, PixelRect) -> Result<(), RenderError>,
    ) -> Result<(), RenderError> {
        if let Some(band) = self.band.picture() {
            show(band, self.band_place)?;
        }
        if let Some((legend, at)) = &mut self.legend {
            let place = PixelRect::at(*at, legend.size());
            show(legend, place)?;
        }
        Ok(())
    }
}

/// The names of the colours; `None` where they take more than the band's width or a quarter of the
/// frame's height.
fn draw_legend(width_px: i32, look: &Look) -> Result<Option<Sprite>, RenderError> {
    let name = |attitude: Attitude| {
        let color = look.style.colors.of_label(attitude.into());
        (attitude.name(), color)
    };
    let names = MarkedTexts::new(Attitude::ALL.map(name), look);
    let height_px = look.scale.frame.height_px / 4;
    if names.size().width_px > width_px || names.size().height_px > height_px {
        return Ok(None);
    }
    names.draw().map(Some)
}

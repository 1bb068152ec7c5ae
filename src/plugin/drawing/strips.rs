// SPDX-License-Identifier: MPL-2.0

//! Histories as strips of coloured cells, the newest at the right: one per face, and one for the whole
//! scene, with a legend, along the bottom of the frame.

use super::RenderError;
use super::bitmap::{Bitmap, fill_plate};
use super::label::MarkedTexts;
use super::placement::PixelRect;
use super::scale::{Size, even_down};
use super::style::{PLATE, Theme};
use attitude::Attitude;
use attitude::history::{History, SlotState};

/// Bitmap of a history. Drawn again only when the cells change.
#[derive(Debug, Default)]
pub(super) struct Strip {
    slots: Vec<SlotState>,
    drawn: Option<Bitmap>,
}

impl Strip {
    /// Updates the bitmap to `history`, at this size and with a dark rim.
    pub(super) fn update(
        &mut self,
        history: &History,
        size: Size,
        theme: &Theme,
    ) -> Result<(), RenderError> {
        let is_drawn = self
            .drawn
            .as_ref()
            .is_some_and(|drawn| drawn.size() == size)
            && history.iter().eq(self.slots.iter().copied());
        if !is_drawn {
            self.slots.clear();
            self.slots.extend(history.iter());
            self.drawn = Some(draw(&self.slots, history.capacity(), size, theme)?);
        }
        Ok(())
    }

    /// Returns the bitmap; `None` before the first update.
    pub(super) fn bitmap(&mut self) -> Option<&mut Bitmap> {
        self.drawn.as_mut()
    }
}

fn draw(
    slots: &[SlotState],
    capacity: usize,
    size: Size,
    theme: &Theme,
) -> Result<Bitmap, RenderError> {
    let rim_px = theme.scale.halo_px;
    let cells_px = usize::try_from(size.width_px - 2 * rim_px).unwrap_or(0);
    let edge = |slot: usize| f64::from(rim_px) + (slot * cells_px / capacity) as f64;
    let height = f64::from(size.height_px - 2 * rim_px);
    let first_slot = capacity.saturating_sub(slots.len());

    Bitmap::draw(size, |cr| {
        fill_plate(cr, size, rim_px, PLATE)?;
        cr.set_antialias(cairo::Antialias::None);
        let mut slot = first_slot;
        for run in slots.chunk_by(PartialEq::eq) {
            let next_slot = slot + run.len();
            if let Some(color) = theme.style.colors.of_slot(run[0]) {
                color.select(cr);
                cr.rectangle(
                    edge(slot),
                    f64::from(rim_px),
                    edge(next_slot) - edge(slot),
                    height,
                );
                cr.fill()?;
            }
            slot = next_slot;
        }
        Ok(())
    })
}

/// The history of the scene, and the legend with its position, which is drawn once.
#[derive(Debug)]
pub(super) struct Scene {
    band: Strip,
    band_place: PixelRect,
    legend: Option<(Bitmap, (i32, i32))>,
}

impl Scene {
    pub(super) fn new(theme: &Theme) -> Result<Self, RenderError> {
        let scale = &theme.scale;
        let (x, width_px) = (scale.margin_px, scale.frame.width_px - 2 * scale.margin_px);
        let band_size = Size::new(even_down(width_px), scale.band_height_px);
        let y = even_down(scale.frame.height_px - scale.margin_px - band_size.height_px);
        let legend = draw_legend(band_size.width_px, theme)?.map(|legend| {
            let y = even_down(y - scale.gap_px - legend.size().height_px);
            (legend, (x, y))
        });
        Ok(Self {
            band: Strip::default(),
            band_place: PixelRect::at((x, y), band_size),
            legend,
        })
    }

    pub(super) fn update(&mut self, history: &History, theme: &Theme) -> Result<(), RenderError> {
        self.band.update(history, self.band_place.size(), theme)
    }

    /// Returns the height of the frame above the history and its legend.
    pub(super) fn top_px(&self) -> i32 {
        self.legend
            .as_ref()
            .map_or(self.band_place.top, |(_, (_, y))| *y)
    }

    pub(super) fn show(
        &mut self,
        show: &mut impl FnMut(&mut Bitmap, PixelRect) -> Result<(), RenderError>,
    ) -> Result<(), RenderError> {
        if let Some(band) = self.band.bitmap() {
            show(band, self.band_place)?;
        }
        if let Some((legend, at)) = &mut self.legend {
            let place = PixelRect::at(*at, legend.size());
            show(legend, place)?;
        }
        Ok(())
    }
}

/// Draws the names of the colours; `None` if they need more than the width of the history or a quarter
/// of the frame's height.
fn draw_legend(width_px: i32, theme: &Theme) -> Result<Option<Bitmap>, RenderError> {
    let name = |attitude: Attitude| {
        let color = theme.style.colors.of_label(attitude.into());
        (attitude.name(), color)
    };
    let names = MarkedTexts::new(Attitude::ALL.map(name), theme);
    let height_px = theme.scale.frame.height_px / 4;
    if names.size().width_px > width_px || names.size().height_px > height_px {
        return Ok(None);
    }
    names.draw().map(Some)
}

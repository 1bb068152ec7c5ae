// SPDX-License-Identifier: MPL-2.0

//! History strips: rows of colored cells, the newest at the right. There is one per face, and one
//! of the whole scene, with a legend, along the bottom of the frame.

use super::bitmap::{Bitmap, fill_plate};
use super::label::MarkedTexts;
use super::placement::PixelRect;
use super::scale::{Size, even_down};
use super::style::{PLATE, Theme};
use super::{RenderError, Surface};
use attitude::Attitude;
use attitude::history::{History, SlotState};

/// A history strip. Its bitmap is drawn again only when the cells change.
#[derive(Debug, Default)]
pub(super) struct HistoryStrip {
    slots: Vec<SlotState>,
    bitmap: Option<Bitmap>,
}

impl HistoryStrip {
    /// Updates the bitmap to `history`, at this size, which includes a dark rim.
    pub(super) fn update(
        &mut self,
        history: &History,
        size: Size,
        theme: &Theme,
    ) -> Result<(), RenderError> {
        let is_drawn = self
            .bitmap
            .as_ref()
            .is_some_and(|bitmap| bitmap.size() == size)
            && history.iter().eq(self.slots.iter().copied());
        if !is_drawn {
            self.slots.clear();
            self.slots.extend(history.iter());
            self.bitmap = Some(draw_strip(&self.slots, history.capacity(), size, theme)?);
        }
        Ok(())
    }

    /// Returns the bitmap; `None` before the first update.
    pub(super) fn bitmap(&mut self) -> Option<&mut Bitmap> {
        self.bitmap.as_mut()
    }
}

fn draw_strip(
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
            if let SlotState::Present(label) = run[0] {
                theme.style.color(label).select(cr);
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

/// The history strip of the scene, and above it the legend, which is drawn once.
#[derive(Debug)]
pub(super) struct SceneHistory {
    strip: HistoryStrip,
    strip_rect: PixelRect,
    legend: Option<Legend>,
}

#[derive(Debug)]
struct Legend {
    bitmap: Bitmap,
    rect: PixelRect,
}

impl SceneHistory {
    /// Places the strip, and draws the legend if the frame has room for it.
    pub(super) fn new(theme: &Theme) -> Result<Self, RenderError> {
        let scale = &theme.scale;
        let (x, width_px) = (scale.margin_px, scale.frame.width_px - 2 * scale.margin_px);
        let size = Size::new(even_down(width_px), scale.scene_strip_height_px);
        let y = even_down(scale.frame.height_px - scale.margin_px - size.height_px);
        let legend = draw_legend(size.width_px, theme)?.map(|bitmap| {
            let y = even_down(y - scale.gap_px - bitmap.size().height_px);
            let rect = PixelRect::new((x, y), bitmap.size());
            Legend { bitmap, rect }
        });
        Ok(Self {
            strip: HistoryStrip::default(),
            strip_rect: PixelRect::new((x, y), size),
            legend,
        })
    }

    /// Updates the strip to `history`.
    pub(super) fn update(&mut self, history: &History, theme: &Theme) -> Result<(), RenderError> {
        self.strip.update(history, self.strip_rect.size(), theme)
    }

    /// Returns the upper edge of the strip and its legend.
    pub(super) fn top_px(&self) -> i32 {
        self.legend
            .as_ref()
            .map_or(self.strip_rect.top_px, |legend| legend.rect.top_px)
    }

    /// Draws the strip and the legend on `surface`.
    pub(super) fn draw_on(&mut self, surface: &mut impl Surface) -> Result<(), RenderError> {
        if let Some(strip) = self.strip.bitmap() {
            surface.add(strip, self.strip_rect)?;
        }
        if let Some(legend) = &mut self.legend {
            surface.add(&mut legend.bitmap, legend.rect)?;
        }
        Ok(())
    }
}

/// Draws the names of the attitudes with their colors. Returns `None` if they need more than
/// `max_width_px` or a quarter of the frame's height.
fn draw_legend(max_width_px: i32, theme: &Theme) -> Result<Option<Bitmap>, RenderError> {
    let name = |attitude: Attitude| (attitude.name(), theme.style.color(attitude.into()));
    let names = MarkedTexts::new(Attitude::ALL.map(name), theme);
    let max_height_px = theme.scale.frame.height_px / 4;
    if names.size().width_px > max_width_px || names.size().height_px > max_height_px {
        return Ok(None);
    }
    names.draw().map(Some)
}

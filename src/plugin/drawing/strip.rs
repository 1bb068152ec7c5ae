// SPDX-License-Identifier: MPL-2.0

//! A history as a row of coloured cells, the newest at the right.

use super::error::RenderError;
use super::look::Look;
use super::palette::PLATE;
use super::scale::Size;
use super::sprite::{Sprite, fill_plate};
use attitude::history::{History, Moment};

/// A history's picture, drawn when its cells change.
#[derive(Debug, Default)]
pub(super) struct Strip {
    moments: Vec<Moment>,
    drawn: Option<Sprite>,
}

impl Strip {
    /// Has it show `history` in a picture of that size, with a dark rim.
    pub(super) fn update(
        &mut self,
        history: &History,
        size: Size,
        look: &Look,
    ) -> Result<(), RenderError> {
        let is_drawn = self
            .drawn
            .as_ref()
            .is_some_and(|drawn| drawn.size() == size)
            && history.iter().eq(self.moments.iter().copied());
        if !is_drawn {
            self.moments.clear();
            self.moments.extend(history.iter());
            self.drawn = Some(draw(&self.moments, history.capacity(), size, look)?);
        }
        Ok(())
    }

    /// The picture of the history, `None` before there is one.
    pub(super) fn picture(&mut self) -> Option<&mut Sprite> {
        self.drawn.as_mut()
    }
}

fn draw(
    moments: &[Moment],
    capacity: usize,
    size: Size,
    look: &Look,
) -> Result<Sprite, RenderError> {
    let rim_px = look.scale.halo_px;
    let cells_px = usize::try_from(size.width_px - 2 * rim_px).unwrap_or(0);
    let edge = |slot: usize| f64::from(rim_px) + (slot * cells_px / capacity) as f64;
    let height = f64::from(size.height_px - 2 * rim_px);
    let first_slot = capacity.saturating_sub(moments.len());

    Sprite::draw(size, |cr| {
        fill_plate(cr, size, rim_px, PLATE)?;
        cr.set_antialias(cairo::Antialias::None);
        let mut slot = first_slot;
        for run in moments.chunk_by(PartialEq::eq) {
            let next_slot = slot + run.len();
            if let Some(color) = look.style.colors.of_moment(run[0]) {
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

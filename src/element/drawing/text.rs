// SPDX-License-Identifier: MPL-2.0

//! Words with a mark in a colour before them.

use pango::prelude::*;

use super::palette::{Color, TEXT};
use super::scale::{Scale, Size};
use super::sprite::rounded_path;

/// A line of text, laid out but not drawn yet. It lives for one drawing only, as Pango's objects
/// stay in the thread that made them.
#[derive(Debug)]
pub(super) struct MarkedText {
    layout: pango::Layout,
    mark: Color,
    mark_px: i32,
    mark_gap_px: i32,
    text: Size,
}

/// Has the process load its fonts, which takes longer than a frame may be held up.
pub fn load_fonts() {
    if let Some(scale) = Scale::for_frame(640, 360) {
        MarkedText::new("fonts", TEXT, &scale);
    }
}

impl MarkedText {
    /// Lays out `text` after a mark in the colour `mark`.
    pub(super) fn new(text: &str, mark: Color, scale: &Scale) -> Self {
        let mut font = pango::FontDescription::new();
        font.set_family("Sans");
        font.set_absolute_size(f64::from(scale.font_px * pango::SCALE));
        let layout = pango::Layout::new(&pangocairo::FontMap::default().create_context());
        layout.set_font_description(Some(&font));
        layout.set_single_paragraph_mode(true);
        layout.set_text(text);
        let (width_px, height_px) = layout.pixel_size();
        Self {
            layout,
            mark,
            mark_px: scale.font_px * 2 / 3,
            mark_gap_px: scale.font_px * 2 / 5,
            text: Size::new(width_px, height_px),
        }
    }

    pub(super) fn size(&self) -> Size {
        Size::new(
            self.mark_px + self.mark_gap_px + self.text.width_px,
            self.text.height_px,
        )
    }

    /// Draws it with its top left corner at (`x`, `y`).
    pub(super) fn draw(&self, cr: &cairo::Context, x: i32, y: i32) -> Result<(), cairo::Error> {
        let mark_y = y + (self.text.height_px - self.mark_px + 1) / 2;
        let side = f64::from(self.mark_px);
        let top_left = (f64::from(x), f64::from(mark_y));
        rounded_path(cr, top_left, (side, side), side / 4.0);
        self.mark.select(cr);
        cr.fill()?;

        TEXT.select(cr);
        cr.move_to(f64::from(x + self.mark_px + self.mark_gap_px), f64::from(y));
        pangocairo::functions::show_layout(cr, &self.layout);
        Ok(())
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Words with a mark in a colour before them.

use pango::prelude::*;

use super::error::RenderError;
use super::look::{Font, Look};
use super::palette::{Color, PLATE, TEXT};
use super::scale::{Scale, Size};
use super::sprite::{Sprite, fill_plate, rounded_path};
use super::style::Style;

/// A line of text, laid out but not drawn yet. It lives for one drawing only, as Pango's objects
/// stay in the thread that made them.
#[derive(Debug)]
struct MarkedText {
    layout: pango::Layout,
    mark: Color,
    mark_px: i32,
    mark_gap_px: i32,
    text: Size,
}

/// Has the process load its fonts, which takes longer than a frame may be held up.
pub fn load_fonts() {
    if let Some(scale) = Scale::for_frame(640, 360) {
        MarkedText::new("fonts", TEXT, &Look::new(&Style::default(), scale).font);
    }
}

/// Texts with the colours of their marks, side by side on a plate.
pub(super) struct MarkedTexts<'a> {
    texts: Vec<MarkedText>,
    look: &'a Look,
}

impl<'a> MarkedTexts<'a> {
    /// Lays out each text after a mark in its colour.
    pub(super) fn new<T: AsRef<str>>(
        texts: impl IntoIterator<Item = (T, Color)>,
        look: &'a Look,
    ) -> Self {
        let lay_out = |(text, mark): (T, Color)| MarkedText::new(text.as_ref(), mark, &look.font);
        Self {
            texts: texts.into_iter().map(lay_out).collect(),
            look,
        }
    }

    /// The size of the plate.
    pub(super) fn size(&self) -> Size {
        let gap_px = self.look.scale.gap_px;
        let sizes = || self.texts.iter().map(MarkedText::size);
        let widths_px: i32 = sizes().map(|size| size.width_px).sum();
        let spaces = self.texts.len().saturating_sub(1) as i32;
        let height_px = sizes().map(|size| size.height_px).max().unwrap_or(0);
        Size::new(
            widths_px + spaces * self.look.font.size_px + 4 * gap_px,
            height_px + gap_px,
        )
    }

    pub(super) fn draw(&self) -> Result<Sprite, RenderError> {
        let gap_px = self.look.scale.gap_px;
        let size = self.size();
        Sprite::draw(size, |cr| {
            fill_plate(cr, size, gap_px, PLATE)?;
            let mut x = 2 * gap_px;
            for text in &self.texts {
                text.draw(cr, x, gap_px / 2)?;
                x += text.size().width_px + self.look.font.size_px;
            }
            Ok(())
        })
    }
}

impl MarkedText {
    fn new(text: &str, mark: Color, font: &Font) -> Self {
        let layout = pango::Layout::new(&pangocairo::FontMap::default().create_context());
        layout.set_font_description(Some(&font.description));
        layout.set_single_paragraph_mode(true);
        layout.set_text(text);
        let (width_px, height_px) = layout.pixel_size();
        Self {
            layout,
            mark,
            mark_px: font.size_px * 2 / 3,
            mark_gap_px: font.size_px * 2 / 5,
            text: Size::new(width_px, height_px),
        }
    }

    fn size(&self) -> Size {
        Size::new(
            self.mark_px + self.mark_gap_px + self.text.width_px,
            self.text.height_px,
        )
    }

    /// Draws it with its top left corner at (`x`, `y`).
    fn draw(&self, cr: &cairo::Context, x: i32, y: i32) -> Result<(), cairo::Error> {
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

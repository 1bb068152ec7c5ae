// SPDX-License-Identifier: MPL-2.0

//! Labels of faces, and the texts with colored marks of which labels and the legend consist.

use pango::prelude::*;

use super::bitmap::{Bitmap, fill_plate, rounded_path};
use super::scale::{Scale, Size};
use super::style::{Color, Font, PLATE, Style, TEXT, Theme};
use super::{FaceDrawing, RenderError};
use attitude::{Attitude, Label, Scores};

/// The label of a face: track number, attitude, confidence and scores. Its bitmap is drawn again
/// only when the content changes.
#[derive(Debug, Default)]
pub(super) struct FaceLabel {
    drawn: Option<(Content, Option<Bitmap>)>,
}

/// Content of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content {
    text: Option<Text>,
    /// Percentage of each attitude, in the order of [`Attitude::ALL`].
    scores: Option<[u8; 3]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Text {
    track: u32,
    label: Label,
    percent: Option<u8>,
}

impl FaceLabel {
    /// Updates the label to the state of the face.
    pub(super) fn update(
        &mut self,
        face: &FaceDrawing<'_>,
        theme: &Theme,
    ) -> Result<(), RenderError> {
        let content = Content::new(face, theme);
        let is_drawn = |(drawn, _): &(Content, Option<Bitmap>)| *drawn == content;
        if !self.drawn.as_ref().is_some_and(is_drawn) {
            self.drawn = Some((content, content.draw(theme)?));
        }
        Ok(())
    }

    /// Returns the bitmap of the label; `None` if it has no content or the frame is too small for
    /// it.
    pub(super) fn bitmap(&mut self) -> Option<&mut Bitmap> {
        self.drawn.as_mut().and_then(|(_, bitmap)| bitmap.as_mut())
    }
}

impl Content {
    fn new(face: &FaceDrawing<'_>, theme: &Theme) -> Self {
        let text = Text {
            track: face.track,
            label: face.label,
            percent: face.label.attitude().and_then(|_| percent(face.confidence)),
        };
        let scores = face.scores.filter(Scores::is_valid);
        let percents = scores.map(|scores| scores.to_array().map(|s| percent(s).unwrap_or(0)));
        Self {
            text: theme.style.labels.then_some(text),
            scores: percents.filter(|_| theme.style.scores),
        }
    }

    /// Draws the label; leaves out the scores if the frame is too small for them. Returns `None` if
    /// there is no content or the frame is too small for the text too.
    fn draw(&self, theme: &Theme) -> Result<Option<Bitmap>, RenderError> {
        let Size {
            width_px,
            height_px,
        } = theme.scale.frame;
        let without_scores = Self {
            scores: None,
            ..*self
        };
        [*self, without_scores]
            .iter()
            .filter(|content| content.text.is_some() || content.scores.is_some())
            .map(|content| content.lay_out(theme))
            .find(|texts| texts.size().width_px <= width_px && texts.size().height_px <= height_px)
            .map(|texts| texts.draw())
            .transpose()
    }

    fn lay_out<'a>(&self, theme: &'a Theme) -> MarkedTexts<'a> {
        let style = &theme.style;
        let text = self
            .text
            .map(|text| (text.to_string(), style.color(text.label)));
        let scores = self.scores.map(|percents| {
            let with_color = |(percent, attitude): (u8, Attitude)| {
                (percent.to_string(), style.color(attitude.into()))
            };
            percents.into_iter().zip(Attitude::ALL).map(with_color)
        });
        MarkedTexts::new(text.into_iter().chain(scores.into_iter().flatten()), theme)
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A face that is not tracked has no number.
        if self.track != 0 {
            write!(f, "#{} ", self.track)?;
        }
        f.write_str(self.label.name())?;
        self.percent
            .map_or(Ok(()), |percent| write!(f, " {percent}%"))
    }
}

/// Returns a score, 0 to 1, in per cent; `None` for NaN.
fn percent(score: f32) -> Option<u8> {
    (!score.is_nan()).then(|| (score.clamp(0.0, 1.0) * 100.0).round() as u8)
}

/// A line of text that is laid out but not drawn. It lives for one drawing only, as Pango's objects
/// must stay in the thread that created them.
#[derive(Debug)]
struct MarkedText {
    layout: pango::Layout,
    mark: Color,
    mark_px: i32,
    mark_gap_px: i32,
    text: Size,
}

/// Loads the fonts of the process in advance; loading them at the first frame would delay it.
pub fn load_fonts() {
    if let Some(scale) = Scale::for_frame(640, 360) {
        MarkedText::new("fonts", TEXT, &Theme::new(&Style::default(), scale).font);
    }
}

/// Texts, each with a colored mark, side by side on a plate.
pub(super) struct MarkedTexts<'a> {
    texts: Vec<MarkedText>,
    theme: &'a Theme,
}

impl<'a> MarkedTexts<'a> {
    /// Lays out each text after a mark in its color.
    pub(super) fn new<T: AsRef<str>>(
        texts: impl IntoIterator<Item = (T, Color)>,
        theme: &'a Theme,
    ) -> Self {
        let lay_out = |(text, mark): (T, Color)| MarkedText::new(text.as_ref(), mark, &theme.font);
        Self {
            texts: texts.into_iter().map(lay_out).collect(),
            theme,
        }
    }

    /// Returns the size of the plate.
    pub(super) fn size(&self) -> Size {
        let gap_px = self.theme.scale.gap_px;
        let sizes = || self.texts.iter().map(MarkedText::size);
        let widths_px: i32 = sizes().map(|size| size.width_px).sum();
        let spaces = self.texts.len().saturating_sub(1) as i32;
        let height_px = sizes().map(|size| size.height_px).max().unwrap_or(0);
        Size::new(
            widths_px + spaces * self.theme.font.size_px + 4 * gap_px,
            height_px + gap_px,
        )
    }

    pub(super) fn draw(&self) -> Result<Bitmap, RenderError> {
        let gap_px = self.theme.scale.gap_px;
        let size = self.size();
        Bitmap::draw(size, |cr| {
            fill_plate(cr, size, gap_px, PLATE)?;
            let mut x = 2 * gap_px;
            for text in &self.texts {
                text.draw(cr, x, gap_px / 2)?;
                x += text.size().width_px + self.theme.font.size_px;
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

    /// Draws the text with its top left corner at (`x`, `y`).
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

#[cfg(test)]
mod tests {
    use super::*;

    fn text(track: u32, label: Label, confidence: f32) -> String {
        Text {
            track,
            label,
            percent: label.attitude().and_then(|_| percent(confidence)),
        }
        .to_string()
    }

    #[test]
    fn a_label_contains_track_name_and_percentage() {
        let positive = Label::POSITIVE;
        assert_eq!(text(3, positive, 0.914), "#3 positive 91%");
        assert_eq!(text(3, positive, 7.0), "#3 positive 100%");
        assert_eq!(text(3, positive, f32::NAN), "#3 positive");
        assert_eq!(text(3, Label::Unknown, 0.3), "#3 unknown");
    }

    #[test]
    fn a_face_that_is_not_tracked_has_no_number() {
        assert_eq!(text(0, Label::POSITIVE, 0.914), "positive 91%");
        assert_eq!(text(0, Label::Unknown, 0.3), "unknown");
    }
}

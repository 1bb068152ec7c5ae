// SPDX-License-Identifier: MPL-2.0

//! The label of a face: its track, its attitude and how sure that is.

use super::RenderError;
use super::palette::{Color, PLATE};
use super::scale::{Scale, Size};
use super::sprite::{Sprite, fill_plate};
use super::text::MarkedText;
use crate::analysis::attitude::{Attitude, label_name};

/// A label, drawn when it says something new.
#[derive(Debug, Default)]
pub(super) struct Label {
    drawn: Option<(Content, Option<Sprite>)>,
}

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content {
    track: u32,
    label: Option<Attitude>,
    percent: Option<u8>,
}

impl Label {
    /// The picture of the label; `None` where the frame is too small for it.
    pub(super) fn picture(
        &mut self,
        track: u32,
        label: Option<Attitude>,
        confidence: f32,
        scale: &Scale,
    ) -> Result<Option<&mut Sprite>, RenderError> {
        let content = Content {
            track,
            label,
            percent: label.and_then(|_| percent(confidence)),
        };
        if self
            .drawn
            .as_ref()
            .is_none_or(|(drawn, _)| *drawn != content)
        {
            self.drawn = Some((content, draw(content, scale)?));
        }
        Ok(self.drawn.as_mut().and_then(|(_, sprite)| sprite.as_mut()))
    }
}

/// `None` for what is not a number.
fn percent(confidence: f32) -> Option<u8> {
    (!confidence.is_nan()).then(|| (confidence.clamp(0.0, 1.0) * 100.0).round() as u8)
}

impl Content {
    fn text(&self) -> String {
        let name = label_name(self.label);
        match self.percent {
            Some(percent) => format!("#{} {name} {percent}%", self.track),
            None => format!("#{} {name}", self.track),
        }
    }
}

fn draw(content: Content, scale: &Scale) -> Result<Option<Sprite>, RenderError> {
    let text = MarkedText::new(&content.text(), Color::of_label(content.label), scale);
    let side_px = 2 * scale.gap_px;
    let size = Size::new(
        text.size().width_px + 2 * side_px,
        text.size().height_px + scale.gap_px,
    );
    if size.width_px > scale.frame.width_px || size.height_px > scale.frame.height_px {
        return Ok(None);
    }
    Sprite::draw(size, |cr| {
        fill_plate(cr, size, scale.gap_px, PLATE)?;
        text.draw(cr, side_px, scale.gap_px / 2)
    })
    .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(label: Option<Attitude>, confidence: f32) -> String {
        Content {
            track: 3,
            label,
            percent: label.and_then(|_| percent(confidence)),
        }
        .text()
    }

    #[test]
    fn says_track_name_and_per_cent() {
        let positive = Some(Attitude::Positive);
        assert_eq!(text(positive, 0.914), "#3 positive 91%");
        assert_eq!(text(positive, 7.0), "#3 positive 100%");
        assert_eq!(text(positive, f32::NAN), "#3 positive");
        assert_eq!(text(None, 0.3), "#3 unknown");
    }
}

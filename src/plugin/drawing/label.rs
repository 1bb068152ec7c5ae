// SPDX-License-Identifier: MPL-2.0

//! The label of a face: its track, its attitude and how sure that is, and the scores.

use super::error::RenderError;
use super::face::FaceDrawing;
use super::look::Look;
use super::scale::Size;
use super::sprite::Sprite;
use super::text::MarkedTexts;
use attitude::{Attitude, Label, Scores};

/// A label, drawn when it says something new.
#[derive(Debug, Default)]
pub(super) struct FaceLabel {
    drawn: Option<(Content, Option<Sprite>)>,
}

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content {
    text: Option<Text>,
    /// The per cent of each attitude, in the order of [`Attitude::ALL`].
    scores: Option<[u8; 3]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Text {
    track: u32,
    label: Label,
    percent: Option<u8>,
}

impl FaceLabel {
    /// Has it say what is known of the face.
    pub(super) fn update(
        &mut self,
        face: &FaceDrawing<'_>,
        look: &Look,
    ) -> Result<(), RenderError> {
        let content = Content::new(face, look);
        let is_drawn = |(drawn, _): &(Content, Option<Sprite>)| *drawn == content;
        if !self.drawn.as_ref().is_some_and(is_drawn) {
            self.drawn = Some((content, content.draw(look)?));
        }
        Ok(())
    }

    /// The picture of the label; `None` where it says nothing or the frame is too small for it.
    pub(super) fn picture(&mut self) -> Option<&mut Sprite> {
        self.drawn.as_mut().and_then(|(_, sprite)| sprite.as_mut())
    }
}

impl Content {
    fn new(face: &FaceDrawing<'_>, look: &Look) -> Self {
        let text = Text {
            track: face.track,
            label: face.label,
            percent: face.label.attitude().and_then(|_| percent(face.confidence)),
        };
        let scores = face.scores.filter(Scores::is_valid);
        let percents = scores.map(|scores| scores.to_array().map(|s| percent(s).unwrap_or(0)));
        Self {
            text: look.style.labels.then_some(text),
            scores: percents.filter(|_| look.style.scores),
        }
    }

    /// The scores are left out where the frame is too small for them.
    fn draw(&self, look: &Look) -> Result<Option<Sprite>, RenderError> {
        let Size {
            width_px,
            height_px,
        } = look.scale.frame;
        let without_scores = Self {
            scores: None,
            ..*self
        };
        [*self, without_scores]
            .iter()
            .filter(|content| content.text.is_some() || content.scores.is_some())
            .map(|content| content.lay_out(look))
            .find(|texts| texts.size().width_px <= width_px && texts.size().height_px <= height_px)
            .map(|texts| texts.draw())
            .transpose()
    }

    fn lay_out<'a>(&self, look: &'a Look) -> MarkedTexts<'a> {
        let colors = &look.style.colors;
        let text = self
            .text
            .map(|text| (text.to_string(), colors.of_label(text.label)));
        let scores = self.scores.map(|percents| {
            let of = |(percent, attitude): (u8, Attitude)| {
                (percent.to_string(), colors.of_label(attitude.into()))
            };
            percents.into_iter().zip(Attitude::ALL).map(of)
        });
        MarkedTexts::new(text.into_iter().chain(scores.into_iter().flatten()), look)
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A face that is not followed has no number.
        if self.track != 0 {
            write!(f, "#{} ", self.track)?;
        }
        f.write_str(self.label.name())?;
        self.percent
            .map_or(Ok(()), |percent| write!(f, " {percent}%"))
    }
}

/// `None` for what is not a number.
fn percent(share: f32) -> Option<u8> {
    (!share.is_nan()).then(|| (share.clamp(0.0, 1.0) * 100.0).round() as u8)
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
    fn says_track_name_and_per_cent() {
        let positive = Label::POSITIVE;
        assert_eq!(text(3, positive, 0.914), "#3 positive 91%");
        assert_eq!(text(3, positive, 7.0), "#3 positive 100%");
        assert_eq!(text(3, positive, f32::NAN), "#3 positive");
        assert_eq!(text(3, Label::Unknown, 0.3), "#3 unknown");
    }

    #[test]
    fn a_face_that_is_not_followed_has_no_number() {
        assert_eq!(text(0, Label::POSITIVE, 0.914), "positive 91%");
        assert_eq!(text(0, Label::Unknown, 0.3), "unknown");
    }
}

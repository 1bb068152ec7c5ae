// SPDX-License-Identifier: MPL-2.0

//! What a classifier must do.

use super::attitude::Scores;
use super::crop::Framing;
use super::emotions::Emotions;
use super::preprocessing::PixelFormat;

/// What a classifier says of one face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Classification {
    /// Of the attitudes.
    pub scores: Scores,
    /// Of the classifier's emotions, where it has some.
    pub emotions: Emotions,
}

impl Classification {
    /// Whether all of it are numbers from 0 to 1.
    pub fn is_valid(&self) -> bool {
        self.scores.is_valid() && self.emotions.is_valid()
    }
}

impl From<Scores> for Classification {
    fn from(scores: Scores) -> Self {
        Self {
            scores,
            emotions: Emotions::default(),
        }
    }
}

/// What a classifier wants to be fed with.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierInput {
    /// Width of a crop in pixels.
    pub width: usize,
    /// Height of a crop in pixels.
    pub height: usize,
    /// Channels, their order in memory and their values.
    pub pixel_format: PixelFormat,
    /// Where the face lies in the crop.
    pub framing: Framing,
}

/// A network that scores the attitude of cropped faces.
pub trait AttitudeClassifier: Send {
    /// What [`classify`](Self::classify) takes.
    fn input(&self) -> &ClassifierInput;

    /// The model's name, for the metadata.
    fn model_name(&self) -> &str;

    /// Names of the emotions that it tells beside the attitudes; none where it tells none.
    fn emotion_labels(&self) -> &[String];

    /// Classifies `batch` crops that lie one after the other in `crops` and replaces the contents
    /// of `found` by what it says of each. Scores that are not numbers are passed on; the caller
    /// drops them.
    ///
    /// # Errors
    /// Where the network cannot be run or answers in another shape than it declared.
    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), super::InferenceError>;
}

// SPDX-License-Identifier: MPL-2.0

//! What a classifier must do.

use super::attitude::Scores;
use super::crop::Framing;
use super::preprocessing::PixelFormat;

/// Most emotions that a classifier may tell apart.
pub const MAX_EMOTIONS: usize = 16;

/// A probability for each emotion, in the order of the classifier's labels; none where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Emotions {
    probabilities: [f32; MAX_EMOTIONS],
    count: usize,
}

impl Emotions {
    /// From the first [`MAX_EMOTIONS`] of `probabilities`.
    pub fn from_slice(probabilities: &[f32]) -> Self {
        let count = probabilities.len().min(MAX_EMOTIONS);
        let mut emotions = Self {
            count,
            ..Self::default()
        };
        emotions.probabilities[..count].copy_from_slice(&probabilities[..count]);
        emotions
    }

    /// The probabilities, in the order of the labels.
    pub fn as_slice(&self) -> &[f32] {
        &self.probabilities[..self.count]
    }

    /// Moved towards `newer` by `gain` of the way; `newer` itself where it has other emotions.
    pub fn moved(&self, newer: &Self, gain: f32) -> Self {
        if self.count != newer.count {
            return *newer;
        }
        let mut moved = *newer;
        for (new, old) in moved.probabilities.iter_mut().zip(&self.probabilities) {
            *new = old + gain * (*new - old);
        }
        moved
    }

    /// Whether every probability is a number from 0 to 1.
    pub fn is_valid(&self) -> bool {
        self.as_slice().iter().all(|p| (0.0..=1.0).contains(p))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emotions_move_towards_newer_ones_of_the_same_labels() {
        let old = Emotions::from_slice(&[1.0, 0.0]);
        let moved = old.moved(&Emotions::from_slice(&[0.0, 1.0]), 0.25);
        assert_eq!(moved.as_slice(), [0.75, 0.25]);
        let others = Emotions::from_slice(&[0.2, 0.3, 0.5]);
        assert_eq!(old.moved(&others, 0.25), others);
        assert!(Emotions::default().as_slice().is_empty());
        assert!(!Emotions::from_slice(&[f32::NAN]).is_valid());
    }

    #[test]
    fn emotions_beyond_the_most_are_left_out() {
        let many = Emotions::from_slice(&[0.01; 100]);
        assert_eq!(many.as_slice().len(), MAX_EMOTIONS);
    }
}

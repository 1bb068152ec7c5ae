// SPDX-License-Identifier: MPL-2.0

//! Classifications, and the trait of classifiers.

use super::attitude::Scores;
use super::crop::Framing;
use super::preprocessing::TensorFormat;

/// Maximum number of emotions of a classifier.
pub const MAX_EMOTIONS: usize = 16;

/// Probabilities of emotions, each 0 to 1, in the order of the classifier's labels; empty if the
/// classifier has no emotions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Emotions {
    probabilities: [f32; MAX_EMOTIONS],
    count: usize,
}

impl Emotions {
    /// Creates emotions from the first [`MAX_EMOTIONS`] of `probabilities`.
    pub fn from_slice(probabilities: &[f32]) -> Self {
        let count = probabilities.len().min(MAX_EMOTIONS);
        let mut emotions = Self {
            count,
            ..Self::default()
        };
        emotions.probabilities[..count].copy_from_slice(&probabilities[..count]);
        emotions
    }

    /// Returns the probabilities, in the order of the labels.
    pub fn as_slice(&self) -> &[f32] {
        &self.probabilities[..self.count]
    }

    /// Returns the probabilities moved towards `newer` by the fraction `gain`, 0 to 1, of the
    /// distance; returns `newer` if the numbers of emotions differ.
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

    /// Returns `true` if every probability is a number from 0 to 1.
    pub fn is_valid(&self) -> bool {
        self.as_slice().iter().all(|p| (0.0..=1.0).contains(p))
    }
}

/// The result of a classifier for one face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Classification {
    /// Scores of the attitudes.
    pub scores: Scores,
    /// Probabilities of the classifier's emotions.
    pub emotions: Emotions,
    /// Probability, 0 to 1, that the crop shows an upright face at all; `None` if the classifier
    /// does not estimate it.
    pub face: Option<f32>,
}

impl Classification {
    /// Returns `true` if all scores and probabilities are numbers from 0 to 1.
    pub fn is_valid(&self) -> bool {
        let is_probability = |p: f32| (0.0..=1.0).contains(&p);
        self.scores.is_valid() && self.emotions.is_valid() && self.face.is_none_or(is_probability)
    }
}

impl From<Scores> for Classification {
    fn from(scores: Scores) -> Self {
        Self {
            scores,
            ..Self::default()
        }
    }
}

/// The input that a classifier expects: crops of faces.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierInput {
    /// Width of a crop in pixels.
    pub width: usize,
    /// Height of a crop in pixels.
    pub height: usize,
    /// Channels, their order in memory and their values.
    pub tensor_format: TensorFormat,
    /// The alignment of the face in the crop.
    pub framing: Framing,
}

/// A network that scores the attitude of cropped faces.
pub trait AttitudeClassifier: Send {
    /// Returns the input that [`classify`](Self::classify) expects.
    fn input(&self) -> &ClassifierInput;

    /// Returns the name of the model, for metadata.
    fn model_name(&self) -> &str;

    /// Returns the names of the emotions whose probabilities the classifier returns in addition to
    /// the scores; empty if it returns none.
    fn emotion_labels(&self) -> &[String];

    /// Classifies `batch` crops, stored one after the other in `crops`, which has `batch *
    /// tensor_format.len(width, height)` elements. Replaces the contents of `found` with one
    /// classification per crop. Scores may be NaN or out of range; the caller ignores such
    /// classifications.
    ///
    /// # Errors
    /// Returns an error if the network fails or its output has an unexpected shape.
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
    fn a_classification_is_invalid_if_one_of_its_probabilities_is() {
        let with_face = |face| Classification {
            face,
            ..Classification::from(Scores::from_array([0.2, 0.3, 0.5]))
        };
        for face in [None, Some(0.0), Some(1.0)] {
            assert!(with_face(face).is_valid());
        }
        for face in [Some(-0.1), Some(1.1), Some(f32::NAN)] {
            assert!(!with_face(face).is_valid());
        }
    }

    #[test]
    fn emotions_beyond_the_maximum_are_dropped() {
        let many = Emotions::from_slice(&[0.01; 100]);
        assert_eq!(many.as_slice().len(), MAX_EMOTIONS);
    }
}

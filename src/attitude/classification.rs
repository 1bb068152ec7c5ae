// SPDX-License-Identifier: MPL-2.0

//! The three attitudes, their scores, and what a classifier must do.

use super::crop::Framing;
use super::emotions::Emotions;
use super::preprocessing::PixelFormat;

/// What a face seems to express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Attitude {
    /// Happiness, with the default models.
    Positive,
    /// No marked expression.
    Neutral,
    /// The rest: anger, disgust, fear, sadness, surprise, contempt, with the default models.
    Negative,
}

impl Attitude {
    /// All of them, in the order of scores.
    pub const ALL: [Attitude; 3] = [Attitude::Positive, Attitude::Neutral, Attitude::Negative];

    /// The name in metadata, messages and records.
    pub const fn name(self) -> &'static str {
        match self {
            Attitude::Positive => "positive",
            Attitude::Neutral => "neutral",
            Attitude::Negative => "negative",
        }
    }

    /// The attitude of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// The label of a face whose attitude is not known well enough to tell.
pub const UNKNOWN: &str = "unknown";

/// The name of `label`, [`UNKNOWN`] for none.
pub fn label_name(label: Option<Attitude>) -> &'static str {
    label.map_or(UNKNOWN, Attitude::name)
}

/// A score for each attitude, 0 to 1, adding up to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Of [`Attitude::Positive`].
    pub positive: f32,
    /// Of [`Attitude::Neutral`].
    pub neutral: f32,
    /// Of [`Attitude::Negative`].
    pub negative: f32,
}

impl Scores {
    /// From values in the order of [`Attitude::ALL`].
    pub const fn from_array([positive, neutral, negative]: [f32; 3]) -> Self {
        Self {
            positive,
            neutral,
            negative,
        }
    }

    /// The values in the order of [`Attitude::ALL`].
    pub const fn to_array(self) -> [f32; 3] {
        [self.positive, self.neutral, self.negative]
    }

    /// The score of `attitude`.
    pub const fn get(&self, attitude: Attitude) -> f32 {
        self.to_array()[attitude as usize]
    }

    /// The attitude that scores highest; the first of equals.
    pub fn best(&self) -> Attitude {
        Attitude::ALL
            .into_iter()
            .fold(Attitude::Positive, |best, a| {
                if self.get(a) > self.get(best) {
                    a
                } else {
                    best
                }
            })
    }

    /// Moved towards `newer` by `gain` of the way.
    pub fn moved(&self, newer: &Self, gain: f32) -> Self {
        let (old, new) = (self.to_array(), newer.to_array());
        Self::from_array(std::array::from_fn(|i| old[i] + gain * (new[i] - old[i])))
    }

    /// The mean of `all`; `None` where there are none.
    pub fn mean(all: impl Iterator<Item = Scores>) -> Option<Self> {
        let mut sums = [0.0; 3];
        let mut count = 0.0;
        for scores in all {
            count += 1.0;
            for (sum, score) in sums.iter_mut().zip(scores.to_array()) {
                *sum += score;
            }
        }
        (count > 0.0).then(|| Self::from_array(sums.map(|sum| sum / count)))
    }

    /// Whether every score is a number from 0 to 1.
    pub fn is_valid(&self) -> bool {
        self.to_array().iter().all(|s| (0.0..=1.0).contains(s))
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
    fn names_round_trip() {
        for attitude in Attitude::ALL {
            assert_eq!(Attitude::from_name(attitude.name()), Some(attitude));
        }
        assert_eq!(Attitude::from_name(UNKNOWN), None);
    }

    #[test]
    fn best_is_the_highest_and_ignores_nan() {
        assert_eq!(
            Scores::from_array([0.2, 0.5, 0.3]).best(),
            Attitude::Neutral
        );
        assert_eq!(
            Scores::from_array([0.4, 0.4, 0.2]).best(),
            Attitude::Positive
        );
        assert!(!Scores::from_array([f32::NAN, 0.5, 0.5]).is_valid());
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Attitudes, labels, scores, and tables with one entry per attitude or label.

use std::fmt;
use std::ops::{Index, IndexMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The attitude that a face expresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Attitude {
    /// Happiness, with the default models.
    Positive,
    /// No marked expression.
    Neutral,
    /// Anger, disgust, fear, sadness, surprise or contempt, with the default models.
    Negative,
}

impl Attitude {
    /// All attitudes, in the order of scores.
    pub const ALL: [Attitude; 3] = [Attitude::Positive, Attitude::Neutral, Attitude::Negative];

    /// Returns the name in metadata, messages and records.
    pub const fn name(self) -> &'static str {
        match self {
            Attitude::Positive => "positive",
            Attitude::Neutral => "neutral",
            Attitude::Negative => "negative",
        }
    }

    /// Returns the attitude with this name, or `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// The attitude of a face or of a scene, or "unknown".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// A known attitude.
    Known(Attitude),
    /// No confidence is high enough, or the face has not been classified yet.
    #[default]
    Unknown,
}

impl Label {
    /// A positive attitude.
    pub const POSITIVE: Label = Label::Known(Attitude::Positive);
    /// A neutral attitude.
    pub const NEUTRAL: Label = Label::Known(Attitude::Neutral);
    /// A negative attitude.
    pub const NEGATIVE: Label = Label::Known(Attitude::Negative);

    /// All labels: the attitudes in the order of [`Attitude::ALL`], then [`Label::Unknown`].
    pub const ALL: [Label; 4] = [
        Label::POSITIVE,
        Label::NEUTRAL,
        Label::NEGATIVE,
        Label::Unknown,
    ];

    /// Returns the name in metadata, messages and records.
    pub const fn name(self) -> &'static str {
        match self {
            Label::Known(attitude) => attitude.name(),
            Label::Unknown => "unknown",
        }
    }

    /// Returns the label with this name, or `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.name() == name)
    }

    /// Returns the attitude, or `None` if it is unknown.
    pub const fn attitude(self) -> Option<Attitude> {
        match self {
            Label::Known(attitude) => Some(attitude),
            Label::Unknown => None,
        }
    }

    /// Returns `true` if the attitude is known.
    pub const fn is_known(self) -> bool {
        matches!(self, Label::Known(_))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

impl From<Attitude> for Label {
    fn from(attitude: Attitude) -> Self {
        Label::Known(attitude)
    }
}

impl From<Option<Attitude>> for Label {
    fn from(attitude: Option<Attitude>) -> Self {
        attitude.map_or(Label::Unknown, Label::Known)
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Label::from_name(&name).ok_or_else(|| {
            D::Error::custom(format!(
                "invalid attitude '{name}', expected positive, neutral, negative or unknown"
            ))
        })
    }
}

/// A table with one value per [`Attitude`], indexed by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByAttitude<T> {
    /// The value of [`Attitude::Positive`].
    pub positive: T,
    /// The value of [`Attitude::Neutral`].
    pub neutral: T,
    /// The value of [`Attitude::Negative`].
    pub negative: T,
}

impl<T> ByAttitude<T> {
    /// Creates a table by calling `value` for each attitude, in the order of [`Attitude::ALL`].
    pub fn from_fn(value: impl FnMut(Attitude) -> T) -> Self {
        let [positive, neutral, negative] = Attitude::ALL.map(value);
        Self {
            positive,
            neutral,
            negative,
        }
    }

    /// Returns the attitudes with their values, in the order of [`Attitude::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Attitude, &T)> {
        Attitude::ALL.into_iter().map(|a| (a, &self[a]))
    }

    /// Returns a table with the results of `f`, called for each value in the order of
    /// [`Attitude::ALL`].
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> ByAttitude<U> {
        ByAttitude {
            positive: f(self.positive),
            neutral: f(self.neutral),
            negative: f(self.negative),
        }
    }
}

impl<T: Copy> ByAttitude<T> {
    /// Creates a table from values in the order of [`Attitude::ALL`].
    pub const fn from_array([positive, neutral, negative]: [T; 3]) -> Self {
        Self {
            positive,
            neutral,
            negative,
        }
    }

    /// Returns the values in the order of [`Attitude::ALL`].
    pub const fn to_array(self) -> [T; 3] {
        [self.positive, self.neutral, self.negative]
    }
}

impl<T> Index<Attitude> for ByAttitude<T> {
    type Output = T;

    fn index(&self, attitude: Attitude) -> &T {
        match attitude {
            Attitude::Positive => &self.positive,
            Attitude::Neutral => &self.neutral,
            Attitude::Negative => &self.negative,
        }
    }
}

impl<T> IndexMut<Attitude> for ByAttitude<T> {
    fn index_mut(&mut self, attitude: Attitude) -> &mut T {
        match attitude {
            Attitude::Positive => &mut self.positive,
            Attitude::Neutral => &mut self.neutral,
            Attitude::Negative => &mut self.negative,
        }
    }
}

/// A table with one value per [`Label`], indexed by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByLabel<T> {
    /// The value of [`Attitude::Positive`].
    pub positive: T,
    /// The value of [`Attitude::Neutral`].
    pub neutral: T,
    /// The value of [`Attitude::Negative`].
    pub negative: T,
    /// The value of [`Label::Unknown`].
    pub unknown: T,
}

impl<T> ByLabel<T> {
    /// Creates a table by calling `value` for each label, in the order of [`Label::ALL`].
    pub fn from_fn(value: impl FnMut(Label) -> T) -> Self {
        let [positive, neutral, negative, unknown] = Label::ALL.map(value);
        Self {
            positive,
            neutral,
            negative,
            unknown,
        }
    }

    /// Returns the labels with their values, in the order of [`Label::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Label, &T)> {
        Label::ALL.into_iter().map(|label| (label, &self[label]))
    }

    /// Returns a table with the results of `f`, called for each value in the order of
    /// [`Label::ALL`].
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> ByLabel<U> {
        ByLabel {
            positive: f(self.positive),
            neutral: f(self.neutral),
            negative: f(self.negative),
            unknown: f(self.unknown),
        }
    }
}

impl<T> Index<Label> for ByLabel<T> {
    type Output = T;

    fn index(&self, label: Label) -> &T {
        match label {
            Label::Known(Attitude::Positive) => &self.positive,
            Label::Known(Attitude::Neutral) => &self.neutral,
            Label::Known(Attitude::Negative) => &self.negative,
            Label::Unknown => &self.unknown,
        }
    }
}

impl<T> IndexMut<Label> for ByLabel<T> {
    fn index_mut(&mut self, label: Label) -> &mut T {
        match label {
            Label::Known(Attitude::Positive) => &mut self.positive,
            Label::Known(Attitude::Neutral) => &mut self.neutral,
            Label::Known(Attitude::Negative) => &mut self.negative,
            Label::Unknown => &mut self.unknown,
        }
    }
}

/// One score per attitude, each from 0 to 1. Scores of a classification add up to 1; before the
/// first classification, records have scores of 0.
pub type Scores = ByAttitude<f32>;

impl Scores {
    /// Returns the attitude with the highest score; of equal scores, the first.
    pub fn best(&self) -> Attitude {
        Attitude::ALL
            .into_iter()
            .fold(Attitude::Positive, |best, attitude| {
                if self[attitude] > self[best] {
                    attitude
                } else {
                    best
                }
            })
    }

    /// Returns the valence, −1 to 1: the expected value of the attitude, with positive as 1,
    /// neutral as 0 and negative as −1.
    pub fn valence(&self) -> f32 {
        self.positive - self.negative
    }

    /// Returns the scores moved towards `newer` by the fraction `gain`, 0 to 1, of the distance.
    pub fn moved(&self, newer: &Self, gain: f32) -> Self {
        Self::from_fn(|a| self[a] + gain * (newer[a] - self[a]))
    }

    /// Returns the mean of `all`, or `None` if there are none.
    pub fn mean(all: impl Iterator<Item = Scores>) -> Option<Self> {
        let mut sums = Scores::default();
        let mut count = 0.0;
        for scores in all {
            count += 1.0;
            for attitude in Attitude::ALL {
                sums[attitude] += scores[attitude];
            }
        }
        (count > 0.0).then(|| sums.map(|sum| sum / count))
    }

    /// Returns `true` if every score is a number from 0 to 1.
    pub fn is_valid(&self) -> bool {
        self.iter().all(|(_, score)| (0.0..=1.0).contains(score))
    }

    /// Returns the scores of a record's face if it has been classified: `None` if all scores are 0,
    /// or if one is not a number from 0 to 1.
    pub fn classified(self) -> Option<Self> {
        (self.is_valid() && self != Scores::default()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for attitude in Attitude::ALL {
            assert_eq!(Attitude::from_name(attitude.name()), Some(attitude));
        }
        for label in Label::ALL {
            assert_eq!(Label::from_name(label.name()), Some(label));
        }
        assert_eq!(Attitude::from_name("unknown"), None);
        assert_eq!(Label::from_name("cheerful"), None);
    }

    #[test]
    fn the_best_score_is_the_highest_and_not_a_nan() {
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

    #[test]
    fn the_valence_is_from_minus_1_for_negative_to_1_for_positive() {
        for (scores, valence) in [
            ([1.0, 0.0, 0.0], 1.0),
            ([0.0, 1.0, 0.0], 0.0),
            ([0.0, 0.0, 1.0], -1.0),
            ([0.5, 0.0, 0.5], 0.0),
            ([0.75, 0.0, 0.25], 0.5),
        ] {
            assert_eq!(Scores::from_array(scores).valence(), valence);
        }
    }

    #[test]
    fn tables_are_objects_in_json_and_labels_are_names() {
        let table = ByLabel::from_fn(|label| label);
        let json = r#"{"positive":"positive","neutral":"neutral","negative":"negative","unknown":"unknown"}"#;
        assert_eq!(serde_json::to_string(&table).unwrap(), json);
        assert_eq!(serde_json::from_str::<ByLabel<Label>>(json).unwrap(), table);
        let error = serde_json::from_str::<Label>(r#""cheerful""#).unwrap_err();
        assert!(error.to_string().contains("'cheerful'"), "{error}");
        let scores = Scores::from_array([0.8, 0.15, 0.05]);
        let json = r#"{"positive":0.8,"neutral":0.15,"negative":0.05}"#;
        assert_eq!(serde_json::to_string(&scores).unwrap(), json);
    }
}

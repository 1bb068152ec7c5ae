// SPDX-License-Identifier: MPL-2.0

//! Temporal smoothing of scores, and labels that do not flicker.
//!
//! Scores and the [quality](crate::quality) of the picture are smoothed by an exponential moving
//! average. The confidence in an attitude is its smoothed score times the smoothed quality. The
//! label follows two rules:
//!
//! * A known label is kept while its confidence is at least the minimum confidence, and its score
//!   is less than [`MIN_LEAD`] below the highest score. Otherwise the label changes to the attitude
//!   with the highest score, or to unknown if the confidence in that attitude is less than the
//!   minimum confidence.
//! * An unknown label changes to the attitude with the highest score once the confidence in it
//!   reaches the minimum confidence plus [`RECOVERY_MARGIN`].
//!
//! The label of the first classification is the attitude with the highest score if the confidence
//! in it is at least the minimum confidence.

use super::classification::{Classification, Emotions};
use crate::{Attitude, Label, Scores};

/// Minimum difference of the highest score and the score of the current label at a change of the
/// label.
pub(crate) const MIN_LEAD: f32 = 0.1;

/// Difference of the confidence and the minimum confidence from which an unknown label becomes
/// known.
const RECOVERY_MARGIN: f32 = 0.05;

/// The values that are smoothed.
#[derive(Clone, Copy, Debug)]
struct Smoothed {
    classification: Classification,
    /// Quality of the picture, 0 to 1.
    quality: f32,
}

/// The smoothed attitude of one face.
#[derive(Clone, Debug, Default)]
pub(crate) struct Smoother {
    smoothed: Option<Smoothed>,
    updated_ns: u64,
    label: Label,
}

impl Smoother {
    /// Updates scores, quality and label with a classification at the running time `time_ns` and
    /// the quality of the picture, 0 to 1. The effect of the time constant `time_constant_ns` does
    /// not depend on the interval between samples; 0 disables smoothing.
    pub(crate) fn update(
        &mut self,
        raw: Classification,
        raw_quality: f32,
        time_ns: u64,
        time_constant_ns: u64,
        min_confidence: f32,
    ) {
        let elapsed_ns = time_ns.saturating_sub(self.updated_ns);
        self.updated_ns = time_ns;
        let is_unknown = self.smoothed.is_some() && !self.label.is_known();
        let min_confidence_of_best = if is_unknown {
            (min_confidence + RECOVERY_MARGIN).min(1.0)
        } else {
            min_confidence
        };
        let smoothed = match self.smoothed {
            Some(old) if time_constant_ns > 0 => {
                let gain = 1.0 - (-(elapsed_ns as f32) / time_constant_ns as f32).exp();
                let from = &old.classification;
                Smoothed {
                    classification: Classification {
                        scores: from.scores.moved(&raw.scores, gain),
                        emotions: from.emotions.moved(&raw.emotions, gain),
                        face: raw.face,
                    },
                    quality: old.quality + gain * (raw_quality - old.quality),
                }
            }
            _ => Smoothed {
                classification: raw,
                quality: raw_quality,
            },
        };
        self.smoothed = Some(smoothed);
        let scores = smoothed.classification.scores;
        let confidence = |attitude: Attitude| scores[attitude] * smoothed.quality;
        let best = scores.best();
        let is_kept = |label: Attitude| {
            confidence(label) >= min_confidence && scores[best] - scores[label] < MIN_LEAD
        };
        self.label = match self.label {
            Label::Known(label) if is_kept(label) => Label::Known(label),
            _ if confidence(best) >= min_confidence_of_best => Label::Known(best),
            _ => Label::Unknown,
        };
    }

    /// Returns the smoothed scores, or `None` before the first classification.
    pub(crate) fn scores(&self) -> Option<Scores> {
        self.smoothed.map(|smoothed| smoothed.classification.scores)
    }

    /// Returns the smoothed quality of the picture, or `None` before the first classification.
    pub(crate) fn quality(&self) -> Option<f32> {
        self.smoothed.map(|smoothed| smoothed.quality)
    }

    /// Returns the smoothed probabilities of the emotions; empty before the first classification.
    pub(crate) fn emotions(&self) -> Emotions {
        self.smoothed
            .map(|smoothed| smoothed.classification.emotions)
            .unwrap_or_default()
    }

    /// Returns the label; unknown before the first classification.
    pub(crate) fn label(&self) -> Label {
        self.label
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NS_PER_MS as MS;

    const POSITIVE: Scores = Scores::from_array([1.0, 0.0, 0.0]);
    const NEUTRAL: Scores = Scores::from_array([0.0, 1.0, 0.0]);
    const NEGATIVE: Scores = Scores::from_array([0.0, 0.1, 0.9]);

    #[test]
    fn after_one_time_constant_63_percent_of_a_step_are_reached() {
        for samples in [1, 5, 50] {
            let mut smoother = Smoother::default();
            smoother.update(NEUTRAL.into(), 1.0, 0, 500 * MS, 0.4);
            for sample in 1..=samples {
                let time_ns = sample * 500 * MS / samples;
                smoother.update(POSITIVE.into(), 0.0, time_ns, 500 * MS, 0.4);
            }
            let positive = smoother.scores().unwrap().positive;
            assert!((positive - 0.632).abs() < 1e-3, "{positive} in {samples}");
            let quality = smoother.quality().unwrap();
            assert!((quality - 0.368).abs() < 1e-3, "{quality} in {samples}");
        }
    }

    #[test]
    fn without_a_time_constant_the_scores_are_raw() {
        let mut smoother = Smoother::default();
        smoother.update(NEUTRAL.into(), 1.0, 0, 0, 0.4);
        smoother.update(POSITIVE.into(), 0.9, 0, 0, 0.4);
        assert_eq!(smoother.scores(), Some(POSITIVE));
        assert_eq!(smoother.quality(), Some(0.9));
        assert_eq!(smoother.label(), Label::POSITIVE);
    }

    #[test]
    fn a_label_changes_only_by_a_margin() {
        let mut smoother = Smoother::default();
        let mut label = |scores| {
            smoother.update(Scores::from_array(scores).into(), 1.0, 0, 0, 0.4);
            smoother.label()
        };
        assert_eq!(label([0.52, 0.48, 0.0]), Label::POSITIVE);
        assert_eq!(label([0.47, 0.53, 0.0]), Label::POSITIVE);
        assert_eq!(label([0.44, 0.56, 0.0]), Label::NEUTRAL);
        assert_eq!(label([0.35, 0.33, 0.32]), Label::Unknown);
        assert_eq!(label([0.42, 0.32, 0.26]), Label::Unknown);
        assert_eq!(label([0.46, 0.31, 0.23]), Label::POSITIVE);
        assert_eq!(label([0.41, 0.33, 0.26]), Label::POSITIVE);
    }

    #[test]
    fn a_low_quality_makes_a_high_score_unknown() {
        let mut smoother = Smoother::default();
        let mut label = |quality| {
            smoother.update(NEGATIVE.into(), quality, 0, 0, 0.5);
            smoother.label()
        };
        assert_eq!(label(0.95), Label::NEGATIVE);
        assert_eq!(label(0.57), Label::NEGATIVE);
        assert_eq!(label(0.5), Label::Unknown);
        assert_eq!(label(0.6), Label::Unknown);
        assert_eq!(label(0.62), Label::NEGATIVE);
    }

    #[test]
    fn the_lead_between_attitudes_does_not_depend_on_the_quality() {
        let mut smoother = Smoother::default();
        let mut label = |scores| {
            smoother.update(Scores::from_array(scores).into(), 0.5, 0, 0, 0.2);
            smoother.label()
        };
        assert_eq!(label([0.55, 0.45, 0.0]), Label::POSITIVE);
        assert_eq!(label([0.44, 0.56, 0.0]), Label::NEUTRAL);
    }
}

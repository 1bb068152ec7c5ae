// SPDX-License-Identifier: MPL-2.0

//! Temporal smoothing of scores, and labels that do not flicker.
//!
//! Scores are smoothed by an exponential moving average. The label follows two rules:
//!
//! * A known label is kept while its smoothed score is at least the minimum confidence, and less
//!   than [`MIN_LEAD`] below the highest score. Otherwise the label changes to the attitude with
//!   the highest score, or to unknown if that score is less than the minimum confidence.
//! * An unknown label changes to the attitude with the highest score once that score reaches the
//!   minimum confidence plus [`RECOVERY_MARGIN`].
//!
//! The label of the first classification is the attitude with the highest score if that score is at
//! least the minimum confidence.

use super::classification::{Classification, Emotions};
use crate::{Attitude, Label, Scores};

/// Minimum difference of the highest score and the score of the current label at a change of the
/// label.
pub(crate) const MIN_LEAD: f32 = 0.1;

/// Difference of the highest score and the minimum confidence from which an unknown label becomes
/// known.
const RECOVERY_MARGIN: f32 = 0.05;

/// The smoothed attitude of one face.
#[derive(Clone, Debug, Default)]
pub(crate) struct Smoother {
    smoothed: Option<Classification>,
    updated_ns: u64,
    label: Label,
}

impl Smoother {
    /// Updates scores and label with a classification at the running time `time_ns`. The effect of
    /// the time constant `time_constant_ns` does not depend on the interval between samples; 0
    /// disables smoothing.
    pub(crate) fn update(
        &mut self,
        raw: Classification,
        time_ns: u64,
        time_constant_ns: u64,
        min_confidence: f32,
    ) {
        let elapsed_ns = time_ns.saturating_sub(self.updated_ns);
        self.updated_ns = time_ns;
        let is_unknown = self.smoothed.is_some() && !self.label.is_known();
        let min_score = if is_unknown {
            (min_confidence + RECOVERY_MARGIN).min(1.0)
        } else {
            min_confidence
        };
        let smoothed = match self.smoothed {
            Some(old) if time_constant_ns > 0 => {
                let gain = 1.0 - (-(elapsed_ns as f32) / time_constant_ns as f32).exp();
                Classification {
                    scores: old.scores.moved(&raw.scores, gain),
                    emotions: old.emotions.moved(&raw.emotions, gain),
                }
            }
            _ => raw,
        };
        self.smoothed = Some(smoothed);
        let scores = smoothed.scores;
        let best = scores.best();
        let is_kept = |label: Attitude| {
            scores[label] >= min_confidence && scores[best] - scores[label] < MIN_LEAD
        };
        self.label = match self.label {
            Label::Known(label) if is_kept(label) => Label::Known(label),
            _ if scores[best] >= min_score => Label::Known(best),
            _ => Label::Unknown,
        };
    }

    /// Returns the smoothed scores, or `None` before the first classification.
    pub(crate) fn scores(&self) -> Option<Scores> {
        self.smoothed.map(|smoothed| smoothed.scores)
    }

    /// Returns the smoothed probabilities of the emotions; empty before the first classification.
    pub(crate) fn emotions(&self) -> Emotions {
        self.smoothed.unwrap_or_default().emotions
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

    #[test]
    fn after_one_time_constant_63_percent_of_a_step_are_reached() {
        for samples in [1, 5, 50] {
            let mut smoother = Smoother::default();
            smoother.update(NEUTRAL.into(), 0, 500 * MS, 0.4);
            for sample in 1..=samples {
                smoother.update(POSITIVE.into(), sample * 500 * MS / samples, 500 * MS, 0.4);
            }
            let positive = smoother.scores().unwrap().positive;
            assert!((positive - 0.632).abs() < 1e-3, "{positive} in {samples}");
        }
    }

    #[test]
    fn without_a_time_constant_the_scores_are_raw() {
        let mut smoother = Smoother::default();
        smoother.update(NEUTRAL.into(), 0, 0, 0.4);
        smoother.update(POSITIVE.into(), 0, 0, 0.4);
        assert_eq!(smoother.scores(), Some(POSITIVE));
        assert_eq!(smoother.label(), Label::POSITIVE);
    }

    #[test]
    fn a_label_changes_only_by_a_margin() {
        let mut smoother = Smoother::default();
        let mut label = |scores| {
            smoother.update(Scores::from_array(scores).into(), 0, 0, 0.4);
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
}

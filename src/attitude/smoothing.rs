// SPDX-License-Identifier: MPL-2.0

//! Temporal smoothing of scores, and labels with hysteresis.

use super::classification::Classification;
use super::classification::Emotions;
use crate::{Attitude, Label, Scores};

/// Minimum lead of the best score over that of the current label for a change of the label.
const HYSTERESIS: f32 = 0.1;

/// Minimum lead of the best score over the minimum confidence for a change from unknown to a known
/// attitude.
const RECOVERY: f32 = 0.05;

/// The smoothed attitude of one face.
#[derive(Clone, Debug, Default)]
pub(crate) struct Smoother {
    smoothed: Option<Classification>,
    updated_ns: u64,
    label: Label,
}

impl Smoother {
    /// Updates the exponential moving average with a classification at `time_ns`. The result
    /// depends on the time constant `time_constant_ns` (0 disables smoothing), not on the interval
    /// between samples. The label changes to the attitude with the highest score once that score
    /// leads by a margin; it is unknown while the score is less than `min_confidence`, and until it
    /// exceeds `min_confidence` by a margin again.
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
        let needed = if is_unknown {
            (min_confidence + RECOVERY).min(1.0)
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
        let holds = |label: Attitude| {
            scores[label] >= min_confidence && scores[best] - scores[label] < HYSTERESIS
        };
        self.label = match self.label {
            Label::Known(label) if holds(label) => Label::Known(label),
            _ if scores[best] >= needed => Label::Known(best),
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

    /// Returns the label.
    pub(crate) fn label(&self) -> Label {
        self.label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
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

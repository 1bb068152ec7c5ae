// SPDX-License-Identifier: MPL-2.0

//! Sums over answers, from which every figure can be read.

use serde::Serialize;

use super::Answer;
use super::confusion::Confusion;

/// Bins of the calibration error.
pub const CALIBRATION_BINS: usize = 15;

/// What is told of a classifier in one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// [`Confusion::accuracy`].
    Accuracy,
    /// [`Confusion::mcc`].
    Mcc,
    /// [`Confusion::kappa`].
    Kappa,
    /// [`Confusion::macro_f1`].
    MacroF1,
    /// [`Tally::calibration_error`].
    CalibrationError,
}

impl Figure {
    /// All of them.
    pub const ALL: [Figure; 5] = [
        Figure::Accuracy,
        Figure::Mcc,
        Figure::Kappa,
        Figure::MacroF1,
        Figure::CalibrationError,
    ];

    /// What it is called in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Figure::Accuracy => "accuracy",
            Figure::Mcc => "Matthews' correlation",
            Figure::Kappa => "Cohen's kappa",
            Figure::MacroF1 => "macro F1",
            Figure::CalibrationError => "calibration error",
        }
    }
}

/// Answers whose confidence is much the same.
#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    right: u64,
    confidence: f64,
}

/// Answers, added up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    confusion: Confusion,
    bins: [Bin; CALIBRATION_BINS],
    /// Answers without a confidence.
    unsaid: u64,
}

impl Tally {
    /// The sums over `answers`.
    pub fn of(answers: &[Answer]) -> Self {
        let mut tally = Self::default();
        for answer in answers {
            tally.add(answer, 1);
        }
        tally
    }

    /// Counts `answer` `times` times.
    pub fn add(&mut self, answer: &Answer, times: u64) {
        self.confusion.add(answer.truth, answer.predicted, times);
        match answer.confidence {
            Some(confidence) => {
                let confidence = f64::from(confidence);
                let bin = &mut self.bins[bin_of(confidence)];
                bin.right += times * u64::from(answer.is_right());
                bin.confidence += times as f64 * confidence;
            }
            None => self.unsaid += times,
        }
    }

    /// How often faces of each label got each answer.
    pub fn confusion(&self) -> &Confusion {
        &self.confusion
    }

    /// The expected calibration error: how far, on average over the answers, confidence and
    /// accuracy are apart within a bin of much the same confidence (Guo et al., "On Calibration of
    /// Modern Neural Networks", 2017). There are [`CALIBRATION_BINS`] bins of equal width; a bin
    /// holds its upper edge and not its lower one, but the first holds 0 as well. Chance alone makes
    /// it greater than 0, the more so the fewer answers there are. `None` where there are none or
    /// one has no confidence.
    pub fn calibration_error(&self) -> Option<f64> {
        let total = self.confusion.total();
        let gaps = self
            .bins
            .map(|bin| (bin.confidence - bin.right as f64).abs());
        (self.unsaid == 0 && total > 0).then(|| gaps.iter().sum::<f64>() / total as f64)
    }

    /// One of the figures; `None` where it cannot be told.
    pub fn figure(&self, figure: Figure) -> Option<f64> {
        match figure {
            Figure::Accuracy => Some(self.confusion.accuracy()),
            Figure::Mcc => Some(self.confusion.mcc()),
            Figure::Kappa => Some(self.confusion.kappa()),
            Figure::MacroF1 => Some(self.confusion.macro_f1()),
            Figure::CalibrationError => self.calibration_error(),
        }
    }
}

fn bin_of(confidence: f64) -> usize {
    let above = (confidence * CALIBRATION_BINS as f64).ceil() as usize;
    above.clamp(1, CALIBRATION_BINS) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attitude::{Negative, Positive};

    fn answer(confidence: f32, is_right: bool) -> Answer {
        Answer {
            truth: Positive,
            predicted: if is_right { Positive } else { Negative },
            confidence: Some(confidence),
        }
    }

    #[test]
    fn a_bin_holds_its_upper_edge() {
        assert_eq!([0.0, 0.01, 1.0 / 15.0].map(bin_of), [0; 3]);
        assert_eq!([0.067, 0.2, 0.201, 1.0].map(bin_of), [1, 2, 3, 14]);
    }

    #[test]
    fn the_calibration_error_is_weighted_by_answers() {
        // Three answers of 0.9, of which two are right: off by 2.7 - 2. One of 0.5 that is right.
        let answers = [(0.9, true), (0.9, true), (0.9, false), (0.5, true)];
        let answers = answers.map(|(confidence, is_right)| answer(confidence, is_right));
        let error = Tally::of(&answers).calibration_error().unwrap();
        assert!((error - (0.7 + 0.5) / 4.0).abs() < 1e-6, "{error}");
    }

    #[test]
    fn without_a_confidence_there_is_no_calibration_error() {
        let unsaid = Answer {
            confidence: None,
            ..answer(0.0, true)
        };
        let tally = Tally::of(&[answer(0.9, true), unsaid]);
        assert_eq!(tally.figure(Figure::CalibrationError), None);
        assert_eq!(tally.figure(Figure::Accuracy), Some(1.0));
        assert_eq!(Tally::default().calibration_error(), None);
    }
}

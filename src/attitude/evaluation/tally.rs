// SPDX-License-Identifier: MPL-2.0

//! Counts of predictions, and the metrics computed from them.

use serde::Serialize;

use super::LabeledPrediction;
use super::confusion::Confusion;

/// Number of bins of the calibration error.
pub const CALIBRATION_BINS: usize = 15;

/// A metric of a classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
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

impl Metric {
    /// All metrics.
    pub const ALL: [Metric; 5] = [
        Metric::Accuracy,
        Metric::Mcc,
        Metric::Kappa,
        Metric::MacroF1,
        Metric::CalibrationError,
    ];

    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Accuracy => "accuracy",
            Metric::Mcc => "Matthews' correlation",
            Metric::Kappa => "Cohen's kappa",
            Metric::MacroF1 => "macro F1",
            Metric::CalibrationError => "calibration error",
        }
    }
}

/// Predictions in one range of confidence.
#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    /// Number of correct predictions.
    correct: u64,
    /// Sum of the confidences.
    confidence_sum: f64,
}

/// Counts of predictions, from which metrics are computed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    confusion: Confusion,
    /// Bins of confidence, of equal width.
    bins: [Bin; CALIBRATION_BINS],
    /// Number of predictions without a confidence.
    without_confidence: u64,
}

impl Tally {
    /// Counts `predictions`.
    pub fn of(predictions: &[LabeledPrediction]) -> Self {
        let mut tally = Self::default();
        for prediction in predictions {
            tally.add(prediction, 1);
        }
        tally
    }

    /// Counts `prediction` `times` times.
    pub fn add(&mut self, prediction: &LabeledPrediction, times: u64) {
        self.confusion
            .add(prediction.truth, prediction.predicted, times);
        match prediction.confidence {
            Some(confidence) => {
                let confidence = f64::from(confidence);
                let bin = &mut self.bins[bin_of(confidence)];
                bin.correct += times * u64::from(prediction.is_correct());
                bin.confidence_sum += times as f64 * confidence;
            }
            None => self.without_confidence += times,
        }
    }

    /// Returns the confusion matrix.
    pub fn confusion(&self) -> &Confusion {
        &self.confusion
    }

    /// Returns the expected calibration error: the mean absolute difference of confidence and
    /// accuracy in [`CALIBRATION_BINS`] bins of confidence, weighted by the number of predictions
    /// (Guo et al., "On Calibration of Modern Neural Networks", 2017), 0 to 1. Bins have equal
    /// widths and include their upper edge; the first bin includes 0 too. With few predictions, the
    /// error is greater than 0 even for a calibrated classifier. Returns `None` if there are no
    /// predictions, or one has no confidence.
    pub fn calibration_error(&self) -> Option<f64> {
        let total = self.confusion.total();
        let differences = self
            .bins
            .map(|bin| (bin.confidence_sum - bin.correct as f64).abs());
        (self.without_confidence == 0 && total > 0)
            .then(|| differences.iter().sum::<f64>() / total as f64)
    }

    /// Returns a metric. Returns `None` for the [calibration error](Self::calibration_error) if it
    /// is undefined; other metrics are 0 then.
    pub fn metric(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Accuracy => Some(self.confusion.accuracy()),
            Metric::Mcc => Some(self.confusion.mcc()),
            Metric::Kappa => Some(self.confusion.kappa()),
            Metric::MacroF1 => Some(self.confusion.macro_f1()),
            Metric::CalibrationError => self.calibration_error(),
        }
    }
}

/// Returns the index of the bin of `confidence`. A bin includes its upper edge.
fn bin_of(confidence: f64) -> usize {
    let number = (confidence * CALIBRATION_BINS as f64).ceil() as usize;
    number.clamp(1, CALIBRATION_BINS) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attitude::{Negative, Positive};

    fn prediction(confidence: f32, is_correct: bool) -> LabeledPrediction {
        LabeledPrediction {
            truth: Positive,
            predicted: if is_correct { Positive } else { Negative },
            confidence: Some(confidence),
        }
    }

    #[test]
    fn a_bin_includes_its_upper_edge() {
        assert_eq!([0.0, 0.01, 1.0 / 15.0].map(bin_of), [0; 3]);
        assert_eq!([0.067, 0.2, 0.201, 1.0].map(bin_of), [1, 2, 3, 14]);
    }

    #[test]
    fn the_calibration_error_is_weighted_by_predictions() {
        // Three predictions of 0.9, of which two are correct: a difference of 2.7 - 2. One correct
        // prediction of 0.5.
        let predictions = [(0.9, true), (0.9, true), (0.9, false), (0.5, true)];
        let predictions =
            predictions.map(|(confidence, is_correct)| prediction(confidence, is_correct));
        let error = Tally::of(&predictions).calibration_error().unwrap();
        assert!((error - (0.7 + 0.5) / 4.0).abs() < 1e-6, "{error}");
    }

    #[test]
    fn without_a_confidence_there_is_no_calibration_error() {
        let without_confidence = LabeledPrediction {
            confidence: None,
            ..prediction(0.0, true)
        };
        let tally = Tally::of(&[prediction(0.9, true), without_confidence]);
        assert_eq!(tally.metric(Metric::CalibrationError), None);
        assert_eq!(tally.metric(Metric::Accuracy), Some(1.0));
        assert_eq!(Tally::default().calibration_error(), None);
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Evaluation of a classifier on labeled faces.
//!
//! The *confidence* of a prediction is the score of the predicted attitude; unlike that of a
//! tracked face, it does not contain the quality of the picture. *Coverage* is the fraction of
//! faces whose prediction has at least a minimum confidence.
//!
//! A [`Tally`] counts predictions and computes metrics, [`coverage_curve`] computes coverage and
//! accuracy for different minimum confidences, and a [`Bootstrap`] computes confidence intervals of
//! the metrics.

use crate::{Attitude, Scores};

mod bootstrap;
mod confusion;
mod coverage;
mod tally;

pub use bootstrap::{Bootstrap, Comparison, Estimate, Estimates};
pub use confusion::{ClassMetrics, Confusion};
pub use coverage::{CoveragePoint, coverage_curve};
pub use tally::{CALIBRATION_BINS, Metric, Tally};

/// The prediction for one labeled face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabeledPrediction {
    /// The true attitude: that of the face's label in the data.
    pub truth: Attitude,
    /// The predicted attitude.
    pub predicted: Attitude,
    /// Confidence: the score of the predicted attitude, 0 to 1; `None` if it is not known.
    pub confidence: Option<f32>,
}

impl LabeledPrediction {
    /// Creates the prediction of the attitude with the highest score.
    pub fn from_scores(truth: Attitude, scores: &Scores) -> Self {
        let predicted = scores.best();
        Self {
            truth,
            predicted,
            confidence: Some(scores[predicted]),
        }
    }

    /// Returns `true` if the predicted attitude is the true one.
    pub(crate) fn is_correct(&self) -> bool {
        self.predicted == self.truth
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Evaluation of a classifier on labelled faces.
//!
//! A [`Tally`] counts predictions and computes metrics, [`coverage()`] computes accuracy against
//! coverage at different confidence thresholds, and a [`Bootstrap`] computes confidence intervals of
//! the metrics.

use crate::{Attitude, Scores};

mod confusion;
mod tally;

mod coverage;

mod bootstrap;

pub use bootstrap::{Bootstrap, Comparison, Estimate, Estimates};
pub use confusion::{ClassMetrics, Confusion};
pub use coverage::{CoveragePoint, coverage};
pub use tally::{Metric, Tally};

/// The prediction for one labelled face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelledPrediction {
    /// The labelled attitude.
    pub truth: Attitude,
    /// The predicted attitude.
    pub predicted: Attitude,
    /// Score of the predicted attitude, 0 to 1; `None` if the classifier returns none.
    pub confidence: Option<f32>,
}

impl LabelledPrediction {
    /// Creates a prediction of the attitude with the highest score.
    pub fn from_scores(truth: Attitude, scores: &Scores) -> Self {
        let predicted = scores.best();
        Self {
            truth,
            predicted,
            confidence: Some(scores[predicted]),
        }
    }

    /// Returns `true` if the prediction is the labelled attitude.
    pub(crate) fn is_correct(&self) -> bool {
        self.predicted == self.truth
    }
}

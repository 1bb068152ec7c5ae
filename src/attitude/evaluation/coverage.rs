// SPDX-License-Identifier: MPL-2.0

//! Coverage and accuracy for different minimum confidences.

use serde::Serialize;

use super::LabeledPrediction;

/// Minimum confidences of the curve. Values up to 1/3 have no effect, since the highest of three
/// scores is at least 1/3.
pub const MIN_CONFIDENCES: [f32; 10] = [0.0, 0.34, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95];

/// Coverage and accuracy if predictions with a lower confidence are rejected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CoveragePoint {
    /// Minimum confidence of a prediction, 0 to 1.
    pub threshold: f32,
    /// Fraction of faces whose prediction is accepted, 0 to 1.
    pub coverage: f64,
    /// Fraction of accepted predictions that are correct, 0 to 1; `None` if none is accepted.
    pub accuracy: Option<f64>,
}

/// Returns one point per minimum confidence, in increasing order from 0 to 0.95, or `None` if there
/// are no predictions, or one has no confidence.
pub fn coverage_curve(predictions: &[LabeledPrediction]) -> Option<Vec<CoveragePoint>> {
    if predictions.is_empty()
        || predictions
            .iter()
            .any(|prediction| prediction.confidence.is_none())
    {
        return None;
    }
    let point = |threshold: f32| {
        let is_accepted =
            |prediction: &&LabeledPrediction| prediction.confidence >= Some(threshold);
        let accepted = predictions.iter().filter(is_accepted).count();
        let correct = predictions
            .iter()
            .filter(is_accepted)
            .filter(|prediction| prediction.is_correct());
        CoveragePoint {
            threshold,
            coverage: accepted as f64 / predictions.len() as f64,
            accuracy: (accepted > 0).then(|| correct.count() as f64 / accepted as f64),
        }
    };
    Some(MIN_CONFIDENCES.map(point).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attitude::{Negative, Positive};

    #[test]
    fn a_higher_minimum_confidence_accepts_fewer_predictions() {
        let predictions =
            [(Positive, 0.9), (Positive, 0.6), (Negative, 0.4)].map(|(predicted, confidence)| {
                LabeledPrediction {
                    truth: Positive,
                    predicted,
                    confidence: Some(confidence),
                }
            });
        let curve = coverage_curve(&predictions).unwrap();
        let at = |threshold| curve.iter().find(|p| p.threshold == threshold).unwrap();
        assert_eq!((at(0.4).coverage, at(0.4).accuracy), (1.0, Some(2.0 / 3.0)));
        assert_eq!((at(0.5).coverage, at(0.5).accuracy), (2.0 / 3.0, Some(1.0)));
        assert_eq!((at(0.95).coverage, at(0.95).accuracy), (0.0, None));
        assert_eq!(coverage_curve(&[]), None);
    }
}

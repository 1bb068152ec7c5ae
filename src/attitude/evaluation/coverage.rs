// SPDX-License-Identifier: MPL-2.0

//! What it brings to leave unsure answers out: risk against coverage.

use serde::Serialize;

use super::Answer;

/// The least confidences of the curve. Below 1/3 none is left out: the highest of three scores is
/// never less.
pub const THRESHOLDS: [f32; 10] = [0.0, 0.34, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95];

/// What is left where answers under a confidence are taken for none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CoveragePoint {
    /// The least confidence of an answer.
    pub threshold: f32,
    /// Share of the faces that are answered.
    pub coverage: f64,
    /// Share of right ones among the answers; `None` where there are none.
    pub accuracy: Option<f64>,
}

/// The curve at [`THRESHOLDS`]; `None` where there are no answers or one has no confidence.
pub fn coverage(answers: &[Answer]) -> Option<Vec<CoveragePoint>> {
    if answers.is_empty() || answers.iter().any(|answer| answer.confidence.is_none()) {
        return None;
    }
    let point = |threshold: f32| {
        let is_sure = |answer: &&Answer| answer.confidence >= Some(threshold);
        let answered = answers.iter().filter(is_sure).count();
        let right = answers
            .iter()
            .filter(is_sure)
            .filter(|answer| answer.is_right());
        CoveragePoint {
            threshold,
            coverage: answered as f64 / answers.len() as f64,
            accuracy: (answered > 0).then(|| right.count() as f64 / answered as f64),
        }
    };
    Some(THRESHOLDS.map(point).to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attitude::{Negative, Positive};

    #[test]
    fn the_surer_answers_are_fewer() {
        let answers =
            [(Positive, 0.9), (Positive, 0.6), (Negative, 0.4)].map(|(predicted, c)| Answer {
                truth: Positive,
                predicted,
                confidence: Some(c),
            });
        let curve = coverage(&answers).unwrap();
        let at = |threshold| curve.iter().find(|p| p.threshold == threshold).unwrap();
        assert_eq!((at(0.4).coverage, at(0.4).accuracy), (1.0, Some(2.0 / 3.0)));
        assert_eq!((at(0.5).coverage, at(0.5).accuracy), (2.0 / 3.0, Some(1.0)));
        assert_eq!((at(0.95).coverage, at(0.95).accuracy), (0.0, None));
        assert_eq!(coverage(&[]), None);
    }
}

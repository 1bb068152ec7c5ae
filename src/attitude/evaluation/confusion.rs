// SPDX-License-Identifier: MPL-2.0

//! The confusion matrix and the metrics computed from it.

use serde::Serialize;

use crate::Attitude;

/// A confusion matrix: numbers of faces by true and predicted attitude.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    /// One row per true attitude, one column per predicted attitude, in the order of
    /// [`Attitude::ALL`].
    pub counts: [[u64; Attitude::ALL.len()]; Attitude::ALL.len()],
}

/// Metrics of one attitude against the others. Precision, recall and F1 are from 0 to 1, and 0 if
/// their denominator is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// Fraction of the predictions of this attitude that are correct.
    pub precision: f64,
    /// Fraction of the faces of this true attitude whose prediction is correct.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Number of faces of this true attitude.
    pub support: u64,
}

impl Confusion {
    /// Counts a prediction `times` times.
    pub fn add(&mut self, truth: Attitude, predicted: Attitude, times: u64) {
        self.counts[truth as usize][predicted as usize] += times;
    }

    /// Returns the number of faces.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Returns the number of faces of this true attitude.
    pub fn with_truth(&self, attitude: Attitude) -> u64 {
        self.counts[attitude as usize].iter().sum()
    }

    /// Returns the number of faces with this predicted attitude.
    pub fn with_prediction(&self, attitude: Attitude) -> u64 {
        self.counts.iter().map(|row| row[attitude as usize]).sum()
    }

    /// Returns the number of correct predictions.
    fn correct(&self) -> u64 {
        let counts = self.counts.iter().enumerate();
        counts.map(|(index, row)| row[index]).sum()
    }

    /// Returns the accuracy, the fraction of correct predictions, 0 to 1; 0 without predictions.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct() as f64, self.total() as f64)
    }

    /// Returns Matthews' correlation coefficient of truth and prediction, −1 to 1, in its form
    /// for several classes, R_K (Gorodkin, "Comparing two K-category assignments by a K-category
    /// correlation coefficient", 2004); 0 if all faces have the same true or the
    /// same predicted attitude.
    pub fn mcc(&self) -> f64 {
        let total = self.total() as f64;
        // Covariance of two variables, multiplied by the square of the number of faces, from the
        // number of faces with equal values and the numbers of faces with each value.
        let covariance =
            |equal: f64, first: &dyn Fn(Attitude) -> u64, second: &dyn Fn(Attitude) -> u64| {
                let products = Attitude::ALL.map(|a| first(a) as f64 * second(a) as f64);
                equal * total - products.iter().sum::<f64>()
            };
        let (truth, predicted) = (|a| self.with_truth(a), |a| self.with_prediction(a));
        let both = covariance(self.correct() as f64, &truth, &predicted);
        let truth_variance = covariance(total, &truth, &truth);
        let predicted_variance = covariance(total, &predicted, &predicted);
        ratio(both, (truth_variance * predicted_variance).sqrt())
    }

    /// Returns Cohen's kappa, the accuracy corrected for chance, at most 1; 0 if all faces have the
    /// same true and predicted attitude.
    pub fn kappa(&self) -> f64 {
        // Numerator and denominator are multiplied by the square of the number of faces.
        let total = self.total() as f64;
        let products =
            Attitude::ALL.map(|a| self.with_truth(a) as f64 * self.with_prediction(a) as f64);
        let scaled_chance = products.iter().sum::<f64>();
        let scaled_accuracy = self.correct() as f64 * total;
        ratio(
            scaled_accuracy - scaled_chance,
            total * total - scaled_chance,
        )
    }

    /// Returns the metrics of `attitude` against the others.
    pub fn class(&self, attitude: Attitude) -> ClassMetrics {
        let correct = self.counts[attitude as usize][attitude as usize] as f64;
        let support = self.with_truth(attitude);
        let predicted = self.with_prediction(attitude);
        ClassMetrics {
            precision: ratio(correct, predicted as f64),
            recall: ratio(correct, support as f64),
            f1: ratio(2.0 * correct, (support + predicted) as f64),
            support,
        }
    }

    /// Returns the mean F1 score of all attitudes, 0 to 1, including those without faces.
    pub fn macro_f1(&self) -> f64 {
        let f1 = Attitude::ALL.map(|a| self.class(a).f1);
        f1.iter().sum::<f64>() / f1.len() as f64
    }
}

/// Returns the ratio, or 0 if the denominator is 0.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 {
        0.0
    } else {
        numerator / denominator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Fixture {
        scikit_learn: String,
        sets: Vec<Set>,
    }

    #[derive(serde::Deserialize)]
    struct Set {
        name: String,
        truth: Vec<usize>,
        predicted: Vec<usize>,
        confusion: [[u64; 3]; 3],
        accuracy: f64,
        mcc: f64,
        kappa: f64,
        precision: [f64; 3],
        recall: [f64; 3],
        f1: [f64; 3],
        support: [u64; 3],
        macro_f1: f64,
    }

    #[test]
    fn the_metrics_match_scikit_learn() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/metrics.json"
        );
        let fixture: Fixture = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(!fixture.sets.is_empty());
        for set in fixture.sets {
            let mut confusion = Confusion::default();
            for (&truth, &predicted) in set.truth.iter().zip(&set.predicted) {
                confusion.add(Attitude::ALL[truth], Attitude::ALL[predicted], 1);
            }
            let by = format!("scikit-learn {}, {}", fixture.scikit_learn, set.name);
            assert_eq!(confusion.counts, set.confusion, "{by}");
            let near = |metric: &str, found: f64, expected: f64| {
                let error = (found - expected).abs();
                assert!(error < 1e-9, "{by}: {metric} {found}, not {expected}");
            };
            near("accuracy", confusion.accuracy(), set.accuracy);
            near("mcc", confusion.mcc(), set.mcc);
            near("kappa", confusion.kappa(), set.kappa);
            near("macro F1", confusion.macro_f1(), set.macro_f1);
            for attitude in Attitude::ALL {
                let (class, index) = (confusion.class(attitude), attitude as usize);
                near("precision", class.precision, set.precision[index]);
                near("recall", class.recall, set.recall[index]);
                near("F1", class.f1, set.f1[index]);
                assert_eq!(class.support, set.support[index], "{by}");
            }
        }
    }

    #[test]
    fn an_empty_matrix_has_metrics_of_0() {
        let none = Confusion::default();
        let metrics = [none.accuracy(), none.mcc(), none.kappa(), none.macro_f1()];
        assert_eq!(metrics, [0.0; 4]);
    }
}

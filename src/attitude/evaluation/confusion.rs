// SPDX-License-Identifier: MPL-2.0

//! The confusion matrix and the figures that need nothing else.

use serde::Serialize;

use crate::Attitude;

/// How often faces of each label got each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Confusion {
    /// A row a label, a column an answer, both in the order of [`Attitude::ALL`].
    pub counts: [[u64; 3]; 3],
}

/// How well one attitude is told from the others. 0 where a figure would be a fraction of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Share of right ones among the answers.
    pub precision: f64,
    /// Share of right ones among the labels.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Faces with this label.
    pub support: u64,
}

impl Confusion {
    /// Counts an answer `times` times.
    pub fn add(&mut self, truth: Attitude, predicted: Attitude, times: u64) {
        self.counts[truth as usize][predicted as usize] += times;
    }

    /// All faces.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// Faces with this label.
    pub fn labelled(&self, attitude: Attitude) -> u64 {
        self.counts[attitude as usize].iter().sum()
    }

    /// Faces with this answer.
    pub fn answered(&self, attitude: Attitude) -> u64 {
        self.counts.iter().map(|row| row[attitude as usize]).sum()
    }

    fn right(&self) -> u64 {
        (0..3).map(|index| self.counts[index][index]).sum()
    }

    /// Share of right answers.
    pub fn accuracy(&self) -> f64 {
        ratio(self.right() as f64, self.total() as f64)
    }

    /// Matthews' correlation between labels and answers, −1 to 1: R_K for several classes
    /// (Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
    /// 2004). 0 where all labels or all answers are the same.
    pub fn mcc(&self) -> f64 {
        let total = self.total() as f64;
        // How far from chance labels go with answers, labels with labels, answers with answers.
        let covariance =
            |count: f64, sum: &dyn Fn(Attitude) -> u64, of: &dyn Fn(Attitude) -> u64| {
                let products = Attitude::ALL.map(|a| sum(a) as f64 * of(a) as f64);
                count * total - products.iter().sum::<f64>()
            };
        let (labelled, answered) = (|a| self.labelled(a), |a| self.answered(a));
        let both = covariance(self.right() as f64, &labelled, &answered);
        let labels = covariance(total, &labelled, &labelled);
        let answers = covariance(total, &answered, &answered);
        ratio(both, (labels * answers).sqrt())
    }

    /// Cohen's kappa: the accuracy in excess of chance, 1 at most. 0 where all labels and all
    /// answers are the same, so that chance alone is always right.
    pub fn kappa(&self) -> f64 {
        let total = self.total() as f64;
        let products = Attitude::ALL.map(|a| self.labelled(a) as f64 * self.answered(a) as f64);
        let by_chance = products.iter().sum::<f64>();
        let right = self.right() as f64 * total;
        ratio(right - by_chance, total * total - by_chance)
    }

    /// How well `attitude` is told from the others.
    pub fn class(&self, attitude: Attitude) -> ClassFigures {
        let right = self.counts[attitude as usize][attitude as usize] as f64;
        let support = self.labelled(attitude);
        let answered = self.answered(attitude);
        ClassFigures {
            precision: ratio(right, answered as f64),
            recall: ratio(right, support as f64),
            f1: ratio(2.0 * right, (support + answered) as f64),
            support,
        }
    }

    /// Mean F1 of the three attitudes, one that no label has among them.
    pub fn macro_f1(&self) -> f64 {
        Attitude::ALL.map(|a| self.class(a).f1).iter().sum::<f64>() / 3.0
    }
}

/// 0 for a fraction of nothing.
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
    fn the_figures_are_those_of_scikit_learn() {
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
            let near = |figure: &str, found: f64, expected: f64| {
                let error = (found - expected).abs();
                assert!(error < 1e-9, "{by}: {figure} {found}, not {expected}");
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
    fn nothing_at_all_has_figures_of_0() {
        let none = Confusion::default();
        let figures = [none.accuracy(), none.mcc(), none.kappa(), none.macro_f1()];
        assert_eq!(figures, [0.0; 4]);
    }
}

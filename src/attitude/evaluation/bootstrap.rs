// SPDX-License-Identifier: MPL-2.0

//! Confidence intervals of metrics by the percentile bootstrap.
//!
//! Groups of faces, such as those of one person, are resampled together, since they are not
//! independent.

use std::collections::BTreeMap;

use serde::Serialize;

use super::LabeledPrediction;
use super::tally::{Metric, Tally};
use crate::statistics::group_bootstrap::draw;
use crate::statistics::{DEFAULT_RESAMPLES, DEFAULT_SEED, Interval, SplitMix64};

/// A metric with its 95% confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The metric on all faces.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// Estimates of the metrics that are defined.
pub type Estimates = BTreeMap<Metric, Estimate>;

/// Estimates for several classifiers on the same faces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Metrics per classifier.
    pub metrics: Vec<Estimates>,
    /// Metrics of each classifier except the first, minus those of the first on the same resamples.
    pub differences: Vec<Estimates>,
}

/// Parameters of the bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples.
    pub resamples: usize,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: DEFAULT_RESAMPLES,
            seed: DEFAULT_SEED,
        }
    }
}

impl Bootstrap {
    /// Estimates the metrics of classifiers from their predictions for the same faces in the same
    /// order. `groups` contains the group of each face, counted from 0; the faces of a group are
    /// resampled together.
    ///
    /// # Panics
    /// Panics if the lengths of predictions and `groups` differ.
    pub fn compare(&self, classifiers: &[Vec<LabeledPrediction>], groups: &[usize]) -> Comparison {
        assert!(
            classifiers
                .iter()
                .all(|predictions| predictions.len() == groups.len())
        );
        let whole: Vec<Tally> = classifiers.iter().map(|a| Tally::of(a)).collect();
        let resampled = self.resample(classifiers, groups);
        let estimates = |metric_of: &dyn Fn(&[Tally], Metric) -> Option<f64>| {
            let estimate = |metric| {
                let value = metric_of(&whole, metric)?;
                let values = resampled.iter().map(|tallies| metric_of(tallies, metric));
                let Interval { low, high } = Interval::of(values.collect::<Option<_>>()?)?;
                Some((metric, Estimate { value, low, high }))
            };
            Metric::ALL.into_iter().filter_map(estimate).collect()
        };
        let all = 0..classifiers.len();
        let metrics = all
            .clone()
            .map(|index| estimates(&|tallies, metric| tallies[index].metric(metric)))
            .collect();
        let differences = all
            .skip(1)
            .map(|index| {
                estimates(&|tallies, metric| {
                    Some(tallies[index].metric(metric)? - tallies[0].metric(metric)?)
                })
            })
            .collect();
        Comparison {
            metrics,
            differences,
        }
    }

    /// Returns the counts of each resample, per classifier.
    fn resample(
        &self,
        classifiers: &[Vec<LabeledPrediction>],
        groups: &[usize],
    ) -> Vec<Vec<Tally>> {
        let group_count = groups.iter().max().map_or(0, |last| last + 1);
        let mut random = SplitMix64(self.seed);
        // How often a resample contains each group.
        let mut draws = vec![0; group_count];
        let mut resample = || {
            draw(&mut random, &mut draws);
            let tally = |predictions: &Vec<LabeledPrediction>| {
                let mut tally = Tally::default();
                for (prediction, &group) in predictions.iter().zip(groups) {
                    if draws[group] > 0 {
                        tally.add(prediction, draws[group].into());
                    }
                }
                tally
            };
            classifiers.iter().map(tally).collect()
        };
        (0..self.resamples).map(|_| resample()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attitude::{Negative, Positive};

    const BOOTSTRAP: Bootstrap = Bootstrap {
        resamples: 1000,
        seed: 7,
    };

    fn predictions(count: usize, is_correct: impl Fn(usize) -> bool) -> Vec<LabeledPrediction> {
        let prediction = |index| LabeledPrediction {
            truth: Positive,
            predicted: if is_correct(index) {
                Positive
            } else {
                Negative
            },
            confidence: None,
        };
        (0..count).map(prediction).collect()
    }

    fn accuracy(estimates: &Estimates) -> Estimate {
        estimates[&Metric::Accuracy]
    }

    #[test]
    fn the_interval_is_as_wide_as_that_of_a_binomial_distribution() {
        let groups: Vec<usize> = (0..400).collect();
        let comparison = BOOTSTRAP.compare(&[predictions(400, |i| i % 5 > 0)], &groups);
        let Estimate { value, low, high } = accuracy(&comparison.metrics[0]);
        assert_eq!(value, 0.8);
        // 1.96 standard deviations of sqrt(0.8 * 0.2 / 400) = 0.02.
        assert!((low - 0.7608).abs() < 0.006, "{low}");
        assert!((high - 0.8392).abs() < 0.006, "{high}");
        assert!(!comparison.metrics[0].contains_key(&Metric::CalibrationError));
    }

    #[test]
    fn faces_of_one_person_count_as_one() {
        let correct_by_fours = predictions(400, |i| i / 4 % 5 > 0);
        let groups: Vec<usize> = (0..400).map(|i| i / 4).collect();
        let comparison = BOOTSTRAP.compare(&[correct_by_fours], &groups);
        let Estimate { low, high, .. } = accuracy(&comparison.metrics[0]);
        // Twice the width of 400 independent faces.
        assert!((high - low - 0.157).abs() < 0.02, "{low} to {high}");
    }

    #[test]
    fn differences_are_computed_on_the_same_faces() {
        let groups: Vec<usize> = (0..100).collect();
        let worse = predictions(100, |i| i % 2 > 0);
        let better = predictions(100, |i| i % 2 > 0 || i == 0);
        let comparison = BOOTSTRAP.compare(&[worse.clone(), better, worse], &groups);
        let [better, same] = &comparison.differences[..] else {
            panic!("{comparison:?}");
        };
        let Estimate { value, low, high } = accuracy(better);
        assert!((value - 0.01).abs() < 1e-9 && low == 0.0 && high < 0.05);
        assert_eq!(accuracy(same).high, 0.0);
    }

    #[test]
    fn without_faces_metrics_are_0_except_the_calibration_error_which_is_undefined() {
        let comparison = Bootstrap::default().compare(&[Vec::new()], &[]);
        let metrics = &comparison.metrics[0];
        assert!(!metrics.contains_key(&Metric::CalibrationError));
        assert_eq!(metrics.len(), Metric::ALL.len() - 1);
        assert!(metrics.values().all(|estimate| estimate.value == 0.0));
    }
}

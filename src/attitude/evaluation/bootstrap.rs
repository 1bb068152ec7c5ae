// SPDX-License-Identifier: MPL-2.0

//! How far the figures would move with other faces: the percentile bootstrap.
//!
//! Faces that go together, such as those of one person, are drawn together: what is alike must not
//! count as independent.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Answer;
use super::tally::{Figure, Tally};
use crate::statistics::{Interval, SplitMix64};

/// A figure and the interval in which 95% of the resamples have it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// On the faces as they are.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The figures that can be told.
pub type Estimates = BTreeMap<Figure, Estimate>;

/// What is estimated of some classifiers on the same faces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// The figures of each.
    pub figures: Vec<Estimates>,
    /// Of each but the first: its figures less those of the first, on the same resamples.
    pub differences: Vec<Estimates>,
}

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// How often.
    pub resamples: usize,
    /// The same seed draws the same resamples.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: 1000,
            seed: 0,
        }
    }
}

impl Bootstrap {
    /// The figures of classifiers by their answers about the same faces in the same order. Faces
    /// of the same number in `groups`, counted from 0, are drawn together.
    ///
    /// # Panics
    /// Where there is not one group for each answer.
    pub fn compare(&self, classifiers: &[Vec<Answer>], groups: &[usize]) -> Comparison {
        assert!(
            classifiers
                .iter()
                .all(|answers| answers.len() == groups.len())
        );
        let whole: Vec<Tally> = classifiers.iter().map(|a| Tally::of(a)).collect();
        let resamples = self.resample(classifiers, groups);
        let estimates = |figure_of: &dyn Fn(&[Tally], Figure) -> Option<f64>| {
            let estimate = |figure| {
                let value = figure_of(&whole, figure)?;
                let drawn = resamples.iter().map(|tallies| figure_of(tallies, figure));
                let Interval { low, high } = Interval::of(drawn.collect::<Option<_>>()?)?;
                Some((figure, Estimate { value, low, high }))
            };
            Figure::ALL.into_iter().filter_map(estimate).collect()
        };
        let all = 0..classifiers.len();
        let figures = all
            .clone()
            .map(|index| estimates(&|tallies, figure| tallies[index].figure(figure)))
            .collect();
        let differences = all
            .skip(1)
            .map(|index| {
                estimates(&|tallies, figure| {
                    Some(tallies[index].figure(figure)? - tallies[0].figure(figure)?)
                })
            })
            .collect();
        Comparison {
            figures,
            differences,
        }
    }

    /// The sums of each classifier over each resample.
    fn resample(&self, classifiers: &[Vec<Answer>], groups: &[usize]) -> Vec<Vec<Tally>> {
        let group_count = groups.iter().max().map_or(0, |last| last + 1);
        let mut random = SplitMix64(self.seed);
        let mut draws = vec![0; group_count];
        let mut resample = || {
            draws.fill(0);
            for _ in 0..group_count {
                draws[random.below(group_count)] += 1;
            }
            let tally = |answers: &Vec<Answer>| {
                let mut tally = Tally::default();
                for (answer, &group) in answers.iter().zip(groups) {
                    if draws[group] > 0 {
                        tally.add(answer, draws[group]);
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

    fn answers(count: usize, is_right: impl Fn(usize) -> bool) -> Vec<Answer> {
        let answer = |index| Answer {
            truth: Positive,
            predicted: if is_right(index) { Positive } else { Negative },
            confidence: None,
        };
        (0..count).map(answer).collect()
    }

    fn accuracy(estimates: &Estimates) -> Estimate {
        estimates[&Figure::Accuracy]
    }

    #[test]
    fn the_interval_is_as_wide_as_a_binomials() {
        let groups: Vec<usize> = (0..400).collect();
        let comparison = BOOTSTRAP.compare(&[answers(400, |i| i % 5 > 0)], &groups);
        let Estimate { value, low, high } = accuracy(&comparison.figures[0]);
        assert_eq!(value, 0.8);
        // 1.96 standard deviations of sqrt(0.8 * 0.2 / 400) = 0.02.
        assert!((low - 0.7608).abs() < 0.006, "{low}");
        assert!((high - 0.8392).abs() < 0.006, "{high}");
        assert!(!comparison.figures[0].contains_key(&Figure::CalibrationError));
    }

    #[test]
    fn faces_of_one_person_count_as_one() {
        let right_by_fours = answers(400, |i| i / 4 % 5 > 0);
        let groups: Vec<usize> = (0..400).map(|i| i / 4).collect();
        let comparison = BOOTSTRAP.compare(&[right_by_fours], &groups);
        let Estimate { low, high, .. } = accuracy(&comparison.figures[0]);
        // Twice as wide as of 400 independent faces.
        assert!((high - low - 0.157).abs() < 0.02, "{low} to {high}");
    }

    #[test]
    fn differences_are_those_on_the_same_faces() {
        let groups: Vec<usize> = (0..100).collect();
        let worse = answers(100, |i| i % 2 > 0);
        let better = answers(100, |i| i % 2 > 0 || i == 0);
        let comparison = BOOTSTRAP.compare(&[worse.clone(), better, worse], &groups);
        let [better, same] = &comparison.differences[..] else {
            panic!("{comparison:?}");
        };
        let Estimate { value, low, high } = accuracy(better);
        assert!((value - 0.01).abs() < 1e-9 && low == 0.0 && high < 0.05);
        assert_eq!(accuracy(same).high, 0.0);
    }

    #[test]
    fn no_faces_have_no_figures() {
        let comparison = Bootstrap::default().compare(&[Vec::new()], &[]);
        assert_eq!(comparison.figures[0].get(&Figure::CalibrationError), None);
        assert_eq!(accuracy(&comparison.figures[0]).value, 0.0);
    }
}

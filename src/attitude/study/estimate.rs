// SPDX-License-Identifier: MPL-2.0

//! Means of conditions, their courses over time, and comparisons of conditions.

use std::collections::HashMap;

use super::nesting::{bins, by_participant};
use super::{Epoch, Measure, Participant};
use crate::statistics::effect_size::{
    cliffs_delta, cohens_d, d_z, hedges_g, mean, paired_delta, standard_deviation,
};
use crate::statistics::group_bootstrap::{Resamples, difference_interval};
use crate::statistics::permutation::{DEFAULT_PERMUTATIONS, PermutationTest, Permutations};
use crate::statistics::{DEFAULT_RESAMPLES, DEFAULT_SEED, Interval};

/// Parameters of intervals and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StudyParams {
    /// Number of resamples of participants; 0 disables intervals.
    pub resamples: usize,
    /// Maximum number of permutations of a test.
    pub permutations: usize,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for StudyParams {
    fn default() -> Self {
        Self {
            resamples: DEFAULT_RESAMPLES,
            permutations: DEFAULT_PERMUTATIONS,
            seed: DEFAULT_SEED,
        }
    }
}

impl StudyParams {
    fn permutations(&self) -> Permutations {
        Permutations {
            count: self.permutations,
            seed: self.seed,
        }
    }
}

/// The mean of a measure over the participants of a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConditionMean {
    /// Number of participants with data.
    pub participants: usize,
    /// Mean over participants.
    pub mean: f64,
    /// Standard deviation between participants; `None` for one.
    pub deviation: Option<f64>,
    /// 95% interval of the mean; `None` for fewer than
    /// [`MIN_UNITS`](crate::statistics::group_bootstrap::MIN_UNITS) participants.
    pub interval: Option<Interval>,
    /// The mean divided by the standard deviation; `None` if that is not defined.
    pub d_z: Option<f64>,
    /// Test whether the mean is 0; meaningful for differences from a baseline.
    pub test: PermutationTest,
}

/// Returns the mean of `measure` over `participants`, whose values are differences from a baseline if
/// `is_corrected`; `None` if none has data.
pub fn condition_mean(
    participants: &[Participant],
    measure: Measure,
    is_corrected: bool,
    params: &StudyParams,
) -> Option<ConditionMean> {
    let values: Vec<f64> = participants
        .iter()
        .filter_map(|p| p.values[measure])
        .collect();
    let resamples = Resamples::new(values.len(), params.resamples, params.seed);
    Some(ConditionMean {
        participants: values.len(),
        mean: mean(&values)?,
        deviation: standard_deviation(&values),
        interval: possible(resamples.interval(&values), measure, is_corrected),
        d_z: d_z(&values),
        test: params.permutations().test_differences(&values)?,
    })
}

/// A point of a course over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanPoint {
    /// Index of the bin.
    pub bin: usize,
    /// Number of participants with data in the bin.
    pub participants: usize,
    /// Mean over them.
    pub mean: f64,
    /// 95% interval of the mean at this time alone; `None` for few participants.
    pub interval: Option<Interval>,
}

/// Returns the mean of `measure` over the participants of `epochs`, in each bin with data.
pub fn mean_series(
    epochs: &[&Epoch],
    measure: Measure,
    is_corrected: bool,
    params: &StudyParams,
) -> Vec<MeanPoint> {
    let groups = by_participant(epochs);
    let count = epochs.iter().map(|epoch| epoch.len()).max().unwrap_or(0);
    let resamples = Resamples::new(groups.len(), params.resamples, params.seed);
    let point = |bin| {
        let values = bins(&groups, bin, measure, is_corrected);
        let known: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect();
        Some(MeanPoint {
            bin,
            participants: known.len(),
            mean: mean(&known)?,
            interval: possible(resamples.interval(&values), measure, is_corrected),
        })
    };
    (0..count).filter_map(point).collect()
}

/// Limits an interval, which is widened about the mean, to possible values.
fn possible(interval: Option<Interval>, measure: Measure, is_corrected: bool) -> Option<Interval> {
    let (min, max) = measure.range(is_corrected);
    interval.map(|Interval { low, high }| Interval {
        low: low.max(min),
        high: high.min(max),
    })
}

/// Whose values a comparison of two conditions compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonDesign {
    /// Those of different participants.
    Between,
    /// Those of the same participants.
    Within,
}

impl ComparisonDesign {
    /// Returns the name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Between => "between",
            Self::Within => "within",
        }
    }
}

/// A comparison of two conditions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Whose values are compared.
    pub design: ComparisonDesign,
    /// Numbers of participants whose values are compared, per condition.
    pub participants: [usize; 2],
    /// Number of participants with data that are left out: those in only one condition of a
    /// comparison within participants, or those in both of one between participants.
    pub left_out: usize,
    /// Mean of the first condition minus that of the second.
    pub difference: f64,
    /// 95% interval of the difference; `None` for few participants.
    pub interval: Option<Interval>,
    /// Cohen's d between participants, else d_z; `None` if it is not defined.
    pub effect_size: Option<f64>,
    /// Hedges' g; `None` within participants, or if it is not defined.
    pub hedges_g: Option<f64>,
    /// Cliff's delta; within participants that of pairs.
    pub cliffs_delta: Option<f64>,
    /// Test whether the difference is 0.
    pub test: PermutationTest,
}

/// Compares two conditions. The comparison is within participants if at least half of them have data
/// in both conditions. Returns `None` if there is nothing to compare.
pub fn compare(
    first: &[Participant],
    second: &[Participant],
    measure: Measure,
    params: &StudyParams,
) -> Option<Comparison> {
    let with_data = |participants: &[Participant]| -> Vec<(usize, f64)> {
        let value = |p: &Participant| Some((p.number, p.values[measure]?));
        participants.iter().filter_map(value).collect()
    };
    let (first, second) = (with_data(first), with_data(second));
    let of_second: HashMap<usize, f64> = second.iter().copied().collect();
    let pair = |&(number, value): &(usize, f64)| Some((number, value - of_second.get(&number)?));
    let pairs: HashMap<usize, f64> = first.iter().filter_map(pair).collect();
    let all = first.len() + second.len() - pairs.len();
    if 2 * pairs.len() >= all {
        // In the order of the participants, so that the result is reproducible.
        let differences = first
            .iter()
            .filter_map(|(number, _)| pairs.get(number).copied());
        let left_out = all - pairs.len();
        return within(&differences.collect::<Vec<_>>(), left_out, params);
    }
    let alone = |values: &[(usize, f64)]| -> Vec<f64> {
        let alone = values
            .iter()
            .filter(|(number, _)| !pairs.contains_key(number));
        alone.map(|(_, value)| *value).collect()
    };
    between(&alone(&first), &alone(&second), pairs.len(), params)
}

fn within(differences: &[f64], left_out: usize, params: &StudyParams) -> Option<Comparison> {
    let resamples = Resamples::new(differences.len(), params.resamples, params.seed);
    Some(Comparison {
        design: ComparisonDesign::Within,
        participants: [differences.len(); 2],
        left_out,
        difference: mean(differences)?,
        interval: resamples.interval(differences),
        effect_size: d_z(differences),
        hedges_g: None,
        cliffs_delta: paired_delta(differences),
        test: params.permutations().test_differences(differences)?,
    })
}

fn between(
    first: &[f64],
    second: &[f64],
    left_out: usize,
    params: &StudyParams,
) -> Option<Comparison> {
    Some(Comparison {
        design: ComparisonDesign::Between,
        participants: [first.len(), second.len()],
        left_out,
        difference: mean(first)? - mean(second)?,
        interval: difference_interval(first, second, params.resamples, params.seed),
        effect_size: cohens_d(first, second),
        hedges_g: hedges_g(first, second),
        cliffs_delta: cliffs_delta(first, second),
        test: params.permutations().compare_groups(first, second)?,
    })
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: MPL-2.0

//! Intervals of means over independent units, such as participants, by the percentile bootstrap.
//!
//! Percentile intervals of few units are too narrow. They are widened about the mean, as in the
//! expanded percentile interval (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015):
//! by √(n/(n − 1)), as the bootstrap's variance has n in the denominator, and by the ratio of the
//! quantiles of Student's and of the normal distribution.

use super::effect_size::mean;
use super::{Interval, SplitMix64};

/// Minimum number of units for an interval.
pub const MIN_UNITS: usize = 5;

/// Quantile of the normal distribution for a 95% interval.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// Resamples of a number of units: how often each contains each unit.
#[derive(Clone, Debug)]
pub struct Resamples {
    units: usize,
    /// One row of `units` numbers per resample.
    draws: Vec<u32>,
}

impl Resamples {
    /// Draws `count` resamples of `units` units.
    pub fn new(units: usize, count: usize, seed: u64) -> Self {
        let mut random = SplitMix64(seed);
        let mut draws = vec![0; units * count];
        for row in draws.chunks_exact_mut(units.max(1)) {
            draw(&mut random, row);
        }
        Self { units, draws }
    }

    /// Returns the mean of each resample. Values that are not numbers are left out; a resample that
    /// has no others is, too.
    fn means<'a>(&'a self, values: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let rows = self.draws.chunks_exact(self.units.max(1));
        rows.filter_map(move |row| {
            let (mut sum, mut count) = (0.0, 0);
            for (&times, &value) in row.iter().zip(values) {
                if !value.is_nan() {
                    sum += f64::from(times) * value;
                    count += times;
                }
            }
            (count > 0).then(|| sum / f64::from(count))
        })
    }

    /// Returns the 95% interval of the mean of `values`, one per unit. Values that are not numbers
    /// are missing. Returns `None` if fewer than [`MIN_UNITS`] are not.
    pub fn interval(&self, values: &[f64]) -> Option<Interval> {
        let known: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| !value.is_nan())
            .collect();
        if known.len() < MIN_UNITS || self.draws.is_empty() {
            return None;
        }
        let factor = widening(known.len(), known.len() - 1);
        widened(self.means(values), mean(&known)?, factor)
    }
}

/// Draws as many units as `draws` has, and counts how often each was drawn.
pub(crate) fn draw(random: &mut SplitMix64, draws: &mut [u32]) {
    draws.fill(0);
    for _ in 0..draws.len() {
        draws[random.below(draws.len())] += 1;
    }
}

/// Returns the 95% interval of the difference of the means of two groups of units, which are
/// resampled separately; `None` if one has fewer than [`MIN_UNITS`], or there are no resamples.
pub fn difference_interval(
    first: &[f64],
    second: &[f64],
    count: usize,
    seed: u64,
) -> Option<Interval> {
    let smaller = first.len().min(second.len());
    if smaller < MIN_UNITS || count == 0 {
        return None;
    }
    let firsts = Resamples::new(first.len(), count, seed);
    // Another seed, so that groups of the same size are resampled independently.
    let seconds = Resamples::new(second.len(), count, seed ^ u64::MAX);
    let differences = firsts.means(first).zip(seconds.means(second));
    let difference = mean(first)? - mean(second)?;
    let factor = widening(smaller, first.len() + second.len() - 2);
    widened(differences.map(|(a, b)| a - b), difference, factor)
}

/// Returns the interval of the middle 95% of `values`, widened about `center`.
fn widened(values: impl Iterator<Item = f64>, center: f64, factor: f64) -> Option<Interval> {
    let Interval { low, high } = Interval::of(values.collect())?;
    Some(Interval {
        low: center + factor * (low - center),
        high: center + factor * (high - center),
    })
}

/// Returns the factor by which an interval of `units` units is widened.
fn widening(units: usize, freedom: usize) -> f64 {
    let units = units as f64;
    (units / (units - 1.0)).sqrt() * student_quantile(freedom) / NORMAL_QUANTILE
}

/// Returns the quantile of Student's distribution for a 95% interval, by the expansion of Fisher
/// and Cornish ("The Percentile Points of Distributions Having Known Cumulants", 1960). From 4
/// degrees of freedom on, it is correct to 0.3%.
fn student_quantile(freedom: usize) -> f64 {
    let (z, v) = (NORMAL_QUANTILE, freedom as f64);
    let terms = [
        z.powi(3) + z,
        5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z,
        3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z,
    ];
    z + terms[0] / (4.0 * v) + terms[1] / (96.0 * v.powi(2)) + terms[2] / (384.0 * v.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::tests::reference;

    #[test]
    fn quantiles_of_student_are_those_of_the_reference() {
        for (freedom, expected) in reference().student_quantiles {
            let found = student_quantile(freedom);
            assert!(
                (found / expected - 1.0).abs() < 0.003,
                "{freedom}: {found} {expected}"
            );
        }
    }

    /// Returns a normally distributed number.
    fn normal(random: &mut SplitMix64) -> f64 {
        let radius = (-2.0 * random.unit_fraction().ln()).sqrt();
        radius * (std::f64::consts::TAU * random.unit_fraction()).cos()
    }

    #[test]
    fn about_95_percent_of_the_intervals_contain_the_true_mean() {
        let mut random = SplitMix64(3);
        for units in [6, 20] {
            let (mut of_means, mut of_differences) = (0, 0);
            for seed in 0..400 {
                let mut values = || (0..units).map(|_| normal(&mut random)).collect::<Vec<_>>();
                let (first, second) = (values(), values());
                let contains_0 = |interval: Option<Interval>| {
                    let Interval { low, high } = interval.unwrap();
                    usize::from((low..=high).contains(&0.0))
                };
                let resamples = Resamples::new(units, 500, seed);
                of_means += contains_0(resamples.interval(&first));
                of_differences += contains_0(difference_interval(&first, &second, 500, seed));
            }
            // 380 are expected; three standard deviations are 13.
            assert!((364..=393).contains(&of_means), "{units}: {of_means}");
            assert!(
                (364..=397).contains(&of_differences),
                "{units}: {of_differences}"
            );
        }
    }

    #[test]
    fn missing_values_are_left_out() {
        let values = [0.1, f64::NAN, 0.1, 0.1, 0.1, f64::NAN, 0.1];
        let interval = Resamples::new(7, 200, 0).interval(&values).unwrap();
        assert!((interval.low - 0.1).abs() < 1e-12 && (interval.high - 0.1).abs() < 1e-12);
        assert_eq!(Resamples::new(7, 200, 0).interval(&[f64::NAN; 7]), None);
    }

    #[test]
    fn few_units_have_no_interval() {
        let values = [0.1, 0.2, 0.3, 0.4];
        assert_eq!(Resamples::new(4, 100, 0).interval(&values), None);
        assert_eq!(difference_interval(&values, &[0.5; 9], 100, 0), None);
        assert_eq!(Resamples::new(0, 100, 0).interval(&[]), None);
        assert_eq!(Resamples::new(5, 0, 0).interval(&[0.1; 5]), None);
    }

    #[test]
    fn each_resample_has_as_many_units_as_there_are() {
        let resamples = Resamples::new(9, 50, 1);
        let sums = resamples
            .draws
            .chunks_exact(9)
            .map(|row| row.iter().sum::<u32>());
        assert!(sums.into_iter().all(|sum| sum == 9));
    }
}

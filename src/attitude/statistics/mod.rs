// SPDX-License-Identifier: MPL-2.0

//! Random numbers and percentile intervals (Efron and Tibshirani, "An Introduction to the
//! Bootstrap", 1993, chapter 13) for bootstraps, effect sizes and permutation tests.

pub mod effect_size;
pub mod group_bootstrap;
pub mod permutation;

use serde::{Deserialize, Serialize};

/// Default number of resamples of a bootstrap.
pub const DEFAULT_RESAMPLES: usize = 1000;

/// Default seed of the random numbers of a bootstrap.
pub const DEFAULT_SEED: u64 = 0;

/// Fraction of the values below a 95% interval, and above it.
const TAIL_FRACTION: f64 = 0.025;

/// A 95% interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Returns the interval that contains the middle 95% of `values`, or `None` if there are none.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let quantile = |fraction: f64| {
            let index = fraction * last as f64;
            let (below, above) = (
                values[index.floor() as usize],
                values[index.ceil() as usize],
            );
            below + (above - below) * index.fract()
        };
        Some(Self {
            low: quantile(TAIL_FRACTION),
            high: quantile(1.0 - TAIL_FRACTION),
        })
    }
}

/// A generator of pseudorandom numbers with the field as its seed (Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators", 2014), with the constants of Vigna's public-domain
/// `splitmix64.c`.
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number less than `count`, uniformly distributed up to a bias of `count` / 2^64.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }

    /// Returns a number greater than 0 and at most 1, a multiple of 2^-53, uniformly distributed.
    pub fn unit_fraction(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of statistics that other programs computed.
    #[derive(serde::Deserialize)]
    pub(super) struct Reference {
        pub(super) groups: Vec<Groups>,
        pub(super) pairs: Vec<Pairs>,
        pub(super) holm: Vec<Holm>,
        pub(super) student_quantiles: Vec<(usize, f64)>,
    }

    #[derive(serde::Deserialize)]
    pub(super) struct Groups {
        pub(super) name: String,
        pub(super) first: Vec<f64>,
        pub(super) second: Vec<f64>,
        pub(super) cohens_d: f64,
        pub(super) hedges_g: f64,
        pub(super) cliffs_delta: f64,
        pub(super) p: Option<f64>,
    }

    #[derive(serde::Deserialize)]
    pub(super) struct Pairs {
        pub(super) name: String,
        pub(super) differences: Vec<f64>,
        pub(super) d_z: f64,
        pub(super) p: Option<f64>,
    }

    #[derive(serde::Deserialize)]
    pub(super) struct Holm {
        pub(super) p: Vec<f64>,
        pub(super) corrected: Vec<f64>,
    }

    /// Reads the values that `tests/fixtures/make_statistics.py` wrote.
    pub(super) fn reference() -> Reference {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/statistics.json"
        );
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn fractions_are_never_0_and_their_mean_is_a_half() {
        let mut random = SplitMix64(0);
        let fractions: Vec<f64> = (0..10_000).map(|_| random.unit_fraction()).collect();
        assert!(
            fractions
                .iter()
                .all(|fraction| *fraction > 0.0 && *fraction <= 1.0)
        );
        let mean = fractions.iter().sum::<f64>() / fractions.len() as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }

    #[test]
    fn quantiles_lie_between_values() {
        let values = (0..=100).rev().map(f64::from).collect();
        let middle = Interval {
            low: 2.5,
            high: 97.5,
        };
        assert_eq!(Interval::of(values), Some(middle));
        assert_eq!(Interval::of(Vec::new()), None);
    }
}

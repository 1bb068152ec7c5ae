// SPDX-License-Identifier: MPL-2.0

//! Random numbers and percentile intervals for bootstraps.
//!
//! The interval is the percentile interval of Efron and Tibshirani ("An Introduction to the
//! Bootstrap", 1993, chapter 13).

use serde::{Deserialize, Serialize};

/// Share of the resamples below, and above, a 95% interval.
const TAIL: f64 = 0.025;

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
        let quantile = |share: f64| {
            let place = share * last as f64;
            let (below, above) = (
                values[place.floor() as usize],
                values[place.ceil() as usize],
            );
            below + (above - below) * place.fract()
        };
        Some(Self {
            low: quantile(TAIL),
            high: quantile(1.0 - TAIL),
        })
    }
}

/// Steele, Lea and Flood's generator ("Fast Splittable Pseudorandom Number Generators", 2014) with
/// the constants of Vigna's public-domain `splitmix64.c`.
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

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn shares_are_never_0_and_lie_around_a_half() {
        let mut random = SplitMix64(0);
        let shares: Vec<f64> = (0..10_000).map(|_| random.unit_fraction()).collect();
        assert!(shares.iter().all(|share| *share > 0.0 && *share <= 1.0));
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
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

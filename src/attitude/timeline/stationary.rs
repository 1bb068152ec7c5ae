// SPDX-License-Identifier: MPL-2.0

//! The stationary bootstrap (Politis and Romano, "The Stationary Bootstrap", 1994): a series is
//! resampled in blocks of random length, so that values that follow each other, which are alike,
//! stay together. One by one they would count as independent, and an interval would come out far too
//! narrow.

use crate::statistics::SplitMix64;

/// Standard errors, so to speak, within which an autocorrelation counts as none.
const SIGNIFICANCE: f64 = 2.0;

/// So many autocorrelations in a row must count as none; more only from 10^25 values on.
const QUIET_LAGS: usize = 5;

/// The mean length of blocks that suits `values` best: Politis and White's rule ("Automatic
/// Block-Length Selection for the Dependent Bootstrap", 2004) with the correction of Patton, Politis
/// and White (2009). From 1 to the smaller of 3·√n and n/3; 1 where all values are the same. `None`
/// where values are alike however far apart they are, as far as the rule looks, about √n: then the
/// series is too short to tell.
pub fn block_length(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let max_lag = n.sqrt().ceil() as usize + QUIET_LAGS;
    let covariances = autocovariances(values, max_lag.min(values.len().saturating_sub(1)));
    let variance = covariances[0];
    // The mean of equal values is off by rounding.
    let scale = values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    if values.is_empty() || variance.sqrt() <= scale * 1e-9 {
        return Some(1.0);
    }
    let band = SIGNIFICANCE * (n.log10() / n).sqrt();
    let is_quiet = |covariance: &f64| (covariance / variance).abs() < band;
    let first_quiet = 1 + covariances[1..]
        .windows(QUIET_LAGS)
        .position(|lags| lags.iter().all(is_quiet))?;
    let bandwidth = (2 * first_quiet).min(max_lag);
    let (mut spectrum, mut slope) = (variance, 0.0);
    for (lag, covariance) in covariances.iter().enumerate().take(bandwidth + 1).skip(1) {
        // The flat-top window of Politis and Romano.
        let window = (2.0 * (1.0 - lag as f64 / bandwidth as f64)).min(1.0);
        spectrum += 2.0 * window * covariance;
        slope += 2.0 * window * lag as f64 * covariance;
    }
    let length = (n * slope * slope / (spectrum * spectrum)).cbrt();
    let longest = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    // `min` takes the other where the spectrum vanishes and there is no number.
    Some(length.min(longest).max(1.0))
}

/// How many times as wide an interval must be as that of resamples of `len` values in blocks of
/// `block_length`. Blocks keep less together than belongs together: the variance of a mean over them
/// is too small by G/(σ²·b), which is √(b/n) for the b of [`block_length`]'s rule, and by 2·b/n, for
/// being taken about the mean of the series, both in the first order.
pub fn widening(len: usize, block_length: f64) -> f64 {
    let share = block_length / len as f64;
    (1.0 - share.sqrt() - 2.0 * share).sqrt().recip()
}

/// Of the lags 0 to `max_lag`.
fn autocovariances(values: &[f64], max_lag: usize) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let covariance = |lag: usize| {
        let pairs = values.iter().zip(&values[lag.min(values.len())..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n
    };
    (0..=max_lag).map(covariance).collect()
}

/// Draws resamples of a series of `len` values in blocks of `block_length` on average, and calls
/// `take_block` with first index and length of each block. Beyond the last value comes the first
/// one; a resample has as many values as the series.
pub fn resample(
    len: usize,
    block_length: f64,
    random: &mut SplitMix64,
    mut take_block: impl FnMut(usize, usize),
) {
    // A geometric distribution by the inverse of its cumulative one.
    let log_of_going_on = (1.0 - 1.0 / block_length.max(1.0)).ln();
    let mut left = len;
    while left > 0 {
        let start = random.below(len);
        let block = 1.0 + (random.share().ln() / log_of_going_on).floor();
        let block = (block as usize).clamp(1, left);
        take_block(start, block);
        left -= block;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn autoregressive(len: usize, memory: f64) -> Vec<f64> {
        let mut random = SplitMix64(1);
        let mut value = 0.0;
        let next = |_| {
            value = memory * value + random.share() - 0.5;
            value
        };
        (0..len).map(next).collect()
    }

    #[test]
    fn block_lengths_are_those_of_another_program() {
        // arch 8.0.0 for Python, arch.bootstrap.optimal_block_length, on the same series.
        for (len, memory, expected) in [
            (400, 0.8, 14.916_850_202_954_457),
            (400, 0.0, 1.544_082_942_207_306),
            (2_000, 0.95, 70.003_316_325_408_99),
            (100, -0.5, 9.912_384_954_482_961),
        ] {
            let found = block_length(&autoregressive(len, memory)).unwrap();
            let error = (found - expected).abs();
            assert!(error < 1e-6, "{found}, not {expected}, at {memory}");
        }
    }

    #[test]
    fn few_and_equal_values_have_blocks_and_a_trend_has_none() {
        assert_eq!(block_length(&[]), Some(1.0));
        assert_eq!(block_length(&[0.3]), Some(1.0));
        assert_eq!(block_length(&[0.1; 500]), Some(1.0));
        assert_eq!(block_length(&[0.1, 0.4]), None);
        let rising: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(block_length(&rising), None);
    }

    #[test]
    fn a_resample_is_as_long_as_the_series_in_blocks_of_the_mean_length() {
        let mut random = SplitMix64(5);
        let (mut values, mut blocks, mut counts) = (0, 0, [0; 50]);
        for _ in 0..2_000 {
            resample(50, 4.0, &mut random, |start, len| {
                values += len;
                blocks += 1;
                (start..start + len).for_each(|index| counts[index % 50] += 1);
            });
        }
        assert_eq!(values, 100_000);
        // The last block of each is cut off.
        let mean = f64::from(values as u32) / f64::from(blocks);
        assert!((3.6..4.0).contains(&mean), "{mean}");
        assert!(
            counts.iter().all(|count| (1_700..2_300).contains(count)),
            "{counts:?}"
        );
        let mut single = Vec::new();
        resample(5, 1.0, &mut random, |_, len| single.push(len));
        assert_eq!(single, [1; 5]);
        resample(0, 4.0, &mut random, |_, _| panic!("a block of nothing"));
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The stationary bootstrap (Politis and Romano, "The Stationary Bootstrap", 1994). It resamples a
//! series in blocks of random length, which preserve the correlation of consecutive values.
//! Resampling single values would treat them as independent, and intervals would be far too narrow.

use crate::statistics::SplitMix64;

/// Number of standard errors below which an autocorrelation is insignificant (the constant c of
/// Politis and White's rule).
const SIGNIFICANCE: f64 = 2.0;

/// Number of consecutive insignificant autocorrelations required by the rule; greater only for more
/// than 10^25 values.
const QUIET_LAGS: usize = 5;

/// Returns the optimal mean block length for `values` by Politis and White's rule ("Automatic
/// Block-Length Selection for the Dependent Bootstrap", 2004) with the correction of Patton,
/// Politis and White (2009). It is from 1 to the smaller of 3·√n and n/3, and 1 if all values are
/// equal. Returns `None` if values are correlated at all lags that the rule examines, up to about
/// √n; the series is then too short.
pub(crate) fn block_length(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let max_lag = n.sqrt().ceil() as usize + QUIET_LAGS;
    let covariances = autocovariances(values, max_lag.min(values.len().saturating_sub(1)));
    let variance = covariances[0];
    // The mean of equal values has a rounding error.
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
    // If the spectrum vanishes, `length` is NaN and `min` returns the other value.
    Some(length.min(longest).max(1.0))
}

/// Returns the factor by which the interval of resamples of `len` values in blocks of
/// `block_length` must be widened. Blocks cut off correlations: to first order, the variance of a
/// mean is too small by G/(σ²·b), which is √(b/n) for the b of [`block_length`]'s rule, and by
/// 2·b/n, since it is computed about the mean of the series.
pub(crate) fn widening(len: usize, block_length: f64) -> f64 {
    let share = block_length / len as f64;
    (1.0 - share.sqrt() - 2.0 * share).sqrt().recip()
}

/// Returns the autocovariances of the lags 0 to `max_lag`.
fn autocovariances(values: &[f64], max_lag: usize) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let covariance = |lag: usize| {
        let pairs = values.iter().zip(&values[lag.min(values.len())..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n
    };
    (0..=max_lag).map(covariance).collect()
}

/// Draws a resample of a series of `len` values in blocks with a mean length of `block_length`, and
/// calls `take_block` with the first index and the length of each block. The first value follows
/// the last; a resample has as many values as the series.
pub(crate) fn resample(
    len: usize,
    block_length: f64,
    random: &mut SplitMix64,
    mut take_block: impl FnMut(usize, usize),
) {
    // Geometrically distributed, by inversion of the cumulative distribution.
    let log_of_going_on = (1.0 - 1.0 / block_length.max(1.0)).ln();
    let mut left = len;
    while left > 0 {
        let start = random.below(len);
        let block = 1.0 + (random.unit_fraction().ln() / log_of_going_on).floor();
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
            value = memory * value + random.unit_fraction() - 0.5;
            value
        };
        (0..len).map(next).collect()
    }

    #[test]
    fn block_lengths_match_the_python_package_arch() {
        // Computed by arch.bootstrap.optimal_block_length of arch 8.0.0 for Python.
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
    fn few_or_equal_values_have_a_block_length_and_a_trend_has_none() {
        assert_eq!(block_length(&[]), Some(1.0));
        assert_eq!(block_length(&[0.3]), Some(1.0));
        assert_eq!(block_length(&[0.1; 500]), Some(1.0));
        assert_eq!(block_length(&[0.1, 0.4]), None);
        let rising: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(block_length(&rising), None);
    }

    #[test]
    fn a_resample_is_as_long_as_the_series_and_blocks_have_the_mean_length() {
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
        // The last block of each resample is truncated.
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

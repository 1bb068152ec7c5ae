// SPDX-License-Identifier: MPL-2.0

//! The stationary bootstrap (Politis and Romano, "The Stationary Bootstrap", 1994), which resamples
//! a series in blocks of random length. Blocks preserve the correlation of consecutive values; with
//! single values, which count as independent, intervals would be far too narrow.
//!
//! In the formulas, n is the number of values, R(k) is their autocovariance at lag k, and b is the
//! mean block length.

use crate::statistics::SplitMix64;

/// The constant c of Politis and White's rule: an autocorrelation R(k)/R(0) is insignificant if its
/// absolute value is less than c·√(log₁₀(n)/n).
const SIGNIFICANCE: f64 = 2.0;

/// The constant K of the rule, max(5, √(log₁₀(n))): the number of consecutive insignificant
/// autocorrelations after which all others count as 0. It is 5 up to n = 10²⁵.
const INSIGNIFICANT_LAGS: usize = 5;

/// Returns the mean block length b for `values` by Politis and White's rule ("Automatic
/// Block-Length Selection for the Dependent Bootstrap", 2004) with the correction of Patton,
/// Politis and White (2009). Returns `None` if autocorrelations are significant at all lags that
/// the rule examines, up to about √n; the series is then too short.
///
/// With m, the lag after which autocorrelations are insignificant, M = 2·m, and λ(t), which is 1 up
/// to t = 1/2 and falls linearly to 0 at t = 1:
///
/// * g = Σ λ(|k|/M)·R(k), over k from −M to M, is the spectrum at frequency 0;
/// * G = Σ λ(|k|/M)·|k|·R(k) is its slope;
/// * b = ∛(n·G²/g²), limited to the range from 1 to the smaller of 3·√n and n/3, rounded up.
///
/// If all values are equal, b is 1.
pub(crate) fn block_length(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let max_lag = n.sqrt().ceil() as usize + INSIGNIFICANT_LAGS;
    let covariances = autocovariances(values, max_lag.min(values.len().saturating_sub(1)));
    let variance = covariances[0];
    // The variance of equal values is not exactly 0, since their mean is rounded.
    let max_abs = values.iter().fold(0.0f64, |max, v| max.max(v.abs()));
    if values.is_empty() || variance.sqrt() <= max_abs * 1e-9 {
        return Some(1.0);
    }
    let max_insignificant = SIGNIFICANCE * (n.log10() / n).sqrt();
    let is_insignificant = |covariance: &f64| (covariance / variance).abs() < max_insignificant;
    let first_insignificant = 1 + covariances[1..]
        .windows(INSIGNIFICANT_LAGS)
        .position(|lags| lags.iter().all(is_insignificant))?;
    let bandwidth = (2 * first_insignificant).min(max_lag);
    let (mut spectrum, mut slope) = (variance, 0.0);
    for (lag, covariance) in covariances.iter().enumerate().take(bandwidth + 1).skip(1) {
        // λ, the flat-top window of Politis and Romano; both signs of the lag are added at once.
        let window = (2.0 * (1.0 - lag as f64 / bandwidth as f64)).min(1.0);
        spectrum += 2.0 * window * covariance;
        slope += 2.0 * window * lag as f64 * covariance;
    }
    let length = (n * slope * slope / (spectrum * spectrum)).cbrt();
    let max_length = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    // If spectrum and slope are 0, `length` is NaN, and `min` returns the other value.
    Some(length.min(max_length).max(1.0))
}

/// Returns the factor by which the interval of means of resamples must be widened about the mean of
/// the series, 1/√(1 − √(b/n) − 2·b/n). `len` is n, and `block_length` is b.
///
/// To first order, the variance of the means is too small by the fraction G/(g·b), since blocks cut
/// off correlations; for the b of [`block_length()`], this is √(b/n). It is too small by 2·b/n,
/// since it is computed about the mean of the series instead of the true mean.
///
/// The root is that of a positive number for n of at least 10·b, which callers ensure; see
/// [`MIN_BLOCKS`](super::means::MIN_BLOCKS).
pub(crate) fn widening(len: usize, block_length: f64) -> f64 {
    let fraction = block_length / len as f64;
    (1.0 - fraction.sqrt() - 2.0 * fraction).sqrt().recip()
}

/// Returns the autocovariances R(0) to R(`max_lag`).
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
/// calls `take_block` with the first index and the length of each block. The resample has `len`
/// values. A block that reaches the end of the series continues at its start.
pub(crate) fn resample(
    len: usize,
    block_length: f64,
    random: &mut SplitMix64,
    mut take_block: impl FnMut(usize, usize),
) {
    // Block lengths have a geometric distribution, drawn by inversion of the cumulative
    // distribution.
    let log_continuation = (1.0 - 1.0 / block_length.max(1.0)).ln();
    let mut remaining = len;
    while remaining > 0 {
        let start = random.below(len);
        let drawn = 1.0 + (random.unit_fraction().ln() / log_continuation).floor();
        let block = (drawn as usize).clamp(1, remaining);
        take_block(start, block);
        remaining -= block;
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

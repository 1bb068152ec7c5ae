// SPDX-License-Identifier: MPL-2.0

//! The stationary bootstrap (Politis and Romano, "The Stationary Bootstrap", 1994): a series is
//! resampled in blocks of random length, so that values that follow each other, which are alike,
//! stay together. One by one they would count as independent, and an interval would come out far too
//! narrow.

use crate::analysis::resampling::SplitMix64;

/// Standard errors, so to speak, within which an autocorrelation counts as none.
const SIGNIFICANCE: f64 = 2.0;

/// So many autocorrelations in a row must count as none; more only from 10^25 values on.
const QUIET_LAGS: usize = 5;

/// The mean length of blocks that suits `values` best: Politis and White's rule ("Automatic
/// Block-Length Selection for the Dependent Bootstrap", 2004) with the correction of Patton, Politis
/// and White (2009). From 1 to the smaller of 3·√n and n/3; 1 where all values are the same.
pub fn block_length(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let longest = (3.0 * n.sqrt()).min(n / 3.0).ceil().max(1.0);
    let max_lag = (n.sqrt().ceil() as usize + QUIET_LAGS).min(values.len().saturating_sub(1));
    let covariances = autocovariances(values, max_lag);
    let variance = covariances[0];
    // The mean of equal values is off by rounding.
    let scale = values
        .iter()
        .fold(0.0f64, |most, value| most.max(value.abs()));
    if variance.sqrt() <= scale * 1e-9 {
        return 1.0;
    }
    let band = SIGNIFICANCE * (n.log10() / n).sqrt();
    let is_quiet = |covariance: &f64| (covariance / variance).abs() < band;
    // The last lag before the autocorrelations are quiet; where they never are, all are used.
    let last_loud = covariances[1..]
        .windows(QUIET_LAGS)
        .position(|lags| lags.iter().all(is_quiet));
    let bandwidth = last_loud.map_or(max_lag, |lag| (2 * lag.max(1)).min(max_lag));
    let (mut spectrum, mut slope) = (variance, 0.0);
    for (lag, covariance) in covariances.iter().enumerate().take(bandwidth + 1).skip(1) {
        // The flat-top window of Politis and Romano.
        let window = (2.0 * (1.0 - lag as f64 / bandwidth as f64)).min(1.0);
        spectrum += 2.0 * window * covariance;
        slope += 2.0 * window * lag as f64 * covariance;
    }
    let length = (n * slope * slope / (spectrum * spectrum)).cbrt();
    // No number where the spectrum vanishes: then nothing is known, and long blocks are safe.
    if length.is_finite() {
        length.clamp(1.0, longest)
    } else {
        longest
    }
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

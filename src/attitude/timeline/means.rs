// SPDX-License-Identifier: MPL-2.0

//! Mean scores with confidence intervals.
//!
//! Intervals are computed by the [stationary bootstrap](super::stationary_bootstrap). Scores are
//! averaged over one second before they are resampled, for speed. This does not change the mean,
//! but blocks last at least one second. Shorter blocks would be of no use: at the default
//! smoothing, the scores of even independent classifications are correlated over about one second.
//! Time without scores is removed, and the times before and after it count as consecutive.
//!
//! An interval expresses the uncertainty that a recording is only a part of a longer one with the
//! same statistics. It includes neither errors of the classifier nor differences between days. A
//! recording whose scores change only a few times has no interval. In short recordings, intervals
//! are too narrow: in 400 simulated recordings whose scores are correlated over up to ten seconds,
//! 86 to 94% of the intervals contained the true mean at a length of five minutes, and 92 to 95% at
//! a length of one hour.

use serde::{Deserialize, Serialize};

use super::TimelineParams;
use super::series::{ScoreBin, ScoreBins};
use super::{TimedObservation, rounded, stationary_bootstrap};
use crate::clock::NS_PER_S;
use crate::statistics::{Interval, SplitMix64};
use crate::{Attitude, ByAttitude, Label, Scores};

/// Duration over which scores are averaged before they are resampled, unless sample intervals are
/// longer.
const BIN_NS: u64 = NS_PER_S;

/// Minimum number of these averages for an interval.
const MIN_BINS: usize = 30;

/// Minimum number of blocks of mean length for an interval. It also keeps the
/// [widening](stationary_bootstrap::widening) finite.
pub(super) const MIN_BLOCKS: f64 = 10.0;

/// A mean score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Mean over the time with scores, 0 to 1.
    pub value: f64,
    /// 95% confidence interval of the mean; `None` if the recording is too short, its scores change
    /// only a few times, or intervals are disabled.
    pub interval_95: Option<Interval>,
}

/// Returns the mean confidence in the label over the time with a known label, or `None` if that
/// time is 0.
pub(crate) fn confidence(observations: &[TimedObservation]) -> Option<f64> {
    let (mut sum, mut total_ns) = (0.0, 0.0);
    for timed in observations {
        if let (Some(scores), Label::Known(attitude)) =
            (timed.observation.scores, timed.observation.label)
        {
            let duration_ns = timed.span.len_ns() as f64;
            sum += duration_ns * f64::from(scores[attitude] * timed.observation.quality);
            total_ns += duration_ns;
        }
    }
    (total_ns > 0.0).then(|| rounded(sum / total_ns))
}

/// Returns the mean scores over the time with scores, or `None` if that time is 0.
pub(crate) fn means(
    observations: &[TimedObservation],
    params: &TimelineParams,
) -> Option<ByAttitude<Mean>> {
    let bins = bins_with_scores(observations);
    let sums = PrefixSums::new(&bins);
    let values = sums.total().means()?;
    let intervals = intervals(&bins, &sums, params);
    Some(ByAttitude::from_fn(|attitude| Mean {
        value: rounded(values[attitude]),
        interval_95: intervals.map(|intervals| {
            let Interval { low, high } = intervals[attitude];
            Interval {
                low: rounded(low),
                high: rounded(high),
            }
        }),
    }))
}

/// Returns the time with scores in consecutive bins; only the last bin may be incomplete.
fn bins_with_scores(observations: &[TimedObservation]) -> Vec<ScoreBin> {
    let with_scores =
        |timed: &TimedObservation| Some((timed.span.len_ns(), timed.observation.scores?));
    let scores: Vec<(u64, Scores)> = observations.iter().filter_map(with_scores).collect();
    let total_ns: u64 = scores.iter().map(|(time_ns, _)| time_ns).sum();
    let bin_ns = total_ns.div_ceil(scores.len().max(1) as u64).max(BIN_NS);
    // At most one bin per sample.
    let mut bins = ScoreBins::new(bin_ns, total_ns.div_ceil(bin_ns) as usize);
    let mut from_ns = 0;
    for (time_ns, scores) in scores {
        bins.add(from_ns, from_ns + time_ns, &scores);
        from_ns += time_ns;
    }
    bins.into_inner()
}

/// Returns the interval of each score. All scores are resampled together, with the longest of their
/// block lengths.
fn intervals(
    bins: &[ScoreBin],
    sums: &PrefixSums,
    params: &TimelineParams,
) -> Option<ByAttitude<Interval>> {
    let series: Vec<ByAttitude<f64>> = bins.iter().filter_map(ScoreBin::means).collect();
    if series.len() < MIN_BINS || params.resamples == 0 {
        return None;
    }
    let mut block_length = 1.0f64;
    for attitude in Attitude::ALL {
        let values: Vec<f64> = series.iter().map(|means| means[attitude]).collect();
        block_length = block_length.max(stationary_bootstrap::block_length(&values)?);
    }
    if block_length * MIN_BLOCKS > series.len() as f64 {
        return None;
    }
    let mut resampled = resampled_means(bins.len(), sums, block_length, params)?;
    let widening = stationary_bootstrap::widening(bins.len(), block_length);
    let values = sums.total().means()?;
    let mut intervals = ByAttitude::<Interval>::default();
    for attitude in Attitude::ALL {
        let Interval { low, high } = Interval::of(std::mem::take(&mut resampled[attitude]))?;
        let value = values[attitude];
        let widened = |end: f64| (value + widening * (end - value)).clamp(0.0, 1.0);
        intervals[attitude] = Interval {
            low: widened(low),
            high: widened(high),
        };
    }
    Some(intervals)
}

/// Returns the means of each resample, or `None` if one has no scores.
fn resampled_means(
    bin_count: usize,
    sums: &PrefixSums,
    block_length: f64,
    params: &TimelineParams,
) -> Option<ByAttitude<Vec<f64>>> {
    let mut random = SplitMix64(params.seed);
    let mut resampled = ByAttitude::<Vec<f64>>::default();
    for _ in 0..params.resamples {
        let mut sum = ScoreBin::default();
        stationary_bootstrap::resample(bin_count, block_length, &mut random, |start, len| {
            sums.add_block(start, len, &mut sum);
        });
        let means = sum.means()?;
        for attitude in Attitude::ALL {
            resampled[attitude].push(means[attitude]);
        }
    }
    Some(resampled)
}

/// Sums of the first 0, 1, 2, ... bins, with which the sum of a block is computed in constant
/// time.
struct PrefixSums(Vec<ScoreBin>);

impl PrefixSums {
    fn new(bins: &[ScoreBin]) -> Self {
        let mut sums = vec![ScoreBin::default()];
        let mut sum = ScoreBin::default();
        for bin in bins {
            add(&mut sum, bin, 1.0);
            sums.push(sum);
        }
        Self(sums)
    }

    /// Returns the sum of all bins.
    fn total(&self) -> ScoreBin {
        self.0.last().copied().unwrap_or_default()
    }

    /// Adds `len` bins from `start` on to `sum`; the last bin is followed by the first.
    fn add_block(&self, start: usize, len: usize, sum: &mut ScoreBin) {
        let count = self.0.len() - 1;
        let end = start + len;
        add(sum, &self.0[end.min(count)], 1.0);
        add(sum, &self.0[start], -1.0);
        if end > count {
            add(sum, &self.0[end - count], 1.0);
        }
    }
}

/// Adds `bin`, multiplied by `factor`, to `sum`.
fn add(sum: &mut ScoreBin, bin: &ScoreBin, factor: f64) {
    sum.duration_ns += factor * bin.duration_ns;
    for attitude in Attitude::ALL {
        sum.weighted_scores[attitude] += factor * bin.weighted_scores[attitude];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Observation, with_spans};

    const SPACING_NS: u64 = 200_000_000;

    fn observations(scores: impl Iterator<Item = Option<[f32; 3]>>) -> Vec<TimedObservation> {
        let sample = |(index, scores): (usize, Option<[f32; 3]>)| Observation {
            time_ns: index as u64 * SPACING_NS,
            scores: scores.map(Scores::from_array),
            label: scores.and(Some(Attitude::Positive)).into(),
            ..Observation::default()
        };
        let samples: Vec<Observation> = scores.enumerate().map(sample).collect();
        with_spans(&samples, SPACING_NS, &TimelineParams::default())
    }

    /// Returns positive scores around 0.5 that are correlated over about four seconds.
    fn noise(seed: u64) -> Vec<TimedObservation> {
        let mut random = SplitMix64(seed.wrapping_mul(0x1234_5678_9abc_def1));
        let mut value = 0.0;
        let next = |_| {
            value = 0.95 * value + 0.05 * (random.unit_fraction() as f32 - 0.5);
            Some([0.5 + value, 0.2, 0.3 - value])
        };
        // Skips the transient at the start.
        observations((0..3_200).map(next).skip(200))
    }

    fn positive(observations: &[TimedObservation], params: &TimelineParams) -> Mean {
        means(observations, params).unwrap().positive
    }

    #[test]
    fn most_intervals_contain_the_true_mean_of_correlated_scores() {
        let params = TimelineParams {
            resamples: 300,
            ..TimelineParams::default()
        };
        let (mut intervals, mut covered, mut covered_by_single_samples) = (0, 0, 0);
        for seed in 0..200 {
            let observations = noise(seed);
            if let Some(Interval { low, high }) = positive(&observations, &params).interval_95 {
                intervals += 1;
                covered += usize::from((low..=high).contains(&0.5));
            }
            // The standard error of independent samples.
            let scores = observations
                .iter()
                .map(|timed| timed.observation.scores.unwrap().positive);
            let mean = scores.clone().sum::<f32>() / observations.len() as f32;
            let variance =
                scores.map(|s| (s - mean).powi(2)).sum::<f32>() / observations.len() as f32;
            let error = 1.96 * (variance / observations.len() as f32).sqrt();
            covered_by_single_samples += usize::from((mean - 0.5).abs() <= error);
        }
        assert!(intervals >= 190, "{intervals}");
        // 88 to 99% of the recordings: intervals are too narrow in short ones, and 200 are only a
        // sample.
        assert!((176..=198).contains(&covered), "{covered} {intervals}");
        assert!(
            covered_by_single_samples < 120,
            "{covered_by_single_samples}"
        );
    }

    #[test]
    fn means_are_weighted_by_time_and_reproducible() {
        let observations = noise(1);
        let (first, second) = (
            means(&observations, &TimelineParams::default()),
            means(&observations, &TimelineParams::default()),
        );
        assert_eq!(first, second);
        let mean = first.unwrap();
        let sum = mean.positive.value + mean.neutral.value + mean.negative.value;
        assert!((sum - 1.0).abs() < 2e-4, "{sum}");
        assert_eq!(mean.neutral.value, 0.2);
        let constant = Interval {
            low: 0.2,
            high: 0.2,
        };
        assert_eq!(mean.neutral.interval_95, Some(constant));
        // A missing sample has the scores of the sample before.
        let sparse: Vec<Observation> = [(0, 1.0), (600_000_000, 0.0)]
            .map(|(time_ns, positive)| Observation {
                time_ns,
                scores: Some(Scores::from_array([positive, 1.0 - positive, 0.0])),
                ..Observation::default()
            })
            .to_vec();
        let observations = with_spans(&sparse, SPACING_NS, &TimelineParams::default());
        assert_eq!(
            positive(&observations, &TimelineParams::default()).value,
            0.75
        );
    }

    #[test]
    fn an_interval_needs_half_a_minute_and_a_mean_a_classification() {
        let scores = |count| observations((0..count).map(|_| Some([0.7, 0.2, 0.1])));
        let params = TimelineParams::default();
        let short = positive(&scores(144), &params);
        assert_eq!((short.value, short.interval_95), (0.7, None));
        assert!(positive(&scores(150), &params).interval_95.is_some());
        let none = TimelineParams {
            resamples: 0,
            ..params
        };
        assert_eq!(positive(&scores(150), &none).interval_95, None);
        let unclassified = observations((0..500).map(|_| None));
        assert_eq!(means(&unclassified, &params), None);
        assert_eq!(confidence(&unclassified), None);
        assert_eq!(means(&[], &params), None);
        assert_eq!(confidence(&scores(10)), Some(0.7));
    }

    #[test]
    fn the_mean_confidence_is_the_mean_of_scores_times_quality() {
        let mut observations = observations([Some([0.8, 0.2, 0.0]); 2].into_iter());
        observations[0].observation.quality = 0.5;
        assert_eq!(confidence(&observations), Some(0.6));
        let params = TimelineParams::default();
        assert_eq!(positive(&observations, &params).value, 0.8);
    }

    #[test]
    fn there_are_at_most_as_many_bins_as_samples() {
        let sample = |time_ns| Observation {
            time_ns,
            scores: Some(Scores::from_array([1.0, 0.0, 0.0])),
            ..Observation::default()
        };
        let samples = [0, u64::MAX / 3, u64::MAX].map(sample);
        let observations = with_spans(&samples, u64::MAX / 3, &TimelineParams::default());
        assert_eq!(bins_with_scores(&observations).len(), 3);
        assert_eq!(
            positive(&observations, &TimelineParams::default()).value,
            1.0
        );
    }

    #[test]
    fn blocks_continue_with_the_first_bin_after_the_last() {
        let bin = |value: f64| ScoreBin {
            duration_ns: 1.0,
            weighted_scores: ByAttitude::from_array([value; 3]),
        };
        let sums = PrefixSums::new(&[1.0, 2.0, 4.0, 8.0].map(bin));
        for (start, len, expected) in [(0, 4, 15.0), (1, 2, 6.0), (2, 4, 15.0), (3, 2, 9.0)] {
            let mut sum = ScoreBin::default();
            sums.add_block(start, len, &mut sum);
            assert_eq!(
                (sum.weighted_scores.positive, sum.duration_ns),
                (expected, len as f64)
            );
        }
    }
}

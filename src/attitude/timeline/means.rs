// SPDX-License-Identifier: MPL-2.0

//! Mean scores, and how far a recording without end could have others.
//!
//! The interval is that of the stationary [bootstrap](super::stationary). Scores are resampled by
//! means over a second: a mean over blocks of them is the same mean, blocks are hardly ever shorter,
//! as smoothing alone makes the samples within a second alike, and there are fewer of them. Time
//! without a judgement is left out, and what is on its two sides counts as following each other.
//!
//! It tells of chance alone, as if the recording were a part of a longer one in which nothing changes
//! for good: not of how often the classifier errs, nor of what another day would bring. Where spells
//! are so long that the recording holds only a few, there is none. The shorter the recording, the more
//! it is too narrow: of 400 made ones of five minutes each, with a memory of up to ten seconds, 86 to
//! 94% of the intervals held the mean that was to be found, of such ones of an hour 92 to 95%.

use serde::{Deserialize, Serialize};

use super::Rules;
use super::series::{Bin, Bins};
use super::{Held, rounded, stationary};
use crate::statistics::{Interval, SplitMix64};
use crate::{Attitude, ByAttitude, Label, Scores};

/// Over how long scores are averaged before they are resampled; longer where samples are rarer.
const BIN_NS: u64 = 1_000_000_000;

/// Least number of such averages for an interval.
const MIN_BINS: usize = 30;

/// Least number of blocks, as long as they are on average, for an interval.
const MIN_BLOCKS: f64 = 10.0;

/// A mean score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Over the time judged.
    pub value: f64,
    /// The 95% interval of the mean that a recording without end would have; `None` where too little
    /// was judged to tell.
    pub interval_95: Option<Interval>,
}

/// The mean of the label's score, over the time that has a label; `None` where there is none.
pub fn confidence(held: &[Held]) -> Option<f64> {
    let (mut sum, mut time) = (0.0, 0.0);
    for held in held {
        if let (Some(scores), Label::Known(attitude)) = (held.sample.scores, held.sample.label) {
            let held_ns = held.span.len_ns() as f64;
            sum += held_ns * f64::from(scores[attitude]);
            time += held_ns;
        }
    }
    (time > 0.0).then(|| rounded(sum / time))
}

/// The mean scores over the time judged; `None` where there is none.
pub fn means(held: &[Held], rules: &Rules) -> Option<ByAttitude<Mean>> {
    let bins = judged_bins(held);
    let sums = Sums::new(&bins);
    let values = sums.whole().means()?;
    let intervals = intervals(&bins, &sums, rules);
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

/// The time judged in bins, one after the other; only the last one may be part empty.
fn judged_bins(held: &[Held]) -> Vec<Bin> {
    let judged = |held: &Held| Some((held.span.len_ns(), held.sample.scores?));
    let judged: Vec<(u64, Scores)> = held.iter().filter_map(judged).collect();
    let judged_ns: u64 = judged.iter().map(|(time_ns, _)| time_ns).sum();
    let bin_ns = judged_ns.div_ceil(judged.len().max(1) as u64).max(BIN_NS);
    // No more than there are samples.
    let mut bins = Bins::new(bin_ns, judged_ns.div_ceil(bin_ns) as usize);
    let mut from_ns = 0;
    for (time_ns, scores) in judged {
        bins.add(from_ns, from_ns + time_ns, &scores);
        from_ns += time_ns;
    }
    bins.bins
}

/// The interval of each score. All are resampled together, in blocks as long as the one that needs
/// the longest ones.
fn intervals(bins: &[Bin], sums: &Sums, rules: &Rules) -> Option<ByAttitude<Interval>> {
    let series: Vec<ByAttitude<f64>> = bins.iter().filter_map(Bin::means).collect();
    if series.len() < MIN_BINS || rules.resamples == 0 {
        return None;
    }
    let mut block_length = 1.0f64;
    for attitude in Attitude::ALL {
        let values: Vec<f64> = series.iter().map(|means| means[attitude]).collect();
        block_length = block_length.max(stationary::block_length(&values)?);
    }
    if block_length * MIN_BLOCKS > series.len() as f64 {
        return None;
    }
    let mut random = SplitMix64(rules.seed);
    let mut resampled = ByAttitude::<Vec<f64>>::default();
    for _ in 0..rules.resamples {
        let mut sum = Bin::default();
        stationary::resample(bins.len(), block_length, &mut random, |start, len| {
            sums.add_block(start, len, &mut sum);
        });
        let means = sum.means()?;
        for attitude in Attitude::ALL {
            resampled[attitude].push(means[attitude]);
        }
    }
    let widening = stationary::widening(bins.len(), block_length);
    let values = sums.whole().means()?;
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

/// Sums over the first bins, none to all, so that a block costs as much whatever its length.
struct Sums(Vec<Bin>);

impl Sums {
    fn new(bins: &[Bin]) -> Self {
        let mut sums = vec![Bin::default()];
        let mut sum = Bin::default();
        for bin in bins {
            add(&mut sum, bin, 1.0);
            sums.push(sum);
        }
        Self(sums)
    }

    fn whole(&self) -> Bin {
        self.0.last().copied().unwrap_or_default()
    }

    /// Adds the `len` bins from `start` on to `sum`; beyond the last one comes the first.
    fn add_block(&self, start: usize, len: usize, sum: &mut Bin) {
        let count = self.0.len() - 1;
        let end = start + len;
        add(sum, &self.0[end.min(count)], 1.0);
        add(sum, &self.0[start], -1.0);
        if end > count {
            add(sum, &self.0[end - count], 1.0);
        }
    }
}

fn add(sum: &mut Bin, bin: &Bin, times: f64) {
    sum.time_ns += times * bin.time_ns;
    for attitude in Attitude::ALL {
        sum.sums[attitude] += times * bin.sums[attitude];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Sample, hold};

    const SPACING_NS: u64 = 200_000_000;

    fn held(scores: impl Iterator<Item = Option<[f32; 3]>>) -> Vec<Held> {
        let sample = |(index, scores): (usize, Option<[f32; 3]>)| Sample {
            time_ns: index as u64 * SPACING_NS,
            scores: scores.map(Scores::from_array),
            label: scores.and(Some(Attitude::Positive)).into(),
        };
        let samples: Vec<Sample> = scores.enumerate().map(sample).collect();
        hold(&samples, SPACING_NS, &Rules::default())
    }

    /// Positive scores about 0.5 with a memory of about four seconds, of `seed`.
    fn noise(seed: u64) -> Vec<Held> {
        let mut random = SplitMix64(seed.wrapping_mul(0x1234_5678_9abc_def1));
        let mut value = 0.0;
        let next = |_| {
            value = 0.95 * value + 0.05 * (random.share() as f32 - 0.5);
            Some([0.5 + value, 0.2, 0.3 - value])
        };
        // Until it has forgotten where it began.
        held((0..3_200).map(next).skip(200))
    }

    fn positive(held: &[Held], rules: &Rules) -> Mean {
        means(held, rules).unwrap().positive
    }

    #[test]
    fn the_interval_covers_the_mean_that_is_known_in_19_of_20_recordings() {
        let rules = Rules {
            resamples: 300,
            ..Rules::default()
        };
        let (mut told, mut covered, mut covered_by_single_samples) = (0, 0, 0);
        for seed in 0..200 {
            let held = noise(seed);
            if let Some(Interval { low, high }) = positive(&held, &rules).interval_95 {
                told += 1;
                covered += usize::from((low..=high).contains(&0.5));
            }
            // The standard error if samples were independent.
            let scores = held.iter().map(|held| held.sample.scores.unwrap().positive);
            let mean = scores.clone().sum::<f32>() / held.len() as f32;
            let variance = scores.map(|s| (s - mean).powi(2)).sum::<f32>() / held.len() as f32;
            let error = 1.96 * (variance / held.len() as f32).sqrt();
            covered_by_single_samples += usize::from((mean - 0.5).abs() <= error);
        }
        assert!(told >= 190, "{told}");
        assert!((176..=198).contains(&covered), "{covered} {told}");
        assert!(
            covered_by_single_samples < 120,
            "{covered_by_single_samples}"
        );
    }

    #[test]
    fn means_go_by_time_and_are_the_same_each_time() {
        let held = noise(1);
        let (first, second) = (
            means(&held, &Rules::default()),
            means(&held, &Rules::default()),
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
        // A sample that is missing counts by the one before it.
        let sparse: Vec<Sample> = [(0, 1.0), (600_000_000, 0.0)]
            .map(|(time_ns, positive)| Sample {
                time_ns,
                scores: Some(Scores::from_array([positive, 1.0 - positive, 0.0])),
                label: Label::Unknown,
            })
            .to_vec();
        let held = hold(&sparse, SPACING_NS, &Rules::default());
        assert_eq!(positive(&held, &Rules::default()).value, 0.75);
    }

    #[test]
    fn half_a_minute_is_needed_for_an_interval_and_a_judgement_for_a_mean() {
        let scores = |count| held((0..count).map(|_| Some([0.7, 0.2, 0.1])));
        let rules = Rules::default();
        let short = positive(&scores(144), &rules);
        assert_eq!((short.value, short.interval_95), (0.7, None));
        assert!(positive(&scores(150), &rules).interval_95.is_some());
        let none = Rules {
            resamples: 0,
            ..rules
        };
        assert_eq!(positive(&scores(150), &none).interval_95, None);
        let unjudged = held((0..500).map(|_| None));
        assert_eq!(means(&unjudged, &rules), None);
        assert_eq!(confidence(&unjudged), None);
        assert_eq!(means(&[], &rules), None);
        assert_eq!(confidence(&scores(10)), Some(0.7));
    }

    #[test]
    fn times_however_far_apart_need_no_more_bins_than_samples() {
        let sample = |time_ns| Sample {
            time_ns,
            scores: Some(Scores::from_array([1.0, 0.0, 0.0])),
            label: Label::Unknown,
        };
        let samples = [0, u64::MAX / 3, u64::MAX].map(sample);
        let held = hold(&samples, u64::MAX / 3, &Rules::default());
        assert_eq!(judged_bins(&held).len(), 3);
        assert_eq!(positive(&held, &Rules::default()).value, 1.0);
    }

    #[test]
    fn blocks_go_on_with_the_first_bin_after_the_last() {
        let bin = |value: f64| Bin {
            time_ns: 1.0,
            sums: ByAttitude::from_array([value; 3]),
        };
        let sums = Sums::new(&[1.0, 2.0, 4.0, 8.0].map(bin));
        for (start, len, expected) in [(0, 4, 15.0), (1, 2, 6.0), (2, 4, 15.0), (3, 2, 9.0)] {
            let mut sum = Bin::default();
            sums.add_block(start, len, &mut sum);
            assert_eq!((sum.sums.positive, sum.time_ns), (expected, len as f64));
        }
    }
}

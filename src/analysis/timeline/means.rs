// SPDX-License-Identifier: MPL-2.0

//! Mean scores, and how far they would move with another recording alike.
//!
//! The interval is that of the stationary [bootstrap](super::stationary). Scores are resampled by
//! means over a second: a mean over blocks of them is the same mean, blocks are hardly ever shorter,
//! as smoothing alone makes the samples within a second alike, and there are fewer of them. Time
//! without a judgement is left out, and what is on its two sides counts as following each other.
//!
//! It tells of chance alone, as if the recording were a part of a longer one in which nothing changes
//! for good: neither how often the classifier errs, nor what another day would bring.

use serde::{Deserialize, Serialize};

use super::bins::{Bin, Bins};
use super::rules::Rules;
use super::{ByAttitude, Held, rounded, stationary};
use crate::analysis::attitude::Scores;
use crate::analysis::resampling::{Interval, SplitMix64};

/// Over how long scores are averaged before they are resampled; longer where samples are rarer.
const BIN_NS: u64 = 1_000_000_000;

/// Least number of such averages for an interval: with fewer, blocks are too few to tell.
const MIN_BINS: usize = 30;

/// A mean score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Over the time judged.
    pub value: f64,
    /// Where 95% of the resamples have it; `None` where less than half a minute was judged.
    pub interval_95: Option<Interval>,
}

/// The mean of the label's score, over the time that has a label; `None` where there is none.
pub fn confidence(held: &[Held]) -> Option<f64> {
    let (mut sum, mut time) = (0.0, 0.0);
    for held in held {
        if let (Some(scores), Some(label)) = (held.sample.scores, held.sample.label) {
            let held_ns = held.span.len_ns() as f64;
            sum += held_ns * f64::from(scores.get(label));
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
        value: rounded(values[attitude as usize]),
        interval_95: intervals.map(|intervals| {
            let Interval { low, high } = intervals[attitude as usize];
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
fn intervals(bins: &[Bin], sums: &Sums, rules: &Rules) -> Option<[Interval; 3]> {
    let series: Vec<[f64; 3]> = bins.iter().filter_map(Bin::means).collect();
    if series.len() < MIN_BINS || rules.resamples == 0 {
        return None;
    }
    let lengths = [0, 1, 2].map(|index| {
        let values: Vec<f64> = series.iter().map(|means| means[index]).collect();
        stationary::block_length(&values)
    });
    let block_length = lengths.into_iter().fold(1.0, f64::max);
    let mut random = SplitMix64(rules.seed);
    let mut resampled: [Vec<f64>; 3] = Default::default();
    for _ in 0..rules.resamples {
        let mut sum = Bin::default();
        stationary::resample(bins.len(), block_length, &mut random, |start, len| {
            sums.add_block(start, len, &mut sum);
        });
        for (values, mean) in resampled.iter_mut().zip(sum.means()?) {
            values.push(mean);
        }
    }
    let [positive, neutral, negative] = resampled.map(Interval::of);
    Some([positive?, neutral?, negative?])
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
    for (sum, value) in sum.sums.iter_mut().zip(bin.sums) {
        *sum += times * value;
    }
}

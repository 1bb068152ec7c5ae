// SPDX-License-Identifier: MPL-2.0

//! What a whole recording shows: the attitude of one person, or of the scene, over time.
//!
//! In the order in which samples become a [`Timeline`]: [`persons`] joins tracks, [`hold`] says what
//! time a sample stands for, [`segments`] finds the spells of one attitude, the gaps and the changes
//! between spells, [`Shares`] tells how much of the time goes to each attitude, and [`means`] the mean
//! scores and how far they can be trusted; [`series`] thins the scores out for drawing. Shares go by
//! the samples' labels, which are what the plugin showed; segments are calmer.
//!
//! Times are positions in the recording, in nanoseconds. Scores and shares are rounded to four
//! decimals, so that what is written down can be read.

pub(crate) mod persons;

mod segments;

mod means;
mod stationary;

mod series;

use serde::{Deserialize, Serialize};

use crate::{ByAttitude, ByLabel, Label, Scores};
pub use means::Mean;
pub use segments::{Change, Segment, Span};
pub use series::Series;

/// What a sample says of a person or of the scene.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// When it is shown.
    pub time_ns: u64,
    /// The smoothed scores; `None` where there is no judgement.
    pub scores: Option<Scores>,
    /// The attitude.
    pub label: Label,
}

/// A sample and the time that it stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Held {
    /// The sample; `span` begins with it.
    pub sample: Sample,
    /// The time that it stands for.
    pub span: Span,
}

/// A person or the scene over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Samples that show it.
    pub samples: u64,
    /// Those of them with scores.
    pub judged_samples: u64,
    /// How long it was seen: what its samples stand for, added up.
    pub seen_ns: u64,
    /// Shares of the time seen; `None` where there is none.
    pub shares: Option<Shares>,
    /// Mean scores over the time judged; `None` where there is none.
    pub means: Option<ByAttitude<Mean>>,
    /// Mean score of the label over the time that has one; `None` where there is none.
    pub confidence: Option<f64>,
    /// The longest segment of each attitude; `None` where there is none.
    pub longest: ByAttitude<Option<Span>>,
    /// What it showed, by time. Segments and gaps follow each other without a hole.
    pub segments: Vec<Segment>,
    /// When it was not seen, between the first and the last sample, by time.
    pub gaps: Vec<Span>,
    /// Where one segment follows another without a gap, by time.
    pub changes: Vec<Change>,
}

impl Timeline {
    /// What `held`, from [`hold`], shows, read by `rules`.
    pub fn new(held: &[Held], rules: &Rules) -> Self {
        let spans = held.iter().map(|held| held.span.len_ns());
        let segments = segments::segments(held, rules);
        Self {
            samples: held.len() as u64,
            judged_samples: held
                .iter()
                .filter(|held| held.sample.scores.is_some())
                .count() as u64,
            seen_ns: spans.sum(),
            shares: shares(held),
            means: means::means(held, rules),
            confidence: means::confidence(held),
            longest: ByAttitude::from_fn(|attitude| segments::longest(&segments, attitude)),
            gaps: segments::gaps(held),
            changes: segments::changes(&segments, held, rules),
            segments,
        }
    }
}

/// What time each of `samples`, sorted by time, stands for: up to the next one or, before a gap and
/// at the end, as long as samples are usually apart, `spacing_ns`.
pub fn hold(samples: &[Sample], spacing_ns: u64, rules: &Rules) -> Vec<Held> {
    let gap_from_ns = rules.gap_from_ns(spacing_ns);
    let next = samples.iter().skip(1).map(|next| Some(next.time_ns));
    let held = |(sample, next_ns): (&Sample, Option<u64>)| {
        let start_ns = sample.time_ns;
        let next_ns = next_ns.filter(|next_ns| next_ns.saturating_sub(start_ns) <= gap_from_ns);
        let end_ns = next_ns.unwrap_or(start_ns.saturating_add(spacing_ns));
        Held {
            sample: *sample,
            span: Span { start_ns, end_ns },
        }
    };
    samples.iter().zip(next.chain([None])).map(held).collect()
}

/// The usual distance of `times_ns`, sorted: the median. `None` where there are less than two.
pub fn spacing_ns(times_ns: impl Iterator<Item = u64> + Clone) -> Option<u64> {
    let next = times_ns.clone().skip(1);
    let mut distances: Vec<u64> = times_ns
        .zip(next)
        .map(|(a, b)| b.saturating_sub(a))
        .collect();
    let middle = distances.len().checked_sub(1)? / 2;
    Some(*distances.select_nth_unstable(middle).1)
}

/// `value` to four decimals.
fn rounded(value: f64) -> f64 {
    const PER_UNIT: f64 = 1e4;
    // Adding 0 takes the sign off a zero.
    (value * PER_UNIT).round() / PER_UNIT + 0.0
}

/// The share of the time seen of each label, each from 0 to 1; they add up to 1.
pub type Shares = ByLabel<f64>;

/// Returns the shares of the time that `held` stands for, or `None` if that is no time at all.
pub fn shares(held: &[Held]) -> Option<Shares> {
    let mut times_ns = ByLabel::<u64>::default();
    for held in held {
        times_ns[held.sample.label] += held.span.len_ns();
    }
    let total_ns = times_ns.iter().map(|(_, time_ns)| time_ns).sum::<u64>();
    if total_ns == 0 {
        return None;
    }
    // Sums are rounded instead of shares, so that the shares add up to 1.
    let mut sum_ns = 0;
    Some(times_ns.map(|time_ns| {
        let before = rounded(sum_ns as f64 / total_ns as f64);
        sum_ns += time_ns;
        rounded(rounded(sum_ns as f64 / total_ns as f64) - before)
    }))
}

/// How samples are read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// An attitude begins where its score reaches this.
    pub begin_score: f32,
    /// It ends where its score falls under this.
    pub end_score: f32,
    /// What lasts less than this is no segment of its own; half of this where it begins or ends with
    /// what was seen.
    pub min_segment_ns: u64,
    /// Samples further apart than this have a gap between them; at least [`MIN_GAP_IN_SPACINGS`]
    /// times the usual distance of samples.
    pub gap_ns: u64,
    /// How much of the segments on either side says by how much the score changed.
    pub change_window_ns: u64,
    /// How long after a track ended another may begin that continues it; 0 joins none.
    pub join_gap_ns: u64,
    /// Most that the centres of their boxes may be apart, in heights of a box.
    pub join_distance: f32,
    /// Most that the higher box may be of the other's height.
    pub join_height_ratio: f32,
    /// Resamples of the bootstrap that gives the intervals of the means; 0 for no intervals.
    pub resamples: usize,
    /// The same seed draws the same resamples.
    pub seed: u64,
}

/// A gap is at least so many times the usual distance of samples, as a track is kept for as long.
pub const MIN_GAP_IN_SPACINGS: u64 = crate::tracking::MIN_TIMEOUT_IN_SPACINGS;

impl Default for Rules {
    /// Suits the defaults of the analysis of a frame: five samples a second, smoothed by 500 ms.
    fn default() -> Self {
        Self {
            // As far on either side of the least confidence of a label, 0.5, as the hysteresis of a
            // label is wide in all: of two attitudes, one ends where the other begins.
            begin_score: 0.55,
            end_score: 0.45,
            // Two time constants of the smoothing: a single wrong answer cannot last as long.
            min_segment_ns: 1_000_000_000,
            // As long as a track is kept.
            gap_ns: 1_000_000_000,
            change_window_ns: 3_000_000_000,
            join_gap_ns: 10_000_000_000,
            // Half of what lies between two heads side by side.
            join_distance: 0.5,
            join_height_ratio: 1.5,
            resamples: 1000,
            seed: 0,
        }
    }
}

impl Rules {
    /// From which distance of two samples on there is a gap, where samples are usually `spacing_ns`
    /// apart.
    pub fn gap_from_ns(&self, spacing_ns: u64) -> u64 {
        self.gap_ns
            .max(spacing_ns.saturating_mul(MIN_GAP_IN_SPACINGS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;

    #[test]
    fn each_sample_counts_as_long_as_it_stands() {
        let samples = [
            (0, Label::POSITIVE),
            (200, Label::NEUTRAL),
            (500, Label::Unknown),
            // Before a gap and at the end, as long as samples are usually apart.
            (700, Label::POSITIVE),
            (9_000, Label::NEGATIVE),
        ];
        let samples = samples.map(|(time_ms, label)| Sample {
            time_ns: time_ms * 1_000_000,
            label,
            ..Sample::default()
        });
        let held = hold(&samples, 100_000_000, &Rules::default());
        let expected = Shares {
            positive: 0.3333,
            neutral: 0.3334,
            negative: 0.1111,
            unknown: 0.2222,
        };
        assert_eq!(shares(&held), Some(expected));
        assert_eq!(shares(&[]), None);
        assert_eq!(shares(&hold(&samples[..1], 0, &Rules::default())), None);
    }
}

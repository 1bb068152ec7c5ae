// SPDX-License-Identifier: MPL-2.0

//! What a whole recording shows: the attitude of one person, or of the scene, over time.
//!
//! In the order in which samples become a [`Timeline`]: [`persons`] joins tracks, [`hold`] says what
//! time a sample stands for, [`segments`] finds the spells of one attitude, the gaps and the changes
//! between spells, [`shares`] tells how much of the time goes to each attitude, and [`means`] the mean
//! scores and how far they can be trusted; [`series`] thins the scores out for drawing. Shares go by
//! the samples' labels, which are what the plugin showed; segments are calmer.
//!
//! Times are positions in the recording, in nanoseconds. Scores and shares are rounded to four
//! decimals, so that what is written down can be read.

pub mod rules;

pub mod persons;

pub mod segments;
pub mod shares;

pub mod means;
pub mod stationary;

pub mod series;

mod bins;

use serde::{Deserialize, Serialize};

use crate::{ByAttitude, Label, Scores};
use means::Mean;
use rules::Rules;
use segments::{Change, Segment, Span};
use shares::Shares;

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
            shares: shares::shares(held),
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

// SPDX-License-Identifier: MPL-2.0

//! Spells of one attitude, without flicker.
//!
//! Each attitude has a Schmitt trigger on its score (Schmitt, "A thermionic trigger", 1938): it goes
//! on at an upper threshold and off under a lower one, so that a score that wavers about one
//! threshold does not switch. A spell must then last for a while. Both together are how voice
//! activity is told from a network's scores (Gelly and Gauvain, "Minimum Word Error Training of
//! RNN-based Voice Activity Detection", 2015).

use serde::{Deserialize, Serialize};

use super::Rules;
use super::{Held, rounded};
use crate::{Attitude, Label, Scores};

/// A part of the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From then on.
    pub start_ns: u64,
    /// Until then.
    pub end_ns: u64,
}

impl Span {
    /// How long it lasts.
    pub fn len_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

/// A spell of one attitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// When it is.
    #[serde(flatten)]
    pub span: Span,
    /// The attitude, unknown while none is clear.
    pub attitude: Label,
}

/// Where one segment follows another without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When the second one begins.
    pub time_ns: u64,
    /// The attitude of the first segment.
    pub from: Label,
    /// The attitude of the second segment.
    pub to: Label,
    /// By how much the mean of positive less negative score rises from the end of the first segment
    /// to the beginning of the second, each [`change_window_ns`](super::Rules) long or as
    /// long as the segment: −2 to 2, negative where it falls. `None` where one was not judged.
    pub size: Option<f64>,
}

/// The spells in `held`. One begins where an attitude's score reaches
/// [`begin_score`](Rules::begin_score) and ends where it falls under [`end_score`](Rules::end_score)
/// or another, higher score reaches `begin_score`; it lasts for
/// [`min_segment_ns`](Rules::min_segment_ns) at least, or half of that where it begins or ends with
/// what was seen, as it may have lasted longer. What lies between two spells is `None`, or
/// belongs to the one before it where it is shorter than that: an attitude that comes back so soon
/// has not been away, and one that gives way has not until the next one is there. A gap ends
/// everything.
pub fn segments(held: &[Held], rules: &Rules) -> Vec<Segment> {
    stretches(held)
        .flat_map(|stretch| calmed(&runs(stretch, rules), rules.min_segment_ns))
        .collect()
}

/// The parts of `held` without a gap.
fn stretches(held: &[Held]) -> impl Iterator<Item = &[Held]> {
    held.chunk_by(|held, next| next.span.start_ns <= held.span.end_ns)
}

/// When nothing was seen between two samples.
pub fn gaps(held: &[Held]) -> Vec<Span> {
    let pairs = held.windows(2).map(|pair| Span {
        start_ns: pair[0].span.end_ns,
        end_ns: pair[1].span.start_ns,
    });
    pairs.filter(|gap| gap.len_ns() > 0).collect()
}

/// What the trigger says of a stretch without a gap: neighbours differ.
fn runs(stretch: &[Held], rules: &Rules) -> Vec<Segment> {
    let mut runs = Vec::new();
    let mut current = None;
    for held in stretch {
        current = held
            .sample
            .scores
            .and_then(|scores| triggered(current, &scores, rules));
        append(&mut runs, held.span, current.into());
    }
    runs
}

/// The attitude that is on by `scores`, where `current` was.
fn triggered(current: Option<Attitude>, scores: &Scores, rules: &Rules) -> Option<Attitude> {
    let best = scores.best();
    let holds = |&attitude: &Attitude| scores[attitude] >= rules.end_score;
    let begins = scores[best] >= rules.begin_score;
    begins.then_some(best).or(current.filter(holds))
}

/// Adds what follows at once: as one segment where the attitude is the last one's.
fn append(segments: &mut Vec<Segment>, span: Span, attitude: Label) {
    match segments.last_mut() {
        Some(last) if last.attitude == attitude => last.span.end_ns = span.end_ns,
        _ => segments.push(Segment { span, attitude }),
    }
}

/// The segments of a stretch without a gap.
fn calmed(runs: &[Segment], min_segment_ns: u64) -> Vec<Segment> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Vec::new();
    };
    let min_segment_ns = min_segment_ns.max(1);
    let is_spell = |run: &&Segment| {
        let span = run.span;
        let is_cut_off = span.start_ns == first.span.start_ns || span.end_ns == last.span.end_ns;
        let least_ns = min_segment_ns.div_ceil(if is_cut_off { 2 } else { 1 });
        run.attitude.is_known() && span.len_ns() >= least_ns
    };
    let end = Segment {
        span: Span {
            start_ns: last.span.end_ns,
            end_ns: last.span.end_ns,
        },
        attitude: Label::Unknown,
    };
    let mut segments: Vec<Segment> = Vec::new();
    let mut until_ns = first.span.start_ns;
    for spell in runs.iter().filter(is_spell).chain([&end]) {
        let between = Span {
            start_ns: until_ns,
            end_ns: spell.span.start_ns,
        };
        let mut span = spell.span;
        if between.len_ns() >= min_segment_ns {
            append(&mut segments, between, Label::Unknown);
        } else if let Some(before) = segments.last_mut() {
            before.span.end_ns = between.end_ns;
        } else {
            span.start_ns = between.start_ns;
        }
        append(&mut segments, span, spell.attitude);
        until_ns = span.end_ns;
    }
    segments.retain(|segment| segment.span.len_ns() > 0);
    segments
}

/// The longest of `segments` with `attitude`, the first of equals.
pub fn longest(segments: &[Segment], attitude: Attitude) -> Option<Span> {
    let same = segments
        .iter()
        .filter(|s| s.attitude == Label::Known(attitude));
    let spans = same.map(|segment| segment.span);
    spans.rev().max_by_key(Span::len_ns)
}

/// The changes between `segments` of `held`.
pub fn changes(segments: &[Segment], held: &[Held], rules: &Rules) -> Vec<Change> {
    let change = |pair: &[Segment]| {
        let [first, second] = [pair[0], pair[1]];
        let window_ns = rules.change_window_ns;
        let before = Span {
            start_ns: (first.span.end_ns.saturating_sub(window_ns)).max(first.span.start_ns),
            ..first.span
        };
        let after = Span {
            end_ns: (second.span.start_ns.saturating_add(window_ns)).min(second.span.end_ns),
            ..second.span
        };
        let rise = |before: f64, after: f64| rounded(after - before);
        (first.span.end_ns == second.span.start_ns).then(|| Change {
            time_ns: second.span.start_ns,
            from: first.attitude,
            to: second.attitude,
            size: balance(held, before)
                .zip(balance(held, after))
                .map(|(b, a)| rise(b, a)),
        })
    };
    segments.windows(2).filter_map(change).collect()
}

/// The mean of positive less negative score in `span`; `None` where there are no scores.
fn balance(held: &[Held], span: Span) -> Option<f64> {
    let from = held.partition_point(|held| held.span.start_ns < span.start_ns);
    let within = held[from..]
        .iter()
        .take_while(|held| held.span.start_ns < span.end_ns);
    let (mut sum, mut time) = (0.0, 0.0);
    for held in within {
        if let Some(scores) = held.sample.scores {
            let held_ns = held.span.len_ns() as f64;
            sum += held_ns * f64::from(scores.positive - scores.negative);
            time += held_ns;
        }
    }
    (time > 0.0).then(|| sum / time)
}

#[cfg(test)]
mod tests;

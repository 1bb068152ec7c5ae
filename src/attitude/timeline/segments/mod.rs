// SPDX-License-Identifier: MPL-2.0

//! Segments of one attitude that do not flicker.
//!
//! The confidence in each attitude, its score times the quality, controls a Schmitt trigger
//! (Schmitt, "A thermionic trigger", 1938), which is switched on at an upper threshold and off
//! below a lower threshold, so that a confidence near one threshold does not switch it repeatedly.
//! Segments also have a minimum duration. The scores of voice activity detectors are processed in
//! the same way (Gelly and Gauvain, "Minimum Word Error Training of RNN-based Voice Activity
//! Detection", 2015).

use serde::{Deserialize, Serialize};

use super::TimelineParams;
use super::{TimedObservation, rounded};
use crate::{Attitude, Label, Scores};

/// A time span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Start, inclusive.
    pub start_ns: u64,
    /// End, exclusive.
    pub end_ns: u64,
}

impl Span {
    /// Returns the duration.
    pub fn len_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

/// A segment of one attitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// The time span of the segment.
    #[serde(flatten)]
    pub span: Span,
    /// The attitude; unknown if no confidence is high enough.
    pub attitude: Label,
}

/// The change from one segment to the next without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Start of the second segment.
    pub time_ns: u64,
    /// The attitude of the first segment.
    pub from: Label,
    /// The attitude of the second segment.
    pub to: Label,
    /// Difference of the mean [valence](crate::Scores::valence) between the start of the second and
    /// the end of the first segment, −2 to 2. Means are computed over
    /// [`change_window_ns`](super::TimelineParams::change_window_ns), or over the whole segment if
    /// it is shorter. `None` if a window has no scores.
    pub size: Option<f64>,
}

/// Returns the segments of `observations`, without gaps between them.
///
/// A segment of an attitude begins when the confidence in it reaches
/// [`begin_score`](TimelineParams::begin_score), and ends when that falls below
/// [`end_score`](TimelineParams::end_score) or the confidence in another attitude with a higher
/// score reaches `begin_score`. It
/// lasts at least [`min_segment_ns`](TimelineParams::min_segment_ns), or half of that at the start
/// or end of the time seen, since the attitude may have begun earlier or ended later. The time
/// between two segments is a segment of an unknown attitude or, if it is shorter than the minimum
/// duration, part of the segment before. A gap ends the segment. Corrected attitudes are segments
/// of any duration.
pub(crate) fn segments(observations: &[TimedObservation], params: &TimelineParams) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for part in contiguous_parts(observations) {
        for stretch in part.chunk_by(|a, b| is_corrected(a) == is_corrected(b)) {
            let found = match stretch.iter().all(is_corrected) {
                true => labels(stretch),
                false => without_short_runs(&runs(stretch, params), params.min_segment_ns),
            };
            for segment in found {
                match segments.last_mut() {
                    Some(last) if last.span.end_ns == segment.span.start_ns => {
                        append(&mut segments, segment.span, segment.attitude);
                    }
                    _ => segments.push(segment),
                }
            }
        }
    }
    segments
}

fn is_corrected(timed: &TimedObservation) -> bool {
    timed.observation.is_corrected
}

/// Returns the labels of `stretch`, which has no gap, as segments.
fn labels(stretch: &[TimedObservation]) -> Vec<Segment> {
    let mut segments = Vec::new();
    for timed in stretch {
        append(&mut segments, timed.span, timed.observation.label);
    }
    segments
}

/// Returns the time spans of corrected observations.
pub(crate) fn corrected(observations: &[TimedObservation]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for timed in observations.iter().filter(|timed| is_corrected(timed)) {
        match spans.last_mut() {
            Some(last) if last.end_ns == timed.span.start_ns => last.end_ns = timed.span.end_ns,
            _ => spans.push(timed.span),
        }
    }
    spans
}

/// Returns the segments of the labels of `observations`, with the minimum duration of
/// [`segments`].
pub(crate) fn of_labels(
    observations: &[TimedObservation],
    params: &TimelineParams,
) -> Vec<Segment> {
    contiguous_parts(observations)
        .flat_map(|part| {
            let mut runs = Vec::new();
            for timed in part {
                append(&mut runs, timed.span, timed.observation.label);
            }
            without_short_runs(&runs, params.min_segment_ns)
        })
        .collect()
}

/// Returns the parts of `observations` without a gap.
fn contiguous_parts(
    observations: &[TimedObservation],
) -> impl Iterator<Item = &[TimedObservation]> {
    observations.chunk_by(|timed, next| next.span.start_ns <= timed.span.end_ns)
}

/// Returns the gaps between observations.
pub(crate) fn gaps(observations: &[TimedObservation]) -> Vec<Span> {
    let pairs = observations.windows(2).map(|pair| Span {
        start_ns: pair[0].span.end_ns,
        end_ns: pair[1].span.start_ns,
    });
    pairs.filter(|gap| gap.len_ns() > 0).collect()
}

/// Returns the attitudes for which the trigger is on in a part without a gap; consecutive ones
/// differ.
fn runs(part: &[TimedObservation], params: &TimelineParams) -> Vec<Segment> {
    let mut runs = Vec::new();
    let mut current = None;
    for timed in part {
        let observation = &timed.observation;
        current = observation
            .scores
            .and_then(|scores| triggered(current, &scores, observation.quality, params));
        append(&mut runs, timed.span, current.into());
    }
    runs
}

/// Returns the attitude that is on after an observation of `scores` and `quality`, if `current` was
/// on before.
fn triggered(
    current: Option<Attitude>,
    scores: &Scores,
    quality: f32,
    params: &TimelineParams,
) -> Option<Attitude> {
    let best = scores.best();
    let stays_on = |&attitude: &Attitude| scores[attitude] * quality >= params.end_score;
    let switches_on = scores[best] * quality >= params.begin_score;
    switches_on.then_some(best).or(current.filter(stays_on))
}

/// Appends a span that follows immediately; extends the last segment if the attitude is the same.
fn append(segments: &mut Vec<Segment>, span: Span, attitude: Label) {
    match segments.last_mut() {
        Some(last) if last.attitude == attitude => last.span.end_ns = span.end_ns,
        _ => segments.push(Segment { span, attitude }),
    }
}

/// Returns the segments of a part without a gap: `runs` without those that are too short.
fn without_short_runs(runs: &[Segment], min_segment_ns: u64) -> Vec<Segment> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Vec::new();
    };
    let min_segment_ns = min_segment_ns.max(1);
    let is_segment = |run: &&Segment| {
        let span = run.span;
        let is_cut_off = span.start_ns == first.span.start_ns || span.end_ns == last.span.end_ns;
        let min_ns = min_segment_ns.div_ceil(if is_cut_off { 2 } else { 1 });
        run.attitude.is_known() && span.len_ns() >= min_ns
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
    for segment in runs.iter().filter(is_segment).chain([&end]) {
        let between = Span {
            start_ns: until_ns,
            end_ns: segment.span.start_ns,
        };
        let mut span = segment.span;
        if between.len_ns() >= min_segment_ns {
            append(&mut segments, between, Label::Unknown);
        } else if let Some(before) = segments.last_mut() {
            before.span.end_ns = between.end_ns;
        } else {
            span.start_ns = between.start_ns;
        }
        append(&mut segments, span, segment.attitude);
        until_ns = span.end_ns;
    }
    segments.retain(|segment| segment.span.len_ns() > 0);
    segments
}

/// Returns the longest of `segments` with `attitude`; of equal durations, the first.
pub(crate) fn longest(segments: &[Segment], attitude: Attitude) -> Option<Span> {
    let same = segments
        .iter()
        .filter(|s| s.attitude == Label::Known(attitude));
    let spans = same.map(|segment| segment.span);
    spans.rev().max_by_key(Span::len_ns)
}

/// Returns the changes between `segments`, with sizes computed from the scores of `observations`.
pub(crate) fn changes(
    segments: &[Segment],
    observations: &[TimedObservation],
    params: &TimelineParams,
) -> Vec<Change> {
    let change = |pair: &[Segment]| {
        let [first, second] = [pair[0], pair[1]];
        let window_ns = params.change_window_ns;
        let before = Span {
            start_ns: (first.span.end_ns.saturating_sub(window_ns)).max(first.span.start_ns),
            ..first.span
        };
        let after = Span {
            end_ns: (second.span.start_ns.saturating_add(window_ns)).min(second.span.end_ns),
            ..second.span
        };
        (first.span.end_ns == second.span.start_ns).then(|| Change {
            time_ns: second.span.start_ns,
            from: first.attitude,
            to: second.attitude,
            size: mean_valence(observations, before)
                .zip(mean_valence(observations, after))
                .map(|(before, after)| rounded(after - before)),
        })
    };
    segments.windows(2).filter_map(change).collect()
}

/// Returns the mean valence in `span`, or `None` if there are no scores.
fn mean_valence(observations: &[TimedObservation], span: Span) -> Option<f64> {
    let from = observations.partition_point(|timed| timed.span.start_ns < span.start_ns);
    let within = observations[from..]
        .iter()
        .take_while(|timed| timed.span.start_ns < span.end_ns);
    let (mut sum, mut time_ns) = (0.0, 0.0);
    for timed in within {
        if let Some(scores) = timed.observation.scores {
            let duration_ns = timed.span.len_ns() as f64;
            sum += duration_ns * f64::from(scores.valence());
            time_ns += duration_ns;
        }
    }
    (time_ns > 0.0).then(|| sum / time_ns)
}

#[cfg(test)]
mod tests;

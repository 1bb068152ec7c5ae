// SPDX-License-Identifier: MPL-2.0

//! Analysis of a recording: the attitude of a person, or of the scene, over time.
//!
//! A [`Timeline`] is computed in these steps: the tracks of a person are joined, a time span is
//! assigned to each observation, and segments of one attitude, gaps and changes are computed, as
//! well as the fraction of time per label, and mean scores with confidence intervals. A [`Series`]
//! contains the scores for charts.
//!
//! Fractions of time are those of the labels of samples, which are the labels that the plugin
//! attaches; segments are computed from scores, and change less often. A person consists of one
//! track or several, each of which begins soon after the end of the previous one, at a similar
//! position and size; faces are not recognized.
//!
//! Times are positions in the recording, in nanoseconds. Scores and fractions of time are rounded
//! to four decimals.

pub mod baseline;
mod means;
pub(crate) mod persons;
mod segments;
mod series;
mod stationary_bootstrap;
mod turns;

use serde::{Deserialize, Serialize};

use crate::clock::NS_PER_S;
use crate::settings::{SMOOTHING_NS, TRACK_TIMEOUT_NS};
use crate::smoothing::MIN_LEAD;
use crate::statistics::{DEFAULT_RESAMPLES, DEFAULT_SEED};
use crate::tracking::{RETURN_DISTANCE, RETURN_HEIGHT_RATIO, RETURN_NS};
use crate::{ByAttitude, ByLabel, Label, Scores};
use baseline::BaselineSource;
pub use means::Mean;
pub use segments::{Change, Segment, Span};
pub use series::Series;
pub use turns::Turn;

/// An observation of a person or of the scene in one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observation {
    /// Position of the sampled frame.
    pub time_ns: u64,
    /// Smoothed scores; `None` if there is no classification.
    pub scores: Option<Scores>,
    /// Smoothed [quality](crate::quality) of the picture, 0 to 1; 1 if it is not known.
    pub quality: f32,
    /// The attitude.
    pub label: Label,
    /// Set if a person [corrected](crate::record::corrections) the attitude.
    pub is_corrected: bool,
}

impl Observation {
    /// Returns the valence if the attitude is known.
    pub(crate) fn known_valence(&self) -> Option<f32> {
        let scores = self.scores.filter(|_| self.label.is_known());
        scores.map(|scores| scores.valence())
    }
}

impl Default for Observation {
    fn default() -> Self {
        Self {
            time_ns: 0,
            scores: None,
            quality: 1.0,
            label: Label::Unknown,
            is_corrected: false,
        }
    }
}

/// An observation with the time span that it represents.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TimedObservation {
    /// The observation, at the start of `span`.
    pub observation: Observation,
    /// The time span.
    pub span: Span,
}

/// The attitude of a person, or of the scene, over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// Number of samples in which the person or scene was seen.
    pub samples: u64,
    /// Number of these samples in which the person or, for the scene, at least one face has scores.
    /// A face has no scores before its first classification, and after the track timeout without a
    /// classification, for example while it is turned away.
    #[serde(rename = "judged_samples")]
    pub classified_samples: u64,
    /// Total time seen: the sum of the spans of the samples.
    pub seen_ns: u64,
    /// Fractions of the time seen, by label; `None` if that time is 0.
    pub shares: Option<Shares>,
    /// Mean scores over the time with scores; `None` if that time is 0.
    pub means: Option<ByAttitude<Mean>>,
    /// Mean [valence](Scores::valence) over the time with scores; `None` if that time is 0, and in
    /// older summaries.
    #[serde(default)]
    pub valence: Option<f64>,
    /// Mean confidence in the label, its score times the quality, over the time with a known label;
    /// `None` if that time is 0.
    pub confidence: Option<f64>,
    /// The longest segment of each attitude; `None` if there is none.
    pub longest: ByAttitude<Option<Span>>,
    /// Segments, sorted by time. Segments and gaps together cover the whole time without overlap.
    pub segments: Vec<Segment>,
    /// Times between the first and the last sample at which nothing was seen, sorted by time.
    pub gaps: Vec<Span>,
    /// Changes from one segment to the next without a gap, sorted by time.
    pub changes: Vec<Change>,
    /// Time spans in which the valence rises or falls, sorted by time; missing in older summaries.
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// Time spans in which a person [corrected](crate::record::corrections) the attitude, sorted by
    /// time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrected: Vec<Span>,
}

impl Timeline {
    /// Computes a timeline from `observations`, the result of [`with_spans`].
    pub(crate) fn new(observations: &[TimedObservation], params: &TimelineParams) -> Self {
        let spans = observations.iter().map(|timed| timed.span.len_ns());
        let segments = segments::segments(observations, params);
        let means = means::means(observations, params);
        Self {
            samples: observations.len() as u64,
            classified_samples: observations
                .iter()
                .filter(|timed| timed.observation.scores.is_some())
                .count() as u64,
            seen_ns: spans.sum(),
            shares: shares(observations),
            means,
            valence: means.map(|means| rounded(means.positive.value - means.negative.value)),
            confidence: means::confidence(observations),
            longest: ByAttitude::from_fn(|attitude| segments::longest(&segments, attitude)),
            gaps: segments::gaps(observations),
            changes: segments::changes(&segments, observations, params),
            turns: turns::turns(observations),
            corrected: segments::corrected(observations),
            segments,
        }
    }
}

/// The end of a recording, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingEnd {
    /// End of the last frame.
    pub last_frame_ns: Option<u64>,
    /// Time until which a sample is shown at most: the end of the recording, or of its analyzed part.
    pub limit_ns: Option<u64>,
}

impl RecordingEnd {
    /// Returns the end of the last sample, which begins at `start_ns`, and is shown for `usual_ns`
    /// if the end of the last frame is not known.
    pub(crate) fn of_last_sample(self, start_ns: u64, usual_ns: u64) -> u64 {
        let is_after_start = |end_ns: &u64| *end_ns > start_ns;
        let last_frame_ns = self.last_frame_ns.filter(is_after_start);
        let limit_ns = self.limit_ns.filter(is_after_start);
        last_frame_ns
            .unwrap_or(start_ns.saturating_add(usual_ns))
            .min(limit_ns.unwrap_or(u64::MAX))
    }
}

/// The times at which the samples of a recording are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct SampleTimes {
    /// Start and end of each sample, sorted by time.
    spans: Vec<Span>,
    /// Maximum time between two observations without a gap.
    max_interval_without_gap_ns: u64,
}

impl SampleTimes {
    /// Computes the times of samples at `times_ns`, which are sorted, whose frames have these
    /// numbers. A sample is shown until the next one, or until `end`. If frames between two samples
    /// are missing, or the end is not known, a sample is shown for `spacing_ns`, the usual sample
    /// interval.
    pub(crate) fn new(
        times_ns: &[u64],
        frames: &[u64],
        end: RecordingEnd,
        spacing_ns: u64,
        params: &TimelineParams,
    ) -> Self {
        let max_interval_without_gap_ns = params.max_interval_without_gap_ns(spacing_ns);
        let span = |(index, &start_ns): (usize, &u64)| {
            let usual_end_ns = start_ns.saturating_add(spacing_ns);
            let end_ns = match times_ns.get(index + 1) {
                // A frame stays on the screen until the next one, no matter how long that takes.
                Some(next_ns) if are_consecutive(frames[index], frames[index + 1]) => *next_ns,
                Some(next_ns) if next_ns - start_ns <= max_interval_without_gap_ns => *next_ns,
                Some(_) => usual_end_ns,
                None => end.of_last_sample(start_ns, spacing_ns),
            };
            Span { start_ns, end_ns }
        };
        Self {
            spans: times_ns.iter().enumerate().map(span).collect(),
            max_interval_without_gap_ns,
        }
    }

    /// Returns the end of the sample at `start_ns`.
    pub(crate) fn end_ns(&self, start_ns: u64) -> u64 {
        let index = self.spans.partition_point(|span| span.start_ns < start_ns);
        let span = self.spans.get(index);
        span.filter(|span| span.start_ns == start_ns)
            .map_or(start_ns, |span| span.end_ns)
    }

    /// Returns the end of the last sample; `None` if there is none.
    pub(crate) fn last_end_ns(&self) -> Option<u64> {
        self.spans.last().map(|span| span.end_ns)
    }

    /// Assigns a time span to each of `observations`, which are sorted by time. A span ends at the
    /// next observation or, before a gap and at the end, with its sample.
    pub(crate) fn with_spans(&self, observations: &[Observation]) -> Vec<TimedObservation> {
        let next = observations.iter().skip(1).map(|next| Some(next.time_ns));
        let timed = |(observation, next_ns): (&Observation, Option<u64>)| {
            let start_ns = observation.time_ns;
            let is_gap =
                |next_ns: u64| next_ns.saturating_sub(start_ns) > self.max_interval_without_gap_ns;
            let end_ns = match next_ns {
                Some(next_ns) if is_gap(next_ns) => self.end_ns(start_ns).min(next_ns),
                Some(next_ns) => next_ns,
                None => self.end_ns(start_ns),
            };
            TimedObservation {
                observation: *observation,
                span: Span { start_ns, end_ns },
            }
        };
        observations
            .iter()
            .zip(next.chain([None]))
            .map(timed)
            .collect()
    }
}

/// Returns `true` if there is no frame between those with the numbers `first` and `second`.
pub(crate) fn are_consecutive(first: u64, second: u64) -> bool {
    first.checked_add(1) == Some(second)
}

/// Assigns time spans to observations that were made in all samples, from which frames may be
/// missing.
#[cfg(test)]
pub(crate) fn with_spans(
    samples: &[Observation],
    spacing_ns: u64,
    params: &TimelineParams,
) -> Vec<TimedObservation> {
    let times_ns: Vec<u64> = samples.iter().map(|sample| sample.time_ns).collect();
    let frames: Vec<u64> = (0..samples.len() as u64).map(|index| 2 * index).collect();
    SampleTimes::new(
        &times_ns,
        &frames,
        RecordingEnd::default(),
        spacing_ns,
        params,
    )
    .with_spans(samples)
}

/// Returns the median interval between consecutive times in `times_ns`, which are sorted, or `None`
/// if there are fewer than two.
pub(crate) fn spacing_ns(times_ns: impl Iterator<Item = u64> + Clone) -> Option<u64> {
    let next = times_ns.clone().skip(1);
    let mut intervals_ns: Vec<u64> = times_ns
        .zip(next)
        .map(|(a, b)| b.saturating_sub(a))
        .collect();
    let middle = intervals_ns.len().checked_sub(1)? / 2;
    Some(*intervals_ns.select_nth_unstable(middle).1)
}

/// Returns `value` rounded to four decimals.
fn rounded(value: f64) -> f64 {
    const PER_UNIT: f64 = 1e4;
    // Adding 0 turns −0 into 0.
    (value * PER_UNIT).round() / PER_UNIT + 0.0
}

/// The fraction of the time seen of each label, 0 to 1; the fractions add up to 1.
pub type Shares = ByLabel<f64>;

/// Returns the fraction of the time seen of each label, or `None` if that time is 0.
pub(crate) fn shares(observations: &[TimedObservation]) -> Option<Shares> {
    let mut times_ns = ByLabel::<u64>::default();
    for timed in observations {
        times_ns[timed.observation.label] += timed.span.len_ns();
    }
    let total_ns = times_ns.iter().map(|(_, time_ns)| time_ns).sum::<u64>();
    if total_ns == 0 {
        return None;
    }
    // Cumulative sums are rounded instead of fractions, so that the fractions add up to 1.
    let mut sum_ns = 0;
    Some(times_ns.map(|time_ns| {
        let before = rounded(sum_ns as f64 / total_ns as f64);
        sum_ns += time_ns;
        rounded(rounded(sum_ns as f64 / total_ns as f64) - before)
    }))
}

/// Parameters of the analysis over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelineParams {
    /// Confidence, the score times the quality, at which a segment of an attitude begins, 0 to 1.
    pub begin_score: f32,
    /// Confidence below which a segment of an attitude ends, 0 to 1.
    pub end_score: f32,
    /// Minimum duration of a segment; half of it at the start or the end of the time seen.
    pub min_segment_ns: u64,
    /// Maximum time between samples without a gap between them, at least [`MIN_GAP_IN_INTERVALS`]
    /// times the usual sample interval.
    pub gap_ns: u64,
    /// Maximum duration before and after a change over which its size is computed.
    pub change_window_ns: u64,
    /// Maximum time between the end of a track and the start of another track of the same person; 0
    /// disables joining.
    pub join_gap_ns: u64,
    /// Maximum distance of the centers of their boxes, in mean heights of both boxes.
    pub join_distance: f32,
    /// Maximum ratio of the heights of their boxes.
    pub join_height_ratio: f32,
    /// The baselines of persons; missing in JSON if there are none.
    #[serde(skip_serializing_if = "BaselineSource::is_off")]
    pub baseline: BaselineSource,
    /// Number of resamples of the bootstrap for the intervals of mean scores; 0 disables intervals.
    pub resamples: usize,
    /// Seed of the random numbers of the bootstrap.
    pub seed: u64,
}

/// Minimum duration of a gap in usual sample intervals, the same as the minimum track timeout.
pub const MIN_GAP_IN_INTERVALS: u64 = crate::tracking::MIN_TIMEOUT_IN_INTERVALS;

impl Default for TimelineParams {
    /// Returns the parameters for the default sample interval and smoothing.
    fn default() -> Self {
        Self {
            // Their difference is the minimum lead at a change of a label. As scores add up to 1,
            // the segment of one of two attitudes ends about when that of the other begins.
            begin_score: 0.5 + MIN_LEAD / 2.0,
            end_score: 0.5 - MIN_LEAD / 2.0,
            // The effect of a single wrong classification is shorter.
            min_segment_ns: 2 * SMOOTHING_NS.default,
            gap_ns: TRACK_TIMEOUT_NS.default,
            change_window_ns: 3 * NS_PER_S,
            join_gap_ns: RETURN_NS,
            join_distance: RETURN_DISTANCE,
            join_height_ratio: RETURN_HEIGHT_RATIO,
            baseline: BaselineSource::Off,
            resamples: DEFAULT_RESAMPLES,
            seed: DEFAULT_SEED,
        }
    }
}

impl TimelineParams {
    /// Returns the maximum time between samples without a gap, for the usual sample interval
    /// `spacing_ns`.
    pub fn max_interval_without_gap_ns(&self, spacing_ns: u64) -> u64 {
        self.gap_ns
            .max(spacing_ns.saturating_mul(MIN_GAP_IN_INTERVALS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;

    #[test]
    fn the_default_thresholds_have_two_decimals() {
        let TimelineParams {
            begin_score,
            end_score,
            ..
        } = TimelineParams::default();
        assert_eq!((begin_score, end_score), (0.55, 0.45));
    }

    #[test]
    fn a_frame_is_shown_until_the_next_frame_or_the_end_of_the_video() {
        let params = TimelineParams::default();
        let times_ns = [0, 200, 5_000, 12_000].map(|time_ms| time_ms * 1_000_000);
        let end_ns = |frames: [u64; 4], end_ms: Option<u64>, index: usize| {
            let end = RecordingEnd {
                last_frame_ns: end_ms.map(|end_ms| end_ms * 1_000_000),
                limit_ns: None,
            };
            let times = SampleTimes::new(&times_ns, &frames, end, 200_000_000, &params);
            times.end_ns(times_ns[index]) / 1_000_000
        };
        // No frame is between the second and the third sample, some are before the fourth.
        let frames = [0, 5, 6, 30];
        assert_eq!(end_ns(frames, None, 0), 200);
        assert_eq!(end_ns(frames, None, 1), 5_000);
        assert_eq!(end_ns(frames, None, 2), 5_200);
        assert_eq!(end_ns(frames, None, 3), 12_200);
        assert_eq!(end_ns(frames, Some(12_040), 3), 12_040);
        assert_eq!(end_ns(frames, Some(90_000), 3), 90_000);
        assert_eq!(end_ns(frames, Some(11_000), 3), 12_200);
    }

    #[test]
    fn nothing_is_shown_beyond_the_end_of_the_recording() {
        let end_ns = |last_frame_ns: Option<u64>, limit_ns: Option<u64>| {
            let end = RecordingEnd {
                last_frame_ns,
                limit_ns,
            };
            end.of_last_sample(19_600, 200)
        };
        assert_eq!(end_ns(None, None), 19_800);
        assert_eq!(end_ns(None, Some(19_700)), 19_700);
        assert_eq!(end_ns(None, Some(25_000)), 19_800);
        assert_eq!(end_ns(Some(19_640), Some(19_700)), 19_640);
        assert_eq!(end_ns(Some(19_800), Some(19_700)), 19_700);
        // A limit that the sample contradicts is wrong.
        assert_eq!(end_ns(None, Some(19_000)), 19_800);
    }

    #[test]
    fn each_sample_counts_for_its_time_span() {
        let samples = [
            (0, Label::POSITIVE),
            (200, Label::NEUTRAL),
            (500, Label::Unknown),
            // Before a gap and at the end: the usual sample interval.
            (700, Label::POSITIVE),
            (9_000, Label::NEGATIVE),
        ];
        let samples = samples.map(|(time_ms, label)| Observation {
            time_ns: time_ms * 1_000_000,
            label,
            ..Observation::default()
        });
        let observations = with_spans(&samples, 100_000_000, &TimelineParams::default());
        let expected = Shares {
            positive: 0.3333,
            neutral: 0.3334,
            negative: 0.1111,
            unknown: 0.2222,
        };
        assert_eq!(shares(&observations), Some(expected));
        assert_eq!(shares(&[]), None);
        assert_eq!(
            shares(&with_spans(&samples[..1], 0, &TimelineParams::default())),
            None
        );
    }
}

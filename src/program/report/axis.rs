// SPDX-License-Identifier: MPL-2.0

//! The horizontal axis of timelines: positions and marks of times.

use std::fmt::{self, Display};

use attitude::record::summary::Summary;
use attitude::timeline::Span;

use super::recording::RecordingFacts;
use super::text::Decimal;

const S: u64 = 1_000_000_000;

/// Maximum number of marks; more would overlap on a phone.
const MAX_TICKS: u64 = 5;

/// Distances between marks, in seconds; multiples of the last one follow.
const TICK_STEPS_S: [u64; 14] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
];

/// The time span of all timelines of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis(Span);

impl Axis {
    /// Creates the axis of the analyzed part: the requested range, else the whole recording, else
    /// up to the end of the last sample; extended to contain all notes.
    pub(crate) fn new(recording: &RecordingFacts, summary: &Summary) -> Self {
        let Summary {
            first_ns,
            last_ns,
            spacing_ns,
            ..
        } = *summary;
        let seen_until_ns =
            last_ns.map_or(0, |last_ns| last_ns.saturating_add(spacing_ns.unwrap_or(0)));
        let whole = Span {
            start_ns: 0,
            end_ns: recording.duration_ns.unwrap_or(seen_until_ns),
        };
        let requested = recording.range.unwrap_or(whole);
        let start_ns = requested.start_ns.min(first_ns.unwrap_or(u64::MAX));
        let requested_until_ns = requested.end_ns.min(whole.end_ns);
        let last_note_ns = recording.notes.last().map(|note| note.time_ns);
        let end_ns = requested_until_ns.max(last_ns.max(last_note_ns).unwrap_or(0));
        Self(Span {
            start_ns,
            end_ns: end_ns.max(start_ns.saturating_add(1)),
        })
    }

    /// Creates the axis of a span.
    pub(crate) fn of(span: Span) -> Self {
        Self(Span {
            end_ns: span.end_ns.max(span.start_ns.saturating_add(1)),
            ..span
        })
    }

    /// Returns its start and end.
    pub(crate) fn span(&self) -> Span {
        self.0
    }

    /// Returns the position of a time along the width, 0 to 1.
    pub(crate) fn position(&self, ns: u64) -> f64 {
        let after_ns = ns.clamp(self.0.start_ns, self.0.end_ns) - self.0.start_ns;
        after_ns as f64 / self.0.len_ns() as f64
    }

    /// Returns the position and the width of a span.
    pub(crate) fn extent(&self, span: Span) -> (Width, Width) {
        let start = self.position(span.start_ns);
        (Width(start), Width(self.position(span.end_ns) - start))
    }

    /// Returns the times of the marks, at round values.
    pub(crate) fn ticks(&self) -> Vec<u64> {
        let steps_ns = TICK_STEPS_S.map(|seconds| seconds * S);
        let is_wide = |step_ns: &u64| self.0.len_ns() / step_ns < MAX_TICKS;
        let longest_ns = steps_ns[steps_ns.len() - 1];
        let step_ns = steps_ns.into_iter().find(is_wide).unwrap_or_else(|| {
            let times = self.0.len_ns() / MAX_TICKS / longest_ns + 1;
            times.saturating_mul(longest_ns)
        });
        let first = self.0.start_ns.div_ceil(step_ns);
        let last = self.0.end_ns / step_ns;
        (first..=last).map(|number| number * step_ns).collect()
    }
}

/// A share of the width, formatted as a percentage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Width(pub f64);

impl Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}%", Decimal(100.0 * self.0, 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(start_s: u64, end_s: u64) -> Axis {
        Axis(Span {
            start_ns: start_s * S,
            end_ns: end_s * S,
        })
    }

    #[test]
    fn it_spans_the_analyzed_part_of_the_recording() {
        let summary = Summary {
            first_ns: Some(2 * S),
            last_ns: Some(9 * S),
            spacing_ns: Some(S),
            ..Summary::default()
        };
        let mut recording = RecordingFacts::default();
        let span_s = |recording: &RecordingFacts| {
            let span = Axis::new(recording, &summary).span();
            (span.start_ns / S, span.end_ns / S)
        };
        assert_eq!(span_s(&recording), (0, 10));
        recording.duration_ns = Some(30 * S);
        assert_eq!(span_s(&recording), (0, 30));
        recording.range = Some(Span {
            start_ns: S,
            end_ns: 60 * S,
        });
        assert_eq!(span_s(&recording), (1, 30));
        let nothing = Axis::new(&RecordingFacts::default(), &Summary::default());
        assert_eq!(nothing.position(5), 1.0);
        assert_eq!(nothing.ticks(), [0]);
    }

    #[test]
    fn positions_are_shares_of_the_width() {
        let axis = axis(10, 30);
        assert_eq!(axis.position(15 * S), 0.25);
        assert_eq!((axis.position(0), axis.position(u64::MAX)), (0.0, 1.0));
        let (x, width) = axis.extent(Span {
            start_ns: 12 * S,
            end_ns: 17 * S,
        });
        assert_eq!(x.to_string(), "10%");
        assert_eq!(width.to_string(), "25%");
        assert_eq!(Width(1.0 / 3.0).to_string(), "33.33%");
    }

    #[test]
    fn marks_are_at_few_round_times() {
        for (start_s, end_s, expected_s) in [
            (0, 4, &[0, 1, 2, 3, 4][..]),
            (0, 90, &[0, 30, 60, 90]),
            (7, 95, &[30, 60, 90]),
            (0, 7200, &[0, 1800, 3600, 5400, 7200]),
            (0, 100_000, &[0, 21_600, 43_200, 64_800, 86_400]),
        ] {
            let ticks = axis(start_s, end_s).ticks();
            let ticks_s: Vec<u64> = ticks.iter().map(|ns| ns / S).collect();
            assert_eq!(ticks_s, expected_s);
        }
        let short = Axis(Span {
            start_ns: S / 2,
            end_ns: S / 2 + 1,
        });
        assert!(short.ticks().is_empty());
    }
}

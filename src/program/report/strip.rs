// SPDX-License-Identifier: MPL-2.0

//! The segments of a timeline as they are drawn, limited to a number that is visible.

use attitude::timeline::{Segment, Span};
use attitude::{ByLabel, Label};

use super::axis::Axis;

/// Maximum number of segments that are drawn, so that each is wide enough to be seen;
/// `details.js` has it too.
pub(crate) const MAX_DRAWN: usize = 200;

/// Maximum number of segments that the script knows.
pub(crate) const MAX_KNOWN: usize = 4000;

/// Returns at most `max` of `segments`: all or, if there are more, the longest label in each of as many
/// columns.
pub(crate) fn strip(segments: &[Segment], axis: &Axis, max: usize) -> Vec<Segment> {
    if segments.len() <= max {
        return segments.to_vec();
    }
    let whole = axis.span();
    let column_ns = whole.len_ns().div_ceil(max as u64).max(1);
    let mut strip: Vec<Segment> = Vec::new();
    let mut rest = segments;
    for number in 0..max as u64 {
        let after_ns = number.saturating_mul(column_ns);
        let start_ns = whole.start_ns.saturating_add(after_ns);
        let column = Span {
            start_ns,
            end_ns: start_ns.saturating_add(column_ns).min(whole.end_ns),
        };
        let past = rest.partition_point(|segment| segment.span.end_ns <= column.start_ns);
        rest = &rest[past..];
        let Some(attitude) = longest_in(column, rest) else {
            continue;
        };
        match strip.last_mut() {
            Some(last) if last.attitude == attitude && last.span.end_ns == column.start_ns => {
                last.span.end_ns = column.end_ns;
            }
            _ => strip.push(Segment {
                span: column,
                attitude,
            }),
        }
    }
    strip
}

/// Returns the label that takes most of `column`, of `segments` by time, or `None` if most of it is
/// in no segment.
fn longest_in(column: Span, segments: &[Segment]) -> Option<Label> {
    let mut times_ns = ByLabel::<u64>::default();
    for segment in segments {
        if segment.span.start_ns >= column.end_ns {
            break;
        }
        let start_ns = segment.span.start_ns.max(column.start_ns);
        let end_ns = segment.span.end_ns.min(column.end_ns);
        times_ns[segment.attitude] += end_ns.saturating_sub(start_ns);
    }
    let seen_ns = times_ns.iter().map(|(_, time_ns)| time_ns).sum();
    let unseen_ns = column.len_ns().saturating_sub(seen_ns);
    let (label, &longest_ns) = times_ns.iter().max_by_key(|(_, time_ns)| **time_ns)?;
    (longest_ns > unseen_ns).then_some(label)
}

#[cfg(test)]
pub(super) mod tests {
    use attitude::record::summary::Summary;

    use super::*;
    use crate::report::recording::RecordingFacts;

    pub(crate) const S: u64 = 1_000_000_000;

    pub(crate) fn axis(end_s: u64) -> Axis {
        let recording = RecordingFacts {
            duration_ns: Some(end_s * S),
            ..RecordingFacts::default()
        };
        Axis::new(&recording, &Summary::default())
    }

    pub(crate) fn segment(start_ms: u64, end_ms: u64, attitude: Label) -> Segment {
        Segment {
            span: Span {
                start_ns: start_ms * S / 1000,
                end_ns: end_ms * S / 1000,
            },
            attitude,
        }
    }

    #[test]
    fn too_many_segments_become_columns() {
        let few = [
            segment(0, 500, Label::POSITIVE),
            segment(500, 900, Label::Unknown),
        ];
        assert_eq!(strip(&few, &axis(1), 600), few);
        // Two thirds of each of 1000 seconds positive, the rest negative; then nothing; then
        // unknown.
        let many = (0..1000).flat_map(|i| {
            [
                segment(3 * i, 3 * i + 2, Label::POSITIVE),
                segment(3 * i + 2, 3 * i + 3, Label::NEGATIVE),
            ]
        });
        let many: Vec<Segment> = many.chain([segment(4500, 6000, Label::Unknown)]).collect();
        let columns = strip(&many, &axis(6), 600);
        let expected = [
            segment(0, 3000, Label::POSITIVE),
            segment(4500, 6000, Label::Unknown),
        ];
        assert_eq!(columns, expected);
    }
}

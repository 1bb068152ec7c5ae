// SPDX-License-Identifier: MPL-2.0

//! The spells of a timeline as they are drawn: no more than can be seen.

use attitude::classification::Attitude;
use attitude::timeline::segments::{Segment, Span};

use super::axis::Axis;

/// Most spells that are drawn: a column each where there would be more.
pub const MAX_SPELLS: usize = 600;

/// The segments as they are drawn: as they are or, where there are too many to be seen, what lasts
/// longest in each column.
pub fn strip(segments: &[Segment], axis: &Axis) -> Vec<Segment> {
    if segments.len() <= MAX_SPELLS {
        return segments.to_vec();
    }
    let whole = axis.span();
    let column_ns = whole.len_ns().div_ceil(MAX_SPELLS as u64).max(1);
    let mut strip: Vec<Segment> = Vec::new();
    let mut rest = segments;
    for number in 0..MAX_SPELLS as u64 {
        let after_ns = number.saturating_mul(column_ns);
        let start_ns = whole.start_ns.saturating_add(after_ns);
        let column = Span {
            start_ns,
            end_ns: start_ns.saturating_add(column_ns).min(whole.end_ns),
        };
        let over = rest.partition_point(|segment| segment.span.end_ns <= column.start_ns);
        rest = &rest[over..];
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

/// What most of `column` shows, of `segments` by time; `None` where that is nothing.
fn longest_in(column: Span, segments: &[Segment]) -> Option<Option<Attitude>> {
    let mut times_ns = [0; 4];
    for segment in segments {
        if segment.span.start_ns >= column.end_ns {
            break;
        }
        let index = segment.attitude.map_or(3, |attitude| attitude as usize);
        let start_ns = segment.span.start_ns.max(column.start_ns);
        times_ns[index] += segment
            .span
            .end_ns
            .min(column.end_ns)
            .saturating_sub(start_ns);
    }
    let unseen_ns = column.len_ns().saturating_sub(times_ns.iter().sum());
    let (index, &longest_ns) = times_ns.iter().enumerate().max_by_key(|(_, ns)| **ns)?;
    (longest_ns > unseen_ns).then(|| Attitude::ALL.get(index).copied())
}

#[cfg(test)]
pub(super) mod tests {
    use attitude::record::summary::Summary;

    use super::*;
    use crate::report::recording::Recording;

    pub const S: u64 = 1_000_000_000;

    pub fn axis(end_s: u64) -> Axis {
        let recording = Recording {
            duration_ns: Some(end_s * S),
            ..Recording::default()
        };
        Axis::new(&recording, &Summary::default())
    }

    pub fn segment(start_ms: u64, end_ms: u64, attitude: Option<Attitude>) -> Segment {
        Segment {
            span: Span {
                start_ns: start_ms * S / 1000,
                end_ns: end_ms * S / 1000,
            },
            attitude,
        }
    }

    #[test]
    fn too_many_spells_become_columns() {
        use Attitude::{Negative, Positive};
        let few = [segment(0, 500, Some(Positive)), segment(500, 900, None)];
        assert_eq!(strip(&few, &axis(1)), few);
        // Two thirds of each of 1000 seconds positive, the rest negative; then nothing; then unknown.
        let many = (0..1000).flat_map(|i| {
            [
                segment(3 * i, 3 * i + 2, Some(Positive)),
                segment(3 * i + 2, 3 * i + 3, Some(Negative)),
            ]
        });
        let many: Vec<Segment> = many.chain([segment(4500, 6000, None)]).collect();
        let columns = strip(&many, &axis(6));
        let expected = [segment(0, 3000, Some(Positive)), segment(4500, 6000, None)];
        assert_eq!(columns, expected);
    }
}

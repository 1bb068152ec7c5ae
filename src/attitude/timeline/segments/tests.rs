// SPDX-License-Identifier: MPL-2.0

//! Tests of segments, gaps and changes.

use super::*;
use crate::clock::NS_PER_MS as MS;
use crate::timeline::{Observation, with_spans};

const SPACING_MS: u64 = 200;

/// Scores of 0.8 for a known attitude, or of at most 0.4.
fn scores_for(label: Label) -> Scores {
    let score = |attitude| {
        if label == Label::Known(attitude) {
            0.8
        } else {
            0.1
        }
    };
    match label {
        Label::Known(_) => Scores::from_fn(score),
        Label::Unknown => Scores::from_array([0.3, 0.4, 0.3]),
    }
}

/// Observations at five samples per second from `start_ms` on, with a number of samples per score.
fn observations_from(start_ms: u64, parts: &[(usize, Option<Scores>)]) -> Vec<Observation> {
    let scores = parts
        .iter()
        .flat_map(|&(count, scores)| std::iter::repeat_n(scores, count));
    let sample = |(index, scores)| Observation {
        time_ns: (start_ms + index as u64 * SPACING_MS) * MS,
        scores,
        ..Observation::default()
    };
    scores.enumerate().map(sample).collect()
}

fn labeled_observations(parts: &[(usize, Label)]) -> Vec<Observation> {
    let parts: Vec<_> = parts
        .iter()
        .map(|&(n, a)| (n, Some(scores_for(a))))
        .collect();
    observations_from(0, &parts)
}

fn with_default_spans(samples: &[Observation]) -> Vec<TimedObservation> {
    with_spans(samples, SPACING_MS * MS, &TimelineParams::default())
}

/// Start and end in milliseconds, and the attitude.
fn segments_in_ms(samples: &[Observation]) -> Vec<(u64, u64, Label)> {
    let segments = segments(&with_default_spans(samples), &TimelineParams::default());
    let in_ms = |s: &Segment| (s.span.start_ns / MS, s.span.end_ns / MS, s.attitude);
    segments.iter().map(in_ms).collect()
}

#[test]
fn a_square_wave_has_a_segment_for_each_of_its_halves() {
    let wave = [(25, Label::POSITIVE), (25, Label::NEGATIVE)].repeat(2);
    assert_eq!(
        segments_in_ms(&labeled_observations(&wave)),
        [
            (0, 5_000, Label::POSITIVE),
            (5_000, 10_000, Label::NEGATIVE),
            (10_000, 15_000, Label::POSITIVE),
            (15_000, 20_000, Label::NEGATIVE),
        ]
    );
}

#[test]
fn short_runs_are_part_of_the_segment_before_or_at_the_start_of_the_one_after() {
    let wave = [
        (2, Label::NEGATIVE),
        (10, Label::POSITIVE),
        (3, Label::NEGATIVE),
        (10, Label::POSITIVE),
        (2, Label::Unknown),
        (2, Label::NEUTRAL),
        (10, Label::NEGATIVE),
        (1, Label::Unknown),
    ];
    assert_eq!(
        segments_in_ms(&labeled_observations(&wave)),
        [(0, 5_800, Label::POSITIVE), (5_800, 8_000, Label::NEGATIVE)]
    );
}

#[test]
fn a_segment_at_the_start_or_end_has_half_the_minimum_duration() {
    let wave = [
        (3, Label::NEUTRAL),
        (10, Label::POSITIVE),
        (3, Label::NEUTRAL),
    ];
    assert_eq!(
        segments_in_ms(&labeled_observations(&wave)),
        [
            (0, 600, Label::NEUTRAL),
            (600, 2_600, Label::POSITIVE),
            (2_600, 3_200, Label::NEUTRAL),
        ]
    );
}

#[test]
fn a_long_time_without_a_segment_is_unknown() {
    // Positive and negative alternate too fast for a segment of either.
    let turns = [(2, Label::POSITIVE), (2, Label::NEGATIVE)].repeat(4);
    let wave = [&[(10, Label::NEUTRAL)][..], &turns, &[(10, Label::NEUTRAL)]].concat();
    assert_eq!(
        segments_in_ms(&labeled_observations(&wave)),
        [
            (0, 2_000, Label::NEUTRAL),
            (2_000, 5_200, Label::Unknown),
            (5_200, 7_200, Label::NEUTRAL),
        ]
    );
    assert_eq!(
        segments_in_ms(&labeled_observations(&[(2, Label::POSITIVE)])),
        [(0, 400, Label::Unknown)]
    );
    assert_eq!(
        segments_in_ms(&observations_from(0, &[(10, None)])),
        [(0, 2_000, Label::Unknown)],
        "no scores"
    );
    assert_eq!(segments_in_ms(&[]), []);
}

#[test]
fn a_score_between_the_thresholds_does_not_begin_or_end_a_segment() {
    let positive = |score: f32| Some(Scores::from_array([score, 1.0 - score, 0.0]));
    let samples = observations_from(
        0,
        &[
            (10, positive(0.54)),
            (10, positive(0.55)),
            (10, positive(0.46)),
            (10, positive(0.44)),
        ],
    );
    assert_eq!(
        segments_in_ms(&samples),
        [
            (0, 2_000, Label::Unknown),
            (2_000, 6_000, Label::POSITIVE),
            (6_000, 8_000, Label::NEUTRAL),
        ]
    );
}

#[test]
fn a_gap_ends_a_segment_and_another_one_begins_after_it() {
    let positive = Some(scores_for(Label::POSITIVE));
    let mut samples = observations_from(0, &[(10, positive)]);
    samples.extend(observations_from(10_000, &[(3, positive)]));
    samples.extend(observations_from(20_000, &[(10, positive)]));
    // A single missing sample is not a gap.
    samples.remove(5);
    let observations = with_default_spans(&samples);
    assert_eq!(
        segments_in_ms(&samples),
        [
            (0, 2_000, Label::POSITIVE),
            (10_000, 10_600, Label::POSITIVE),
            (20_000, 22_000, Label::POSITIVE),
        ]
    );
    let gaps: Vec<_> = gaps(&observations)
        .iter()
        .map(|gap| (gap.start_ns / MS, gap.end_ns / MS))
        .collect();
    assert_eq!(gaps, [(2_000, 10_000), (10_600, 20_000)]);
    let segments = segments(&observations, &TimelineParams::default());
    assert_eq!(
        changes(&segments, &observations, &TimelineParams::default()),
        []
    );
    let first = Some(segments[0].span);
    assert_eq!(longest(&segments, Attitude::Positive), first);
    assert_eq!(longest(&segments, Attitude::Negative), None);
}

#[test]
fn segments_and_gaps_are_contiguous_and_no_segment_is_too_short() {
    let mut random = crate::statistics::SplitMix64(3);
    let mut samples = Vec::new();
    let mut time_ns = 0;
    for _ in 0..5_000 {
        let is_gap = random.below(50) == 0;
        time_ns += if is_gap { 3_000 * MS } else { SPACING_MS * MS };
        let positive = random.unit_fraction() as f32;
        samples.push(Observation {
            time_ns,
            scores: Some(Scores::from_array([positive, 1.0 - positive, 0.0])),
            ..Observation::default()
        });
    }
    let observations = with_default_spans(&samples);
    let (segments, gaps) = (
        segments(&observations, &TimelineParams::default()),
        gaps(&observations),
    );
    let mut spans: Vec<Span> = segments
        .iter()
        .map(|s| s.span)
        .chain(gaps.clone())
        .collect();
    spans.sort_by_key(|span| span.start_ns);
    assert!(
        spans
            .windows(2)
            .all(|pair| pair[0].end_ns == pair[1].start_ns)
    );
    let end_ns = observations.last().map(|timed| timed.span.end_ns);
    assert_eq!(spans.last().map(|span| span.end_ns), end_ns);
    // The minimum is half as long beside a gap, and at the start and the end.
    let touches_both_sides = |span: Span| {
        segments.iter().any(|s| s.span.end_ns == span.start_ns)
            && segments.iter().any(|s| s.span.start_ns == span.end_ns)
    };
    let min_ns = TimelineParams::default().min_segment_ns;
    for segment in segments.iter().filter(|s| s.attitude.is_known()) {
        let is_inside = touches_both_sides(segment.span);
        let min_ns = if is_inside { min_ns } else { min_ns / 2 };
        assert!(segment.span.len_ns() >= min_ns, "{segment:?}");
    }
    for change in changes(&segments, &observations, &TimelineParams::default()) {
        assert_ne!(change.from, change.to);
    }
}

#[test]
fn the_size_of_a_change_is_the_difference_of_both_segments() {
    let wave = [
        (50, Label::NEGATIVE),
        (10, Label::POSITIVE),
        (10, Label::NEUTRAL),
    ];
    let samples = labeled_observations(&wave);
    let observations = with_default_spans(&samples);
    let params = TimelineParams::default();
    let found = changes(&segments(&observations, &params), &observations, &params);
    let change = |time_ms, from, to, size| Change {
        time_ns: time_ms * MS,
        from,
        to,
        size: Some(size),
    };
    assert_eq!(
        found,
        [
            change(10_000, Label::NEGATIVE, Label::POSITIVE, 1.4),
            change(12_000, Label::POSITIVE, Label::NEUTRAL, -0.7),
        ]
    );
    let partly_classified =
        observations_from(0, &[(10, Some(scores_for(Label::POSITIVE))), (10, None)]);
    let observations = with_spans(&partly_classified, SPACING_MS * MS, &params);
    let found = changes(&segments(&observations, &params), &observations, &params);
    assert_eq!(found[0].size, None);
}

#[test]
fn a_time_of_low_quality_is_a_segment_of_an_unknown_attitude() {
    let mut samples = labeled_observations(&[(30, Label::NEGATIVE)]);
    for sample in &mut samples[10..20] {
        sample.quality = 0.4;
    }
    let observations = with_default_spans(&samples);
    let found = segments(&observations, &TimelineParams::default());
    let labels: Vec<Label> = found.iter().map(|segment| segment.attitude).collect();
    assert_eq!(labels, [Label::NEGATIVE, Label::Unknown, Label::NEGATIVE]);
    assert_eq!(found[1].span.len_ns(), 10 * SPACING_MS * MS);
}

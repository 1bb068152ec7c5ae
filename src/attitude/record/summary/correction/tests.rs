// SPDX-License-Identifier: MPL-2.0

//! Tests of the effects of corrections.

use serde_json::{Value, json};

use crate::Label;
use crate::clock::{NS_PER_MS, NS_PER_S as S};
use crate::record::Record;
use crate::record::corrections::Corrections;
use crate::record::summary::tests::{problem, recording};
use crate::record::summary::{Summary, SummaryBuilder};
use crate::timeline::{Segment, Span, TimelineParams};

/// Returns the recording with frames of 640x360 px.
fn records() -> Vec<Record> {
    let sized = recording().into_iter().map(|record| Record {
        width: 640,
        height: 360,
        ..record
    });
    sized.collect()
}

fn corrections(mut fields: Value) -> Corrections {
    fields["version"] = json!(1);
    let corrections: Corrections = serde_json::from_value(fields).unwrap();
    corrections.check().unwrap();
    corrections
}

fn corrected_with(params: &TimelineParams, fields: Value) -> Summary {
    let mut builder = SummaryBuilder::default();
    records().iter().for_each(|record| builder.add(record));
    let summarized = builder.finish_corrected(params, &corrections(fields));
    let summary = summarized.summary;
    let value = serde_json::to_value(&summary).unwrap();
    assert_eq!(problem(&value), None);
    assert_eq!(serde_json::from_value::<Summary>(value).unwrap(), summary);
    summary
}

fn corrected(fields: Value) -> Summary {
    corrected_with(&TimelineParams::default(), fields)
}

/// Returns the number and the tracks of each person.
fn persons(summary: &Summary) -> Vec<(u32, Vec<u32>)> {
    let persons = summary.persons.iter();
    persons
        .map(|person| {
            let tracks = person.tracks.iter().map(|track| track.track);
            (person.id, tracks.collect())
        })
        .collect()
}

fn not_applied(summary: &Summary) -> &[String] {
    &summary.corrections.as_ref().unwrap().not_applied
}

fn segment(start_s: u64, end_s: u64, attitude: Label) -> Segment {
    Segment {
        span: span(start_s, end_s),
        attitude,
    }
}

fn span(start_s: u64, end_s: u64) -> Span {
    Span {
        start_ns: start_s * S,
        end_ns: end_s * S,
    }
}

#[test]
fn without_corrections_the_summary_is_that_of_the_analysis() {
    let summary = corrected(json!({}));
    assert_eq!(summary.corrections, None);
    assert_eq!(
        persons(&summary),
        [(1, vec![1, 3]), (2, vec![2]), (3, vec![4])]
    );
    assert_eq!(summary.persons[0].first_center, Some([0.1406, 0.4167]));
}

#[test]
fn persons_are_split_and_merged() {
    let split = json!([{"person": 1, "time": 42, "number": 7}]);
    let summary = corrected(json!({"split": split}));
    let expected = [(1, vec![1]), (2, vec![2]), (7, vec![3]), (3, vec![4])];
    assert_eq!(persons(&summary), expected);
    assert!(summary.persons[0].timeline.gaps.is_empty());
    // The second part of a track.
    let summary = corrected(json!({"split": [{"person": 1, "time": 50, "number": 7}]}));
    assert_eq!(persons(&summary)[2], (7, vec![3]));
    let [first, second] = [&summary.persons[0], &summary.persons[2]];
    assert_eq!(first.tracks[1].last_ns, 49_800 * NS_PER_MS);
    assert_eq!(second.tracks[0].first_ns, 50 * S);
    assert_eq!(
        (second.first_center, second.timeline.seen_ns),
        (None, 60 * S)
    );
    // Merged again, with corrections of both numbers.
    let summary = corrected(json!({
        "split": split,
        "merge": [{"person": 1, "with": [7]}],
        "person": [{"number": 7, "name": "Ann"}, {"number": 1, "participant": "P1"}],
    }));
    let person = &summary.persons[0];
    let expected = &corrected(json!({})).persons[0];
    assert_eq!(
        (&person.tracks, &person.timeline),
        (&expected.tracks, &expected.timeline)
    );
    assert_eq!(
        (&*person.name(), person.participant.as_deref()),
        ("Ann", Some("P1"))
    );
    assert!(not_applied(&summary).is_empty());
}

#[test]
fn of_two_faces_of_a_person_at_a_time_the_earlier_track_counts() {
    let summary = corrected(json!({"merge": [{"person": 2, "with": [1]}]}));
    assert_eq!(persons(&summary), [(2, vec![1, 2, 3]), (3, vec![4])]);
    let timeline = &corrected(json!({})).persons[0].timeline;
    assert_eq!(&summary.persons[0].timeline, timeline);
}

#[test]
fn an_excluded_person_does_not_count_in_the_scene() {
    let summary = corrected(json!({"person": [{"number": 2, "name": "Poster", "excluded": true}]}));
    assert_eq!(persons(&summary), [(1, vec![1, 3]), (3, vec![4])]);
    let applied = summary.corrections.unwrap();
    assert_eq!(
        (applied.excluded_persons[0].id, applied.counts.total()),
        (2, 1)
    );
    // It hid that the other person was positive.
    let positive = segment(25, 40, Label::POSITIVE);
    assert!(
        summary.scene.segments.contains(&positive),
        "{:?}",
        summary.scene.segments
    );
    assert_eq!(summary.scene.seen_ns, 106 * S);
}

#[test]
fn excluded_times_are_gaps() {
    let summary = corrected(json!({"exclude": [
        {"start": 26, "end": 36, "reason": "telephone"},
        {"person": 1, "start": 60, "end": "1:01"},
    ]}));
    let person = &summary.persons[0].timeline;
    assert_eq!(person.gaps, [span(26, 36), span(40, 44), span(60, 61)]);
    assert_eq!(person.seen_ns, (96 - 10 - 1) * S);
    assert_eq!(summary.persons[1].timeline.seen_ns, 6 * S);
    assert_eq!(
        summary.scene.gaps,
        [span(26, 36), span(40, 44), span(60, 61)]
    );
    let excluded = summary.corrections.unwrap().excluded;
    let excluded: Vec<_> = excluded
        .iter()
        .map(|it| (it.span, it.person, it.reason.as_deref()))
        .collect();
    assert_eq!(
        excluded,
        [
            (span(26, 36), None, Some("telephone")),
            (span(60, 61), Some(1), None)
        ]
    );
}

#[test]
fn corrected_attitudes_replace_those_of_the_model() {
    let attitude = |attitude, start, end| json!({"person": 1, "start": start, "end": end, "attitude": attitude});
    let summary = corrected(json!({"attitude": [
        attitude("negative", 10, 14),
        attitude("positive", 12, 14),
        // As long as a sample, and less than a segment of the model.
        attitude("unknown", 20, 21),
    ]}));
    let person = &summary.persons[0].timeline;
    let segments = [
        segment(10, 12, Label::NEGATIVE),
        segment(12, 14, Label::POSITIVE),
        segment(14, 20, Label::NEUTRAL),
        segment(20, 21, Label::Unknown),
        segment(21, 25, Label::NEUTRAL),
        segment(25, 40, Label::POSITIVE),
        segment(44, 110, Label::NEGATIVE),
    ];
    assert_eq!(person.segments, segments);
    assert_eq!(person.corrected, [span(10, 14), span(20, 21)]);
    assert_eq!((person.samples, person.classified_samples), (480, 480 - 25));
    let shares = person.shares.unwrap();
    assert_eq!((shares.positive, shares.unknown), (0.1771, 0.0104));
    assert_eq!(person.changes[0].size, None);
    // Nobody else is in view until 20 s; from then on, the other face has the scores of the scene.
    assert_eq!(summary.scene.segments[..2], segments[..2]);
    assert_eq!(summary.scene.corrected, [span(10, 14)]);
    let scene =
        corrected(json!({"attitude": [{"start": 0, "end": 200, "attitude": "neutral"}]})).scene;
    assert_eq!(
        scene.segments,
        [
            segment(10, 40, Label::NEUTRAL),
            segment(44, 120, Label::NEUTRAL)
        ]
    );
}

#[test]
fn persons_are_found_again_after_another_analysis() {
    // Nothing is joined, so that the second track of the first person is person 3.
    let params = TimelineParams {
        join_gap_ns: 0,
        ..TimelineParams::default()
    };
    let seen = |time: f64, x: f64| json!({"time": time, "x": x, "y": 0.42});
    let summary = corrected_with(
        &params,
        json!({"person": [
            {"number": 3, "name": "Late", "seen": seen(100.1, 0.85)},
            {"number": 2, "name": "Gone", "seen": seen(20.0, 0.9)},
            {"number": 1, "name": "First", "seen": seen(9.0, 0.15)},
        ]}),
    );
    let found: Vec<_> = summary
        .persons
        .iter()
        .map(|person| (person.id, person.name()))
        .collect();
    // The second track is not where the file says that person 2 was, so that it gets another number.
    let expected = [(1, "First"), (5, "Person 5"), (6, "Person 6"), (3, "Late")];
    assert_eq!(found, expected.map(|(id, name)| (id, name.to_owned())));
    assert_eq!(not_applied(&summary), ["person 2 is not found at 0:20"]);
}

#[test]
fn corrections_without_effect_are_listed() {
    let summary = corrected(json!({
        "person": [{"number": 9, "name": "Nobody"}],
        "split": [{"person": 1, "time": 5, "number": 7}, {"person": 8, "time": 5, "number": 10}],
        "merge": [{"person": 1, "with": [4]}],
        "exclude": [{"person": 5, "start": 0, "end": 1}],
        "attitude": [{"person": 6, "start": 0, "end": 1, "attitude": "neutral"}],
    }));
    assert_eq!(
        not_applied(&summary),
        [
            "split of person 1 at 0:05: the person is seen on one side of it only",
            "split of person 8 at 0:05: there is no person 8",
            "merge with person 1: there is no person 4",
            "person 9: there is no person 9",
            "exclusion from 0:00: there is no person 5",
            "attitude from 0:00: there is no person 6",
        ]
    );
    let analysis = corrected(json!({}));
    assert_eq!(summary.persons, analysis.persons);
    assert_eq!(summary.scene, analysis.scene);
}

#[test]
fn events_and_notes_are_sorted() {
    let summary = corrected(json!({
        "event": [{"time": 9, "name": "b"}, {"time": 3, "end": 5, "name": "a"}],
        "note": [{"time": 2, "text": "y"}, {"time": 1, "text": "x"}],
    }));
    let applied = summary.corrections.unwrap();
    let events: Vec<_> = applied
        .events
        .iter()
        .map(|it| (&*it.name, it.span))
        .collect();
    assert_eq!(events, [("a", span(3, 5)), ("b", span(9, 9))]);
    let notes: Vec<_> = applied
        .notes
        .iter()
        .map(|it| (&*it.text, it.time_ns))
        .collect();
    assert_eq!(notes, [("x", S), ("y", 2 * S)]);
}

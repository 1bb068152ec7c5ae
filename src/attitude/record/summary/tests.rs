// SPDX-License-Identifier: MPL-2.0

//! Tests of summaries.

use serde_json::{Value, json};

use super::*;
use crate::clock::NS_PER_MS as MS;
use crate::timeline::Change;
use crate::{Attitude, Label, Scores};

/// Returns a face at `x` with this label; it is not classified if the label is unknown.
fn face(track: u32, x: f32, label: Label) -> FaceRecord {
    let score = |attitude: Attitude| match label {
        Label::Unknown => 0.0,
        Label::Known(known) if known == attitude => 0.8,
        Label::Known(_) => 0.1,
    };
    FaceRecord {
        track,
        bbox: [x, 100.0, 80.0, 100.0],
        attitude: label,
        scores: Scores::from_fn(score),
        ..FaceRecord::default()
    }
}

fn record(time_ms: u64, faces: Vec<FaceRecord>) -> Record {
    Record {
        stream: "a".to_owned(),
        stream_time_ns: Some(time_ms * MS),
        faces,
        ..Record::default()
    }
}

/// Returns a recording of two minutes with five samples per second: one face from 10 s to 40 s and,
/// as another track, from 44 s to 110 s; a second face from 20 s to 30 s; and one from 100 s on
/// that is never classified.
pub(super) fn recording() -> Vec<Record> {
    let faces = |time_ms: u64| {
        let first = match time_ms {
            10_000..25_000 => Some(face(1, 50.0, Label::NEUTRAL)),
            25_000..40_000 => Some(face(1, 50.0, Label::POSITIVE)),
            44_000..110_000 => Some(face(3, 70.0, Label::NEGATIVE)),
            _ => None,
        };
        let second = (20_000..30_000).contains(&time_ms);
        let third = time_ms >= 100_000;
        let second = second.then(|| face(2, 300.0, Label::NEGATIVE));
        let third = third.then(|| face(4, 500.0, Label::Unknown));
        [first, second, third].into_iter().flatten().collect()
    };
    let times = (0..600).map(|index| index * 200);
    times
        .map(|time_ms| record(time_ms, faces(time_ms)))
        .collect()
}

fn summarized(records: &[Record]) -> Summarized {
    let mut builder = SummaryBuilder::default();
    records.iter().for_each(|record| builder.add(record));
    builder.finish(&TimelineParams::default())
}

pub(super) fn problem(value: &Value) -> Option<String> {
    let schema = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problem = validator.validate(value).err();
    problem.map(|error| format!("{}: {error}", error.instance_path()))
}

#[test]
fn a_recording_is_summarized_by_person_and_as_a_scene() {
    let Summarized { summary, .. } = summarized(&recording());
    assert_eq!((summary.samples, summary.samples_left_out), (600, 0));
    assert_eq!(
        (summary.samples_with_faces, summary.faces),
        (530, 150 + 330 + 50 + 100)
    );
    assert_eq!(
        (summary.first_ns, summary.last_ns),
        (Some(0), Some(119_800 * MS))
    );
    assert_eq!(summary.spacing_ns, Some(200 * MS));
    let tracks: Vec<Vec<u32>> = summary
        .persons
        .iter()
        .map(|person| person.tracks.iter().map(|track| track.track).collect())
        .collect();
    assert_eq!(tracks, [vec![1, 3], vec![2], vec![4]]);
    let first = &summary.persons[0];
    assert_eq!((first.id, first.tracks[1].first_ns), (1, 44_000 * MS));
    let timeline = &first.timeline;
    assert_eq!((timeline.samples, timeline.seen_ns), (480, 96_000 * MS));
    assert_eq!((timeline.segments.len(), timeline.changes.len()), (3, 1));
    assert_eq!(timeline.changes[0].size, Some(0.7));
    let gap = Span {
        start_ns: 40_000 * MS,
        end_ns: 44_000 * MS,
    };
    assert_eq!(timeline.gaps, [gap]);
    assert_eq!(timeline.longest.negative.unwrap().len_ns(), 66_000 * MS);
    let shares = timeline.shares.unwrap();
    assert_eq!((shares.positive, shares.negative), (0.1563, 0.6875));
    assert_eq!(timeline.confidence, Some(0.8));
    assert_eq!(
        summary.persons[1]
            .timeline
            .means
            .unwrap()
            .negative
            .interval_95,
        None
    );
    let unclassified = &summary.persons[2].timeline;
    assert_eq!(
        (unclassified.classified_samples, unclassified.means),
        (0, None)
    );
    assert_eq!(unclassified.shares.unwrap().unknown, 1.0);
    let scene = &summary.scene;
    assert_eq!((scene.samples, scene.classified_samples), (530, 480));
    assert_eq!(scene.seen_ns, 106_000 * MS);
    // The mean scores of a positive and a negative face are too low for either attitude.
    let spans = scene.segments.iter().map(|segment| segment.span.start_ns);
    assert_eq!(
        spans.collect::<Vec<_>>(),
        [10_000, 25_000, 30_000, 44_000, 110_000].map(|ms| ms * MS)
    );
    assert_eq!(scene.segments[1].attitude, Label::Unknown);
}

#[test]
fn the_quality_lowers_the_confidence_of_persons_and_of_the_scene() {
    let with_quality = |quality: Option<f32>| {
        let mut records = recording();
        for face in records.iter_mut().flat_map(|record| &mut record.faces) {
            face.quality = quality;
        }
        summarized(&records).summary
    };
    let [older, best, poor] = [None, Some(1.0), Some(0.7)].map(with_quality);
    assert_eq!(older, best);
    let person = |summary: &Summary| summary.persons[0].timeline.clone();
    assert_eq!(person(&poor).confidence, Some(0.56));
    assert_eq!(person(&poor).means, person(&best).means);
    assert_eq!(person(&poor).segments, person(&best).segments);
    let unknown = |summary: &Summary| summary.scene.shares.unwrap().unknown;
    let worst = with_quality(Some(0.5));
    assert_eq!(unknown(&worst), 1.0);
    assert!(
        person(&worst)
            .segments
            .iter()
            .all(|s| s.attitude == Label::Unknown)
    );
}

#[test]
fn the_mean_valence_is_the_mean_positive_minus_the_mean_negative_score() {
    let Summarized { summary, .. } = summarized(&recording());
    for timeline in [&summary.scene, &summary.persons[0].timeline] {
        let means = timeline.means.unwrap();
        let expected = means.positive.value - means.negative.value;
        assert!((timeline.valence.unwrap() - expected).abs() < 1e-9);
        assert!(expected < -0.1);
    }
    let unclassified = &summary.persons[2].timeline;
    assert_eq!(unclassified.valence, None);
}

#[test]
fn a_summary_without_valence_is_read() {
    let summary = summarized(&recording()).summary;
    let mut value = serde_json::to_value(&summary).unwrap();
    let scene = value["scene"].as_object_mut().unwrap();
    assert!(scene.remove("valence").is_some());
    let person = value["persons"][0].as_object_mut().unwrap();
    assert!(person.remove("valence").is_some());
    assert_eq!(problem(&value), None);
    let read: Summary = serde_json::from_value(value).unwrap();
    assert_eq!(read.scene.valence, None);
    assert_eq!(read.persons[0].timeline.valence, None);
    assert_eq!(read.scene.means, summary.scene.means);
}

#[test]
fn charts_of_the_scene_and_of_persons_have_the_same_bins() {
    let summarized = summarized(&recording());
    let scene = summarized.scene_series(60);
    let persons = [0, 1, 2].map(|index| summarized.person_series(index, 60));
    assert_eq!((scene.bins.len(), scene.bin_ns), (60, 2_000 * MS));
    assert!(persons.iter().all(|person| person.bins.len() == 60));
    let seen = |series: &Series| series.bins.iter().map(Option::is_some).collect::<Vec<_>>();
    let expected: Vec<bool> = (0..60)
        .map(|bin| (5..20).contains(&bin) || (22..55).contains(&bin))
        .collect();
    assert_eq!(seen(&persons[0]), expected);
    assert_eq!(seen(&persons[2]), [false; 60]);
    assert_eq!(seen(&summarized.person_series(3, 60)), [false; 60]);
    assert_eq!(
        scene.bins[13].unwrap().positive,
        scene.bins[13].unwrap().negative
    );
}

#[test]
fn another_stream_has_other_tracks_and_samples_out_of_order_are_left_out() {
    let mut records: Vec<Record> = (0..20)
        .map(|index| record(index * 200, vec![face(1, 50.0, Label::NEUTRAL)]))
        .collect();
    records[10..]
        .iter_mut()
        .for_each(|record| record.stream = "b".to_owned());
    records.push(records[3].clone());
    records.push(Record {
        stream_time_ns: None,
        ..records[3].clone()
    });
    let Summarized { summary, .. } = summarized(&records);
    assert_eq!((summary.samples, summary.samples_left_out), (20, 2));
    assert_eq!(summary.persons.len(), 2);
}

#[test]
fn stream_time_is_preferred_to_timestamps_and_running_time() {
    let mut record = record(0, Vec::new());
    (record.stream_time_ns, record.pts_ns, record.running_time_ns) = (None, None, Some(3));
    let first_ns = |record: &Record| summarized(std::slice::from_ref(record)).summary.first_ns;
    assert_eq!(first_ns(&record), Some(3));
    record.pts_ns = Some(2);
    assert_eq!(first_ns(&record), Some(2));
    record.stream_time_ns = Some(1);
    assert_eq!(first_ns(&record), Some(1));
}

#[test]
fn an_observation_takes_32_bytes() {
    assert_eq!(size_of::<Observation>(), 32);
}

#[test]
fn a_summary_matches_its_schema_and_can_be_read_back() {
    let one = record(0, vec![face(1, 0.0, Label::Unknown)]);
    for records in [recording(), Vec::new(), vec![one]] {
        let Summarized { summary, .. } = summarized(&records);
        let text = serde_json::to_string(&summary).unwrap();
        assert_eq!(problem(&serde_json::from_str(&text).unwrap()), None);
        assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
    }
}

#[test]
fn a_caller_can_add_fields_to_a_summary() {
    #[derive(Serialize, Deserialize)]
    struct Report {
        file: String,
        #[serde(flatten)]
        summary: Summary,
    }
    let report = Report {
        file: "interview.mp4".to_owned(),
        summary: summarized(&recording()).summary,
    };
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(problem(&value), None);
    let read: Report = serde_json::from_value(value).unwrap();
    assert_eq!((read.file, read.summary), (report.file, report.summary));
}

#[test]
fn the_schema_rejects_invalid_summaries() {
    let summary = serde_json::to_value(summarized(&recording()).summary).unwrap();
    for (path, wrong) in [
        ("/schema", json!(2)),
        ("/persons/0/id", json!(0)),
        ("/persons/0/segments/0/attitude", json!("cheerful")),
        ("/persons/0/gaps/0/start_ns", json!(-1)),
        ("/persons/0/means/positive/value", json!(1.5)),
        ("/scene/shares/unknown", json!("none")),
        ("/rules/begin_score", json!(null)),
    ] {
        let mut value = summary.clone();
        *value.pointer_mut(path).unwrap() = wrong;
        assert!(problem(&value).is_some(), "{path}");
    }
    let mut value = summary.clone();
    value["persons"][0]
        .as_object_mut()
        .unwrap()
        .remove("seen_ns");
    assert!(problem(&value).is_some());
    value = summary;
    value["persons"][0]["nickname"] = json!("nobody");
    assert!(problem(&value).is_some());
    assert!(
        serde_json::from_value::<Change>(json!({
            "time_ns": 0, "from": "cheerful", "to": "unknown", "size": null
        }))
        .is_err()
    );
}

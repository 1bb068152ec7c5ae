// SPDX-License-Identifier: MPL-2.0

//! Tests of records, and records for the tests of their formats.

use super::*;
use crate::clock::NS_PER_MS;
use crate::trend::Direction;

pub(crate) fn without_faces() -> Record {
    Record::of_frame("cam", &FrameStamp::default(), Vec::new())
}

/// Returns faces with these labels, on tracks from 1.
pub(crate) fn faces(labels: &[Label]) -> Vec<FaceRecord> {
    let face = |(track, &label)| FaceRecord {
        track,
        attitude: label,
        ..FaceRecord::default()
    };
    (1..).zip(labels).map(face).collect()
}

/// Returns a sample at a stream time with faces with these labels.
pub(crate) fn sample(time_ms: u64, labels: &[Label]) -> Record {
    let stamp = FrameStamp {
        stream_time_ns: Some(time_ms * NS_PER_MS),
        ..FrameStamp::default()
    };
    Record::of_frame("cam", &stamp, faces(labels))
}

pub(crate) fn one_face() -> Record {
    let scores = Scores {
        positive: 0.8,
        neutral: 0.15,
        negative: 0.05,
    };
    let face = FaceRecord {
        track: 3,
        bbox: [1.5, -2.0, 30.0, 40.0],
        landmarks: Some([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]),
        pose: Some(HeadPose {
            yaw: 20.0,
            pitch: -10.0,
            roll: 5.0,
        }),
        detection: 0.9,
        attitude: Label::POSITIVE,
        confidence: 0.64,
        scores,
        valence: Some(scores.valence()),
        quality: Some(0.8),
        raw: scores,
        emotions: [("happiness", 0.7), ("neutral", 0.3)]
            .map(|(name, probability)| (name.to_owned(), probability))
            .into(),
        trend: Some(Trend {
            direction: Direction::Falling,
            since_ns: 1_000_000_000,
            change: -0.5,
            standard_error: 0.1,
        }),
        baseline: Some(BaselineState::Known),
        valence_change: Some(0.5),
        attitude_change: Some(Label::POSITIVE),
        fresh: true,
        age_ns: 17,
    };
    let stamp = FrameStamp {
        frame: 42,
        pts_ns: Some(1_400_000_000),
        width: 640,
        height: 360,
        ..FrameStamp::default()
    };
    Record::of_frame("cam", &stamp, vec![face])
}

#[test]
fn the_time_of_day_is_in_iso_8601() {
    let stamp = FrameStamp {
        utc_ns: Some(1_764_051_650_123_456_789),
        ..FrameStamp::default()
    };
    let utc = Record::of_frame("cam", &stamp, Vec::new()).utc.unwrap();
    assert_eq!(utc, "2025-11-25T06:20:50.123456789Z");
    assert!(iso_8601(u64::MAX).starts_with("2554-"));
}

#[test]
fn source_and_tags_are_optional_fields() {
    let mut record = without_faces();
    let json = serde_json::to_value(&record).unwrap();
    assert!(json.get("source").is_none() && json.get("tags").is_none());
    record.source = Some("camera 1".to_owned());
    record.tags = "room=42".parse().unwrap();
    let json = serde_json::to_value(&record).unwrap();
    assert_eq!(json["source"], "camera 1");
    assert_eq!(json["tags"], serde_json::json!({ "room": "42" }));
    assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
}

#[test]
fn trend_and_baseline_are_optional_fields() {
    let record = one_face();
    let json = serde_json::to_value(&record).unwrap();
    let face = &json["faces"][0];
    let trend = serde_json::json!({
        "direction": "falling", "since_ns": 1_000_000_000, "change": -0.5, "standard_error": 0.1f32,
    });
    assert_eq!(face["trend"], trend);
    assert_eq!(face["baseline"], "known");
    assert_eq!(face["attitude_change"], "positive");
    let json = serde_json::to_string(&FaceRecord::default()).unwrap();
    assert!(!json.contains("trend") && !json.contains("baseline") && !json.contains("change"));
}

#[test]
fn a_record_without_valence_quality_and_pose_is_read() {
    let record = one_face();
    let mut json = serde_json::to_value(&record).unwrap();
    assert_eq!(
        serde_json::from_value::<Record>(json.clone()).unwrap(),
        record
    );
    let face = json["faces"][0].as_object_mut().unwrap();
    for field in ["valence", "quality"] {
        assert!(face.remove(field).is_some_and(|value| value.is_number()));
    }
    assert!(face.remove("pose").is_some_and(|pose| pose.is_object()));
    let read: Record = serde_json::from_value(json).unwrap();
    let face = FaceRecord {
        valence: None,
        quality: None,
        pose: None,
        ..record.faces[0].clone()
    };
    assert_eq!(read.faces, [face]);
}

#[test]
fn a_record_without_faces_has_an_empty_list_and_nulls() {
    let stamp = FrameStamp {
        frame: 42,
        pts_ns: Some(1_400_000_000),
        width: 640,
        height: 360,
        ..FrameStamp::default()
    };
    let record = Record::new("cam", &stamp, &Analysis::default(), &[]);
    assert_eq!(
        serde_json::to_string(&record).unwrap(),
        r#"{"schema":1,"stream":"cam","frame":42,"pts_ns":1400000000,"running_time_ns":null,"stream_time_ns":null,"utc":null,"width":640,"height":360,"faces":[]}"#
    );
}

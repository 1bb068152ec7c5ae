// SPDX-License-Identifier: MPL-2.0

//! Tests of `faceattitude` with real video. The clips are not part of the project: if the folder
//! `../shared/clips` is absent, these tests are skipped.

use std::collections::BTreeSet;

use attitude::record::{FaceRecord, Record};
use gst::prelude::*;

use crate::support::{self, run_for_records, shared};

const CUTS_OF_STAGE_NS: [u64; 3] = [1_500_000_000, 3_570_000_000, 7_880_000_000];

/// Analyzes a clip in mode `sync` and returns the records of all samples; `None` without the clip.
fn records(clip: &str, convert: &str, properties: &str) -> Option<Vec<Record>> {
    let path = shared(&format!("clips/{clip}"))?;
    support::init();
    let pipeline = gst::parse::launch(&format!(
        "filesrc name=source ! decodebin ! videoconvert {convert} ! \
         faceattitude mode=sync messages=sample {properties} ! fakesink"
    ))
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let source = pipeline.by_name("source").unwrap();
    source.set_property("location", path.to_str().unwrap());
    Some(run_for_records(&pipeline))
}

fn faces(records: &[Record]) -> impl Iterator<Item = &FaceRecord> {
    records.iter().flat_map(|record| &record.faces)
}

fn tracks(records: &[Record]) -> BTreeSet<u32> {
    faces(records).map(|face| face.track).collect()
}

/// Returns the fraction of the faces in these records that have the label.
fn fraction(records: &[Record], label: &str) -> f64 {
    let count = faces(records)
        .filter(|face| face.attitude.name() == label)
        .count();
    count as f64 / faces(records).count() as f64
}

/// Returns the records from `from_s` to `to_s` (exclusive) seconds.
fn between(records: &[Record], from_s: f64, to_s: f64) -> Vec<Record> {
    let time_s = |record: &&Record| record.running_time_ns.unwrap() as f64 / 1e9;
    let is_within = |record: &&Record| (from_s..to_s).contains(&time_s(record));
    records.iter().filter(is_within).cloned().collect()
}

#[test]
fn one_man_is_one_track_neutral_at_first_and_positive_at_last() {
    let Some(records) = records("single_face.mp4", "", "sample-interval=0") else {
        return;
    };
    assert_eq!(records.len(), 72);
    assert_eq!(tracks(&records), BTreeSet::from([1]));
    assert!(records.iter().all(|record| record.faces.len() == 1));
    assert!(fraction(&between(&records, 0.0, 1.0), "neutral") > 0.5);
    assert!(fraction(&between(&records, 1.4, 2.4), "positive") > 0.5);
}

#[test]
fn an_empty_room_has_no_face_in_any_frame() {
    if let Some(records) = records("no_face.mp4", "", "sample-interval=0") {
        assert_eq!(records.len(), 96);
        assert_eq!(faces(&records).count(), 0);
    }
}

#[test]
fn two_people_who_roll_their_heads_are_two_tracks_all_along() {
    for interval_ns in [0, 200_000_000] {
        let properties = format!("sample-interval={interval_ns}");
        let clip = "head-pose-face-detection-female-and-male.gif";
        let Some(records) = records(clip, "", &properties) else {
            return;
        };
        for record in &records {
            let tracks: Vec<u32> = record.faces.iter().map(|face| face.track).collect();
            assert_eq!(tracks, [1, 2], "frame {}", record.frame);
        }
        assert!(records.last().unwrap().frame > 50);
    }
}

#[test]
fn tracks_end_at_cuts() {
    for interval_ns in [0, 200_000_000] {
        let properties = format!("sample-interval={interval_ns}");
        let Some(records) = records("short_hamilton_clip.mp4", "", &properties) else {
            return;
        };
        assert!(!tracks(&records).is_empty());
        for cut_ns in CUTS_OF_STAGE_NS {
            let cut_s = cut_ns as f64 / 1e9;
            let before = tracks(&between(&records, 0.0, cut_s));
            let after = tracks(&between(&records, cut_s, f64::MAX));
            let through: Vec<&u32> = before.intersection(&after).collect();
            assert!(through.is_empty(), "{through:?} go on after {cut_s} s");
        }
    }
}

#[test]
fn a_presenter_is_one_track_in_every_sample() {
    if let Some(records) = records("woman2.mp4", "", "") {
        assert_eq!(tracks(&records), BTreeSet::from([1]));
        assert!(records.iter().all(|record| record.faces.len() == 1));
    }
}

#[test]
fn the_same_clip_gives_the_same_bytes() {
    let lines = || {
        let records = records("single_face.mp4", "", "")?;
        Some(serde_json::to_string(&records).unwrap())
    };
    assert_eq!(lines(), lines());
}

#[test]
fn another_format_in_front_changes_scores_by_less_than_0_02() {
    let Some(expected) = records("single_face.mp4", "", "") else {
        return;
    };
    // Not GRAY8: GStreamer's converter copies limited-range luma into it, and calls it full range.
    for format in ["RGB", "NV12", "YUY2"] {
        let convert = format!("! video/x-raw,format={format}");
        let found = records("single_face.mp4", &convert, "").unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in faces(&found).zip(faces(&expected)) {
            assert_eq!(found.attitude, expected.attitude, "{format}");
            assert!(
                (found.scores.positive - expected.scores.positive).abs() < 0.02,
                "{format}"
            );
            assert!(
                (found.scores.neutral - expected.scores.neutral).abs() < 0.02,
                "{format}"
            );
        }
    }
}

#[test]
fn detectors_that_others_published_work_unchanged() {
    for model in [
        "yunet_n_320.onnx",
        "yunet_n_dynamic.onnx",
        "ultraface-rfb-320.onnx",
    ] {
        let Some(path) = shared(&format!("reference/{model}")) else {
            return;
        };
        let properties = format!("detector-model={}", path.display());
        let Some(records) = records("single_face.mp4", "", &properties) else {
            return;
        };
        assert_eq!(tracks(&records), BTreeSet::from([1]), "{model}");
        assert!(
            fraction(&between(&records, 0.0, 1.0), "neutral") > 0.5,
            "{model}"
        );
        assert!(
            fraction(&between(&records, 1.4, 2.4), "positive") > 0.5,
            "{model}"
        );
    }
}

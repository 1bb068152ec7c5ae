// SPDX-License-Identifier: MPL-2.0

//! Tests of trends and baselines in metadata and messages.

use attitude::Label;
use attitude::baseline::BaselineState;
use attitude::record::FaceRecord;
use attitude::trend::Direction;
use gst::prelude::*;
use gstattitude::message::TrendMessage;
use gstattitude::meta;

use crate::support::*;

/// Returns a rig that samples each second, in which every face has an attitude.
fn rig(properties: &[(&str, &str)]) -> Rig {
    let mut all = vec![("sample-interval", "1000000000"), ("min-confidence", "0")];
    all.extend(properties);
    Rig::tiny(&all)
}

/// Passes a frame with a face of this luma one second after the last one; returns the frame.
fn pass(rig: &mut Rig, luma: u8) -> gst::Buffer {
    rig.next_pts += gst::ClockTime::SECOND - FRAME;
    rig.pass_face(luma)
}

/// Passes frames in which a positive face becomes negative in 40 s; returns the last one.
fn fall(rig: &mut Rig) -> gst::Buffer {
    let luma = |second: u8| POSITIVE - second * ((POSITIVE - NEGATIVE) / 40);
    (0..=40)
        .map(|second| pass(rig, luma(second)))
        .last()
        .unwrap()
}

fn face(buffer: &gst::BufferRef) -> FaceRecord {
    let mut faces = Vec::new();
    meta::read_records(buffer, &mut faces);
    assert_eq!(faces.len(), 1);
    faces.remove(0)
}

/// Removes the messages about trends from the bus.
fn trend_messages(rig: &Rig) -> Vec<TrendMessage> {
    let elements = std::iter::from_fn(|| rig.bus.pop_filtered(&[gst::MessageType::Element]));
    elements
        .filter_map(|message| TrendMessage::try_from(message.structure()?).ok())
        .collect()
}

#[test]
fn a_face_that_becomes_negative_has_a_trend_in_metadata_and_messages() {
    let mut rig = rig(&[]);
    let buffer = fall(&mut rig);
    let trend = face(&buffer).trend.unwrap();
    assert_eq!(trend.direction, Direction::Falling);
    assert!(
        trend.change < -1.0 && trend.standard_error > 0.0,
        "{trend:?}"
    );
    assert_eq!(meta::scene_trend(&buffer), Some(trend));
    let messages = trend_messages(&rig);
    let found = messages.iter().map(|message| {
        let trend = &message.trend;
        (message.track, trend.direction, trend.since_ns)
    });
    let expected = [None, Some(1)].map(|track| (track, trend.direction, trend.since_ns));
    assert!(found.eq(expected), "{messages:?}");
    let running_time_ns = messages[0].running_time_ns.unwrap();
    assert!((30..=40).contains(&(running_time_ns / 1_000_000_000)));
    assert_eq!(messages[0].stream_time_ns, Some(running_time_ns));
}

#[test]
fn trends_can_be_switched_off() {
    for properties in [("trend", "false"), ("messages", "none")] {
        let mut rig = rig(&[properties]);
        let buffer = fall(&mut rig);
        assert_eq!(trend_messages(&rig), []);
        assert_eq!(face(&buffer).trend.is_some(), properties.0 == "messages");
    }
}

#[test]
fn a_baseline_is_learned_and_on_request_learned_again() {
    let mut rig = rig(&[("baseline", "learn"), ("baseline-time", "5000000000")]);
    for second in 0..5 {
        let face = face(&pass(&mut rig, NEGATIVE));
        assert_eq!(face.baseline, Some(BaselineState::Learning), "{second}");
        assert_eq!((face.valence_change, face.attitude_change), (None, None));
    }
    let resting = face(&pass(&mut rig, NEGATIVE));
    assert_eq!(resting.baseline, Some(BaselineState::Known));
    assert_eq!(resting.attitude, Label::NEGATIVE);
    assert_eq!(resting.attitude_change, Some(Label::NEUTRAL));
    pass(&mut rig, NEUTRAL);
    let changed = face(&pass(&mut rig, NEUTRAL));
    assert_eq!(changed.attitude, Label::NEUTRAL);
    assert_eq!(changed.attitude_change, Some(Label::POSITIVE));
    assert!(changed.valence_change.is_some_and(|change| change > 0.5));
    let record = rig.records().pop().unwrap();
    assert_eq!(record.faces[0].attitude_change, changed.attitude_change);

    rig.element.emit_by_name::<()>("learn-baseline", &[]);
    let again = face(&pass(&mut rig, NEUTRAL));
    assert_eq!(again.baseline, Some(BaselineState::Learning));
    rig.element.set_property_from_str("baseline", "off");
    assert_eq!(face(&pass(&mut rig, NEUTRAL)).baseline, None);
}

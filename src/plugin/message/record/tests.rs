// SPDX-License-Identifier: MPL-2.0

//! Tests of the message `faceattitude`.

use super::*;
use attitude::record::tags::Tags;
use attitude::trend::{Direction, Trend};

const TREND: Trend = Trend {
    direction: Direction::Rising,
    since_ns: 300_000_000,
    change: 0.4,
    standard_error: 0.1,
};

fn record() -> Record {
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
        confidence: 0.8,
        scores: Scores {
            positive: 0.8,
            neutral: 0.15,
            negative: 0.05,
        },
        valence: Some(0.75),
        quality: Some(0.9),
        raw: Scores::default(),
        emotions: [("happiness", 0.7), ("neutral", 0.3)]
            .map(|(label, probability)| (label.to_owned(), probability))
            .into(),
        trend: Some(TREND),
        baseline: Some(BaselineState::Known),
        valence_change: Some(0.25),
        attitude_change: Some(Label::NEUTRAL),
        fresh: false,
        age_ns: 17,
    };
    Record {
        schema: 1,
        stream: "camera \"1\"".to_owned(),
        source: None,
        tags: Tags::default(),
        frame: 42,
        pts_ns: Some(1_400_000_000),
        running_time_ns: Some(400_000_000),
        stream_time_ns: None,
        utc: None,
        width: 640,
        height: 360,
        trend: Some(TREND),
        faces: vec![
            face.clone(),
            FaceRecord {
                landmarks: None,
                pose: None,
                valence: None,
                quality: None,
                trend: None,
                baseline: None,
                valence_change: None,
                attitude_change: None,
                ..face
            },
        ],
    }
}

#[test]
fn a_record_survives_the_conversion_to_a_message_and_back() {
    gst::init().unwrap();
    for record in [record(), Record::default()] {
        let message = AttitudeMessage(record);
        let structure = gst::Structure::from(message.clone());
        let read = AttitudeMessage::try_from(structure.as_ref()).unwrap();
        assert_eq!(read, message);
    }
}

/// Returns the error of parsing `structure`.
fn problem(structure: &gst::Structure) -> String {
    let parsed = AttitudeMessage::try_from(structure.as_ref());
    parsed.unwrap_err().to_string()
}

/// Returns a message whose first face was changed by `change`.
fn message_with_face(change: impl FnOnce(&mut gst::Structure)) -> gst::Structure {
    let mut face = face_to_structure(&record().faces[0]);
    change(&mut face);
    let mut message = gst::Structure::from(AttitudeMessage(record()));
    message.set(field::FACES, gst::List::new([face]));
    message
}

#[test]
fn other_structures_are_refused_with_the_reason() {
    gst::init().unwrap();
    assert_eq!(
        problem(&gst::Structure::new_empty("level")),
        "the structure is named 'level', expected 'faceattitude'"
    );
    let mut message = gst::Structure::from(AttitudeMessage(record()));
    message.remove_field("width");
    assert_eq!(problem(&message), "field 'width' is missing");
    message.set("faces", gst::List::new([1]));
    message.set("width", 640u32);
    assert_eq!(
        problem(&message),
        "field 'faces' has a value of type gint, expected GstStructure"
    );
}

#[test]
fn damaged_faces_are_refused_with_the_reason() {
    gst::init().unwrap();
    let short_box = message_with_face(|face| face.set("box", gst::Array::new([1.0f32])));
    assert_eq!(problem(&short_box), "field 'box' has 1 items, expected 4");
    let mixed = message_with_face(|face| face.set("landmarks", gst::Array::new(["x"])));
    assert_eq!(
        problem(&mixed),
        "field 'landmarks' has a value of type gchararray, expected gfloat"
    );
    let short = message_with_face(|face| face.set("landmarks", gst::Array::new([1.0f32; 8])));
    assert_eq!(
        problem(&short),
        "field 'landmarks' has 8 items, expected 10"
    );
    let pose = message_with_face(|face| face.set("pose", gst::Structure::new_empty("pose")));
    assert_eq!(problem(&pose), "field 'yaw' is missing");
    let valence = message_with_face(|face| face.set("valence", "high"));
    assert_eq!(
        problem(&valence),
        "field 'valence' has a value of type gchararray, expected gfloat"
    );
    let quality = message_with_face(|face| face.set("quality", 1.0f64));
    assert_eq!(
        problem(&quality),
        "field 'quality' has a value of type gdouble, expected gfloat"
    );
    let attitude = message_with_face(|face| face.set("attitude", "cheerful"));
    assert_eq!(
        problem(&attitude),
        "field 'attitude' is 'cheerful', expected positive, neutral, negative, unknown"
    );
    let trend = message_with_face(|face| {
        let trend = gst::Structure::builder("trend").field("direction", "up");
        face.set("trend", trend.build());
    });
    assert_eq!(
        problem(&trend),
        "field 'direction' is 'up', expected steady, rising, falling"
    );
    let emotions = message_with_face(|face| {
        let emotions = gst::Structure::builder("emotions").field("fear", true);
        face.set("emotions", emotions.build());
    });
    assert_eq!(
        problem(&emotions),
        "field 'emotions' has a value of type gboolean, expected gfloat"
    );
}

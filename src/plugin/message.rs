// SPDX-License-Identifier: MPL-2.0

//! The bus message `faceattitude`: conversion of a [`Record`] to a structure and back.
//!
//! ```
//! use gstattitude::message::AttitudeMessage;
//!
//! fn on_element_message(message: &gst::message::Element) {
//!     if let Some(Ok(AttitudeMessage(record))) = message.structure().map(AttitudeMessage::try_from) {
//!         for face in &record.faces {
//!             println!("face {} is {}", face.track, face.attitude);
//!         }
//!     }
//! }
//! ```

use std::collections::BTreeMap;

use super::meta::field_name;
use attitude::record::{FaceRecord, Record};
use attitude::{Label, Scores};

/// Name of the message structure.
pub const NAME: &str = "faceattitude";

/// Record of a frame, as `faceattitude` posts it on the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct AttitudeMessage(pub Record);

/// Error of parsing a structure that is not a `faceattitude` message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The structure has another name.
    #[error("the structure is named '{0}', expected '{NAME}'")]
    Name(String),
    /// A field is missing or has another type.
    #[error("{0}")]
    Field(String),
    /// An array has another number of items.
    #[error("field '{0}' has {1} items, expected {2}")]
    Items(&'static str, usize, usize),
    /// The attitude of a face has another name.
    #[error("invalid attitude '{0}', expected positive, neutral, negative or unknown")]
    Attitude(String),
}

impl<E: std::error::Error> From<gst::structure::GetError<E>> for MessageError {
    fn from(error: gst::structure::GetError<E>) -> Self {
        MessageError::Field(error.to_string())
    }
}

fn time(ns: Option<u64>) -> Option<gst::ClockTime> {
    ns.map(gst::ClockTime::from_nseconds)
}

impl From<AttitudeMessage> for gst::Structure {
    fn from(AttitudeMessage(record): AttitudeMessage) -> Self {
        gst::Structure::builder(NAME)
            .field("schema", record.schema)
            .field("stream", &record.stream)
            .field("frame", record.frame)
            .field("timestamp", time(record.pts_ns))
            .field("running-time", time(record.running_time_ns))
            .field("stream-time", time(record.stream_time_ns))
            .field("utc", &record.utc)
            .field("width", record.width)
            .field("height", record.height)
            .field(
                "faces",
                gst::List::new(record.faces.iter().map(face_to_structure)),
            )
            .build()
    }
}

fn face_to_structure(face: &FaceRecord) -> gst::Structure {
    let landmarks = face.landmarks.iter().flatten().flatten();
    gst::Structure::builder("face")
        .field("track", face.track)
        .field("box", gst::Array::new(face.bbox))
        .field("landmarks", gst::Array::new(landmarks))
        .field("detection", face.detection)
        .field("attitude", face.attitude.name())
        .field("confidence", face.confidence)
        .field("positive", face.scores.positive)
        .field("neutral", face.scores.neutral)
        .field("negative", face.scores.negative)
        .field("raw-positive", face.raw.positive)
        .field("raw-neutral", face.raw.neutral)
        .field("raw-negative", face.raw.negative)
        .field("emotions", emotions_to_structure(face))
        .field("fresh", face.fresh)
        .field("age", gst::ClockTime::from_nseconds(face.age_ns))
        .build()
}

fn emotions_to_structure(face: &FaceRecord) -> gst::Structure {
    let mut emotions = gst::Structure::new_empty("emotions");
    for (label, &probability) in &face.emotions {
        emotions.set(field_name(label), probability);
    }
    emotions
}

impl TryFrom<&gst::StructureRef> for AttitudeMessage {
    type Error = MessageError;

    fn try_from(structure: &gst::StructureRef) -> Result<Self, MessageError> {
        if structure.name() != NAME {
            return Err(MessageError::Name(structure.name().to_string()));
        }
        let time = |field: &'static str| -> Result<Option<u64>, MessageError> {
            let time: Option<gst::ClockTime> = structure.get(field)?;
            Ok(time.map(gst::ClockTime::nseconds))
        };
        let faces: gst::List = structure.get("faces")?;
        Ok(Self(Record {
            schema: structure.get("schema")?,
            stream: structure.get("stream")?,
            frame: structure.get("frame")?,
            pts_ns: time("timestamp")?,
            running_time_ns: time("running-time")?,
            stream_time_ns: time("stream-time")?,
            utc: structure.get("utc")?,
            width: structure.get("width")?,
            height: structure.get("height")?,
            faces: faces
                .iter()
                .map(|face| match face.get::<gst::Structure>() {
                    Ok(face) => face_from_structure(&face),
                    Err(_) => Err(MessageError::Name(face.type_().name().to_owned())),
                })
                .collect::<Result<_, _>>()?,
        }))
    }
}

fn face_from_structure(face: &gst::StructureRef) -> Result<FaceRecord, MessageError> {
    let bbox = floats(face, "box")?;
    let landmarks = floats(face, "landmarks")?;
    let emotions: gst::Structure = face.get("emotions")?;
    let wrong = |field, found, expected| MessageError::Items(field, found, expected);
    Ok(FaceRecord {
        track: face.get("track")?,
        bbox: bbox[..]
            .try_into()
            .map_err(|_| wrong("box", bbox.len(), 4))?,
        landmarks: match landmarks.as_chunks() {
            ([], []) => None,
            (points, []) => Some(
                points
                    .try_into()
                    .map_err(|_| wrong("landmarks", landmarks.len(), 10))?,
            ),
            _ => return Err(wrong("landmarks", landmarks.len(), 10)),
        },
        detection: face.get("detection")?,
        attitude: label(face.get("attitude")?)?,
        confidence: face.get("confidence")?,
        scores: Scores {
            positive: face.get("positive")?,
            neutral: face.get("neutral")?,
            negative: face.get("negative")?,
        },
        raw: Scores {
            positive: face.get("raw-positive")?,
            neutral: face.get("raw-neutral")?,
            negative: face.get("raw-negative")?,
        },
        emotions: emotions_from_structure(&emotions),
        fresh: face.get("fresh")?,
        age_ns: face.get::<gst::ClockTime>("age")?.nseconds(),
    })
}

fn label(name: &str) -> Result<Label, MessageError> {
    Label::from_name(name).ok_or_else(|| MessageError::Attitude(name.to_owned()))
}

fn emotions_from_structure(emotions: &gst::StructureRef) -> BTreeMap<String, f32> {
    emotions
        .iter()
        .filter_map(|(label, value)| Some((label.to_string(), value.get().ok()?)))
        .collect()
}

/// Returns the numbers of an array field.
fn floats(face: &gst::StructureRef, field: &'static str) -> Result<Vec<f32>, MessageError> {
    let array: gst::Array = face.get(field)?;
    Ok(array.iter().filter_map(|v| v.get().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let face = FaceRecord {
            track: 3,
            bbox: [1.5, -2.0, 30.0, 40.0],
            landmarks: Some([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]),
            detection: 0.9,
            attitude: Label::POSITIVE,
            confidence: 0.8,
            scores: Scores {
                positive: 0.8,
                neutral: 0.15,
                negative: 0.05,
            },
            raw: Scores::default(),
            emotions: [("happiness", 0.7), ("neutral", 0.3)]
                .map(|(label, probability)| (label.to_owned(), probability))
                .into(),
            fresh: false,
            age_ns: 17,
        };
        Record {
            schema: 1,
            stream: "camera \"1\"".to_owned(),
            frame: 42,
            pts_ns: Some(1_400_000_000),
            running_time_ns: Some(400_000_000),
            stream_time_ns: None,
            utc: None,
            width: 640,
            height: 360,
            faces: vec![
                face.clone(),
                FaceRecord {
                    landmarks: None,
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

    #[test]
    fn foreign_and_damaged_structures_are_refused_with_the_reason() {
        gst::init().unwrap();
        let problem = |structure: &gst::Structure| {
            AttitudeMessage::try_from(structure.as_ref())
                .unwrap_err()
                .to_string()
        };
        assert!(problem(&gst::Structure::new_empty("level")).contains("'level'"));
        let mut structure = gst::Structure::from(AttitudeMessage(record()));
        structure.remove_field("width");
        assert!(problem(&structure).contains("width"));
        let mut structure = gst::Structure::from(AttitudeMessage(record()));
        let mut face = face_to_structure(&record().faces[0]);
        face.set("box", gst::Array::new([1.0f32]));
        structure.set("faces", gst::List::new([face]));
        assert!(problem(&structure).contains("'box' has 1 items"));
        let mut face = face_to_structure(&record().faces[0]);
        face.set("attitude", "cheerful");
        structure.set("faces", gst::List::new([face]));
        assert!(problem(&structure).contains("invalid attitude 'cheerful'"));
    }
}

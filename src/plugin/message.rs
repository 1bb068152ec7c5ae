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

use glib::prelude::*;
use glib::value::FromValue;

use super::clock_time::clock_time;
use super::meta::field_name;
use attitude::pose::HeadPose;
use attitude::record::{FaceRecord, Record};
use attitude::{Label, Scores};

/// Name of the message structure.
pub const NAME: &str = "faceattitude";

/// Names of the fields.
mod field {
    pub const SCHEMA: &str = "schema";
    pub const STREAM: &str = "stream";
    pub const FRAME: &str = "frame";
    pub const TIMESTAMP: &str = "timestamp";
    pub const RUNNING_TIME: &str = "running-time";
    pub const STREAM_TIME: &str = "stream-time";
    pub const UTC: &str = "utc";
    pub const WIDTH: &str = "width";
    pub const HEIGHT: &str = "height";
    pub const FACES: &str = "faces";

    // Fields of a face.
    pub const TRACK: &str = "track";
    pub const BOX: &str = "box";
    pub const LANDMARKS: &str = "landmarks";
    pub const POSE: &str = "pose";
    pub const DETECTION: &str = "detection";
    pub const ATTITUDE: &str = "attitude";
    pub const CONFIDENCE: &str = "confidence";
    pub const POSITIVE: &str = "positive";
    pub const NEUTRAL: &str = "neutral";
    pub const NEGATIVE: &str = "negative";
    pub const VALENCE: &str = "valence";
    pub const QUALITY: &str = "quality";
    pub const RAW_POSITIVE: &str = "raw-positive";
    pub const RAW_NEUTRAL: &str = "raw-neutral";
    pub const RAW_NEGATIVE: &str = "raw-negative";
    pub const EMOTIONS: &str = "emotions";
    pub const FRESH: &str = "fresh";
    pub const AGE: &str = "age";

    // Fields of a head pose.
    pub const YAW: &str = "yaw";
    pub const PITCH: &str = "pitch";
    pub const ROLL: &str = "roll";
}

/// Number of coordinates of a box: left, top, width and height.
const BOX_LEN: usize = 4;
/// Number of coordinates of the five landmarks.
const LANDMARKS_LEN: usize = 10;

/// Record of a frame, as `faceattitude` posts it on the bus.
#[derive(Clone, Debug, PartialEq)]
pub struct AttitudeMessage(pub Record);

/// Error of parsing a structure as a `faceattitude` message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The structure has another name.
    #[error("the structure is named '{0}', expected '{NAME}'")]
    WrongName(String),
    /// A field is missing.
    #[error("field '{0}' is missing")]
    MissingField(&'static str),
    /// A field, or an item in it, has another type.
    #[error("field '{field}' has a value of type {found}, expected {expected}")]
    WrongType {
        /// Name of the field.
        field: &'static str,
        /// GObject name of the type that was found.
        found: &'static str,
        /// GObject name of the type that was expected.
        expected: &'static str,
    },
    /// An array has another number of items.
    #[error("field '{field}' has {found} items, expected {expected}")]
    WrongLength {
        /// Name of the field.
        field: &'static str,
        /// Number of items that were found.
        found: usize,
        /// Number of items that were expected.
        expected: usize,
    },
    /// The attitude of a face is not the name of a label.
    #[error("field 'attitude' is '{0}', expected positive, neutral, negative or unknown")]
    UnknownAttitude(String),
}

impl From<AttitudeMessage> for gst::Structure {
    fn from(AttitudeMessage(record): AttitudeMessage) -> Self {
        let faces = record.faces.iter().map(face_to_structure);
        gst::Structure::builder(NAME)
            .field(field::SCHEMA, record.schema)
            .field(field::STREAM, &record.stream)
            .field(field::FRAME, record.frame)
            .field(field::TIMESTAMP, record.pts_ns.and_then(clock_time))
            .field(
                field::RUNNING_TIME,
                record.running_time_ns.and_then(clock_time),
            )
            .field(
                field::STREAM_TIME,
                record.stream_time_ns.and_then(clock_time),
            )
            .field(field::UTC, &record.utc)
            .field(field::WIDTH, record.width)
            .field(field::HEIGHT, record.height)
            .field(field::FACES, gst::List::new(faces))
            .build()
    }
}

fn face_to_structure(face: &FaceRecord) -> gst::Structure {
    let landmarks = face.landmarks.iter().flatten().flatten();
    gst::Structure::builder("face")
        .field(field::TRACK, face.track)
        .field(field::BOX, gst::Array::new(face.bbox))
        .field(field::LANDMARKS, gst::Array::new(landmarks))
        .field_if_some(field::POSE, face.pose.map(pose_to_structure))
        .field(field::DETECTION, face.detection)
        .field(field::ATTITUDE, face.attitude.name())
        .field(field::CONFIDENCE, face.confidence)
        .field(field::POSITIVE, face.scores.positive)
        .field(field::NEUTRAL, face.scores.neutral)
        .field(field::NEGATIVE, face.scores.negative)
        .field_if_some(field::VALENCE, face.valence)
        .field_if_some(field::QUALITY, face.quality)
        .field(field::RAW_POSITIVE, face.raw.positive)
        .field(field::RAW_NEUTRAL, face.raw.neutral)
        .field(field::RAW_NEGATIVE, face.raw.negative)
        .field(field::EMOTIONS, emotions_to_structure(face))
        .field(field::FRESH, face.fresh)
        .field(field::AGE, clock_time(face.age_ns))
        .build()
}

fn pose_to_structure(pose: HeadPose) -> gst::Structure {
    gst::Structure::builder(field::POSE)
        .field(field::YAW, pose.yaw)
        .field(field::PITCH, pose.pitch)
        .field(field::ROLL, pose.roll)
        .build()
}

fn emotions_to_structure(face: &FaceRecord) -> gst::Structure {
    let mut emotions = gst::Structure::new_empty(field::EMOTIONS);
    for (label, &probability) in &face.emotions {
        emotions.set(field_name(label), probability);
    }
    emotions
}

impl TryFrom<&gst::StructureRef> for AttitudeMessage {
    type Error = MessageError;

    fn try_from(structure: &gst::StructureRef) -> Result<Self, MessageError> {
        if structure.name() != NAME {
            return Err(MessageError::WrongName(structure.name().to_string()));
        }
        let time_ns = |field| {
            let time: Option<gst::ClockTime> = get(structure, field)?;
            Ok::<_, MessageError>(time.map(gst::ClockTime::nseconds))
        };
        let faces: gst::List = get(structure, field::FACES)?;
        let face = |value: &glib::SendValue| {
            let face: gst::Structure = parse(field::FACES, value)?;
            face_from_structure(&face)
        };
        Ok(Self(Record {
            schema: get(structure, field::SCHEMA)?,
            stream: get(structure, field::STREAM)?,
            frame: get(structure, field::FRAME)?,
            pts_ns: time_ns(field::TIMESTAMP)?,
            running_time_ns: time_ns(field::RUNNING_TIME)?,
            stream_time_ns: time_ns(field::STREAM_TIME)?,
            utc: get(structure, field::UTC)?,
            width: get(structure, field::WIDTH)?,
            height: get(structure, field::HEIGHT)?,
            faces: faces.iter().map(face).collect::<Result<_, _>>()?,
            ..Record::default()
        }))
    }
}

fn face_from_structure(face: &gst::StructureRef) -> Result<FaceRecord, MessageError> {
    let emotions: gst::Structure = get(face, field::EMOTIONS)?;
    let age: gst::ClockTime = get(face, field::AGE)?;
    Ok(FaceRecord {
        track: get(face, field::TRACK)?,
        bbox: bbox(face)?,
        landmarks: landmarks(face)?,
        pose: pose(face)?,
        detection: get(face, field::DETECTION)?,
        attitude: label(face)?,
        confidence: get(face, field::CONFIDENCE)?,
        scores: Scores {
            positive: get(face, field::POSITIVE)?,
            neutral: get(face, field::NEUTRAL)?,
            negative: get(face, field::NEGATIVE)?,
        },
        valence: get_optional(face, field::VALENCE)?,
        quality: get_optional(face, field::QUALITY)?,
        raw: Scores {
            positive: get(face, field::RAW_POSITIVE)?,
            neutral: get(face, field::RAW_NEUTRAL)?,
            negative: get(face, field::RAW_NEGATIVE)?,
        },
        emotions: emotions_from_structure(&emotions)?,
        fresh: get(face, field::FRESH)?,
        age_ns: age.nseconds(),
    })
}

fn label(face: &gst::StructureRef) -> Result<Label, MessageError> {
    let name: String = get(face, field::ATTITUDE)?;
    Label::from_name(&name).ok_or(MessageError::UnknownAttitude(name))
}

fn bbox(face: &gst::StructureRef) -> Result<[f32; BOX_LEN], MessageError> {
    let numbers = floats(face, field::BOX)?;
    let bbox = numbers.as_slice().try_into();
    bbox.map_err(|_| MessageError::WrongLength {
        field: field::BOX,
        found: numbers.len(),
        expected: BOX_LEN,
    })
}

/// Returns the landmarks; `None` if the array is empty.
fn landmarks(face: &gst::StructureRef) -> Result<Option<[[f32; 2]; 5]>, MessageError> {
    let numbers = floats(face, field::LANDMARKS)?;
    if numbers.is_empty() {
        return Ok(None);
    }
    let numbers: [f32; LANDMARKS_LEN] =
        numbers
            .as_slice()
            .try_into()
            .map_err(|_| MessageError::WrongLength {
                field: field::LANDMARKS,
                found: numbers.len(),
                expected: LANDMARKS_LEN,
            })?;
    Ok(Some(std::array::from_fn(|point| {
        [numbers[2 * point], numbers[2 * point + 1]]
    })))
}

/// Returns the head pose; `None` if the field is missing.
fn pose(face: &gst::StructureRef) -> Result<Option<HeadPose>, MessageError> {
    let Some(pose) = get_optional::<gst::Structure>(face, field::POSE)? else {
        return Ok(None);
    };
    Ok(Some(HeadPose {
        yaw: get(&pose, field::YAW)?,
        pitch: get(&pose, field::PITCH)?,
        roll: get(&pose, field::ROLL)?,
    }))
}

fn emotions_from_structure(
    emotions: &gst::StructureRef,
) -> Result<BTreeMap<String, f32>, MessageError> {
    emotions
        .iter()
        .map(|(label, value)| Ok((label.to_string(), parse(field::EMOTIONS, value)?)))
        .collect()
}

/// Returns the numbers of an array field.
fn floats(face: &gst::StructureRef, field: &'static str) -> Result<Vec<f32>, MessageError> {
    let array: gst::Array = get(face, field)?;
    array.iter().map(|value| parse(field, value)).collect()
}

/// Returns the value of a field.
fn get<T>(structure: &gst::StructureRef, field: &'static str) -> Result<T, MessageError>
where
    T: for<'v> FromValue<'v> + StaticType,
{
    let value = structure.value(field);
    parse(field, value.map_err(|_| MessageError::MissingField(field))?)
}

/// Returns the value of a field, or `None` if the field is missing.
fn get_optional<T>(
    structure: &gst::StructureRef,
    field: &'static str,
) -> Result<Option<T>, MessageError>
where
    T: for<'v> FromValue<'v> + StaticType,
{
    let value = structure.value(field).ok();
    value.map(|value| parse(field, value)).transpose()
}

/// Returns the value of a field, or of an item in it.
fn parse<T>(field: &'static str, value: &glib::SendValue) -> Result<T, MessageError>
where
    T: for<'v> FromValue<'v> + StaticType,
{
    value.get().map_err(|_| MessageError::WrongType {
        field,
        found: value.type_().name(),
        expected: T::static_type().name(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use attitude::record::tags::Tags;

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
            faces: vec![
                face.clone(),
                FaceRecord {
                    landmarks: None,
                    pose: None,
                    valence: None,
                    quality: None,
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
            "field 'attitude' is 'cheerful', expected positive, neutral, negative or unknown"
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
}

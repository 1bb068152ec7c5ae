// SPDX-License-Identifier: MPL-2.0

//! The bus message `faceattitude`: conversion of a [`Record`] to a structure and back.

use std::collections::BTreeMap;

use super::{
    MessageError, check_name, get, get_named, get_optional, get_optional_named, get_time_ns, parse,
    trend,
};
use crate::clock_time::clock_time;
use crate::meta::field_name;
use attitude::baseline::BaselineState;
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
    pub const TREND: &str = "trend";
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
    pub const BASELINE: &str = "baseline";
    pub const VALENCE_CHANGE: &str = "valence-change";
    pub const ATTITUDE_CHANGE: &str = "attitude-change";
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
            .field_if_some(field::TREND, record.trend.map(trend::to_structure))
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
        .field_if_some(field::TREND, face.trend.map(trend::to_structure))
        .field_if_some(field::BASELINE, face.baseline.map(BaselineState::name))
        .field_if_some(field::VALENCE_CHANGE, face.valence_change)
        .field_if_some(
            field::ATTITUDE_CHANGE,
            face.attitude_change.map(|label| label.name()),
        )
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
        check_name(structure, NAME)?;
        let faces: gst::List = get(structure, field::FACES)?;
        let face = |value: &glib::SendValue| {
            let face: gst::Structure = parse(field::FACES, value)?;
            face_from_structure(&face)
        };
        Ok(Self(Record {
            schema: get(structure, field::SCHEMA)?,
            stream: get(structure, field::STREAM)?,
            frame: get(structure, field::FRAME)?,
            pts_ns: get_time_ns(structure, field::TIMESTAMP)?,
            running_time_ns: get_time_ns(structure, field::RUNNING_TIME)?,
            stream_time_ns: get_time_ns(structure, field::STREAM_TIME)?,
            utc: get(structure, field::UTC)?,
            width: get(structure, field::WIDTH)?,
            height: get(structure, field::HEIGHT)?,
            trend: trend::get_optional(structure, field::TREND)?,
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
        attitude: get_named(face, field::ATTITUDE, &Label::ALL, Label::name)?,
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
        trend: trend::get_optional(face, field::TREND)?,
        baseline: get_optional_named(
            face,
            field::BASELINE,
            &BaselineState::ALL,
            BaselineState::name,
        )?,
        valence_change: get_optional(face, field::VALENCE_CHANGE)?,
        attitude_change: get_optional_named(
            face,
            field::ATTITUDE_CHANGE,
            &Label::ALL,
            Label::name,
        )?,
        fresh: get(face, field::FRESH)?,
        age_ns: age.nseconds(),
    })
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

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: MPL-2.0

//! Faces as a table: what is in each column of a face's row.

use std::borrow::Cow;

use super::{FaceRecord, Record};

/// A column.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it says of a face.
    pub value: Value,
}

/// What a column holds, and how a face's is had; `None` where there is none.
pub enum Value {
    /// Whole numbers.
    Count(fn(&Record, &FaceRecord) -> Option<u64>),
    /// Numbers.
    Number(fn(&Record, &FaceRecord) -> Option<f32>),
    /// Yes or no.
    Flag(fn(&Record, &FaceRecord) -> bool),
    /// Text.
    Text(for<'a> fn(&'a Record, &'a FaceRecord) -> Option<Cow<'a, str>>),
}

use Value::{Count, Flag, Number, Text};

const fn column(name: &'static str, value: Value) -> Column {
    Column { name, value }
}

/// All columns in their order.
pub const COLUMNS: [Column; 37] = [
    column("stream", Text(|record, _| Some((&*record.stream).into()))),
    column("frame", Count(|record, _| Some(record.frame))),
    column("pts_ns", Count(|record, _| record.pts_ns)),
    column("running_time_ns", Count(|record, _| record.running_time_ns)),
    column("stream_time_ns", Count(|record, _| record.stream_time_ns)),
    column("utc", Text(|record, _| Some(record.utc.as_deref()?.into()))),
    column("width", Count(|record, _| Some(record.width.into()))),
    column("height", Count(|record, _| Some(record.height.into()))),
    column("track", Count(|_, face| Some(face.track.into()))),
    column("left", Number(|_, face| Some(face.bbox[0]))),
    column("top", Number(|_, face| Some(face.bbox[1]))),
    column("box_width", Number(|_, face| Some(face.bbox[2]))),
    column("box_height", Number(|_, face| Some(face.bbox[3]))),
    column("detection", Number(|_, face| Some(face.detection))),
    column("attitude", Text(|_, face| Some((&*face.attitude).into()))),
    column("confidence", Number(|_, face| Some(face.confidence))),
    column("positive", Number(|_, face| Some(face.scores.positive))),
    column("neutral", Number(|_, face| Some(face.scores.neutral))),
    column("negative", Number(|_, face| Some(face.scores.negative))),
    column("raw_positive", Number(|_, face| Some(face.raw.positive))),
    column("raw_neutral", Number(|_, face| Some(face.raw.neutral))),
    column("raw_negative", Number(|_, face| Some(face.raw.negative))),
    column("fresh", Flag(|_, face| face.fresh)),
    column("age_ns", Count(|_, face| Some(face.age_ns))),
    column("left_eye_x", Number(|_, face| landmark(face, 0, 0))),
    column("left_eye_y", Number(|_, face| landmark(face, 0, 1))),
    column("right_eye_x", Number(|_, face| landmark(face, 1, 0))),
    column("right_eye_y", Number(|_, face| landmark(face, 1, 1))),
    column("nose_x", Number(|_, face| landmark(face, 2, 0))),
    column("nose_y", Number(|_, face| landmark(face, 2, 1))),
    column("mouth_left_x", Number(|_, face| landmark(face, 3, 0))),
    column("mouth_left_y", Number(|_, face| landmark(face, 3, 1))),
    column("mouth_right_x", Number(|_, face| landmark(face, 4, 0))),
    column("mouth_right_y", Number(|_, face| landmark(face, 4, 1))),
    column("emotion", Text(|_, face| Some(strongest(face)?.0.into()))),
    column(
        "emotion_confidence",
        Number(|_, face| Some(strongest(face)?.1)),
    ),
    column("emotions", Text(|_, face| emotions(face))),
];

fn landmark(face: &FaceRecord, index: usize, axis: usize) -> Option<f32> {
    Some(face.landmarks?[index][axis])
}

fn strongest(face: &FaceRecord) -> Option<(&str, f32)> {
    let emotions = face.emotions.iter().map(|(name, &p)| (name.as_str(), p));
    emotions.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// All of them as `name=probability`, separated by blanks.
fn emotions(face: &FaceRecord) -> Option<Cow<'_, str>> {
    let pairs: Vec<_> = face
        .emotions
        .iter()
        .map(|(name, probability)| format!("{}={probability}", name.replace(' ', "-")))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(" ").into())
}

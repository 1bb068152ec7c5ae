// SPDX-License-Identifier: MPL-2.0

//! The columns of tables with one row per face.

use std::fmt::Write;

use super::{FaceRecord, Record};

/// A column of a table.
pub struct Column {
    /// Name in the header.
    pub name: &'static str,
    /// The value for a face.
    pub value: Value,
}

/// The type of a column, and a function that returns the value for a face; `None` if it has none.
pub enum Value {
    /// Nonnegative integers.
    Count(fn(&Record, &FaceRecord) -> Option<u64>),
    /// Numbers.
    Number(fn(&Record, &FaceRecord) -> Option<f32>),
    /// Booleans.
    Flag(fn(&Record, &FaceRecord) -> bool),
    /// Texts, which are appended to the string.
    Text(fn(&Record, &FaceRecord, &mut String) -> Option<()>),
}

use Value::{Count, Flag, Number, Text};

const fn column(name: &'static str, value: Value) -> Column {
    Column { name, value }
}

/// All columns, in their order.
pub const COLUMNS: [Column; 51] = [
    column(
        "stream",
        Text(|record, _, text| append(Some(&record.stream), text)),
    ),
    column("frame", Count(|record, _| Some(record.frame))),
    column("pts_ns", Count(|record, _| record.pts_ns)),
    column("running_time_ns", Count(|record, _| record.running_time_ns)),
    column("stream_time_ns", Count(|record, _| record.stream_time_ns)),
    column(
        "utc",
        Text(|record, _, text| append(record.utc.as_deref(), text)),
    ),
    column("width", Count(|record, _| Some(record.width.into()))),
    column("height", Count(|record, _| Some(record.height.into()))),
    column("track", Count(|_, face| Some(face.track.into()))),
    column("left", Number(|_, face| Some(face.bbox[0]))),
    column("top", Number(|_, face| Some(face.bbox[1]))),
    column("box_width", Number(|_, face| Some(face.bbox[2]))),
    column("box_height", Number(|_, face| Some(face.bbox[3]))),
    column("detection", Number(|_, face| Some(face.detection))),
    column(
        "attitude",
        Text(|_, face, text| append(Some(face.attitude.name()), text)),
    ),
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
    column(
        "emotion",
        Text(|_, face, text| append(Some(most_probable_emotion(face)?.0), text)),
    ),
    column(
        "emotion_confidence",
        Number(|_, face| Some(most_probable_emotion(face)?.1)),
    ),
    column("emotions", Text(emotions)),
    column("valence", Number(|_, face| face.valence)),
    column("yaw", Number(|_, face| Some(face.pose?.yaw))),
    column("pitch", Number(|_, face| Some(face.pose?.pitch))),
    column("roll", Number(|_, face| Some(face.pose?.roll))),
    column("quality", Number(|_, face| face.quality)),
    column(
        "source",
        Text(|record, _, text| append(record.source.as_deref(), text)),
    ),
    column("tags", Text(tags)),
    column(
        "trend_direction",
        Text(|_, face, text| append(Some(face.trend?.direction.name()), text)),
    ),
    column(
        "trend_since_ns",
        Count(|_, face| Some(face.trend?.since_ns)),
    ),
    column("trend_change", Number(|_, face| Some(face.trend?.change))),
    column(
        "trend_standard_error",
        Number(|_, face| Some(face.trend?.standard_error)),
    ),
    column(
        "baseline",
        Text(|_, face, text| append(Some(face.baseline?.name()), text)),
    ),
    column("valence_change", Number(|_, face| face.valence_change)),
    column(
        "attitude_change",
        Text(|_, face, text| append(Some(face.attitude_change?.name()), text)),
    ),
];

fn landmark(face: &FaceRecord, index: usize, axis: usize) -> Option<f32> {
    Some(face.landmarks?[index][axis])
}

/// Returns the name and the probability of the most probable emotion.
fn most_probable_emotion(face: &FaceRecord) -> Option<(&str, f32)> {
    let emotions = face.emotions.iter().map(|(name, &p)| (name.as_str(), p));
    emotions.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Appends all emotions as `name=probability`, separated by spaces; spaces in names become hyphens.
fn emotions(_: &Record, face: &FaceRecord, text: &mut String) -> Option<()> {
    for (index, (name, probability)) in face.emotions.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        let name = name.chars().map(|c| if c == ' ' { '-' } else { c });
        text.extend(name);
        // Writing to a string does not fail.
        let _ = write!(text, "={probability}");
    }
    (!face.emotions.is_empty()).then_some(())
}

/// Appends the tags as `name=value`, separated by commas.
fn tags(record: &Record, _: &FaceRecord, text: &mut String) -> Option<()> {
    // Writing to a string does not fail.
    let _ = write!(text, "{}", record.tags);
    (!record.tags.is_empty()).then_some(())
}

fn append(value: Option<&str>, text: &mut String) -> Option<()> {
    value.map(|value| text.push_str(value))
}

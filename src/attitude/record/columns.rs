// SPDX-License-Identifier: MPL-2.0

//! The columns of tables with one row per face.

use std::fmt::Write;

use super::{FaceRecord, Record};
use crate::baseline::BaselineState;
use crate::data_table::labels::{ATTITUDE_CHANGE_LABELS, ATTITUDE_LABELS};
use crate::data_table::{self, DataColumn, DataKind, TableSchema, ValueLabel, value as label};
use crate::trend::Direction;

/// A column of a table.
pub struct Column {
    /// Name, type and meaning.
    pub data: DataColumn,
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

/// Labels of the directions of trends.
static DIRECTION_LABELS: [ValueLabel; 3] = [
    label(Direction::Steady.name(), "Neither rises nor falls"),
    label(Direction::Rising.name(), "Rises: becomes more positive"),
    label(Direction::Falling.name(), "Falls: becomes more negative"),
];

/// Labels of the states of baselines.
static BASELINE_LABELS: [ValueLabel; 2] = [
    label(BaselineState::Learning.name(), "Not known yet"),
    label(BaselineState::Known.name(), "Known"),
];

/// Name and columns of the table.
pub static SCHEMA: TableSchema = TableSchema {
    name: "faces",
    columns: &DATA_COLUMNS,
};

static DATA_COLUMNS: [DataColumn; COLUMNS.len()] = {
    let mut columns = [COLUMNS[0].data; COLUMNS.len()];
    let mut index = 1;
    // There are no iterators in constants.
    while index < COLUMNS.len() {
        columns[index] = COLUMNS[index].data;
        index += 1;
    }
    columns
};

const fn column(name: &'static str, description: &'static str, value: Value) -> Column {
    let kind = match value {
        Count(_) => DataKind::Count,
        Number(_) => DataKind::Number,
        Flag(_) => DataKind::Flag,
        Text(_) => DataKind::Text,
    };
    Column {
        data: data_table::column(name, kind, description),
        value,
    }
}

impl Column {
    /// Returns the column with only these values.
    const fn with_labels(self, labels: &'static [ValueLabel]) -> Self {
        Self {
            data: self.data.with_labels(labels),
            ..self
        }
    }
}

/// All columns, in their order.
pub const COLUMNS: [Column; 51] = [
    column(
        "stream",
        "stream id; in a recording the name of its folder",
        Text(|record, _, text| append(Some(&record.stream), text)),
    ),
    column(
        "frame",
        "number of the frame, from 0",
        Count(|record, _| Some(record.frame)),
    ),
    column(
        "pts_ns",
        "presentation timestamp of the frame, in nanoseconds",
        Count(|record, _| record.pts_ns),
    ),
    column(
        "running_time_ns",
        "running time of the frame, in nanoseconds",
        Count(|record, _| record.running_time_ns),
    ),
    column(
        "stream_time_ns",
        "position of the frame in the recording, in nanoseconds",
        Count(|record, _| record.stream_time_ns),
    ),
    column(
        "utc",
        "time of day of the frame, if the source provides it (UTC, ISO 8601)",
        Text(|record, _, text| append(record.utc.as_deref(), text)),
    ),
    column(
        "width",
        "width of the upright frame in pixels",
        Count(|record, _| Some(record.width.into())),
    ),
    column(
        "height",
        "height of the upright frame in pixels",
        Count(|record, _| Some(record.height.into())),
    ),
    column(
        "track",
        "number of the face's track, from 1",
        Count(|_, face| Some(face.track.into())),
    ),
    column(
        "left",
        "left edge of the face, in pixels of the frame",
        Number(|_, face| Some(face.bbox[0])),
    ),
    column(
        "top",
        "top edge of the face, in pixels of the frame",
        Number(|_, face| Some(face.bbox[1])),
    ),
    column(
        "box_width",
        "width of the face, in pixels of the frame",
        Number(|_, face| Some(face.bbox[2])),
    ),
    column(
        "box_height",
        "height of the face, in pixels of the frame",
        Number(|_, face| Some(face.bbox[3])),
    ),
    column(
        "detection",
        "score of the detection, 0 to 1",
        Number(|_, face| Some(face.detection)),
    ),
    column(
        "attitude",
        "attitude of the face",
        Text(|_, face, text| append(Some(face.attitude.name()), text)),
    )
    .with_labels(&ATTITUDE_LABELS),
    column(
        "confidence",
        "confidence in the attitude, the smoothed score times the quality, 0 to 1; 0 if it is unknown",
        Number(|_, face| Some(face.confidence)),
    ),
    column(
        "positive",
        "smoothed score of the attitude positive, 0 to 1",
        Number(|_, face| Some(face.scores.positive)),
    ),
    column(
        "neutral",
        "smoothed score of the attitude neutral, 0 to 1",
        Number(|_, face| Some(face.scores.neutral)),
    ),
    column(
        "negative",
        "smoothed score of the attitude negative, 0 to 1",
        Number(|_, face| Some(face.scores.negative)),
    ),
    column(
        "raw_positive",
        "score of the attitude positive in this sample, 0 to 1",
        Number(|_, face| Some(face.raw.positive)),
    ),
    column(
        "raw_neutral",
        "score of the attitude neutral in this sample, 0 to 1",
        Number(|_, face| Some(face.raw.neutral)),
    ),
    column(
        "raw_negative",
        "score of the attitude negative in this sample, 0 to 1",
        Number(|_, face| Some(face.raw.negative)),
    ),
    column(
        "fresh",
        "true if the face was classified in this frame",
        Flag(|_, face| face.fresh),
    ),
    column(
        "age_ns",
        "time since the last classification of the face, in nanoseconds",
        Count(|_, face| Some(face.age_ns)),
    ),
    column(
        "left_eye_x",
        "horizontal position of the left eye as seen in the picture, in pixels of the frame",
        Number(|_, face| landmark(face, 0, 0)),
    ),
    column(
        "left_eye_y",
        "vertical position of the left eye as seen in the picture, in pixels of the frame",
        Number(|_, face| landmark(face, 0, 1)),
    ),
    column(
        "right_eye_x",
        "horizontal position of the right eye as seen in the picture, in pixels of the frame",
        Number(|_, face| landmark(face, 1, 0)),
    ),
    column(
        "right_eye_y",
        "vertical position of the right eye as seen in the picture, in pixels of the frame",
        Number(|_, face| landmark(face, 1, 1)),
    ),
    column(
        "nose_x",
        "horizontal position of the tip of the nose, in pixels of the frame",
        Number(|_, face| landmark(face, 2, 0)),
    ),
    column(
        "nose_y",
        "vertical position of the tip of the nose, in pixels of the frame",
        Number(|_, face| landmark(face, 2, 1)),
    ),
    column(
        "mouth_left_x",
        "horizontal position of the left corner of the mouth, in pixels of the frame",
        Number(|_, face| landmark(face, 3, 0)),
    ),
    column(
        "mouth_left_y",
        "vertical position of the left corner of the mouth, in pixels of the frame",
        Number(|_, face| landmark(face, 3, 1)),
    ),
    column(
        "mouth_right_x",
        "horizontal position of the right corner of the mouth, in pixels of the frame",
        Number(|_, face| landmark(face, 4, 0)),
    ),
    column(
        "mouth_right_y",
        "vertical position of the right corner of the mouth, in pixels of the frame",
        Number(|_, face| landmark(face, 4, 1)),
    ),
    column(
        "emotion",
        "most probable emotion; empty if the model classifies none",
        Text(|_, face, text| append(Some(most_probable_emotion(face)?.0), text)),
    ),
    column(
        "emotion_confidence",
        "smoothed probability of that emotion, 0 to 1",
        Number(|_, face| Some(most_probable_emotion(face)?.1)),
    ),
    column(
        "emotions",
        "all emotions as name=probability, separated by spaces",
        Text(emotions),
    ),
    column(
        "valence",
        "smoothed score of positive minus that of negative, -1 to 1; empty before the first classification",
        Number(|_, face| face.valence),
    ),
    column(
        "yaw",
        "turn of the head to the side, -90 to 90 degrees; positive if the face points to the right of the picture",
        Number(|_, face| Some(face.pose?.yaw)),
    ),
    column(
        "pitch",
        "turn of the head up or down, -90 to 90 degrees; positive if the face points up",
        Number(|_, face| Some(face.pose?.pitch)),
    ),
    column(
        "roll",
        "rotation of the head in the picture, -180 to 180 degrees; positive clockwise",
        Number(|_, face| Some(face.pose?.roll)),
    ),
    column(
        "quality",
        "smoothed quality of the face's picture, 0 to 1",
        Number(|_, face| face.quality),
    ),
    column(
        "source",
        "name of the source, if there is one",
        Text(|record, _, text| append(record.source.as_deref(), text)),
    ),
    column(
        "tags",
        "tags as name=value, separated by commas",
        Text(tags),
    ),
    column(
        "trend_direction",
        "whether the valence rises or falls; empty if the trend is not known",
        Text(|_, face, text| append(Some(face.trend?.direction.name()), text)),
    )
    .with_labels(&DIRECTION_LABELS),
    column(
        "trend_since_ns",
        "time since which this is the direction, in nanoseconds",
        Count(|_, face| Some(face.trend?.since_ns)),
    ),
    column(
        "trend_change",
        "change of the fitted valence over a minute",
        Number(|_, face| Some(face.trend?.change)),
    ),
    column(
        "trend_standard_error",
        "standard error of trend_change",
        Number(|_, face| Some(face.trend?.standard_error)),
    ),
    column(
        "baseline",
        "state of the face's baseline; empty without baselines",
        Text(|_, face, text| append(Some(face.baseline?.name()), text)),
    )
    .with_labels(&BASELINE_LABELS),
    column(
        "valence_change",
        "valence minus the baseline, -2 to 2; empty while the baseline is not known",
        Number(|_, face| face.valence_change),
    ),
    column(
        "attitude_change",
        "attitude of the change against the baseline; empty while the baseline is not known",
        Text(|_, face, text| append(Some(face.attitude_change?.name()), text)),
    )
    .with_labels(&ATTITUDE_CHANGE_LABELS),
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

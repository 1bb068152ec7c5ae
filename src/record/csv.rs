// SPDX-License-Identifier: MPL-2.0

//! Records as CSV: one row a face, quoted as RFC 4180 says, each ended by a line feed.

use super::{FaceRecord, Record};

type Value = fn(&Record, &FaceRecord) -> String;

/// Name and value of each column.
const COLUMNS: [(&str, Value); 37] = [
    ("stream", |record, _| record.stream.clone()),
    ("frame", |record, _| record.frame.to_string()),
    ("pts_ns", |record, _| optional(record.pts_ns)),
    ("running_time_ns", |record, _| {
        optional(record.running_time_ns)
    }),
    ("stream_time_ns", |record, _| {
        optional(record.stream_time_ns)
    }),
    ("utc", |record, _| optional(record.utc.as_deref())),
    ("width", |record, _| record.width.to_string()),
    ("height", |record, _| record.height.to_string()),
    ("track", |_, face| face.track.to_string()),
    ("left", |_, face| face.bbox[0].to_string()),
    ("top", |_, face| face.bbox[1].to_string()),
    ("box_width", |_, face| face.bbox[2].to_string()),
    ("box_height", |_, face| face.bbox[3].to_string()),
    ("detection", |_, face| face.detection.to_string()),
    ("attitude", |_, face| face.attitude.clone()),
    ("confidence", |_, face| face.confidence.to_string()),
    ("positive", |_, face| face.scores.positive.to_string()),
    ("neutral", |_, face| face.scores.neutral.to_string()),
    ("negative", |_, face| face.scores.negative.to_string()),
    ("raw_positive", |_, face| face.raw.positive.to_string()),
    ("raw_neutral", |_, face| face.raw.neutral.to_string()),
    ("raw_negative", |_, face| face.raw.negative.to_string()),
    ("fresh", |_, face| face.fresh.to_string()),
    ("age_ns", |_, face| face.age_ns.to_string()),
    ("left_eye_x", |_, face| landmark(face, 0, 0)),
    ("left_eye_y", |_, face| landmark(face, 0, 1)),
    ("right_eye_x", |_, face| landmark(face, 1, 0)),
    ("right_eye_y", |_, face| landmark(face, 1, 1)),
    ("nose_x", |_, face| landmark(face, 2, 0)),
    ("nose_y", |_, face| landmark(face, 2, 1)),
    ("mouth_left_x", |_, face| landmark(face, 3, 0)),
    ("mouth_left_y", |_, face| landmark(face, 3, 1)),
    ("mouth_right_x", |_, face| landmark(face, 4, 0)),
    ("mouth_right_y", |_, face| landmark(face, 4, 1)),
    ("emotion", |_, face| likeliest_emotion(face)),
    ("emotion_confidence", |_, face| {
        optional(strongest(face).map(|(_, p)| p))
    }),
    ("emotions", |_, face| emotions(face)),
];

/// Empty for `None`.
fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn landmark(face: &FaceRecord, index: usize, axis: usize) -> String {
    optional(face.landmarks.map(|landmarks| landmarks[index][axis]))
}

fn strongest(face: &FaceRecord) -> Option<(&str, f32)> {
    let emotions = face.emotions.iter().map(|(name, &p)| (name.as_str(), p));
    emotions.max_by(|a, b| a.1.total_cmp(&b.1))
}

fn likeliest_emotion(face: &FaceRecord) -> String {
    optional(strongest(face).map(|(name, _)| name))
}

/// All of them as `name=probability`, separated by blanks.
fn emotions(face: &FaceRecord) -> String {
    let pairs: Vec<_> = face
        .emotions
        .iter()
        .map(|(name, probability)| format!("{}={probability}", name.replace(' ', "-")))
        .collect();
    pairs.join(" ")
}

/// Appends the names of the columns.
pub fn write_header(rows: &mut Vec<u8>) {
    write_row(rows, COLUMNS.iter().map(|(name, _)| *name));
}

/// Appends a row for each face of `record`; none where it has none.
pub fn write_rows(record: &Record, rows: &mut Vec<u8>) {
    for face in &record.faces {
        write_row(rows, COLUMNS.iter().map(|(_, value)| value(record, face)));
    }
}

fn write_row(rows: &mut Vec<u8>, values: impl Iterator<Item = impl AsRef<[u8]>>) {
    let mut writer = csv::Writer::from_writer(rows);
    // All rows have the same length, and writing to memory does not fail.
    let _ = writer.write_record(values);
    let _ = writer.flush();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{one_face, without_faces};

    #[test]
    fn rows_are_read_back_whatever_the_stream_is_called() {
        let mut record = one_face();
        record.stream = "a \"quoted\", name\nof two lines".to_owned();
        record.faces.push(FaceRecord {
            landmarks: None,
            ..record.faces[0].clone()
        });
        let mut rows = Vec::new();
        write_header(&mut rows);
        write_rows(&without_faces(), &mut rows);
        write_rows(&record, &mut rows);
        let mut reader = csv::Reader::from_reader(&rows[..]);
        let header = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        let value = |row: usize, name: &str| {
            let column = header.iter().position(|column| column == name).unwrap();
            rows[row][column].to_owned()
        };
        let face = &record.faces[0];
        assert_eq!(value(0, "stream"), record.stream);
        assert_eq!(value(0, "utc"), "");
        assert_eq!(value(1, "attitude"), face.attitude);
        assert_eq!(value(1, "confidence").parse(), Ok(face.confidence));
        assert_eq!(
            value(0, "nose_y").parse(),
            Ok(face.landmarks.unwrap()[2][1])
        );
        assert_eq!(value(1, "nose_y"), "");
        assert_eq!(value(0, "emotion"), "happiness");
        assert_eq!(value(0, "emotions"), "happiness=0.7 neutral=0.3");
    }
}

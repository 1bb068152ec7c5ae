// SPDX-License-Identifier: MPL-2.0

//! Records as CSV: one row a face, quoted as RFC 4180 says, each ended by a line feed.

use super::columns::{COLUMNS, Value};
use super::{FaceRecord, Record};

/// Appends the names of the columns.
pub fn write_header(rows: &mut Vec<u8>) {
    write_row(rows, COLUMNS.iter().map(|column| column.name));
}

/// Appends a row for each face of `record`; none where it has none.
pub fn write_rows(record: &Record, rows: &mut Vec<u8>) {
    for face in &record.faces {
        let columns = COLUMNS.iter();
        write_row(rows, columns.map(|c| text(&c.value, record, face)));
    }
}

/// Empty for `None`.
fn text(value: &Value, record: &Record, face: &FaceRecord) -> String {
    match value {
        Value::Count(value) => optional(value(record, face)),
        Value::Number(value) => optional(value(record, face)),
        Value::Flag(value) => value(record, face).to_string(),
        Value::Text(value) => optional(value(record, face)),
    }
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
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

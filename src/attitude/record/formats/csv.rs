// SPDX-License-Identifier: MPL-2.0

//! CSV: one row per face, quoted as in RFC 4180, with a line feed after each row. Text that begins
//! like a formula of a spreadsheet has an apostrophe in front.

use std::fmt::{Display, Write as _};
use std::io;

use super::{Format, Output, RecordingFile, TimedRecord};
use crate::record::columns::{COLUMNS, Value};
use crate::record::spreadsheet;
use crate::record::table::RowWriter;
use crate::timeline::Span;

/// The format; see the [module](self).
pub static FORMAT: Format = Format {
    name: "csv",
    description: "CSV: one row per face, with a header row",
    caps: Some("text/csv"),
    file: Some(RecordingFile {
        name: "faces.csv",
        media_type: "text/csv; charset=utf-8",
        is_default: true,
    }),
    writer: |_| Ok(Box::new(Writer(RowWriter::default()))),
};

struct Writer(RowWriter);

impl super::Writer for Writer {
    fn begin(&mut self, span: Span, output: &mut Output) -> io::Result<()> {
        self.0.write(output, COLUMNS.iter(), |column, cell| {
            cell.push_str(column.data.name);
        })?;
        output.end_piece(span);
        Ok(())
    }

    fn write(&mut self, frame: &TimedRecord, output: &mut Output) -> io::Result<()> {
        if !frame.is_selected {
            return Ok(());
        }
        let record = frame.record;
        for face in &record.faces {
            self.0
                .write(output, COLUMNS.iter(), |column, cell| match column.value {
                    Value::Count(value) => append_value(value(record, face), cell),
                    Value::Number(value) => append_value(value(record, face), cell),
                    Value::Flag(value) => append_value(Some(value(record, face)), cell),
                    Value::Text(append) => {
                        append(record, face, cell);
                        spreadsheet::escape_in_place(cell);
                    }
                })?;
        }
        output.end_piece(frame.span);
        Ok(())
    }
}

/// Appends `value`; nothing for `None`.
fn append_value(value: Option<impl Display>, cell: &mut String) {
    if let Some(value) = value {
        // Writing to a string does not fail.
        let _ = write!(cell, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FaceRecord;
    use crate::record::formats::tests::written;
    use crate::record::tests::{one_face, without_faces};

    #[test]
    fn rows_can_be_read_back_with_any_name_of_the_stream() {
        let mut record = one_face();
        record.stream = "a \"quoted\", name\nof two lines".to_owned();
        record.source = Some("hall".to_owned());
        record.tags = "room=42,participant=alice".parse().unwrap();
        record.faces.push(FaceRecord {
            landmarks: None,
            pose: None,
            valence: None,
            quality: None,
            trend: None,
            baseline: None,
            valence_change: None,
            attitude_change: None,
            ..record.faces[0].clone()
        });
        let rows = written(&FORMAT, &[without_faces(), record.clone()]);
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
        assert_eq!(value(1, "attitude"), face.attitude.name());
        assert_eq!(value(1, "confidence").parse(), Ok(face.confidence));
        assert_eq!(
            value(0, "nose_y").parse(),
            Ok(face.landmarks.unwrap()[2][1])
        );
        assert_eq!(value(1, "nose_y"), "");
        assert_eq!(value(0, "emotion"), "happiness");
        assert_eq!(value(0, "emotions"), "happiness=0.7 neutral=0.3");
        let columns: Vec<&str> = header.iter().collect();
        assert!(columns.ends_with(&["baseline", "valence_change", "attitude_change"]));
        assert_eq!(value(0, "source"), "hall");
        assert_eq!(value(0, "tags"), "participant=alice,room=42");
        assert_eq!(value(0, "valence").parse(), Ok(face.valence.unwrap()));
        let pose = ["yaw", "pitch", "roll"];
        assert_eq!(pose.map(|name| value(0, name)), ["20", "-10", "5"]);
        assert_eq!(value(0, "quality"), "0.8");
        let trend = ["direction", "since_ns", "change", "standard_error"]
            .map(|field| format!("trend_{field}"));
        let values = trend.each_ref().map(|name| value(0, name));
        assert_eq!(values, ["falling", "1000000000", "-0.5", "0.1"]);
        assert_eq!(trend.map(|name| value(1, &name)), [""; 4]);
        let changes = ["baseline", "valence_change", "attitude_change"];
        assert_eq!(
            changes.map(|name| value(0, name)),
            ["known", "0.5", "positive"]
        );
        assert_eq!(changes.map(|name| value(1, name)), [""; 3]);
        assert_eq!(value(1, "valence"), "");
        assert_eq!(value(1, "quality"), "");
        assert_eq!(pose.map(|name| value(1, name)), [""; 3]);
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Parquet: the table that [`csv`](super::csv) writes, with types and nulls.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{Format, Output, RecordingFile, TimedRecord};
use crate::record::columns::{COLUMNS, Column, Value};
use crate::record::{FaceRecord, Record};

/// The format; see the [module](self).
pub static FORMAT: Format = Format {
    name: "parquet",
    description: "Parquet: the table of CSV with types, for pandas, DuckDB, R, ...",
    caps: None,
    file: Some(RecordingFile {
        name: "faces.parquet",
        media_type: "application/vnd.apache.parquet",
        is_default: true,
    }),
    writer: |_| Ok(Box::new(Writer::new().map_err(io::Error::other)?)),
};

/// Number of rows that are kept in memory, a few MiB, and written together.
const ROWS_PER_GROUP: usize = 16 * 1024;

struct Writer {
    file: SerializedFileWriter<Vec<u8>>,
    /// Number of rows in the current group.
    rows: usize,
    /// The current group, by column.
    cells: Vec<Cells>,
    /// Memory for the text of a cell.
    text: String,
}

/// The non-null values of a column, and a level for each row.
struct Cells {
    values: Values,
    /// 1 for a value, 0 for null.
    levels: Vec<i16>,
}

/// The function of a [`Value`], and the results for the rows of the group.
enum Values {
    Counts(fn(&Record, &FaceRecord) -> Option<u64>, Vec<i64>),
    Numbers(fn(&Record, &FaceRecord) -> Option<f32>, Vec<f32>),
    Flags(fn(&Record, &FaceRecord) -> bool, Vec<bool>),
    Texts(
        fn(&Record, &FaceRecord, &mut String) -> Option<()>,
        Vec<ByteArray>,
    ),
}

impl Writer {
    fn new() -> Result<Self> {
        let fields = COLUMNS.iter().map(|column| Ok(Arc::new(field(column)?)));
        let schema = Type::group_type_builder("face")
            .with_fields(fields.collect::<Result<_>>()?)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        Ok(Self {
            file: SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?,
            rows: 0,
            cells: COLUMNS.iter().map(Cells::of).collect(),
            text: String::new(),
        })
    }

    /// Adds a row to the current group.
    fn push_row(&mut self, record: &Record, face: &FaceRecord) {
        for cells in &mut self.cells {
            let has_value = match &mut cells.values {
                Values::Counts(value, counts) => {
                    // Many readers do not support unsigned integers.
                    let count = value(record, face);
                    push(
                        counts,
                        count.map(|count| count.try_into().unwrap_or(i64::MAX)),
                    )
                }
                Values::Numbers(value, numbers) => push(numbers, value(record, face)),
                Values::Flags(value, flags) => push(flags, Some(value(record, face))),
                Values::Texts(append, texts) => {
                    self.text.clear();
                    let text = append(record, face, &mut self.text);
                    push(texts, text.map(|()| self.text.as_str().into()))
                }
            };
            cells.levels.push(has_value.into());
        }
        self.rows += 1;
    }

    /// Writes the current group and begins another one.
    fn write_group(&mut self) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for cells in &mut self.cells {
            let levels = std::mem::take(&mut cells.levels);
            match &mut cells.values {
                Values::Counts(_, counts) => write_column::<Int64Type>(&mut group, counts, &levels),
                Values::Numbers(_, numbers) => {
                    write_column::<FloatType>(&mut group, numbers, &levels)
                }
                Values::Flags(_, flags) => write_column::<BoolType>(&mut group, flags, &levels),
                Values::Texts(_, texts) => {
                    write_column::<ByteArrayType>(&mut group, texts, &levels)
                }
            }?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Moves the bytes that the file has written to `output`.
    fn move_to(&mut self, output: &mut Output) -> io::Result<()> {
        let bytes = self.file.inner_mut();
        output.write_all(bytes)?;
        bytes.clear();
        Ok(())
    }
}

impl super::Writer for Writer {
    fn write(&mut self, frame: &TimedRecord, output: &mut Output) -> io::Result<()> {
        let faces = frame.record.faces.iter().filter(|_| frame.is_selected);
        for face in faces {
            self.push_row(frame.record, face);
            if self.rows == ROWS_PER_GROUP {
                self.write_group().map_err(io::Error::other)?;
                self.move_to(output)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group().map_err(io::Error::other)?;
        }
        self.file.finish().map_err(io::Error::other)?;
        self.move_to(output)
    }
}

impl Cells {
    fn of(column: &Column) -> Self {
        let values = match column.value {
            Value::Count(value) => Values::Counts(value, Vec::new()),
            Value::Number(value) => Values::Numbers(value, Vec::new()),
            Value::Flag(value) => Values::Flags(value, Vec::new()),
            Value::Text(append) => Values::Texts(append, Vec::new()),
        };
        Self {
            values,
            levels: Vec::new(),
        }
    }
}

/// Returns the field of the schema for `column`.
fn field(column: &Column) -> Result<Type> {
    let (physical, logical) = match column.value {
        Value::Count(_) => (Physical::INT64, None),
        Value::Number(_) => (Physical::FLOAT, None),
        Value::Flag(_) => (Physical::BOOLEAN, None),
        Value::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(column.data.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// Appends `value`; returns `true` if there is one.
fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let has_value = value.is_some();
    values.extend(value);
    has_value
}

/// Writes `values` and removes them.
fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<Vec<u8>>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<()> {
    let Some(mut column) = group.next_column()? else {
        return Ok(()); // Does not happen: the schema has a column for each.
    };
    column
        .typed::<T>()
        .write_batch(values, Some(levels), None)?;
    values.clear();
    column.close()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{Field, RowAccessor};

    use super::*;
    use crate::record::formats::tests::written;
    use crate::record::tests::{one_face, without_faces};

    #[test]
    fn rows_of_several_groups_can_be_read_back() {
        let mut record = one_face();
        record.faces.push(FaceRecord {
            landmarks: None,
            pose: None,
            ..record.faces[0].clone()
        });
        record.tags = "room=42".parse().unwrap();
        let mut records = vec![record; ROWS_PER_GROUP];
        records.extend([without_faces(), one_face()]);
        let file = Bytes::from(written(&FORMAT, &records));
        let reader = SerializedFileReader::new(file).unwrap();
        assert_eq!(reader.num_row_groups(), 3);
        let rows: Vec<_> = reader
            .get_row_iter(None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len(), 2 * ROWS_PER_GROUP + 1);
        let cell = |row: usize, name: &str| {
            let mut cells = rows[row].get_column_iter();
            cells.find(|(column, _)| *column == name).unwrap().1.clone()
        };
        for row in [0, 2 * ROWS_PER_GROUP - 2, 2 * ROWS_PER_GROUP] {
            assert_eq!(cell(row, "pts_ns"), Field::Long(1_400_000_000));
            assert_eq!(cell(row, "utc"), Field::Null);
            assert_eq!(cell(row, "fresh"), Field::Bool(true));
            assert_eq!(cell(row, "nose_y"), Field::Float(6.0));
            assert_eq!(cell(row, "emotion"), Field::Str("happiness".to_owned()));
            assert_eq!(cell(row, "valence"), Field::Float(0.75));
            assert_eq!(cell(row, "pitch"), Field::Float(-10.0));
            assert_eq!(cell(row, "quality"), Field::Float(0.8));
        }
        assert_eq!(cell(0, "tags"), Field::Str("room=42".to_owned()));
        assert_eq!(cell(2 * ROWS_PER_GROUP, "tags"), Field::Null);
        assert_eq!(cell(0, "source"), Field::Null);
        assert_eq!(cell(1, "nose_y"), Field::Null);
        assert_eq!(cell(1, "pitch"), Field::Null);
        assert_eq!(rows[0].get_string(0).unwrap(), "cam");
    }

    #[test]
    fn a_table_without_rows_is_valid() {
        let file = Bytes::from(written(&FORMAT, &[]));
        let reader = SerializedFileReader::new(file).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}

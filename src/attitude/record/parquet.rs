// SPDX-License-Identifier: MPL-2.0

//! Records as Parquet: the table that [`csv`](super::csv) writes, with types and nulls.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::Record;
use super::columns::{COLUMNS, Column, Value};

pub use parquet::errors::ParquetError;

/// Rows that are kept in memory, and then written together: a few MiB.
const ROWS_IN_GROUP: usize = 16 * 1024;

/// Writes a file, a group of rows after the other.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    rows: usize,
    /// Of the group at hand, for each column.
    cells: Vec<Cells>,
}

/// The values of a column that are there, and for each row whether one is.
struct Cells {
    values: Values,
    /// 1 where there is a value, 0 where there is none.
    levels: Vec<i16>,
}

enum Values {
    Counts(Vec<i64>),
    Numbers(Vec<f32>),
    Flags(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl<W: Write + Send> Writer<W> {
    /// A file that is written to `output`.
    ///
    /// # Errors
    /// Where it cannot be written to.
    pub fn new(output: W) -> Result<Self> {
        let fields = COLUMNS.iter().map(|column| Ok(Arc::new(field(column)?)));
        let schema = Type::group_type_builder("face")
            .with_fields(fields.collect::<Result<_>>()?)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        Ok(Self {
            file: SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties))?,
            rows: 0,
            cells: COLUMNS.iter().map(Cells::of).collect(),
        })
    }

    /// Appends a row for each face of `record`; none where it has none.
    ///
    /// # Errors
    /// Where a group is full and cannot be written.
    pub fn write_rows(&mut self, record: &Record) -> Result<()> {
        for face in &record.faces {
            for (column, cells) in COLUMNS.iter().zip(&mut self.cells) {
                let is_there = match (&column.value, &mut cells.values) {
                    (Value::Count(value), Values::Counts(counts)) => {
                        // Parquet's numbers without a sign are read wrongly by too many.
                        let count = value(record, face);
                        push(
                            counts,
                            count.map(|count| count.try_into().unwrap_or(i64::MAX)),
                        )
                    }
                    (Value::Number(value), Values::Numbers(numbers)) => {
                        push(numbers, value(record, face))
                    }
                    (Value::Flag(value), Values::Flags(flags)) => {
                        push(flags, Some(value(record, face)))
                    }
                    (Value::Text(value), Values::Texts(texts)) => {
                        let text = value(record, face);
                        push(texts, text.map(|text| (*text).into()))
                    }
                    // The cells were made for the columns.
                    _ => false,
                };
                cells.levels.push(is_there.into());
            }
            self.rows += 1;
            if self.rows == ROWS_IN_GROUP {
                self.write_group()?;
            }
        }
        Ok(())
    }

    /// Writes what is left, and what a file ends with; gives back what it was written to.
    ///
    /// # Errors
    /// Where it cannot be written to.
    pub fn finish(mut self) -> Result<W> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.file.into_inner()
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for cells in &mut self.cells {
            let levels = std::mem::take(&mut cells.levels);
            match &mut cells.values {
                Values::Counts(counts) => write_column::<Int64Type, _>(&mut group, counts, &levels),
                Values::Numbers(numbers) => {
                    write_column::<FloatType, _>(&mut group, numbers, &levels)
                }
                Values::Flags(flags) => write_column::<BoolType, _>(&mut group, flags, &levels),
                Values::Texts(texts) => {
                    write_column::<ByteArrayType, _>(&mut group, texts, &levels)
                }
            }?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

impl Cells {
    fn of(column: &Column) -> Self {
        let values = match column.value {
            Value::Count(_) => Values::Counts(Vec::new()),
            Value::Number(_) => Values::Numbers(Vec::new()),
            Value::Flag(_) => Values::Flags(Vec::new()),
            Value::Text(_) => Values::Texts(Vec::new()),
        };
        Self {
            values,
            levels: Vec::new(),
        }
    }
}

fn field(column: &Column) -> Result<Type> {
    let (physical, logical) = match column.value {
        Value::Count(_) => (Physical::INT64, None),
        Value::Number(_) => (Physical::FLOAT, None),
        Value::Flag(_) => (Physical::BOOLEAN, None),
        Value::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let is_there = value.is_some();
    values.extend(value);
    is_there
}

/// Writes and takes `values`.
fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<W>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<()> {
    let Some(mut column) = group.next_column()? else {
        return Ok(()); // There is one for each of the schema's.
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
    use crate::record::tests::{one_face, without_faces};

    #[test]
    fn rows_are_read_back_group_after_group() {
        let mut record = one_face();
        record.faces.push(crate::record::FaceRecord {
            landmarks: None,
            ..record.faces[0].clone()
        });
        let mut writer = Writer::new(Vec::new()).unwrap();
        for _ in 0..ROWS_IN_GROUP {
            writer.write_rows(&without_faces()).unwrap();
            writer.write_rows(&record).unwrap();
        }
        writer.write_rows(&one_face()).unwrap();
        let file = Bytes::from(writer.finish().unwrap());
        let reader = SerializedFileReader::new(file).unwrap();
        assert_eq!(reader.num_row_groups(), 3);
        let rows: Vec<_> = reader
            .get_row_iter(None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len(), 2 * ROWS_IN_GROUP + 1);
        let cell = |row: usize, name: &str| {
            let mut cells = rows[row].get_column_iter();
            cells.find(|(column, _)| *column == name).unwrap().1.clone()
        };
        for row in [0, 2 * ROWS_IN_GROUP - 2, 2 * ROWS_IN_GROUP] {
            assert_eq!(cell(row, "pts_ns"), Field::Long(1_400_000_000));
            assert_eq!(cell(row, "utc"), Field::Null);
            assert_eq!(cell(row, "fresh"), Field::Bool(true));
            assert_eq!(cell(row, "nose_y"), Field::Float(6.0));
            assert_eq!(cell(row, "emotion"), Field::Str("happiness".to_owned()));
        }
        assert_eq!(cell(1, "nose_y"), Field::Null);
        assert_eq!(rows[0].get_string(0).unwrap(), "cam");
    }

    #[test]
    fn a_table_without_rows_is_one() {
        let file = Writer::new(Vec::new()).unwrap().finish().unwrap();
        let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}

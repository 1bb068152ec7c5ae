// SPDX-License-Identifier: MPL-2.0

//! Parquet files of small tables, in one row group.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{DataColumn, DataKind, DataTable, DataValue};

pub(super) fn write(table: &DataTable, output: &mut (dyn Write + Send)) -> Result<()> {
    let fields = table
        .schema
        .columns
        .iter()
        .map(|column| Ok(Arc::new(field(column)?)));
    let schema = Type::group_type_builder(table.schema.name)
        .with_fields(fields.collect::<Result<_>>()?)
        .build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for (index, column) in table.schema.columns.iter().enumerate() {
        let values = table.rows.iter().map(|row| &row[index]);
        match column.kind {
            DataKind::Text => {
                write_column::<ByteArrayType>(&mut group, values, |value| match value {
                    DataValue::Text(text) => Some(ByteArray::from(text.as_str())),
                    _ => None,
                })
            }
            DataKind::Count => write_column::<Int64Type>(&mut group, values, |value| match value {
                // Many readers do not support unsigned integers.
                DataValue::Count(count) => Some(i64::try_from(*count).unwrap_or(i64::MAX)),
                _ => None,
            }),
            DataKind::Number => {
                write_column::<DoubleType>(&mut group, values, |value| match value {
                    DataValue::Number(number) => Some(*number),
                    _ => None,
                })
            }
            DataKind::Flag => write_column::<BoolType>(&mut group, values, |value| match value {
                DataValue::Flag(flag) => Some(*flag),
                _ => None,
            }),
        }?;
    }
    group.close()?;
    file.close()?;
    Ok(())
}

/// Returns the field of the schema for `column`.
fn field(column: &DataColumn) -> Result<Type> {
    let (physical, logical) = match column.kind {
        DataKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        DataKind::Count => (Physical::INT64, None),
        DataKind::Number => (Physical::DOUBLE, None),
        DataKind::Flag => (Physical::BOOLEAN, None),
    };
    Type::primitive_type_builder(column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// Writes the next column; `convert` returns `None` for a missing value.
fn write_column<'a, T: DataType>(
    group: &mut SerializedRowGroupWriter<&mut (dyn Write + Send)>,
    values: impl Iterator<Item = &'a DataValue>,
    convert: impl Fn(&DataValue) -> Option<T::T>,
) -> Result<()> {
    let Some(mut column) = group.next_column()? else {
        return Ok(()); // Does not happen: the schema has a column for each.
    };
    let values: Vec<Option<T::T>> = values.map(convert).collect();
    let levels: Vec<i16> = values.iter().map(|value| value.is_some().into()).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    column
        .typed::<T>()
        .write_batch(&values, Some(&levels), None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    use crate::data_table::tests::table;

    #[test]
    fn rows_can_be_read_back() {
        let mut file = Vec::new();
        table().write_parquet(&mut file).unwrap();
        let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
        let rows: Vec<_> = reader
            .get_row_iter(None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let cells = |row: usize| {
            let cells = rows[row].get_column_iter().map(|(_, field)| field.clone());
            cells.collect::<Vec<_>>()
        };
        let text = |text: &str| Field::Str(text.to_owned());
        assert_eq!(
            cells(0),
            [
                text("a, b"),
                Field::Long(5),
                Field::Double(0.333_333),
                Field::Bool(true)
            ]
        );
        // Parquet is not read by spreadsheets as formulas: the text is as it was.
        assert_eq!(
            cells(1),
            [
                text("=1+1"),
                Field::Null,
                Field::Double(0.0),
                Field::Bool(false)
            ]
        );
        assert_eq!(
            cells(2),
            [Field::Null, Field::Long(0), Field::Null, Field::Null]
        );
    }
}

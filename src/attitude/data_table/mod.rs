// SPDX-License-Identifier: MPL-2.0

//! Small tables in memory, which are written as CSV and Parquet and described in a codebook.

pub mod labels;
#[cfg(feature = "parquet")]
mod parquet;

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::record::spreadsheet;
use crate::record::table::RowWriter;

/// Name and columns of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Name of its files, without the extension.
    pub name: &'static str,
    /// The columns, in their order.
    pub columns: &'static [DataColumn],
}

/// Name, type and meaning of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataColumn {
    /// Name in the header; it ends in the unit if there is one, such as `_ns`.
    pub name: &'static str,
    /// Type of the values.
    pub kind: DataKind,
    /// Meaning, for the codebook: one phrase with the range.
    pub description: &'static str,
    /// All values, if the column has only some; otherwise empty.
    pub labels: &'static [ValueLabel],
}

impl DataColumn {
    /// Returns the column with only these values.
    #[must_use]
    pub const fn with_labels(self, labels: &'static [ValueLabel]) -> Self {
        Self { labels, ..self }
    }
}

/// A value of a column, and its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLabel {
    /// The value, as in the table.
    pub value: &'static str,
    /// Meaning of the value, a phrase.
    pub label: &'static str,
}

/// Type of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// Texts.
    Text,
    /// Nonnegative integers.
    Count,
    /// Numbers.
    Number,
    /// `true` or `false`.
    Flag,
}

impl DataKind {
    /// Returns the name in the codebook.
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Count => "integer",
            Self::Number => "number",
            Self::Flag => "boolean",
        }
    }
}

/// Value of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum DataValue {
    /// A text.
    Text(String),
    /// A nonnegative integer.
    Count(u64),
    /// A number.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// No value: an empty cell of CSV, null in Parquet.
    Missing,
}

impl From<&str> for DataValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for DataValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for DataValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for DataValue {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<u64> for DataValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for DataValue {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<f64> for DataValue {
    /// Rounds to six decimals; what is not a number is missing.
    fn from(number: f64) -> Self {
        const PER_UNIT: f64 = 1e6;
        match number.is_nan() {
            true => Self::Missing,
            // Adding 0 turns −0 into 0.
            false => Self::Number((number * PER_UNIT).round() / PER_UNIT + 0.0),
        }
    }
}

impl<T: Into<DataValue>> From<Option<T>> for DataValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct DataTable {
    /// Name and columns.
    pub schema: &'static TableSchema,
    rows: Vec<Vec<DataValue>>,
}

impl DataTable {
    /// Creates a table without rows.
    pub fn new(schema: &'static TableSchema) -> Self {
        Self {
            schema,
            rows: Vec::new(),
        }
    }

    /// Adds a row, with one value per column.
    ///
    /// # Panics
    /// Panics if there is another number of values.
    pub fn push(&mut self, row: Vec<DataValue>) {
        let TableSchema { name, columns } = self.schema;
        assert_eq!(row.len(), columns.len(), "{name}");
        self.rows.push(row);
    }

    /// Returns the rows.
    pub fn rows(&self) -> &[Vec<DataValue>] {
        &self.rows
    }

    /// Writes the table as CSV. Text that a spreadsheet would take for a formula is escaped.
    ///
    /// # Errors
    /// Returns the errors of `output`.
    pub fn write_csv(&self, output: &mut dyn Write) -> io::Result<()> {
        let mut rows = RowWriter::default();
        rows.write(output, self.schema.columns.iter(), |column, cell| {
            cell.push_str(column.name);
        })?;
        for row in &self.rows {
            rows.write(output, row.iter(), |value, cell| {
                // Writing to a string does not fail.
                let _ = match value {
                    DataValue::Text(text) => cell.write_str(&spreadsheet::escape(text)),
                    DataValue::Count(count) => write!(cell, "{count}"),
                    DataValue::Number(number) => write!(cell, "{number}"),
                    DataValue::Flag(flag) => write!(cell, "{flag}"),
                    DataValue::Missing => Ok(()),
                };
            })?;
        }
        Ok(())
    }

    /// Writes the table as Parquet.
    ///
    /// # Errors
    /// Returns the errors of `output`, or of the format.
    #[cfg(feature = "parquet")]
    pub fn write_parquet(&self, output: &mut (dyn Write + Send)) -> io::Result<()> {
        parquet::write(self, output).map_err(io::Error::other)
    }
}

/// The codebook, which describes the columns of tables.
static CODEBOOK: TableSchema = TableSchema {
    name: "codebook",
    columns: &[
        column("table", DataKind::Text, "name of the table"),
        column("column", DataKind::Text, "name of the column"),
        column("type", DataKind::Text, "text, integer, number or boolean"),
        column("description", DataKind::Text, "meaning of the values"),
    ],
};

/// The values of columns that have only some.
static VALUE_LABELS: TableSchema = TableSchema {
    name: "value-labels",
    columns: &[
        column("table", DataKind::Text, "name of the table"),
        column("column", DataKind::Text, "name of the column"),
        column("value", DataKind::Text, "value, as in the table"),
        column("label", DataKind::Text, "meaning of the value"),
    ],
};

/// Creates a column.
pub const fn column(name: &'static str, kind: DataKind, description: &'static str) -> DataColumn {
    DataColumn {
        name,
        kind,
        description,
        labels: &[],
    }
}

/// Creates a label of a value.
pub const fn value(value: &'static str, label: &'static str) -> ValueLabel {
    ValueLabel { value, label }
}

/// Returns the codebook, which describes all columns of `tables`.
pub fn codebook(tables: &[&TableSchema]) -> DataTable {
    let mut codebook = DataTable::new(&CODEBOOK);
    for table in tables {
        for column in table.columns {
            let cells = [
                table.name,
                column.name,
                column.kind.name(),
                column.description,
            ];
            codebook.push(cells.map(DataValue::from).to_vec());
        }
    }
    codebook
}

/// Returns the labels of values of all columns of `tables`, one row per value.
pub fn value_labels(tables: &[&TableSchema]) -> DataTable {
    let mut labels = DataTable::new(&VALUE_LABELS);
    for table in tables {
        for column in table.columns {
            for label in column.labels {
                let cells = [table.name, column.name, label.value, label.label];
                labels.push(cells.map(DataValue::from).to_vec());
            }
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    static THINGS: TableSchema = TableSchema {
        name: "things",
        columns: &[
            column("name", DataKind::Text, "name of it").with_labels(&[value("a, b", "both")]),
            column("time_ns", DataKind::Count, "time of it"),
            column("share", DataKind::Number, "share of it, 0 to 1"),
            column("used", DataKind::Flag, "true if it is used"),
        ],
    };

    pub(super) fn table() -> DataTable {
        let mut table = DataTable::new(&THINGS);
        table.push(vec![
            "a, b".into(),
            5_u64.into(),
            (1.0 / 3.0).into(),
            true.into(),
        ]);
        table.push(vec![
            "=1+1".into(),
            DataValue::Missing,
            (-1e-9).into(),
            false.into(),
        ]);
        table.push(vec![
            DataValue::Missing,
            0_u64.into(),
            f64::NAN.into(),
            DataValue::Missing,
        ]);
        table
    }

    #[test]
    fn csv_has_rounded_numbers_and_empty_cells() {
        let mut csv = Vec::new();
        table().write_csv(&mut csv).unwrap();
        let expected = "name,time_ns,share,used\n\"a, b\",5,0.333333,true\n'=1+1,,0,false\n,0,,\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
    }

    #[test]
    fn the_codebook_has_each_column() {
        let codebook = codebook(&[&THINGS]);
        assert_eq!(codebook.rows().len(), 4);
        assert_eq!(
            codebook.rows()[1],
            ["things", "time_ns", "integer", "time of it"].map(DataValue::from)
        );
    }

    #[test]
    fn each_value_of_a_column_has_a_row_with_its_label() {
        let labels = value_labels(&[&THINGS]);
        let row = ["things", "name", "a, b", "both"].map(DataValue::from);
        assert_eq!(labels.rows(), [row.to_vec()]);
    }

    #[test]
    #[should_panic(expected = "things")]
    fn a_row_has_a_value_per_column() {
        table().push(vec![DataValue::Missing]);
    }
}

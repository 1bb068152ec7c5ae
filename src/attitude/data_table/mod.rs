// SPDX-License-Identifier: MPL-2.0

//! Small tables in memory, which are written as CSV and Parquet and described in a codebook.

#[cfg(feature = "parquet")]
mod parquet;

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::record::spreadsheet;
use crate::record::table::RowWriter;

/// Name, type and meaning of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataColumn {
    /// Name in the header; it ends in the unit if there is one, such as `_ns`.
    pub name: &'static str,
    /// Type of the values.
    pub kind: DataKind,
    /// Meaning, for the codebook: one phrase with range and labels.
    pub description: &'static str,
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
}

impl DataKind {
    /// Returns the name in the codebook.
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Count => "integer",
            Self::Number => "number",
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
    /// No value: an empty cell of CSV, null in Parquet.
    Missing,
}

impl From<&str> for DataValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
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
    /// Name of its files, without the extension.
    pub name: &'static str,
    /// The columns.
    pub columns: &'static [DataColumn],
    rows: Vec<Vec<DataValue>>,
}

impl DataTable {
    /// Creates a table without rows.
    pub fn new(name: &'static str, columns: &'static [DataColumn]) -> Self {
        Self {
            name,
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row, with one value per column.
    ///
    /// # Panics
    /// Panics if there is another number of values.
    pub fn push(&mut self, row: Vec<DataValue>) {
        assert_eq!(row.len(), self.columns.len(), "{}", self.name);
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
        rows.write(output, self.columns.iter(), |column, cell| {
            cell.push_str(column.name);
        })?;
        for row in &self.rows {
            rows.write(output, row.iter(), |value, cell| {
                // Writing to a string does not fail.
                let _ = match value {
                    DataValue::Text(text) => cell.write_str(&spreadsheet::escape(text)),
                    DataValue::Count(count) => write!(cell, "{count}"),
                    DataValue::Number(number) => write!(cell, "{number}"),
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

/// Columns of a codebook.
const CODEBOOK: [DataColumn; 4] = [
    column("table", DataKind::Text, "name of the table"),
    column("column", DataKind::Text, "name of the column"),
    column("type", DataKind::Text, "text, integer or number"),
    column("description", DataKind::Text, "meaning of the values"),
];

/// Creates a column.
pub const fn column(name: &'static str, kind: DataKind, description: &'static str) -> DataColumn {
    DataColumn {
        name,
        kind,
        description,
    }
}

/// Returns the codebook, which describes all columns of `tables`.
pub fn codebook(tables: &[DataTable]) -> DataTable {
    let mut codebook = DataTable::new("codebook", &CODEBOOK);
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

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [DataColumn; 3] = [
        column("name", DataKind::Text, "name of it"),
        column("time_ns", DataKind::Count, "time of it"),
        column("share", DataKind::Number, "share of it, 0 to 1"),
    ];

    pub(super) fn table() -> DataTable {
        let mut table = DataTable::new("things", &COLUMNS);
        table.push(vec!["a, b".into(), 5_u64.into(), (1.0 / 3.0).into()]);
        table.push(vec!["=1+1".into(), DataValue::Missing, (-1e-9).into()]);
        table.push(vec![DataValue::Missing, 0_u64.into(), f64::NAN.into()]);
        table
    }

    #[test]
    fn csv_has_rounded_numbers_and_empty_cells() {
        let mut csv = Vec::new();
        table().write_csv(&mut csv).unwrap();
        let expected = "name,time_ns,share\n\"a, b\",5,0.333333\n'=1+1,,0\n,0,\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
    }

    #[test]
    fn the_codebook_has_each_column() {
        let codebook = codebook(&[table()]);
        assert_eq!(codebook.rows().len(), 3);
        assert_eq!(
            codebook.rows()[1],
            ["things", "time_ns", "integer", "time of it"].map(DataValue::from)
        );
    }

    #[test]
    #[should_panic(expected = "things")]
    fn a_row_has_a_value_per_column() {
        table().push(vec![DataValue::Missing]);
    }
}

// SPDX-License-Identifier: MPL-2.0

//! CSV files with a header, whose mistakes are told by file and line.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

/// What is wrong with what the user gave.
pub type Failure = Box<dyn std::error::Error>;

/// A CSV file in memory.
pub struct Table {
    path: PathBuf,
    columns: StringRecord,
    rows: Vec<StringRecord>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    cells: &'a StringRecord,
}

impl Table {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let told = |error: csv::Error| mistake(path, &error);
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .from_path(path)
            .map_err(told)?;
        let columns = reader.headers().map_err(told)?.clone();
        let rows = reader.records().collect::<Result<_, _>>().map_err(told)?;
        Ok(Self {
            path: path.to_owned(),
            columns,
            rows,
        })
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter()
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns().any(|name| name == column)
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self, cells })
    }

    /// An error unless there are all of these columns.
    pub fn require(&self, columns: &[&str]) -> Result<(), Failure> {
        match columns.iter().find(|column| !self.has(column)) {
            None => Ok(()),
            Some(column) => {
                let found: Vec<&str> = self.columns().collect();
                let (path, found) = (self.path.display(), found.join(", "));
                Err(
                    format!("{path}:1: the header lacks the column '{column}'; it has: {found}")
                        .into(),
                )
            }
        }
    }
}

impl<'a> Row<'a> {
    /// File and line.
    pub fn place(&self) -> String {
        let line = self.cells.position().map_or(0, csv::Position::line);
        format!("{}:{line}", self.table.path.display())
    }

    pub fn mistake(&self, problem: &str) -> Failure {
        format!("{}: {problem}", self.place()).into()
    }

    /// What is in `column`; `None` where there is no such column, or nothing in it.
    pub fn get(&self, column: &str) -> Option<&'a str> {
        let index = self.table.columns().position(|name| name == column)?;
        self.cells.get(index).filter(|cell| !cell.is_empty())
    }

    /// What must be in `column`.
    pub fn require(&self, column: &str) -> Result<&'a str, Failure> {
        self.get(column)
            .ok_or_else(|| self.mistake(&format!("the column '{column}' is empty")))
    }

    /// The number in `column`.
    pub fn number<T: FromStr>(&self, column: &str) -> Result<Option<T>, Failure> {
        let wrong = |text| self.mistake(&format!("'{text}' in the column '{column}' is no number"));
        self.get(column)
            .map(|text| text.parse().map_err(|_| wrong(text)))
            .transpose()
    }
}

fn mistake(path: &Path, error: &csv::Error) -> Failure {
    let path = path.display();
    match error.kind() {
        ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("{path}:{line}: {len} fields where the header has {expected_len}").into()
        }
        ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("{path}:{line}: this is not UTF-8 text").into()
        }
        ErrorKind::Io(error) => format!("{path}: {error}").into(),
        _ => format!("{path}: {error}").into(),
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Reads data files of users, such as CSV with a header, and describes their mistakes by file and line.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::numbers::count;
use crate::parsing;

/// Accepted names of the column with labels.
const LABEL_COLUMNS: [&str; 2] = ["label", "attitude"];

/// A file or folder with a mistake.
#[derive(Debug, thiserror::Error)]
#[error("{position}")]
pub(crate) struct DataError {
    position: Position,
    source: Box<dyn Error + Send + Sync>,
}

/// A file or folder, and the line in it.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    path: PathBuf,
    line: Option<usize>,
}

impl Position {
    pub(crate) fn of_line(path: &Path, line: usize) -> Self {
        Self {
            path: path.to_owned(),
            line: Some(line),
        }
    }

    pub(crate) fn of_file(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
        }
    }

    /// Returns the error of `mistake` at this position.
    pub(crate) fn error(self, mistake: impl Error + Send + Sync + 'static) -> DataError {
        DataError {
            position: self,
            source: Box::new(mistake),
        }
    }
}

impl Display for Position {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let path = self.path.display();
        match self.line {
            Some(line) => write!(f, "{path}:{line}"),
            None => write!(f, "{path}"),
        }
    }
}

/// A mistake in the syntax of a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileMistake {
    #[error("cannot be read")]
    Read(#[source] io::Error),
    #[error("there is no such file or folder; check the path")]
    NotFound,
    #[error("this is not UTF-8 text; save it as UTF-8")]
    NotText,
    #[error("this is not CSV")]
    Csv(#[source] csv::Error),
    #[error("columns must be separated by commas, not by {0:?}")]
    Separator(char),
    #[error("the line has {}, but the header has {expected}", count(*.found, "field"))]
    Fields { found: usize, expected: usize },
    #[error("the header lacks the column '{column}'; it has: {found}")]
    MissingColumn { column: String, found: String },
    #[error("the column '{0}' is empty")]
    Empty(String),
    #[error("'{text}' in the column '{column}' is not a number")]
    Number { text: String, column: String },
    #[error("'{text}' in the column '{column}' is not a time; write seconds or HH:MM:SS.fff")]
    Time { text: String, column: String },
}

/// Reads a text file, with or without a byte order mark.
///
/// # Errors
/// Returns an error if the file cannot be read or is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = std::fs::read(path);
    let bytes = bytes.map_err(|error| Position::of_file(path).error(FileMistake::Read(error)))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        Position::of_line(path, line).error(FileMistake::NotText)
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

/// A CSV file in memory.
pub(crate) struct Table {
    path: PathBuf,
    /// Names in lower case.
    columns: Vec<String>,
    /// Rows, each with the number of its first line.
    rows: Vec<(usize, StringRecord)>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    table: &'a Table,
    line: usize,
    cells: &'a StringRecord,
}

impl Table {
    /// Parses the text of the CSV file at `path`, which has a header.
    ///
    /// # Errors
    /// Returns an error if the lines do not have as many fields as the header.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, DataError> {
        let csv_error = |error| Position::of_file(path).error(FileMistake::Csv(error));
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let columns = reader.headers().map_err(csv_error)?.iter();
        let columns: Vec<String> = columns.map(str::to_lowercase).collect();
        if let [column] = &columns[..]
            && let Some(separator) = [';', '\t'].into_iter().find(|c| column.contains(*c))
        {
            return Err(Position::of_line(path, 1).error(FileMistake::Separator(separator)));
        }
        let (mut position, mut line) = (0, 1);
        let mut rows = Vec::new();
        for cells in reader.records() {
            let cells = cells.map_err(csv_error)?;
            // The reader does not count all lines that it skips, such as empty ones.
            let start = cells.position().map_or(position, |p| p.byte() as usize);
            let rest = &text[start..];
            let start = start + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            line += text[position..start].matches('\n').count();
            position = start;
            if cells.len() != columns.len() {
                return Err(Position::of_line(path, line).error(FileMistake::Fields {
                    found: cells.len(),
                    expected: columns.len(),
                }));
            }
            rows.push((line, cells));
        }
        Ok(Self {
            path: path.to_owned(),
            columns,
            rows,
        })
    }

    /// Returns the names of the columns, in lower case.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// Returns `true` if there is a column of this name.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns().any(|name| name == column)
    }

    /// Returns the rows after the header.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row {
            table: self,
            line: *line,
            cells,
        })
    }

    /// Returns the name of the column with labels; `None` if there is none.
    pub(crate) fn label_column(&self) -> Option<&'static str> {
        LABEL_COLUMNS.into_iter().find(|column| self.has(column))
    }

    /// Returns the name of the column with labels.
    ///
    /// # Errors
    /// Returns an error if there is none.
    pub(crate) fn require_label_column(&self) -> Result<&'static str, DataError> {
        match self.label_column() {
            Some(column) => Ok(column),
            None => Err(self.missing(LABEL_COLUMNS[0])),
        }
    }

    /// Checks that all of `columns` exist.
    ///
    /// # Errors
    /// Returns an error about the first missing one.
    pub(crate) fn require(&self, columns: &[&str]) -> Result<(), DataError> {
        match columns.iter().find(|column| !self.has(column)) {
            None => Ok(()),
            Some(column) => Err(self.missing(column)),
        }
    }

    /// Returns an error about the header.
    pub(crate) fn header_error(&self, mistake: impl Error + Send + Sync + 'static) -> DataError {
        Position::of_line(&self.path, 1).error(mistake)
    }

    fn missing(&self, column: &str) -> DataError {
        self.header_error(FileMistake::MissingColumn {
            column: column.to_owned(),
            found: self.columns.join(", "),
        })
    }
}

impl<'a> Row<'a> {
    pub(crate) fn position(&self) -> Position {
        Position::of_line(&self.table.path, self.line)
    }

    pub(crate) fn error(&self, mistake: impl Error + Send + Sync + 'static) -> DataError {
        self.position().error(mistake)
    }

    /// Returns the text in `column`; `None` if there is no such column, or it is empty.
    pub(crate) fn get(&self, column: &str) -> Option<&'a str> {
        let index = self.table.columns().position(|name| name == column)?;
        self.cells.get(index).filter(|cell| !cell.is_empty())
    }

    /// Returns the text in `column`.
    ///
    /// # Errors
    /// Returns an error if it is empty.
    pub(crate) fn require(&self, column: &str) -> Result<&'a str, DataError> {
        self.get(column)
            .ok_or_else(|| self.error(FileMistake::Empty(column.to_owned())))
    }

    /// Returns the number in `column`; `None` if it is empty.
    ///
    /// # Errors
    /// Returns an error if the text is not a number.
    pub(crate) fn number<T: FromStr>(&self, column: &str) -> Result<Option<T>, DataError> {
        let wrong = |text: &str| {
            self.error(FileMistake::Number {
                text: text.to_owned(),
                column: column.to_owned(),
            })
        };
        self.get(column)
            .map(|text| text.parse().map_err(|_| wrong(text)))
            .transpose()
    }
    /// Returns the time in `column`, in seconds.
    ///
    /// # Errors
    /// Returns an error if it is empty, or not a time.
    pub(crate) fn require_time_s(&self, column: &str) -> Result<f64, DataError> {
        let text = self.require(column)?;
        parsing::parse_time_s(text).map_err(|_| {
            self.error(FileMistake::Time {
                text: text.to_owned(),
                column: column.to_owned(),
            })
        })
    }

    /// Returns the time in `column`, in nanoseconds; `None` if it is empty.
    ///
    /// # Errors
    /// Returns an error if the text is not a time.
    pub(crate) fn time_ns(&self, column: &str) -> Result<Option<u64>, DataError> {
        let time_s = self.get(column).map(|_| self.require_time_s(column));
        Ok(time_s
            .transpose()?
            .map(|time_s| (time_s * 1e9).round() as u64))
    }
}

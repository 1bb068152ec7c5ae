// SPDX-License-Identifier: MPL-2.0

//! Reads CSV files with a header, and describes mistakes in data files by file and line.

use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::numbers::count;

/// Maximum score in a prediction, so that sums of scores are numbers.
pub(super) const MAX_SCORE: f64 = 1e30;

/// Accepted names of the column with labels.
const LABEL_COLUMNS: [&str; 2] = ["label", "attitude"];

/// A file or folder with a mistake.
#[derive(Debug, thiserror::Error)]
#[error("{position}")]
pub(crate) struct DataError {
    position: Position,
    source: Mistake,
}

/// A file or folder, and the line in it.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    path: PathBuf,
    line: Option<usize>,
}

impl Position {
    pub(super) fn of_line(path: &Path, line: usize) -> Self {
        Self {
            path: path.to_owned(),
            line: Some(line),
        }
    }

    pub(super) fn of_file(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
        }
    }

    pub(super) fn error(self, source: Mistake) -> DataError {
        DataError {
            position: self,
            source,
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

/// The attitude of a label is unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LabelError {
    #[error(
        "'{0}' is neither an attitude (positive, neutral, negative) nor a well-known emotion; map it, for \
         example with --mapping 'positive=happiness,happy,joy; neutral=neutral,calm', which makes all \
         others negative"
    )]
    Unknown(String),
    #[error(
        "'{0}' is neither an attitude, nor a well-known emotion, nor listed by --mapping; list it there, or \
         remove the column if it holds no scores"
    )]
    NotListed(String),
}

/// A mistake in labels or predictions.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mistake {
    #[error("cannot be read")]
    Read(#[source] io::Error),
    #[error("there is no such file or folder; check the path")]
    NotFound,
    #[error("this is not UTF-8 text; save it as UTF-8")]
    NotText,
    #[error("this is not CSV")]
    Csv(#[source] csv::Error),
    #[error("this is not a labeled face")]
    Json(#[source] serde_json::Error),
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
    #[error("the label {0}")]
    Label(LabelError),
    #[error("the column {0}")]
    Column(LabelError),
    #[error("the box has no area; its width and height must be positive")]
    EmptyBox,
    #[error(
        "a landmark is too far from the picture; write its coordinates in pixels of the picture"
    )]
    Landmark,
    #[error("a box needs all of x, y, width and height")]
    IncompleteBox,
    #[error("the segment ends before it begins; its end must be after its start")]
    EmptySegment,
    #[error(
        "there are no labeled faces in it; a folder needs one folder per label with pictures, a file one line \
         per face"
    )]
    NoFaces,
    #[error("labeled faces must be a folder with one folder per label, or a .csv or .jsonl file")]
    UnknownFormat,
    #[error("there is neither a column 'label' nor a column with scores; add one of them")]
    NoPredictions,
    #[error("there is a second prediction for '{0}'; remove one of them")]
    SecondPrediction(String),
    #[error(
        "there are predictions of '{first}' and '{second}'; keep those of one model, for example with: \
         awk -F, 'NR == 1 || $1 == \"{first}\"'"
    )]
    SeveralModels { first: String, second: String },
    #[error(
        "'{text}' in the column '{column}' is not an attitude; it must be positive, neutral or negative"
    )]
    Attitude { text: String, column: String },
    #[error(
        "{score} in the column '{column}' is not a score; it must be a number from 0 to {MAX_SCORE:e}"
    )]
    Score { score: f64, column: String },
    #[error("all scores are 0; leave them empty if there is no prediction")]
    NoScore,
}

/// Reads a text file, with or without a byte order mark.
///
/// # Errors
/// Returns an error if the file cannot be read or is not UTF-8.
pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = std::fs::read(path);
    let bytes = bytes.map_err(|error| Position::of_file(path).error(Mistake::Read(error)))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        Position::of_line(path, line).error(Mistake::NotText)
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

/// A CSV file in memory.
pub(super) struct Table {
    path: PathBuf,
    /// Names in lower case.
    columns: Vec<String>,
    /// Rows, each with the number of its first line.
    rows: Vec<(usize, StringRecord)>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    line: usize,
    cells: &'a StringRecord,
}

impl Table {
    /// Parses the text of the CSV file at `path`, which has a header.
    ///
    /// # Errors
    /// Returns an error if the lines do not have as many fields as the header.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, DataError> {
        let csv_error = |error| Position::of_file(path).error(Mistake::Csv(error));
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let columns = reader.headers().map_err(csv_error)?.iter();
        let columns: Vec<String> = columns.map(str::to_lowercase).collect();
        if let [column] = &columns[..]
            && let Some(separator) = [';', '\t'].into_iter().find(|c| column.contains(*c))
        {
            return Err(Position::of_line(path, 1).error(Mistake::Separator(separator)));
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
                return Err(Position::of_line(path, line).error(Mistake::Fields {
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
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    /// Returns `true` if there is a column of this name.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns().any(|name| name == column)
    }

    /// Returns the rows after the header.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row {
            table: self,
            line: *line,
            cells,
        })
    }

    /// Returns the name of the column with labels; `None` if there is none.
    pub(super) fn label_column(&self) -> Option<&'static str> {
        LABEL_COLUMNS.into_iter().find(|column| self.has(column))
    }

    /// Returns the name of the column with labels.
    ///
    /// # Errors
    /// Returns an error if there is none.
    pub(super) fn require_label_column(&self) -> Result<&'static str, DataError> {
        match self.label_column() {
            Some(column) => Ok(column),
            None => Err(self.missing(LABEL_COLUMNS[0])),
        }
    }

    /// Checks that all of `columns` exist.
    ///
    /// # Errors
    /// Returns an error about the first missing one.
    pub(super) fn require(&self, columns: &[&str]) -> Result<(), DataError> {
        match columns.iter().find(|column| !self.has(column)) {
            None => Ok(()),
            Some(column) => Err(self.missing(column)),
        }
    }

    /// Returns an error about the header.
    pub(super) fn header_error(&self, mistake: Mistake) -> DataError {
        Position::of_line(&self.path, 1).error(mistake)
    }

    fn missing(&self, column: &str) -> DataError {
        self.header_error(Mistake::MissingColumn {
            column: column.to_owned(),
            found: self.columns.join(", "),
        })
    }
}

impl<'a> Row<'a> {
    pub(super) fn position(&self) -> Position {
        Position::of_line(&self.table.path, self.line)
    }

    pub(super) fn error(&self, mistake: Mistake) -> DataError {
        self.position().error(mistake)
    }

    /// Returns the text in `column`; `None` if there is no such column, or it is empty.
    pub(super) fn get(&self, column: &str) -> Option<&'a str> {
        let index = self.table.columns().position(|name| name == column)?;
        self.cells.get(index).filter(|cell| !cell.is_empty())
    }

    /// Returns the text in `column`.
    ///
    /// # Errors
    /// Returns an error if it is empty.
    pub(super) fn require(&self, column: &str) -> Result<&'a str, DataError> {
        self.get(column)
            .ok_or_else(|| self.error(Mistake::Empty(column.to_owned())))
    }

    /// Returns the number in `column`; `None` if it is empty.
    ///
    /// # Errors
    /// Returns an error if the text is not a number.
    pub(super) fn number<T: FromStr>(&self, column: &str) -> Result<Option<T>, DataError> {
        let wrong = |text: &str| {
            self.error(Mistake::Number {
                text: text.to_owned(),
                column: column.to_owned(),
            })
        };
        self.get(column)
            .map(|text| text.parse().map_err(|_| wrong(text)))
            .transpose()
    }
}

// SPDX-License-Identifier: MPL-2.0

//! CSV files with a header, whose mistakes are told by file and line.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use csv::{ReaderBuilder, StringRecord, Trim};

/// What is wrong with what the user gave.
pub type Failure = Box<dyn std::error::Error>;

/// The columns that hold a label; each will do.
const LABEL: [&str; 2] = ["label", "attitude"];

/// The text of a file, as editors and spreadsheets write it.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let told = |error| format!("{}: {error}", path.display());
    let text = String::from_utf8(std::fs::read(path).map_err(told)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        format!("{}:{line}: this is not UTF-8 text", path.display())
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

/// A CSV file in memory.
pub struct Table {
    path: PathBuf,
    /// In lower case.
    columns: Vec<String>,
    /// With the number of the line where each begins.
    rows: Vec<(usize, StringRecord)>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    line: usize,
    cells: &'a StringRecord,
}

impl Table {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = read_text(path)?;
        let told = |error: csv::Error| format!("{}: {error}", path.display());
        let mut reader = ReaderBuilder::new()
            .trim(Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let columns = reader.headers().map_err(told)?.iter();
        let columns: Vec<String> = columns.map(str::to_lowercase).collect();
        if let [column] = &columns[..]
            && let Some(separator) = [';', '\t'].into_iter().find(|c| column.contains(*c))
        {
            return Err(format!(
                "{}:1: columns are separated by commas, and here by {separator:?}",
                path.display()
            )
            .into());
        }
        let (mut at, mut line) = (0, 1);
        let mut rows = Vec::new();
        for cells in reader.records() {
            let cells = cells.map_err(told)?;
            // The reader does not count all lines that it passes over, such as empty ones.
            let start = cells.position().map_or(at, |p| p.byte() as usize);
            let rest = &text[start..];
            let start = start + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            line += text[at..start].matches('\n').count();
            at = start;
            if cells.len() != columns.len() {
                return Err(format!(
                    "{}:{line}: {} fields where the header has {}",
                    path.display(),
                    cells.len(),
                    columns.len()
                )
                .into());
            }
            rows.push((line, cells));
        }
        Ok(Self {
            path: path.to_owned(),
            columns,
            rows,
        })
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str)
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns().any(|name| name == column)
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row {
            table: self,
            line: *line,
            cells,
        })
    }

    /// The column that holds labels, if there is one.
    pub fn label_column(&self) -> Option<&'static str> {
        LABEL.into_iter().find(|column| self.has(column))
    }

    /// The column that must hold labels.
    pub fn require_label_column(&self) -> Result<&'static str, Failure> {
        match self.label_column() {
            Some(column) => Ok(column),
            None => Err(self.lacks(LABEL[0])),
        }
    }

    /// An error unless there are all of these columns.
    pub fn require(&self, columns: &[&str]) -> Result<(), Failure> {
        match columns.iter().find(|column| !self.has(column)) {
            None => Ok(()),
            Some(column) => Err(self.lacks(column)),
        }
    }

    fn lacks(&self, column: &str) -> Failure {
        let (path, found) = (self.path.display(), self.columns.join(", "));
        format!("{path}:1: the header lacks the column '{column}'; it has: {found}").into()
    }
}

impl<'a> Row<'a> {
    /// File and line.
    pub fn place(&self) -> String {
        format!("{}:{}", self.table.path.display(), self.line)
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

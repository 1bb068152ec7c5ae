// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude study`.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::*;

mod made_records;
mod made_study;

/// A folder for a study, in which the program runs.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Changes a rule in the summary of a recording.
    fn set_rule(&self, recording: &str, rule: &str, value: serde_json::Value) {
        let path = format!("results/{recording}/summary.json");
        let mut summary: serde_json::Value = serde_json::from_str(&self.read(&path)).unwrap();
        summary["rules"][rule] = value;
        self.write(&path, summary.to_string());
    }

    fn study(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
        command
            .arg("study")
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Returns the rows of a table, by the names of its columns.
    fn table(&self, name: &str) -> Vec<Row> {
        let text = self.read(name);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        table.deserialize().map(Result::unwrap).collect()
    }
}

type Row = std::collections::HashMap<String, String>;

/// Returns the number in a column.
fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

/// Returns the only row with these values.
fn row<'a>(rows: &'a [Row], values: &[(&str, &str)]) -> &'a Row {
    let mut found = rows
        .iter()
        .filter(|row| values.iter().all(|(column, value)| row[*column] == *value));
    let row = found
        .next()
        .unwrap_or_else(|| panic!("no {values:?} in {rows:?}"));
    assert!(found.next().is_none(), "{values:?}");
    row
}

fn problem(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that must succeed.
fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", problem(&output));
    output
}

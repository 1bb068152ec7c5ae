// SPDX-License-Identifier: MPL-2.0

//! Writes the report and the predictions to files.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use attitude::record::spreadsheet::escape;

use super::report::Report;
use super::results::{EvaluatedFace, LeftOut, Results};

const JSON: &str = "evaluation.json";
const MARKDOWN: &str = "evaluation.md";
const PREDICTIONS: &str = "predictions.csv";
const LEFT_OUT: &str = "left-out.csv";

/// The results cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("{}: it is not a folder; choose another --output", .0.display())]
    NotAFolder(PathBuf),
    #[error(
        "cannot write {}: {source}; check its permissions and the free space, or choose another --output",
        .path.display()
    )]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot format the report")]
    Json(#[from] serde_json::Error),
    #[error("cannot format a table")]
    Csv(#[from] csv::Error),
}

/// The folder for the results.
pub(super) struct Output {
    folder: PathBuf,
}

impl Output {
    /// Opens the folder, creates it if necessary, and checks that the files can be written. Neither
    /// they nor their content change yet.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be created, or a file cannot be written.
    pub(super) fn open(folder: &Path) -> Result<Self, OutputError> {
        let write_error = |path: &Path, source| OutputError::Write {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => OutputError::NotAFolder(folder.to_owned()),
            _ => write_error(folder, error),
        })?;
        for name in [JSON, MARKDOWN, PREDICTIONS, LEFT_OUT] {
            let path = folder.join(name);
            let is_new = !path.exists();
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(&path)
                .map_err(|error| write_error(&path, error))?;
            if is_new {
                std::fs::remove_file(&path).map_err(|error| write_error(&path, error))?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Writes all files.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub(super) fn write(&self, report: &Report, results: &Results) -> Result<(), OutputError> {
        let write = |name: &str, text: &[u8]| {
            let path = self.folder.join(name);
            std::fs::write(&path, text).map_err(|source| OutputError::Write { path, source })
        };
        let json = serde_json::to_string_pretty(report)? + "\n";
        write(JSON, json.as_bytes())?;
        write(MARKDOWN, report.to_markdown().as_bytes())?;
        write(PREDICTIONS, &predictions(results)?)?;
        write(LEFT_OUT, &left_out(results)?)?;
        Ok(())
    }
}

/// Formats one row per prediction. The columns of the truth have names that `--predictions` does
/// not read as a prediction.
fn predictions(results: &Results) -> csv::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "model",
        "file",
        "group",
        "truth",
        "truth_attitude",
        "predicted",
        "positive",
        "neutral",
        "negative",
    ])?;
    for (index, name) in results.names.iter().enumerate() {
        for compared in &results.compared {
            let EvaluatedFace {
                file, group, label, ..
            } = compared.face;
            let prediction = &compared.predictions[index];
            let [positive, neutral, negative] = match prediction.scores {
                Some(scores) => scores.to_array().map(|score| score.to_string()),
                None => Default::default(),
            };
            csv.write_record([
                &*escape(name),
                &escape(file),
                &escape(group.as_deref().unwrap_or_default()),
                &escape(&label.text),
                label.attitude.name(),
                prediction.predicted.name(),
                &positive,
                &neutral,
                &negative,
            ])?;
        }
    }
    Ok(csv.into_inner().map_err(|error| error.into_error())?)
}

/// Formats one row per face that is left out of the figures.
fn left_out(results: &Results) -> csv::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["file", "group", "truth", "truth_attitude", "reason"])?;
    for LeftOut { face, reason } in &results.left_out {
        csv.write_record([
            &*escape(&face.file),
            &escape(face.group.as_deref().unwrap_or_default()),
            &escape(&face.label.text),
            face.label.attitude.name(),
            reason,
        ])?;
    }
    Ok(csv.into_inner().map_err(|error| error.into_error())?)
}

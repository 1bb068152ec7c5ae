// SPDX-License-Identifier: MPL-2.0

//! The files that results are kept in.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::report::Report;
use super::results::{Judged, LeftOut, Results};
use super::table::Failure;

/// What they are called.
const JSON: &str = "evaluation.json";
const MARKDOWN: &str = "evaluation.md";
const PREDICTIONS: &str = "predictions.csv";
const LEFT_OUT: &str = "left-out.csv";

/// A folder that takes the files.
pub struct Output {
    folder: PathBuf,
}

impl Output {
    /// The folder, made where there is none. What is in it is not touched yet.
    ///
    /// # Errors
    /// Where the files cannot be written.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => format!("{}: it is not a folder", folder.display()),
            _ => format!("{}: {error}", folder.display()),
        })?;
        for name in [JSON, MARKDOWN, PREDICTIONS, LEFT_OUT] {
            let path = folder.join(name);
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Writes the report and the predictions that it is made of.
    pub fn write(&self, report: &Report, results: &Results) -> Result<(), Failure> {
        let write = |name: &str, text: &[u8]| {
            let path = self.folder.join(name);
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
        };
        let json = serde_json::to_string_pretty(report)? + "\n";
        write(JSON, json.as_bytes())?;
        write(MARKDOWN, report.to_markdown().as_bytes())?;
        write(PREDICTIONS, &predictions(results)?)?;
        write(LEFT_OUT, &left_out(results)?)?;
        Ok(())
    }
}

/// A row for each answer. What is true has no name that `--predictions` would take for an answer.
fn predictions(results: &Results) -> Result<Vec<u8>, Failure> {
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
            let Judged {
                file, group, label, ..
            } = compared.face;
            let prediction = &compared.predictions[index];
            let [positive, neutral, negative] = match prediction.scores {
                Some(scores) => scores.to_array().map(|score| score.to_string()),
                None => Default::default(),
            };
            csv.write_record([
                name,
                file,
                group.as_deref().unwrap_or_default(),
                &label.text,
                label.attitude.name(),
                prediction.predicted.name(),
                &positive,
                &neutral,
                &negative,
            ])?;
        }
    }
    Ok(csv.into_inner()?)
}

/// A row for each face that the figures are not of.
fn left_out(results: &Results) -> Result<Vec<u8>, Failure> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["file", "group", "truth", "truth_attitude", "reason"])?;
    for LeftOut { face, reason } in &results.left_out {
        csv.write_record([
            &face.file,
            face.group.as_deref().unwrap_or_default(),
            &face.label.text,
            face.label.attitude.name(),
            reason,
        ])?;
    }
    Ok(csv.into_inner()?)
}

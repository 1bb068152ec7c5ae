// SPDX-License-Identifier: MPL-2.0

//! What something else answered about the same faces.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use gstattitude::analysis::attitude::{Attitude, Scores};

use super::data::LabelledFace;
use super::labels::Labels;
use super::table::{Failure, Row, Table};

/// An answer about a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    pub predicted: Attitude,
    /// `None` where only a label was given.
    pub scores: Option<Scores>,
}

impl From<Scores> for Prediction {
    fn from(scores: Scores) -> Self {
        Self {
            predicted: scores.best(),
            scores: Some(scores),
        }
    }
}

/// Answers by file; a file that stands there without an answer has none.
pub type Predictions = HashMap<String, Option<Prediction>>;

pub fn read(path: &Path, labels: Labels) -> Result<Predictions, Failure> {
    let table = Table::read(path)?;
    table.require(&["file"])?;
    let others = table
        .columns()
        .filter(|name| !["file", "label"].contains(name));
    let scored: Vec<(&str, Attitude)> = if table.has("label") {
        Vec::new()
    } else {
        let told = |problem| format!("{}:1: the column {problem}", path.display());
        let scored = others.map(|name| Ok((name, labels.attitude_of(name).map_err(told)?)));
        scored.collect::<Result<_, String>>()?
    };
    if !table.has("label") && scored.is_empty() {
        let path = path.display();
        return Err(
            format!("{path}:1: there is neither a column 'label' nor one with scores").into(),
        );
    }
    let mut predictions = Predictions::new();
    for row in table.rows() {
        let file = row.require("file")?;
        let prediction = match row.get("label") {
            Some(label) => Some(Prediction {
                predicted: labels
                    .attitude_of(label)
                    .map_err(|problem| row.mistake(&format!("the label {problem}")))?,
                scores: None,
            }),
            None => scores(&row, &scored)?.map(Prediction::from),
        };
        if predictions.insert(file.to_owned(), prediction).is_some() {
            return Err(row.mistake(&format!("there is a second answer about '{file}'")));
        }
    }
    Ok(predictions)
}

/// An error where an answer about a file could be about any of several faces.
pub fn require_one_face_a_file(faces: &[LabelledFace]) -> Result<(), Failure> {
    let mut files = HashSet::new();
    match faces.iter().find(|face| !files.insert(&face.file)) {
        None => Ok(()),
        Some(face) => Err(format!(
            "there are several labelled faces in '{}', and --predictions does not tell which of \
             them an answer is about",
            face.file
        )
        .into()),
    }
}

/// The scores of a row, added up by attitude and divided by their sum; `None` where all are empty.
fn scores(row: &Row, columns: &[(&str, Attitude)]) -> Result<Option<Scores>, Failure> {
    let mut sums = [0.0_f64; 3];
    let mut is_empty = true;
    for &(column, attitude) in columns {
        if let Some(score) = row.number::<f64>(column)? {
            if !score.is_finite() || score < 0.0 {
                return Err(row.mistake(&format!("{score} in the column '{column}' is no score")));
            }
            sums[attitude as usize] += score;
            is_empty = false;
        }
    }
    let total: f64 = sums.iter().sum();
    match total {
        _ if is_empty => Ok(None),
        0.0 => Err(row.mistake("all scores are 0")),
        _ => Ok(Some(Scores::from_array(
            sums.map(|sum| (sum / total) as f32),
        ))),
    }
}

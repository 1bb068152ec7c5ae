// SPDX-License-Identifier: MPL-2.0

//! Reads predictions of other programs for the same faces.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use attitude::record::spreadsheet::unescape;
use attitude::{Attitude, Scores};

use super::data::{Data, LabeledFace};
use super::mistake::{MAX_SCORE, Mistake};
use crate::data_file::{DataError, Row, Table, read_text};
use crate::labels::Labels;

/// Prediction for a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prediction {
    pub predicted: Attitude,
    /// `None` if there is only a label.
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

/// Predictions of another program.
pub(crate) struct Predictions {
    pub name: String,
    /// Predictions by file; `None` if the file is listed without one.
    pub by_file: HashMap<String, Option<Prediction>>,
    /// Emotions and attitudes in the predictions.
    pub labels: BTreeSet<String>,
}

/// Column of the prediction in files that this program writes.
const PREDICTED: &str = "predicted";

/// Columns with the predictions of a table.
enum Columns<'a> {
    Label(&'static str),
    Scores(Vec<(&'a str, Attitude)>),
}

impl<'a> Columns<'a> {
    fn of(table: &'a Table, labels: Labels) -> Result<Self, DataError> {
        if let Some(label) = table.label_column() {
            return Ok(Self::Label(label));
        }
        let scored: Vec<_> = table
            .columns()
            .filter(|name| *name != "file")
            .map(|name| match labels.attitude_of_column(name) {
                Ok(attitude) => Ok((name, attitude)),
                Err(error) => Err(table.header_error(Mistake::Column(error))),
            })
            .collect::<Result<_, _>>()?;
        if scored.is_empty() {
            return Err(table.header_error(Mistake::NoPredictions));
        }
        Ok(Self::Scores(scored))
    }

    fn prediction(&self, row: &Row, labels: Labels) -> Result<Option<Prediction>, DataError> {
        match self {
            Self::Scores(columns) => Ok(scores(row, columns)?.map(Prediction::from)),
            Self::Label(column) => {
                let Some(label) = row.get(column) else {
                    return Ok(None);
                };
                let attitude = labels.attitude_of(label);
                Ok(Some(Prediction {
                    predicted: attitude.map_err(|error| row.error(Mistake::Label(error)))?,
                    scores: None,
                }))
            }
        }
    }

    /// Returns the emotions and attitudes in a row.
    fn labels(&self, row: &Row) -> Vec<String> {
        match self {
            Self::Scores(columns) => columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Self::Label(column) => row.get(column).map(str::to_owned).into_iter().collect(),
        }
    }
}

/// Reads the predictions in a CSV file, those of the program `name`.
///
/// # Errors
/// Returns the first mistake in the file.
pub(super) fn read(name: &str, path: &Path, labels: Labels) -> Result<Predictions, DataError> {
    parse(name, path, &read_text(path)?, labels)
}

/// Returns the predictions in the `text` of the CSV file at `path`, those of the program `name`.
///
/// # Errors
/// Returns the first mistake in the text.
pub(crate) fn parse(
    name: &str,
    path: &Path,
    text: &str,
    labels: Labels,
) -> Result<Predictions, DataError> {
    let table = Table::parse(path, text)?;
    table.require(&["file"])?;
    let mut predictions = Predictions {
        name: name.to_owned(),
        by_file: HashMap::new(),
        labels: BTreeSet::new(),
    };
    let is_own = table.has(PREDICTED);
    let columns = if is_own {
        require_one_model(&table)?;
        None
    } else {
        Some(Columns::of(&table, labels)?)
    };
    for row in table.rows() {
        let file = unescape(row.require("file")?);
        let prediction = match &columns {
            Some(columns) => {
                predictions.labels.extend(columns.labels(&row));
                columns.prediction(&row, labels)?
            }
            None => Some(own_prediction(&row)?),
        };
        let earlier = predictions.by_file.insert(file.to_owned(), prediction);
        if earlier.is_some() {
            return Err(row.error(Mistake::SecondPrediction(file.to_owned())));
        }
    }
    Ok(predictions)
}

/// Checks that a file that this program wrote has predictions of one model only.
fn require_one_model(table: &Table) -> Result<(), DataError> {
    let mut model = None;
    for row in table.rows() {
        let of_row = row.get("model");
        let first = *model.get_or_insert(of_row);
        if let (Some(first), Some(other)) = (first, of_row)
            && first != other
        {
            return Err(row.error(Mistake::SeveralModels {
                first: first.to_owned(),
                second: other.to_owned(),
            }));
        }
    }
    Ok(())
}

/// Returns the prediction in a row that this program wrote: an attitude, to which no mapping
/// applies.
fn own_prediction(row: &Row) -> Result<Prediction, DataError> {
    let text = row.require(PREDICTED)?;
    let predicted = Attitude::from_name(text).ok_or_else(|| {
        row.error(Mistake::Attitude {
            text: text.to_owned(),
            column: PREDICTED.to_owned(),
        })
    })?;
    let columns = Attitude::ALL.map(|attitude| (attitude.name(), attitude));
    Ok(Prediction {
        predicted,
        scores: scores(row, &columns)?,
    })
}

/// Predictions that do not fit the data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PredictionError {
    #[error(
        "there are several labeled faces in '{0}', and --predictions does not say which of them a \
         prediction is for; use data with one face per picture"
    )]
    SeveralFaces(String),
    #[error(
        "no prediction of {name} is for a face of the data: it has '{example}', the data have '{own}'; write \
         the column 'file' as in the data"
    )]
    OtherFiles {
        name: String,
        example: String,
        own: String,
    },
}

/// Checks that no file has several faces, as a prediction does not say for which of them it is.
///
/// # Errors
/// Returns an error about the first file with several faces.
pub(super) fn require_one_face_per_file(faces: &[LabeledFace]) -> Result<(), PredictionError> {
    let mut files = HashSet::new();
    match faces.iter().find(|face| !files.insert(&face.file)) {
        None => Ok(()),
        Some(face) => Err(PredictionError::SeveralFaces(face.file.clone())),
    }
}

/// Returns a warning if some predictions are not for a face of the data.
///
/// # Errors
/// Returns an error if none of them is.
pub(super) fn check_files(
    predictions: &Predictions,
    data: &Data,
) -> Result<Option<String>, PredictionError> {
    let faces: HashSet<&str> = data.faces.iter().map(|face| face.file.as_str()).collect();
    let videos: HashSet<&str> = data.segments.iter().map(|s| s.file.as_str()).collect();
    let is_of_video = |file: &str| {
        let video = file.rsplit_once('@').map(|(video, _)| video);
        video.is_some_and(|video| videos.contains(video))
    };
    let files = predictions.by_file.keys();
    let unknown: Vec<&String> = files
        .filter(|file| !faces.contains(file.as_str()) && !is_of_video(file))
        .collect();
    let Some(example) = unknown.iter().min() else {
        return Ok(None);
    };
    let Predictions { name, by_file, .. } = predictions;
    if unknown.len() < by_file.len() {
        return Ok(Some(format!(
            "predictions of {name} for files that are not in the data: {}, such as '{example}'",
            unknown.len()
        )));
    }
    let own = match (data.faces.first(), data.segments.first()) {
        (Some(face), _) => face.file.clone(),
        (None, Some(segment)) => format!("{}@{:.3}", segment.file, segment.start_s),
        (None, None) => String::new(),
    };
    Err(PredictionError::OtherFiles {
        name: name.clone(),
        example: (*example).clone(),
        own,
    })
}

/// Returns the scores of a row, added up by attitude and divided by their sum; `None` if all are
/// empty.
fn scores(row: &Row, columns: &[(&str, Attitude)]) -> Result<Option<Scores>, DataError> {
    let mut sums = [0.0_f64; 3];
    let mut is_empty = true;
    for &(column, attitude) in columns {
        if let Some(score) = row.number::<f64>(column)? {
            if !(0.0..=MAX_SCORE).contains(&score) {
                let column = column.to_owned();
                return Err(row.error(Mistake::Score { score, column }));
            }
            sums[attitude as usize] += score;
            is_empty = false;
        }
    }
    let total: f64 = sums.iter().sum();
    match total {
        _ if is_empty => Ok(None),
        0.0 => Err(row.error(Mistake::NoScore)),
        _ => Ok(Some(Scores::from_array(
            sums.map(|sum| (sum / total) as f32),
        ))),
    }
}

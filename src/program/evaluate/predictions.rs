// SPDX-License-Identifier: MPL-2.0

//! What something else answered about the same faces.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use attitude::{Attitude, Scores};

use super::data::{Data, LabelledFace};
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

/// What something else answered.
pub struct Predictions {
    pub name: String,
    /// By file; a file that stands there without an answer has none.
    pub answers: HashMap<String, Option<Prediction>>,
    /// The emotions and attitudes that it tells.
    pub words: BTreeSet<String>,
}

/// The column of the answer in the files that this program writes.
const PREDICTED: &str = "predicted";

/// Where a table has its answers.
enum Columns<'a> {
    Label(&'static str),
    Scores(Vec<(&'a str, Attitude)>),
}

impl<'a> Columns<'a> {
    fn of(table: &'a Table, path: &Path, labels: Labels) -> Result<Self, Failure> {
        if let Some(label) = table.label_column() {
            return Ok(Self::Label(label));
        }
        let told = |problem| format!("{}:1: the column {problem}", path.display());
        let scored: Vec<_> = table
            .columns()
            .filter(|name| *name != "file")
            .map(|name| Ok((name, labels.attitude_of_column(name).map_err(told)?)))
            .collect::<Result<_, String>>()?;
        if scored.is_empty() {
            let path = path.display();
            return Err(
                format!("{path}:1: there is neither a column 'label' nor one with scores").into(),
            );
        }
        Ok(Self::Scores(scored))
    }

    fn prediction(&self, row: &Row, labels: Labels) -> Result<Option<Prediction>, Failure> {
        match self {
            Self::Scores(columns) => Ok(scores(row, columns)?.map(Prediction::from)),
            Self::Label(column) => {
                let Some(label) = row.get(column) else {
                    return Ok(None);
                };
                let attitude = labels.attitude_of(label);
                Ok(Some(Prediction {
                    predicted: attitude
                        .map_err(|problem| row.mistake(&format!("the label {problem}")))?,
                    scores: None,
                }))
            }
        }
    }

    /// What the row says of emotions and attitudes.
    fn words(&self, row: &Row) -> Vec<String> {
        match self {
            Self::Scores(columns) => columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Self::Label(column) => row.get(column).map(str::to_owned).into_iter().collect(),
        }
    }
}

pub fn read(name: &str, path: &Path, labels: Labels) -> Result<Predictions, Failure> {
    let table = Table::read(path)?;
    table.require(&["file"])?;
    let mut predictions = Predictions {
        name: name.to_owned(),
        answers: HashMap::new(),
        words: BTreeSet::new(),
    };
    let is_own = table.has(PREDICTED);
    let columns = if is_own {
        require_one_model(&table)?;
        None
    } else {
        Some(Columns::of(&table, path, labels)?)
    };
    for row in table.rows() {
        let file = row.require("file")?;
        let prediction = match &columns {
            Some(columns) => {
                predictions.words.extend(columns.words(&row));
                columns.prediction(&row, labels)?
            }
            None => Some(own_prediction(&row)?),
        };
        let known = predictions.answers.insert(file.to_owned(), prediction);
        if known.is_some() {
            return Err(row.mistake(&format!("there is a second answer about '{file}'")));
        }
    }
    Ok(predictions)
}

/// An error where a file of this program's holds what several models answered.
fn require_one_model(table: &Table) -> Result<(), Failure> {
    let mut model = None;
    for row in table.rows() {
        let of_row = row.get("model");
        let first = *model.get_or_insert(of_row);
        if let (Some(first), Some(other)) = (first, of_row)
            && first != other
        {
            return Err(row.mistake(&format!(
                "there are answers of '{first}' and '{other}'; keep those of one, such as by: \
                 awk -F, 'NR == 1 || $1 == \"{first}\"'"
            )));
        }
    }
    Ok(())
}

/// What a row of this program's own files answers, which is an attitude whatever a mapping says.
fn own_prediction(row: &Row) -> Result<Prediction, Failure> {
    let text = row.require(PREDICTED)?;
    let predicted = Attitude::from_name(text).ok_or_else(|| {
        row.mistake(&format!(
            "'{text}' in the column '{PREDICTED}' is no attitude"
        ))
    })?;
    let columns = Attitude::ALL.map(|attitude| (attitude.name(), attitude));
    Ok(Prediction {
        predicted,
        scores: scores(row, &columns)?,
    })
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

/// An error where no answer is about a face of the data; what to warn of where some are not.
pub fn check_files(predictions: &Predictions, data: &Data) -> Result<Option<String>, Failure> {
    let faces: HashSet<&str> = data.faces.iter().map(|face| face.file.as_str()).collect();
    let videos: HashSet<&str> = data.segments.iter().map(|s| s.file.as_str()).collect();
    let is_of_video = |file: &str| {
        let video = file.rsplit_once('@').map(|(video, _)| video);
        video.is_some_and(|video| videos.contains(video))
    };
    let files = predictions.answers.keys();
    let strange: Vec<&String> = files
        .filter(|file| !faces.contains(file.as_str()) && !is_of_video(file))
        .collect();
    let Some(example) = strange.iter().min() else {
        return Ok(None);
    };
    let Predictions { name, answers, .. } = predictions;
    if strange.len() < answers.len() {
        return Ok(Some(format!(
            "{} answers of {name} are about what is not in the data, such as '{example}'",
            strange.len()
        )));
    }
    let own = match (data.faces.first(), data.segments.first()) {
        (Some(face), _) => face.file.clone(),
        (None, Some(segment)) => format!("{}@{:.3}", segment.file, segment.start_s),
        (None, None) => String::new(),
    };
    Err(format!(
        "no answer of {name} is about a face of the data: it has '{example}', the data have '{own}'"
    )
    .into())
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

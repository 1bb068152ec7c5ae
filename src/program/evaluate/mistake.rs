// SPDX-License-Identifier: MPL-2.0

//! Mistakes in labels and predictions.

use crate::labels::LabelError;

/// Maximum score in a prediction, so that sums of scores are numbers.
pub(super) const MAX_SCORE: f64 = 1e30;

/// A mistake in labels or predictions.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mistake {
    #[error("this is not a labeled face")]
    Json(#[source] serde_json::Error),
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

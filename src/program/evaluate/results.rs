// SPDX-License-Identifier: MPL-2.0

//! Combines the outcomes of all faces with the predictions of models and of other programs.

use std::collections::HashMap;

use attitude::evaluation::LabeledPrediction;

use super::faces::FaceOutcome;
use super::predictions::{Prediction, Predictions};
use crate::labels::FaceLabel;

/// A labeled face, or the face of a sample of a video, and its outcome.
#[derive(Clone, Debug)]
pub(super) struct EvaluatedFace {
    /// Name in reports and in the files of `--predictions`.
    pub file: String,
    pub group: Option<String>,
    pub label: FaceLabel,
    pub outcome: FaceOutcome,
}

/// A face with predictions of all models and other programs.
#[derive(Clone, Debug)]
pub(super) struct Compared<'a> {
    pub face: &'a EvaluatedFace,
    /// Predictions, in the order of [`Results::names`].
    pub predictions: Vec<Prediction>,
}

/// A face that is left out of the figures.
#[derive(Clone, Debug)]
pub(super) struct LeftOut<'a> {
    pub face: &'a EvaluatedFace,
    pub reason: String,
}

/// All faces, with those that are compared and left out.
pub(super) struct Results<'a> {
    /// Names of the models, then of the other programs.
    pub names: Vec<String>,
    pub faces: &'a [EvaluatedFace],
    pub compared: Vec<Compared<'a>>,
    pub left_out: Vec<LeftOut<'a>>,
    /// Number of classified faces without a prediction, by name of the other program.
    pub without_prediction: Vec<(String, usize)>,
}

impl<'a> Results<'a> {
    /// Combines `faces`, the outcomes of `models`, with the predictions of `others`.
    pub(super) fn new(
        models: Vec<String>,
        faces: &'a [EvaluatedFace],
        others: &[Predictions],
    ) -> Self {
        let mut without_prediction: Vec<(String, usize)> =
            others.iter().map(|other| (other.name.clone(), 0)).collect();
        let (mut compared, mut left_out) = (Vec::new(), Vec::new());
        for face in faces {
            let FaceOutcome::Classified { scores, .. } = &face.outcome else {
                let reason = face.outcome.to_string();
                left_out.push(LeftOut { face, reason });
                continue;
            };
            let mut predictions: Vec<Prediction> =
                scores.iter().copied().map(Prediction::from).collect();
            let mut missing = Vec::new();
            for (other, (name, count)) in others.iter().zip(&mut without_prediction) {
                match other.by_file.get(&face.file).copied().flatten() {
                    Some(prediction) => predictions.push(prediction),
                    None => {
                        *count += 1;
                        missing.push(name.as_str());
                    }
                }
            }
            if missing.is_empty() {
                compared.push(Compared { face, predictions });
            } else {
                let reason = format!("no prediction of {}", missing.join(", "));
                left_out.push(LeftOut { face, reason });
            }
        }
        let names = models.into_iter();
        Self {
            names: names
                .chain(others.iter().map(|other| other.name.clone()))
                .collect(),
            faces,
            compared,
            left_out,
            without_prediction,
        }
    }

    /// Returns the labeled predictions of each model and other program.
    pub(super) fn labeled_predictions(&self) -> Vec<Vec<LabeledPrediction>> {
        let of_model = |index: usize| {
            let of_face = |compared: &Compared| {
                let truth = compared.face.label.attitude;
                let Prediction { predicted, scores } = compared.predictions[index];
                match scores {
                    Some(scores) => LabeledPrediction::from_scores(truth, &scores),
                    None => LabeledPrediction {
                        truth,
                        predicted,
                        confidence: None,
                    },
                }
            };
            self.compared.iter().map(of_face).collect()
        };
        (0..self.names.len()).map(of_model).collect()
    }

    /// Returns the group number of each compared face; a face without a group is a group of its
    /// own.
    pub(super) fn groups(&self) -> Vec<usize> {
        let mut numbers = HashMap::new();
        let mut count = 0;
        let mut next = || {
            count += 1;
            count - 1
        };
        let number = |compared: &Compared<'a>| match &compared.face.group {
            Some(group) => *numbers.entry(group.as_str()).or_insert_with(&mut next),
            None => next(),
        };
        self.compared.iter().map(number).collect()
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Combines the outcomes of all faces with the predictions of models and others.

use std::collections::HashMap;

use attitude::evaluation::LabelledPrediction;

use super::data::FaceLabel;
use super::faces::FaceOutcome;
use super::predictions::{Prediction, Predictions};

/// A labelled face, or the face of a sample of a video, and its outcome.
#[derive(Clone, Debug)]
pub(super) struct EvaluatedFace {
    /// Name in reports and in the files of `--predictions`.
    pub file: String,
    pub group: Option<String>,
    pub label: FaceLabel,
    pub outcome: FaceOutcome,
}

/// A face with predictions of all models and others.
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
    /// Names of models, then of others.
    pub names: Vec<String>,
    pub faces: &'a [EvaluatedFace],
    pub compared: Vec<Compared<'a>>,
    pub left_out: Vec<LeftOut<'a>>,
    /// Number of classified faces that each of the others has no prediction for.
    pub unanswered: Vec<(String, usize)>,
}

impl<'a> Results<'a> {
    pub(super) fn new(
        models: Vec<String>,
        faces: &'a [EvaluatedFace],
        others: &[Predictions],
    ) -> Self {
        let mut unanswered: Vec<(String, usize)> =
            others.iter().map(|o| (o.name.clone(), 0)).collect();
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
            for (other, (name, unanswered)) in others.iter().zip(&mut unanswered) {
                match other.by_file.get(&face.file).copied().flatten() {
                    Some(prediction) => predictions.push(prediction),
                    None => {
                        *unanswered += 1;
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
            unanswered,
        }
    }

    /// Returns the predictions of each model and other, with the truth.
    pub(super) fn answers(&self) -> Vec<Vec<LabelledPrediction>> {
        let answers = |index: usize| {
            let of = |compared: &Compared| {
                let truth = compared.face.label.attitude;
                let Prediction { predicted, scores } = compared.predictions[index];
                match scores {
                    Some(scores) => LabelledPrediction::from_scores(truth, &scores),
                    None => LabelledPrediction {
                        truth,
                        predicted,
                        confidence: None,
                    },
                }
            };
            self.compared.iter().map(of).collect()
        };
        (0..self.names.len()).map(answers).collect()
    }

    /// Returns the group number of each compared face; a face without a group is a group of its own.
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

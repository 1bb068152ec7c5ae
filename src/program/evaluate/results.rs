// SPDX-License-Identifier: MPL-2.0

//! What was answered about each face, side by side.

use std::collections::HashMap;

use attitude::evaluation::Answer;

use super::faces::Outcome;
use super::labels::Label;
use super::predictions::{Prediction, Predictions};

/// A labelled face or sample of a video and what became of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What it is called in reports and in the files of `--predictions`.
    pub file: String,
    pub group: Option<String>,
    pub label: Label,
    pub outcome: Outcome,
}

/// A face that all have an answer about.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    pub face: &'a Judged,
    /// By models and others, in the order of [`Results::names`].
    pub predictions: Vec<Prediction>,
}

/// A face that the figures are not of.
#[derive(Clone, Debug)]
pub struct LeftOut<'a> {
    pub face: &'a Judged,
    pub reason: String,
}

/// Everything that is known about the faces.
pub struct Results<'a> {
    /// Of models, then of others.
    pub names: Vec<String>,
    pub judged: &'a [Judged],
    pub compared: Vec<Compared<'a>>,
    pub left_out: Vec<LeftOut<'a>>,
    /// For each of others the faces that the models judged and it has no answer about.
    pub unanswered: Vec<(String, usize)>,
}

impl<'a> Results<'a> {
    pub fn new(models: Vec<String>, judged: &'a [Judged], others: &[Predictions]) -> Self {
        let mut unanswered: Vec<(String, usize)> =
            others.iter().map(|o| (o.name.clone(), 0)).collect();
        let (mut compared, mut left_out) = (Vec::new(), Vec::new());
        for face in judged {
            let Outcome::Judged { scores, .. } = &face.outcome else {
                let reason = face.outcome.to_string();
                left_out.push(LeftOut { face, reason });
                continue;
            };
            let mut predictions: Vec<Prediction> =
                scores.iter().copied().map(Prediction::from).collect();
            let mut lacks = Vec::new();
            for (other, (name, unanswered)) in others.iter().zip(&mut unanswered) {
                match other.answers.get(&face.file).copied().flatten() {
                    Some(prediction) => predictions.push(prediction),
                    None => {
                        *unanswered += 1;
                        lacks.push(name.as_str());
                    }
                }
            }
            if lacks.is_empty() {
                compared.push(Compared { face, predictions });
            } else {
                let reason = format!("no answer of {}", lacks.join(", "));
                left_out.push(LeftOut { face, reason });
            }
        }
        let names = models.into_iter();
        Self {
            names: names
                .chain(others.iter().map(|other| other.name.clone()))
                .collect(),
            judged,
            compared,
            left_out,
            unanswered,
        }
    }

    /// The answers of each, for the metrics.
    pub fn answers(&self) -> Vec<Vec<Answer>> {
        let answers = |index: usize| {
            let of = |compared: &Compared| {
                let truth = compared.face.label.attitude;
                let Prediction { predicted, scores } = compared.predictions[index];
                match scores {
                    Some(scores) => Answer::from_scores(truth, &scores),
                    None => Answer {
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

    /// For each compared face the number of its group, a group of its own where it has none.
    pub fn groups(&self) -> Vec<usize> {
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

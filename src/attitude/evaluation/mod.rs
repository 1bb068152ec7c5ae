// SPDX-License-Identifier: MPL-2.0

//! How good a classifier is, by faces that people have labelled.
//!
//! Pure computation on what was answered: [`tally`] adds answers up and reads the figures off the
//! sums, [`coverage`] tells what it brings to leave unsure answers out, and [`bootstrap`] how far
//! the figures would move with other faces.

use crate::{Attitude, Scores};

pub mod confusion;
pub mod tally;

pub mod coverage;

pub mod bootstrap;

/// What was answered about one labelled face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// What the label says.
    pub truth: Attitude,
    /// What was answered.
    pub predicted: Attitude,
    /// Score of the answer, 0 to 1; `None` where none was given.
    pub confidence: Option<f32>,
}

impl Answer {
    /// The attitude that scores highest, for an answer.
    pub fn from_scores(truth: Attitude, scores: &Scores) -> Self {
        let predicted = scores.best();
        Self {
            truth,
            predicted,
            confidence: Some(scores[predicted]),
        }
    }

    /// Whether the answer is the label's.
    pub fn is_right(&self) -> bool {
        self.predicted == self.truth
    }
}

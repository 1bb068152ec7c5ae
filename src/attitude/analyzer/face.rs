// SPDX-License-Identifier: MPL-2.0

//! The tracked faces that an analysis returns.

use crate::baseline::{self, BaselineState};
use crate::classification::Emotions;
use crate::geometry::{Landmarks, Point, Rect};
use crate::pose::HeadPose;
use crate::tracking::extrapolate;
use crate::trend::Trend;
use crate::{Label, Scores};

/// A tracked face after the analysis of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// Track id, from 1.
    pub track: u32,
    /// Bounding box of the last detection, in frame pixels.
    pub bbox_in_frame: Rect,
    /// Velocity of the box's center, in frame pixels per second.
    pub velocity_per_s: Point,
    /// Landmarks of the last detection, in frame pixels; `None` if the detector does not detect
    /// them.
    pub landmarks_in_frame: Option<Landmarks>,
    /// Head pose in the displayed frame, at the last detection; `None` without landmarks, and if
    /// [`HeadPose::from_landmarks`] finds none.
    pub head_pose: Option<HeadPose>,
    /// Score of the last detection, 0 to 1.
    pub detection_score: f32,
    /// The attitude, after smoothing.
    pub label: Label,
    /// Smoothed scores; `None` before the first classification, and after the track timeout without
    /// a classification.
    pub scores: Option<Scores>,
    /// Smoothed [quality](crate::quality) of the face's picture, 0 to 1; `None` if `scores` is.
    pub quality: Option<f32>,
    /// Scores of the last classification, without smoothing; `None` if `scores` is.
    pub raw_scores: Option<Scores>,
    /// Smoothed probabilities of the classifier's emotions; empty if `scores` is `None`.
    pub emotions: Emotions,
    /// Trend of the valence; `None` if trends are not computed, or the attitude is known for less
    /// than half of the [window](crate::trend::WINDOW_NS).
    pub trend: Option<Trend>,
    /// State of the baseline; `None` if baselines are not computed.
    pub baseline: Option<BaselineState>,
    /// Valence minus the baseline, −2 to 2; `None` if one of them is not known.
    pub valence_change: Option<f32>,
    /// Running time of the first detection.
    pub first_seen_ns: u64,
    /// Running time of the last detection.
    pub observed_ns: u64,
    /// Running time of the last classification; `None` if `scores` is.
    pub classified_ns: Option<u64>,
}

impl Face {
    /// Returns the running time of the last classification or, if there are no scores, of the last
    /// detection.
    pub fn updated_ns(&self) -> u64 {
        self.classified_ns.unwrap_or(self.observed_ns)
    }

    /// Returns `true` if the face was classified in the sample at `time_ns`.
    pub fn is_classified_at(&self, time_ns: u64) -> bool {
        self.classified_ns == Some(time_ns)
    }

    /// Returns the smoothed score of the label times the smoothed quality, 0 to 1; 0 if the label
    /// is unknown.
    pub fn confidence(&self) -> f32 {
        match (self.label, self.scores, self.quality) {
            (Label::Known(attitude), Some(scores), Some(quality)) => scores[attitude] * quality,
            _ => 0.0,
        }
    }

    /// Returns the valence of the smoothed scores; `None` before the first classification.
    pub fn valence(&self) -> Option<f32> {
        self.scores.map(|scores| scores.valence())
    }

    /// Returns the attitude of the change against the baseline; see
    /// [`baseline::attitude_of_change`]. `None` if `valence_change` is.
    pub fn attitude_change(&self) -> Option<Label> {
        let change = self.valence_change?;
        Some(baseline::attitude_of_change(self.label, change))
    }

    /// Returns the box in frame pixels, extrapolated to the running time `time_ns` at constant
    /// velocity.
    pub fn bbox_at(&self, time_ns: u64) -> Rect {
        let age_ns = time_ns.saturating_sub(self.observed_ns);
        extrapolate(self.bbox_in_frame, self.velocity_per_s, age_ns)
    }

    /// Returns the landmarks in frame pixels, moved with the box to the running time `time_ns`.
    pub(crate) fn landmarks_at(&self, time_ns: u64) -> Option<Landmarks> {
        let moved = self.bbox_at(time_ns);
        let (dx, dy) = (
            moved.x - self.bbox_in_frame.x,
            moved.y - self.bbox_in_frame.y,
        );
        let landmarks = self.landmarks_in_frame?;
        Some(landmarks.map(|p| Point::new(p.x + dx, p.y + dy)))
    }
}

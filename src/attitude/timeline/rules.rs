// SPDX-License-Identifier: MPL-2.0

//! What the analysis over time depends on, beside the samples.

use serde::{Deserialize, Serialize};

/// How samples are read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// An attitude begins where its score reaches this.
    pub begin_score: f32,
    /// It ends where its score falls under this.
    pub end_score: f32,
    /// What lasts less than this is no segment of its own; half of this where it begins or ends with
    /// what was seen.
    pub min_segment_ns: u64,
    /// Samples further apart than this have a gap between them; at least [`MIN_GAP_IN_SPACINGS`]
    /// times the usual distance of samples.
    pub gap_ns: u64,
    /// How much of the segments on either side says by how much the score changed.
    pub change_window_ns: u64,
    /// How long after a track ended another may begin that continues it; 0 joins none.
    pub join_gap_ns: u64,
    /// Most that the centres of their boxes may be apart, in heights of a box.
    pub join_distance: f32,
    /// Most that the higher box may be of the other's height.
    pub join_height_ratio: f32,
    /// Resamples of the bootstrap that gives the intervals of the means; 0 for no intervals.
    pub resamples: usize,
    /// The same seed draws the same resamples.
    pub seed: u64,
}

/// A gap is at least so many times the usual distance of samples, as a track is kept for as long.
pub const MIN_GAP_IN_SPACINGS: u64 = crate::tracking::MIN_TIMEOUT_IN_SPACINGS;

impl Default for Rules {
    /// Suits the defaults of the analysis of a frame: five samples a second, smoothed by 500 ms.
    fn default() -> Self {
        Self {
            // As far on either side of the least confidence of a label, 0.5, as the hysteresis of a
            // label is wide in all: of two attitudes, one ends where the other begins.
            begin_score: 0.55,
            end_score: 0.45,
            // Two time constants of the smoothing: a single wrong answer cannot last as long.
            min_segment_ns: 1_000_000_000,
            // As long as a track is kept.
            gap_ns: 1_000_000_000,
            change_window_ns: 3_000_000_000,
            join_gap_ns: 10_000_000_000,
            // Half of what lies between two heads side by side.
            join_distance: 0.5,
            join_height_ratio: 1.5,
            resamples: 1000,
            seed: 0,
        }
    }
}

impl Rules {
    /// From which distance of two samples on there is a gap, where samples are usually `spacing_ns`
    /// apart.
    pub fn gap_from_ns(&self, spacing_ns: u64) -> u64 {
        self.gap_ns
            .max(spacing_ns.saturating_mul(MIN_GAP_IN_SPACINGS))
    }
}

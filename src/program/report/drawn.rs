// SPDX-License-Identifier: MPL-2.0

//! The scores of a timeline as they are shown.

use attitude::timeline::Series;
use maud::{Markup, html};

use super::{tables, text, zoom};

/// Maximum number of bins of a timeline.
const MAX_BINS: usize = 600;

/// Scores are averaged over this fraction of the visible time, so that they are a line and no comb;
/// `details.js` has it too.
const SMOOTHED_FRACTION: usize = 100;

/// The scores of a person or the scene, in the resolutions of the picture, of its details and of the
/// table.
pub(super) struct Drawn {
    pub(super) picture: Series,
    /// Time that a point of the picture is the mean of.
    point_ns: u64,
    pub(super) detail: Series,
    pub(super) table: Series,
}

impl Drawn {
    /// Creates it from `series`, which returns at most as many bins as its argument.
    pub(super) fn new(series: impl Fn(usize) -> Series) -> Self {
        let picture = series(MAX_BINS);
        let neighbors = picture.bins.len() / (2 * SMOOTHED_FRACTION);
        Self {
            point_ns: picture.bin_ns.saturating_mul(2 * neighbors as u64 + 1),
            picture: picture.smoothed(neighbors),
            detail: series(zoom::MAX_BINS),
            table: series(tables::MAX_ROWS),
        }
    }

    /// Returns a description of the picture.
    pub(super) fn help(&self) -> Markup {
        html! {
            p.help {
                "Above, the three scores, which add up to 1: positive from the top down, negative from the bottom \
                 up, neutral between them. Below, the segments of one attitude. "
                "Each point is the mean of " (text::length(self.point_ns)) ". "
                span.controls { "Click a timeline to seek; press ? for the keys." }
            }
        }
    }
}

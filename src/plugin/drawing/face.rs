// SPDX-License-Identifier: MPL-2.0

//! The state of a face that is drawn.

use attitude::geometry::Rect;
use attitude::history::History;
use attitude::{Label, Scores};

/// One face as it is drawn on a frame.
#[derive(Clone, Copy, Debug)]
pub struct FaceDrawing<'a> {
    /// Number of the face's track, or 0 if the face is not tracked.
    pub track: u32,
    /// Bounding box in frame pixels. A box without an area is not drawn.
    pub bbox_in_frame: Rect,
    /// The attitude.
    pub label: Label,
    /// Score of the label, 0 to 1.
    pub confidence: f32,
    /// Smoothed scores; `None` before the first classification.
    pub scores: Option<Scores>,
    /// Recent labels of the face, drawn as a strip; `None` to draw none.
    pub history: Option<&'a History>,
}

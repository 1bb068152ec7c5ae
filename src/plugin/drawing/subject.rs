// SPDX-License-Identifier: MPL-2.0

//! What is drawn.

use attitude::geometry::Rect;
use attitude::history::History;
use attitude::{Label, Scores};

/// One face as it is drawn on a frame.
#[derive(Clone, Copy, Debug)]
pub struct FaceDrawing<'a> {
    /// The number that the face is followed by, 0 for one that is not followed.
    pub track: u32,
    /// Where it is, in pixels of the frame. A box that is no box is not drawn.
    pub bbox_in_frame: Rect,
    /// Its attitude.
    pub label: Label,
    /// How sure the label is, 0 to 1.
    pub confidence: f32,
    /// The scores of its attitudes, where they are known.
    pub scores: Option<Scores>,
    /// Its recent past, if that is to be drawn.
    pub history: Option<&'a History>,
}

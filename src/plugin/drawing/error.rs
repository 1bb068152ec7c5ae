// SPDX-License-Identifier: MPL-2.0

//! What can go wrong.

use attitude::frame::FrameError;

/// Why an overlay could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Cairo failed.
    #[error("cannot draw the overlay: {0}")]
    Drawing(#[from] cairo::Error),
    /// Cairo did not give the pixels away.
    #[error("cannot take the overlay's pixels: {0}")]
    Pixels(#[from] cairo::BorrowError),
    /// GStreamer did not take the pixels, or not blend them.
    #[error("cannot make an overlay of the pixels: {0}")]
    Buffer(#[from] glib::BoolError),
    /// The frame cannot be drawn on.
    #[error("cannot draw on the frame: {0}")]
    Frame(#[from] FrameError),
}

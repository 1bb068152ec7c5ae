// SPDX-License-Identifier: MPL-2.0

//! Reasons why a recording cannot be played and analyzed.

use attitude::clock;
use gstattitude::message::MessageError;
use serde::{Deserialize, Serialize};

use super::{ElementError, UnplayableError};
use crate::console;

/// A recording cannot be played and analyzed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlayError {
    #[error("cannot create its pipeline")]
    Pipeline(#[from] glib::BoolError),
    #[error(transparent)]
    Unplayable(#[from] UnplayableError),
    #[error("cannot analyze it: {0}")]
    Analysis(ElementError),
    #[error("cannot read a sample")]
    Sample(#[from] MessageError),
    #[error(
        "it can only be played from the beginning to the end; omit --from and --to, or convert it first"
    )]
    NotSeekable,
    #[error(transparent)]
    BeyondEnd(#[from] BeyondEndError),
}

/// The part to play begins behind the end of the recording.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is {} long, but --from is {}; choose an earlier --from",
    clock::position(*.duration_ns),
    clock::position(*.from_ns)
)]
pub(crate) struct BeyondEndError {
    pub(crate) from_ns: u64,
    pub(crate) duration_ns: u64,
}

/// A [`PlayError`] in another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct PlaybackError {
    pub(crate) kind: PlaybackErrorKind,
    reason: String,
}

/// The kinds of errors that have different consequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PlaybackErrorKind {
    /// The recording can be read and has no video.
    NoVideo,
    /// GStreamer cannot read the recording.
    Unreadable,
    Other,
}

impl From<PlayError> for PlaybackError {
    fn from(error: PlayError) -> Self {
        Self {
            kind: match error {
                PlayError::Unplayable(UnplayableError::NoVideo) => PlaybackErrorKind::NoVideo,
                PlayError::Unplayable(UnplayableError::Element(_)) => PlaybackErrorKind::Unreadable,
                _ => PlaybackErrorKind::Other,
            },
            reason: console::chain(&error),
        }
    }
}

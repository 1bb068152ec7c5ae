// SPDX-License-Identifier: MPL-2.0

//! What became of a recording.

use super::document::Document;

/// Why a file in a folder is passed over.
pub const NO_VIDEO: &str = "it has no video";

/// What became of a recording.
pub enum Outcome {
    /// There are results; what is damaged is told in them.
    Done(Box<Document>),
    /// There were results that still hold.
    Skipped(Box<Document>),
    /// There are none, for this reason.
    Failed(String),
    /// There is no video in what a folder holds.
    PassedOver(&'static str),
}

impl Outcome {
    /// The results that there are.
    pub fn document(&self) -> Option<&Document> {
        match self {
            Self::Done(document) | Self::Skipped(document) => Some(document),
            Self::Failed(_) | Self::PassedOver(_) => None,
        }
    }

    /// Whether nothing was lost.
    pub fn is_good(&self) -> bool {
        match self {
            Self::Done(document) | Self::Skipped(document) => document.damage.is_none(),
            Self::Failed(_) => false,
            Self::PassedOver(_) => true,
        }
    }
}

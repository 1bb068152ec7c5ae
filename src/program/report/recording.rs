// SPDX-License-Identifier: MPL-2.0

//! Facts about a recording that a page shows beside its timelines.

use attitude::record::note::TimedNote;
use attitude::timeline::Span;

use crate::corrections::CorrectionsFile;

/// A recording and how it was analyzed. Pages leave out unknown facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordingFacts {
    /// File name.
    pub(crate) name: String,
    /// Address, relative to the page.
    pub(crate) address: Option<String>,
    /// Address of its annotated copy, which all browsers play, relative to the page.
    pub(crate) annotated: Option<String>,
    /// Set for a live session, which has no recording.
    pub(crate) session: Option<Session>,
    /// Timestamp of position 0, from which some players count.
    pub(crate) origin_ns: u64,
    /// Duration.
    pub(crate) duration_ns: Option<u64>,
    /// Width and height of its frames in pixels.
    pub(crate) size_px: Option<(u32, u32)>,
    /// Name of the attitude model.
    pub(crate) model: Option<String>,
    /// Execution provider.
    pub(crate) provider: Option<String>,
    /// The part that was analyzed; `None` for all of it.
    pub(crate) range: Option<Span>,
    /// Notes, by time.
    pub(crate) notes: Vec<TimedNote>,
    /// A sentence about what is missing, if the recording or its records are damaged.
    pub(crate) damage: Option<String>,
    /// Corrections that the page can edit; `None` if it cannot.
    pub(crate) corrections: Option<CorrectionsFile>,
    /// What a user should know about the recording and how it was analyzed.
    pub(crate) remarks: Vec<String>,
}

/// A live session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// The time of day at which it began.
    pub(crate) began: Option<String>,
}

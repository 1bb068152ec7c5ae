// SPDX-License-Identifier: MPL-2.0

//! What is known of a recording beside what was seen in it.

use attitude::record::note::PlacedNote;
use attitude::timeline::Span;

/// A recording and how it was analysed. What is not known is left out of the page.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What it is called: the name of its file.
    pub name: String,
    /// Its address, from the page.
    pub address: Option<String>,
    /// What there is to know of it where it is a session and no recording.
    pub session: Option<Session>,
    /// How long it is.
    pub duration_ns: Option<u64>,
    /// Width and height of its frames in pixels.
    pub size_px: Option<(u32, u32)>,
    /// The attitude model by its name.
    pub model: Option<String>,
    /// What ran the networks.
    pub provider: Option<String>,
    /// The part that was analysed; `None` for all of it.
    pub range: Option<Span>,
    /// What was noted, by time.
    pub notes: Vec<PlacedNote>,
    /// What is missing, in a sentence, where the recording or its records are cut short or damaged.
    pub damage: Option<String>,
}

/// What was seen live and not recorded.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The time of day at which it began.
    pub began: Option<String>,
}

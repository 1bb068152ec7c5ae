// SPDX-License-Identifier: MPL-2.0

//! The end of a session: its reason, and the handle that ends it.

use serde::Serialize;
use tokio::sync::mpsc;

/// The end of a session, as the page receives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Ending {
    pub(crate) reason: Reason,
    /// A sentence for the visitor.
    pub(crate) problem: String,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "&'static str")]
pub(crate) enum Reason {
    /// The visitor left.
    Left,
    /// The source ended.
    Ended,
    /// The server shuts down.
    Shutdown,
    /// The visitor exceeded a limit.
    Limit,
    /// The page was silent for too long, or could not connect.
    Timeout,
    /// The source is a file that cannot be played, now or later.
    Unplayable,
    /// Something failed.
    Failed,
}

impl Reason {
    pub(crate) const ALL: [Self; 7] = [
        Self::Left,
        Self::Ended,
        Self::Shutdown,
        Self::Limit,
        Self::Timeout,
        Self::Unplayable,
        Self::Failed,
    ];

    /// Returns the name in messages and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Ended => "ended",
            Self::Shutdown => "shutdown",
            Self::Limit => "limit",
            Self::Timeout => "timeout",
            Self::Unplayable => "unplayable",
            Self::Failed => "failed",
        }
    }
}

impl From<Reason> for &'static str {
    fn from(reason: Reason) -> Self {
        reason.name()
    }
}

impl Ending {
    pub(crate) fn new(reason: Reason, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self { reason, problem }
    }
}

/// Ends a session; the first call decides the reason.
#[derive(Clone, Debug)]
pub(crate) struct End(mpsc::Sender<Ending>);

impl End {
    /// Returns the handle and the receiver of the one ending.
    pub(crate) fn channel() -> (Self, mpsc::Receiver<Ending>) {
        let (sender, endings) = mpsc::channel(1);
        (Self(sender), endings)
    }

    /// Ends the session for `reason`; `problem` is a sentence for the visitor.
    pub(crate) fn end(&self, reason: Reason, problem: impl Into<String>) {
        // Fails if an earlier ending is in the channel, which then counts.
        let _ = self.0.try_send(Ending::new(reason, problem));
    }
}

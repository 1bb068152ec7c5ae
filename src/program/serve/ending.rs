// SPDX-License-Identifier: MPL-2.0

//! Why a session ends.

use serde::Serialize;

/// What the page is told when its session ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ending {
    pub reason: Reason,
    /// A sentence for the visitor.
    pub problem: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "&'static str")]
pub enum Reason {
    /// The visitor has left.
    Left,
    /// The source has come to its end.
    Ended,
    /// The server ends.
    Shutdown,
    /// More was sent than is allowed.
    Limit,
    /// Nothing has been heard from the page, or it did not answer.
    Timeout,
    /// Something broke.
    Failed,
}

impl Reason {
    pub const ALL: [Self; 6] = [
        Self::Left,
        Self::Ended,
        Self::Shutdown,
        Self::Limit,
        Self::Timeout,
        Self::Failed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Ended => "ended",
            Self::Shutdown => "shutdown",
            Self::Limit => "limit",
            Self::Timeout => "timeout",
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
    pub fn new(reason: Reason, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self { reason, problem }
    }
}

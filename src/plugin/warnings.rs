// SPDX-License-Identifier: MPL-2.0

//! Warnings that do not flood the bus.

use std::time::{Duration, Instant};

/// Least time between two warnings of the same kind.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// Keeps warnings apart in time.
#[derive(Debug, Default)]
pub(super) struct WarningLimit {
    last: Option<Instant>,
}

impl WarningLimit {
    /// Whether it is time for another one, which is then taken to be given.
    pub fn lets_through(&mut self) -> bool {
        let is_due = |last: Instant| last.elapsed() >= WARNING_INTERVAL;
        let is_due = self.last.is_none_or(is_due);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}

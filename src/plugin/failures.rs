// SPDX-License-Identifier: MPL-2.0

//! Failure policy: limits warnings on the bus, and ends a stream on which nothing works.

use std::time::{Duration, Instant};

use attitude::InferenceError;

/// Least time between two warnings of the same kind.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// Keeps warnings apart in time.
#[derive(Debug, Default)]
pub(crate) struct WarningLimit {
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

/// Failures in a row after which the element gives up.
const MAX_FAILURES: u32 = 10;

/// What a failed inference leads to.
#[derive(Debug, PartialEq)]
pub(crate) enum FailureAction {
    /// Tell, and go on.
    Warn(InferenceError),
    /// Go on; it was told a moment ago.
    Silent,
    /// Tell, and stop: it does not work.
    GiveUp(InferenceError),
}

/// Failures since the last success.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    in_a_row: u32,
    warnings: WarningLimit,
}

impl Failures {
    /// Counts one more.
    pub fn add(&mut self, error: InferenceError) -> FailureAction {
        self.in_a_row += 1;
        if self.in_a_row >= MAX_FAILURES {
            return FailureAction::GiveUp(error);
        }
        if self.warnings.lets_through() {
            FailureAction::Warn(error)
        } else {
            FailureAction::Silent
        }
    }

    /// Notes a success.
    pub fn reset(&mut self) {
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_warn_once_a_second_and_give_up_after_ten_in_a_row() {
        let mut failures = Failures::default();
        let error = || InferenceError("no".to_owned());
        assert_eq!(failures.add(error()), FailureAction::Warn(error()));
        for _ in 2..MAX_FAILURES {
            assert_eq!(failures.add(error()), FailureAction::Silent);
        }
        assert_eq!(failures.add(error()), FailureAction::GiveUp(error()));
    }
}

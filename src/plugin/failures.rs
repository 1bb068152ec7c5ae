// SPDX-License-Identifier: MPL-2.0

//! Failure policy: limits the rate of warnings on the bus, and ends a stream after too many
//! failures in a row.

use std::time::{Duration, Instant};

use attitude::InferenceError;

/// Minimum time between two warnings of the same kind.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// Limits the rate of warnings.
#[derive(Debug, Default)]
pub(crate) struct WarningLimit {
    last: Option<Instant>,
}

impl WarningLimit {
    /// Returns `true` if a warning is due, and counts it as posted.
    pub fn is_due(&mut self) -> bool {
        let is_due = self
            .last
            .is_none_or(|last| last.elapsed() >= WARNING_INTERVAL);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}

/// A warning about a stream that is posted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OneWarning {
    #[default]
    NotDue,
    Due,
    Posted,
}

impl OneWarning {
    /// Makes the warning due, unless it has been posted.
    pub fn set_due(&mut self) {
        if *self == Self::NotDue {
            *self = Self::Due;
        }
    }

    /// Returns `true` if the warning is due, and counts it as posted.
    pub fn take_due(&mut self) -> bool {
        let is_due = *self == Self::Due;
        if is_due {
            *self = Self::Posted;
        }
        is_due
    }
}

/// Number of failures in a row after which the element fails.
pub(crate) const MAX_FAILURES: u32 = 10;

/// Reaction to a failed inference.
#[derive(Debug, PartialEq)]
pub(crate) enum FailureAction {
    /// Post a warning and continue.
    Warn(InferenceError),
    /// Continue; a warning was posted a moment ago.
    Ignore,
    /// Post an error and stop.
    Fail(InferenceError),
}

/// Counts the failures since the last success.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    in_a_row: u32,
    warnings: WarningLimit,
}

impl Failures {
    /// Counts a failure and returns the reaction to it.
    pub fn add(&mut self, error: InferenceError) -> FailureAction {
        self.in_a_row += 1;
        if self.in_a_row >= MAX_FAILURES {
            return FailureAction::Fail(error);
        }
        if self.warnings.is_due() {
            FailureAction::Warn(error)
        } else {
            FailureAction::Ignore
        }
    }

    /// Records a success.
    pub fn reset(&mut self) {
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_warn_once_per_second_and_end_the_stream_after_ten_in_a_row() {
        let mut failures = Failures::default();
        let error = || InferenceError("no".to_owned());
        assert_eq!(failures.add(error()), FailureAction::Warn(error()));
        for _ in 2..MAX_FAILURES {
            assert_eq!(failures.add(error()), FailureAction::Ignore);
        }
        assert_eq!(failures.add(error()), FailureAction::Fail(error()));
    }
}

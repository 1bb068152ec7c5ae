// SPDX-License-Identifier: MPL-2.0

//! What failures lead to: warnings, and an end where nothing works.

use crate::warnings::WarningLimit;
use attitude::InferenceError;

/// Failures in a row after which the element gives up.
const MAX_FAILURES: u32 = 10;

/// What a failed inference leads to.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Tell, and go on.
    Warn(InferenceError),
    /// Go on; it was told a moment ago.
    Silent,
    /// Tell, and stop: it does not work.
    GiveUp(InferenceError),
}

/// Failures since the last success.
#[derive(Debug, Default)]
pub(super) struct Failures {
    in_a_row: u32,
    warnings: WarningLimit,
}

impl Failures {
    /// Counts one more.
    pub fn add(&mut self, error: InferenceError) -> Verdict {
        self.in_a_row += 1;
        if self.in_a_row >= MAX_FAILURES {
            return Verdict::GiveUp(error);
        }
        if self.warnings.lets_through() {
            Verdict::Warn(error)
        } else {
            Verdict::Silent
        }
    }

    /// Notes a success.
    pub fn end_row(&mut self) {
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
        assert_eq!(failures.add(error()), Verdict::Warn(error()));
        for _ in 2..MAX_FAILURES {
            assert_eq!(failures.add(error()), Verdict::Silent);
        }
        assert_eq!(failures.add(error()), Verdict::GiveUp(error()));
    }
}

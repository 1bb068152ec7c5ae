// SPDX-License-Identifier: MPL-2.0

//! Times between attempts to connect.

use std::time::Duration;

const MIN: Duration = Duration::from_millis(200);
const MAX: Duration = Duration::from_secs(10);

/// Times between attempts to connect, from 0.2 s to 10 s: they double with each failure. A random
/// half of the time keeps clients that lost the same server from returning at the same moment.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure and returns the time to wait.
    pub fn next_wait(&mut self) -> Duration {
        let doubled = MIN.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        doubled.min(MAX).mul_f64(0.5 + 0.5 * fastrand::f64())
    }

    /// Counts a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_double_up_to_a_limit_and_vary() {
        let mut backoff = Backoff::default();
        for exponent in 0..40 {
            let expected = MIN.saturating_mul(1 << exponent.min(16)).min(MAX);
            let time = backoff.next_wait();
            assert!(
                time >= expected / 2 && time <= expected,
                "{exponent}: {time:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next_wait() <= MIN);
    }
}

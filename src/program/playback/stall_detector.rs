// SPDX-License-Identifier: MPL-2.0

//! Detects that playback makes no progress.

use std::time::{Duration, Instant};

/// Maximum time that counts between two observations. A process that was suspended has not watched,
/// so the time does not count.
const MAX_STEP: Duration = Duration::from_secs(1);

/// Compares the progress of playback, such as the number of frames, with earlier observations. The
/// speed does not matter: any change is progress.
pub(crate) struct StallDetector<P> {
    timeout: Option<Duration>,
    progress: P,
    observed_at: Instant,
    /// Observed time without progress.
    silence: Duration,
}

impl<P: PartialEq> StallDetector<P> {
    /// Starts to watch at the time `now`, with the progress so far. `timeout` is the maximum time
    /// without progress; `None` for no limit.
    pub(crate) fn new(timeout: Option<Duration>, progress: P, now: Instant) -> Self {
        Self {
            timeout,
            progress,
            observed_at: now,
            silence: Duration::ZERO,
        }
    }

    /// Observes the progress at the time `now`, at least once per second; returns `true` if it has
    /// not changed for too long.
    pub(crate) fn is_stalled(&mut self, progress: P, now: Instant) -> bool {
        let step = now.saturating_duration_since(self.observed_at);
        self.observed_at = now;
        if self.progress != progress {
            self.progress = progress;
            self.silence = Duration::ZERO;
            return false;
        }
        self.silence += step.min(MAX_STEP);
        self.timeout.is_some_and(|timeout| self.silence >= timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    /// Returns the number of observations, one per second, up to the first that reports a stall.
    fn observations(timeout: Option<Duration>, progress: impl Fn(u64) -> u64) -> Option<u64> {
        let start = Instant::now();
        let mut stall_detector = StallDetector::new(timeout, 0, start);
        (1..100).find(|&second| {
            stall_detector.is_stalled(progress(second), start + Duration::from_secs(second))
        })
    }

    #[test]
    fn playback_without_progress_stalls_after_the_timeout() {
        assert_eq!(observations(Some(TIMEOUT), |_| 0), Some(5));
        assert_eq!(
            observations(Some(TIMEOUT), |second| second.min(10)),
            Some(15)
        );
    }

    #[test]
    fn slow_progress_is_no_stall() {
        assert_eq!(observations(Some(TIMEOUT), |second| second / 4), None);
    }

    #[test]
    fn without_a_timeout_nothing_stalls() {
        assert_eq!(observations(None, |_| 0), None);
    }

    #[test]
    fn a_suspended_process_does_not_stall() {
        let start = Instant::now();
        let mut stall_detector = StallDetector::new(Some(TIMEOUT), 0, start);
        assert!(!stall_detector.is_stalled(0, start + Duration::from_secs(3600)));
        assert!(!stall_detector.is_stalled(0, start + Duration::from_secs(3601)));
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Detects that playback makes no progress.

use std::time::{Duration, Instant};

use super::scheduling::Scheduling;

/// Maximum observed time after which the time that the process lost is subtracted.
const MAX_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Compares the progress of playback, such as the number of frames, with earlier observations. The
/// speed does not matter: any change is progress. Time in which the system did not let the observing
/// thread or the playing process run does not count.
pub(crate) struct StallDetector<P> {
    timeout: Option<Duration>,
    /// Time between observations; a later one comes from a process that could not run.
    interval: Duration,
    progress: P,
    observed_at: Instant,
    /// Time without progress.
    silence: Duration,
    /// Observed time that is not yet part of it.
    unchecked: Duration,
    /// The process that plays; `None` if only the observing thread counts.
    process: Option<Scheduling>,
}

impl<P: PartialEq> StallDetector<P> {
    /// Starts to watch at the time `now`, with the progress so far. `timeout` is the maximum time
    /// without progress; `None` for no limit. `interval` is the time between observations.
    pub(crate) fn new(
        timeout: Option<Duration>,
        interval: Duration,
        progress: P,
        now: Instant,
    ) -> Self {
        Self {
            timeout,
            interval,
            progress,
            observed_at: now,
            silence: Duration::ZERO,
            unchecked: Duration::ZERO,
            process: None,
        }
    }

    /// Does not count time in which the process with this id, which plays, cannot run.
    pub(crate) fn of_process(mut self, id: u32) -> Self {
        self.process = Some(Scheduling::new(id));
        self
    }

    /// Observes the progress at the time `now`; returns `true` if it has not changed for too long.
    pub(crate) fn is_stalled(&mut self, progress: P, now: Instant) -> bool {
        let step = now.saturating_duration_since(self.observed_at);
        self.observed_at = now;
        if self.progress != progress {
            self.progress = progress;
            self.silence = Duration::ZERO;
            self.unchecked = Duration::ZERO;
            if let Some(process) = &mut self.process {
                process.forget();
            }
            return false;
        }
        self.unchecked += step.min(self.interval);
        let Some(timeout) = self.timeout else {
            return false;
        };
        // The first check of a silence has nothing to compare with.
        if self.unchecked >= MAX_CHECK_INTERVAL.min(timeout / 4) {
            let lost = self.process.as_mut();
            let lost = lost.map(|process| process.time_lost(self.unchecked));
            self.silence += self.unchecked.saturating_sub(lost.unwrap_or_default());
            self.unchecked = Duration::ZERO;
        }
        self.silence >= timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);
    const INTERVAL: Duration = Duration::from_secs(1);

    /// Returns the number of observations, one per interval, up to the first that reports a stall.
    fn observations(timeout: Option<Duration>, progress: impl Fn(u32) -> u32) -> Option<u32> {
        let start = Instant::now();
        let mut stall_detector = StallDetector::new(timeout, INTERVAL, 0, start);
        (1..100)
            .find(|&number| stall_detector.is_stalled(progress(number), start + number * INTERVAL))
    }

    #[test]
    fn playback_without_progress_stalls_after_the_timeout() {
        assert_eq!(observations(Some(TIMEOUT), |_| 0), Some(5));
        assert_eq!(
            observations(Some(TIMEOUT), |number| number.min(10)),
            Some(15)
        );
    }

    #[test]
    fn a_timeout_may_be_shorter_than_the_interval_of_checks() {
        let start = Instant::now();
        let (timeout, interval) = (Duration::from_millis(300), Duration::from_millis(100));
        let mut stall_detector = StallDetector::new(Some(timeout), interval, 0, start);
        let mut numbers = 1..100;
        let first = numbers.find(|&number| stall_detector.is_stalled(0, start + number * interval));
        assert_eq!(first, Some(3));
    }

    #[test]
    fn slow_progress_is_no_stall() {
        assert_eq!(observations(Some(TIMEOUT), |number| number / 4), None);
    }

    #[test]
    fn without_a_timeout_nothing_stalls() {
        assert_eq!(observations(None, |_| 0), None);
    }

    #[test]
    fn a_thread_that_could_not_observe_does_not_report_a_stall() {
        // Suspended once for an hour.
        let start = Instant::now();
        let mut stall_detector = StallDetector::new(Some(TIMEOUT), INTERVAL, 0, start);
        assert!(!stall_detector.is_stalled(0, start + 3600 * INTERVAL));
        assert!(!stall_detector.is_stalled(0, start + 3601 * INTERVAL));
        // It runs a tenth of the time.
        let late = 10 * INTERVAL;
        let mut stall_detector = StallDetector::new(Some(TIMEOUT), INTERVAL, 0, start);
        let mut numbers = 1..100;
        let first = numbers.find(|&number| stall_detector.is_stalled(0, start + number * late));
        assert_eq!(first, Some(5));
    }
}

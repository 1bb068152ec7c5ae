// SPDX-License-Identifier: MPL-2.0

//! Measures for how long the system kept a process from running: it was suspended, or its threads waited
//! for a core.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Observes how the threads of a process are scheduled.
pub(super) struct Scheduling {
    /// Folder of the process in `/proc`.
    process: PathBuf,
    /// Times of the threads at the last observation, by their ids; empty before the first one.
    threads: HashMap<String, ThreadTimes>,
}

/// Total times of a thread, or of several.
#[derive(Clone, Copy, Debug, Default)]
struct ThreadTimes {
    /// On a core.
    running: Duration,
    /// Ready to run, without a core.
    waiting: Duration,
}

impl Scheduling {
    pub(super) fn new(process: u32) -> Self {
        Self {
            process: Path::new("/proc").join(process.to_string()),
            threads: HashMap::new(),
        }
    }

    /// Forgets the last observation, after which the next call of [`time_lost`](Self::time_lost) begins
    /// from scratch.
    pub(super) fn forget(&mut self) {
        self.threads.clear();
    }

    /// Returns how much of `elapsed`, the time since the last observation, the process could not run.
    /// Returns zero for the first observation, and if the system does not provide these times.
    pub(super) fn time_lost(&mut self, elapsed: Duration) -> Duration {
        if self.is_suspended() {
            return elapsed;
        }
        let threads = self.read_threads();
        let mut total = ThreadTimes::default();
        if !self.threads.is_empty() {
            for (id, times) in &threads {
                // A thread that is new has run since the last observation only.
                let earlier = self.threads.get(id).copied().unwrap_or_default();
                total.running += times.running.saturating_sub(earlier.running);
                total.waiting += times.waiting.saturating_sub(earlier.waiting);
            }
        }
        self.threads = threads;
        total.share_lost(elapsed)
    }

    /// Returns `true` if a signal has stopped the process.
    fn is_suspended(&self) -> bool {
        let stat = fs::read_to_string(self.process.join("stat")).unwrap_or_default();
        // The name before the state may contain any character.
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
        state.is_some_and(|state| state.starts_with(['T', 't']))
    }

    fn read_threads(&self) -> HashMap<String, ThreadTimes> {
        let Ok(folder) = fs::read_dir(self.process.join("task")) else {
            return HashMap::new();
        };
        let threads = folder.flatten().filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let id = thread.file_name().into_string().ok()?;
            Some((id, ThreadTimes::parse(&text)?))
        });
        threads.collect()
    }
}

impl ThreadTimes {
    /// Parses a file `schedstat` of Linux: the times in nanoseconds, and the number of time slices.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(str::parse);
        let mut time = || Some(Duration::from_nanos(numbers.next()?.ok()?));
        Some(Self {
            running: time()?,
            waiting: time()?,
        })
    }

    /// Returns how much of `elapsed` is lost by the waiting: its share of the time in which threads were
    /// ready, as many threads may wait while others run, but not more than all threads waited.
    fn share_lost(self, elapsed: Duration) -> Duration {
        let ready = self.running + self.waiting;
        if ready.is_zero() {
            return Duration::ZERO;
        }
        let share = self.waiting.as_secs_f64() / ready.as_secs_f64();
        elapsed.mul_f64(share).min(self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn lost(running_ms: u64, waiting_ms: u64) -> Duration {
        let [running, waiting] = [running_ms, waiting_ms].map(Duration::from_millis);
        ThreadTimes { running, waiting }.share_lost(SECOND)
    }

    #[test]
    fn a_process_without_a_core_loses_the_time() {
        assert_eq!(lost(0, 1000), SECOND);
        assert_eq!(lost(20, 980), Duration::from_millis(980));
        // Eight threads on two cores, of which each has half.
        assert_eq!(lost(1000, 3000), Duration::from_millis(750));
    }

    #[test]
    fn a_process_that_is_idle_or_runs_loses_nothing() {
        assert_eq!(lost(0, 0), Duration::ZERO);
        assert_eq!(lost(1000, 0), Duration::ZERO);
        // It wakes up now and then.
        assert_eq!(lost(0, 5), Duration::from_millis(5));
    }

    #[test]
    fn times_of_threads_are_parsed() {
        let times = ThreadTimes::parse("2000000 30000000 4\n").unwrap();
        assert_eq!(times.running, Duration::from_millis(2));
        assert_eq!(times.waiting, Duration::from_millis(30));
        assert!(ThreadTimes::parse("").is_none());
    }

    /// Ends a process when it is dropped.
    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    #[test]
    fn a_suspended_process_loses_the_time() {
        let child = Ended(Command::new("sleep").arg("1000").spawn().unwrap());
        let mut scheduling = Scheduling::new(child.0.id());
        assert_eq!(scheduling.time_lost(SECOND), Duration::ZERO);
        let send = |signal: &str| {
            let id = child.0.id().to_string();
            let sent = Command::new("kill").args([signal, &id]).status();
            assert!(sent.unwrap().success());
        };
        send("-STOP");
        let begin = std::time::Instant::now();
        while !scheduling.is_suspended() && begin.elapsed() < 20 * SECOND {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(scheduling.time_lost(SECOND), SECOND);
        send("-CONT");
        while scheduling.is_suspended() && begin.elapsed() < 20 * SECOND {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(scheduling.time_lost(1000 * SECOND) < 500 * SECOND);
    }

    #[test]
    fn a_process_that_has_ended_loses_nothing() {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let mut scheduling = Scheduling::new(child.id());
        assert_eq!(scheduling.time_lost(SECOND), Duration::ZERO);
        assert_eq!(scheduling.time_lost(SECOND), Duration::ZERO);
    }
}

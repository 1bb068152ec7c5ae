// SPDX-License-Identifier: MPL-2.0

//! Ends runs of networks that take too long, such as those of a model with an endless loop.
//!
//! One thread per process watches all networks. It sleeps until the earliest deadline of a run; as
//! it also wakes up once per shortest time limit, a run that starts meanwhile need not wake it.

use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use once_cell::sync::Lazy;
use ort::session::{NoSelectedOutputs, RunOptions};

use attitude::sync::lock;

/// The runs of one network, one after the other.
pub(crate) struct WatchedRuns {
    runs: Arc<Runs>,
}

struct Runs {
    /// Minimum time limit of a run.
    time_limit: Duration,
    options: RunOptions<NoSelectedOutputs>,
    state: Mutex<RunState>,
}

#[derive(Clone, Copy, Debug)]
enum RunState {
    Idle,
    /// A run that ends by itself, or at this time.
    Running(Instant),
    /// A run that has been told to end.
    Terminated,
}

/// The networks that the thread watches.
#[derive(Default)]
struct Watchdog {
    networks: Mutex<Networks>,
    added: Condvar,
}

#[derive(Default)]
struct Networks {
    runs: Vec<Weak<Runs>>,
    has_thread: bool,
}

static WATCHDOG: Lazy<Watchdog> = Lazy::new(Watchdog::default);

/// The end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// The network has ended by itself.
    Completed,
    /// The time limit has ended it.
    Terminated,
}

impl WatchedRuns {
    /// Watches the runs of a network, each of which may take `time_limit` or longer.
    ///
    /// # Errors
    /// Returns an error if ONNX Runtime has no memory, or the system refuses to start a thread.
    pub(crate) fn new(time_limit: Duration) -> Result<Self, String> {
        let runs = Arc::new(Runs {
            time_limit,
            options: RunOptions::new().map_err(|error| error.message().to_owned())?,
            state: Mutex::new(RunState::Idle),
        });
        let mut networks = lock(&WATCHDOG.networks);
        if !networks.has_thread {
            std::thread::Builder::new()
                .name("model-watchdog".to_owned())
                .spawn(|| WATCHDOG.watch())
                .map_err(|error| format!("cannot start a thread: {error}"))?;
            networks.has_thread = true;
        }
        networks.runs.push(Arc::downgrade(&runs));
        WATCHDOG.added.notify_one();
        Ok(Self { runs })
    }

    /// Calls `run` with the options with which it is ended after `time_limit`, which is at least
    /// that of [`new`](Self::new); returns its result and how it ended.
    pub(crate) fn watch<'a, T>(
        &'a self,
        time_limit: Duration,
        run: impl FnOnce(&'a RunOptions<NoSelectedOutputs>) -> T,
    ) -> (T, RunEnd) {
        let runs = &self.runs;
        *lock(&runs.state) = RunState::Running(Instant::now() + time_limit);
        let result = run(&runs.options);
        match std::mem::replace(&mut *lock(&runs.state), RunState::Idle) {
            RunState::Terminated => {
                // Fails only if the options are invalid, which they were not at the start.
                let _ = runs.options.unterminate();
                (result, RunEnd::Terminated)
            }
            RunState::Running(_) | RunState::Idle => (result, RunEnd::Completed),
        }
    }
}

impl Runs {
    /// Ends the run if its time is over; returns the time of the next check.
    fn check(&self, now: Instant) -> Instant {
        let mut state = lock(&self.state);
        match *state {
            RunState::Running(deadline) if deadline <= now => {
                // The state stays locked, so that the flag is reset after it has been set.
                let _ = self.options.terminate();
                *state = RunState::Terminated;
                now + self.time_limit
            }
            RunState::Running(deadline) => deadline,
            // A run that starts after this check ends after this time, at the earliest.
            RunState::Idle | RunState::Terminated => now + self.time_limit,
        }
    }
}

impl Watchdog {
    /// Ends the runs whose time is over, as long as the process lives.
    fn watch(&self) {
        let mut networks = lock(&self.networks);
        loop {
            let now = Instant::now();
            networks.runs.retain(|runs| runs.strong_count() > 0);
            let checked = networks.runs.iter().filter_map(Weak::upgrade);
            let next = checked.map(|runs| runs.check(now)).min();
            networks = match next {
                Some(next) => {
                    let timeout = next.saturating_duration_since(now);
                    let waited = self.added.wait_timeout(networks, timeout);
                    waited.unwrap_or_else(|poisoned| poisoned.into_inner()).0
                }
                None => {
                    let waited = self.added.wait(networks);
                    waited.unwrap_or_else(|poisoned| poisoned.into_inner())
                }
            };
        }
    }
}

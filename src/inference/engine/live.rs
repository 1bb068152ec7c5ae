// SPDX-License-Identifier: MPL-2.0

//! A stream whose frames are analysed in the engine's threads, one after the other. While one is,
//! the newest frame waits, and replaces one that waits already.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::Engine;
use super::pool::Pool;
use super::workers::Task;
use attitude::InferenceError;
use attitude::analyzer::{Analysis, Analyzer, Params};
use attitude::detection::Detection;
use attitude::epoch::Epoch;
use attitude::frame::Snapshot;
use attitude::sync::{lock, wait_while};

/// A frame to analyse. `C` is what the caller wants back with the outcome.
pub struct Job<C> {
    /// Its pixels.
    pub snapshot: Snapshot,
    /// When it is shown, in running time.
    pub time_ns: u64,
    /// Its faces, in its pixels, where somebody else has found them; `None` to find them.
    pub given: Option<Vec<Detection>>,
    /// Settings that hold for it.
    pub params: Params,
    /// Which past it has.
    pub epoch: Epoch,
    /// Handed back.
    pub context: C,
}

/// What became of a job.
pub struct Outcome<C> {
    /// What is then known, or what failed.
    pub result: Result<Analysis, InferenceError>,
    /// The job's.
    pub epoch: Epoch,
    /// The job's.
    pub context: C,
    /// How long the job waited for its turn.
    pub waited: Duration,
    /// From when it was handed in to when it was done.
    pub delay: Duration,
}

/// One stream. When it is dropped, a frame that waits is never begun, and the outcome of one in
/// flight is nobody's.
pub struct LiveStream<C: Send + 'static> {
    seat: Arc<Seat<C>>,
    engine: Arc<Engine>,
}

/// The oldest frame of a stream that is not done yet.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<Option<Instant>>>);

impl InFlight {
    /// How long ago it was handed in; `None` where all are done.
    pub fn age(&self) -> Option<Duration> {
        lock(&self.0).map(|since| since.elapsed())
    }
}

struct Seat<C> {
    state: Mutex<State<C>>,
    in_flight: InFlight,
    /// The engine's threads take turns at it.
    past: Mutex<Past>,
    done: Condvar,
}

struct State<C> {
    pending: Option<(Job<C>, Instant)>,
    /// Whether it waits for a thread, or has one.
    is_scheduled: bool,
    outcomes: VecDeque<Outcome<C>>,
    /// Memory of snapshots that were analysed, for the next ones.
    spare: Vec<Snapshot>,
}

#[derive(Default)]
struct Past {
    analyzer: Analyzer,
    epoch: Epoch,
}

impl<C: Send + 'static> LiveStream<C> {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self {
            seat: Arc::new(Seat {
                state: Mutex::new(State {
                    pending: None,
                    is_scheduled: false,
                    outcomes: VecDeque::new(),
                    spare: Vec::new(),
                }),
                in_flight: InFlight::default(),
                past: Mutex::default(),
                done: Condvar::new(),
            }),
            engine,
        }
    }

    /// The engine that it is a stream of.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What it is working at, now and in the future.
    pub fn in_flight(&self) -> InFlight {
        self.seat.in_flight.clone()
    }

    /// Memory for the next frame's pixels.
    pub fn snapshot(&self) -> Snapshot {
        lock(&self.seat.state).spare.pop().unwrap_or_default()
    }

    /// Hands in a frame. Returns whether it took the place of one that had not been begun.
    pub fn submit(&self, job: Job<C>) -> bool {
        let mut state = lock(&self.seat.state);
        let now = Instant::now();
        let replaced = state.pending.replace((job, now));
        let is_replaced = replaced.is_some();
        state.spare.extend(replaced.map(|(job, _)| job.snapshot));
        if !std::mem::replace(&mut state.is_scheduled, true) {
            *lock(&self.seat.in_flight.0) = Some(now);
            drop(state);
            self.engine.workers.push(self.seat.clone());
        }
        is_replaced
    }

    /// The oldest outcome that was not taken yet.
    pub fn take_outcome(&self) -> Option<Outcome<C>> {
        lock(&self.seat.state).outcomes.pop_front()
    }

    /// Waits until all that was handed in is done.
    pub fn drain(&self) {
        let is_working = |state: &mut State<C>| state.is_scheduled;
        let guard = lock(&self.seat.state);
        drop(wait_while(&self.seat.done, guard, is_working));
    }
}

impl<C: Send + 'static> Drop for LiveStream<C> {
    fn drop(&mut self) {
        lock(&self.seat.state).pending = None;
    }
}

impl<C: Send> Task for Seat<C> {
    fn run(&self, pool: &Pool) -> bool {
        let pending = lock(&self.state).pending.take();
        if let Some((job, submitted)) = pending {
            let mut past = lock(&self.past);
            let waited = submitted.elapsed();
            // After a panic the analyzer may be half-way: it is reset, so unwinding is safe.
            let result = catch_unwind(AssertUnwindSafe(|| past.analyze(&job, pool)));
            let result = result.unwrap_or_else(|_| {
                past.analyzer.reset();
                Err(InferenceError("the analysis panicked".to_owned()))
            });
            let mut state = lock(&self.state);
            state.spare.push(job.snapshot);
            state.outcomes.push_back(Outcome {
                result,
                epoch: job.epoch,
                context: job.context,
                waited,
                delay: submitted.elapsed(),
            });
        }
        let mut state = lock(&self.state);
        let next = state.pending.as_ref().map(|(_, submitted)| *submitted);
        state.is_scheduled = next.is_some();
        *lock(&self.in_flight.0) = next;
        self.done.notify_all();
        state.is_scheduled
    }
}

impl Past {
    fn analyze<C>(&mut self, job: &Job<C>, pool: &Pool) -> Result<Analysis, InferenceError> {
        self.epoch.advance(job.epoch, &mut self.analyzer);
        let frame = job
            .snapshot
            .frame()
            .ok_or_else(|| InferenceError("there is no frame in the snapshot".to_owned()))?;
        let mut analysis = Analysis::default();
        pool.lease()?.analyze(
            &mut self.analyzer,
            &frame,
            job.time_ns,
            job.given.as_deref(),
            &job.params,
            &mut analysis,
        )?;
        Ok(analysis)
    }
}

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
use attitude::analyzer::{Analysis, Analyzer, Epoch, Params, Sample};
use attitude::detection::Detection;
use attitude::frame::Snapshot;
use attitude::sync::{lock, wait_while};

/// A copy of a sample that waits for a thread.
struct Job<C> {
    snapshot: Snapshot,
    time_ns: u64,
    upstream: Option<Vec<Detection>>,
    params: Params,
    epoch: Epoch,
    context: C,
    submitted: Instant,
}

/// The outcome of a submitted sample.
pub struct Outcome<C> {
    /// The analysis, or the failure of a network.
    pub result: Result<Analysis, InferenceError>,
    /// The epoch of the sample.
    pub epoch: Epoch,
    /// The context that was submitted with the sample.
    pub context: C,
    /// Time from the submission until the analysis began.
    pub waited: Duration,
    /// Time from the submission until the analysis ended.
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
    /// Returns the age of the sample in flight; `None` if there is none.
    pub fn age(&self) -> Option<Duration> {
        lock(&self.0).map(|since| since.elapsed())
    }
}

struct Seat<C> {
    state: Mutex<State<C>>,
    in_flight: InFlight,
    /// The engine's threads take turns at it.
    analyzer: Mutex<Analyzer>,
    done: Condvar,
}

struct State<C> {
    pending: Option<Job<C>>,
    /// True while it waits for a thread or has one.
    is_scheduled: bool,
    outcomes: VecDeque<Outcome<C>>,
    /// Memory of snapshots that were analysed, for the next ones.
    spare: Vec<Snapshot>,
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
                analyzer: Mutex::default(),
                done: Condvar::new(),
            }),
            engine,
        }
    }

    /// What it is working at, now and in the future.
    pub fn in_flight(&self) -> InFlight {
        self.seat.in_flight.clone()
    }

    /// Submits a copy of `sample`; `context` is returned with its outcome. Returns `true` if the
    /// sample replaced one whose analysis had not begun.
    pub fn submit(&self, sample: &Sample, context: C) -> bool {
        let mut snapshot = lock(&self.seat.state).spare.pop().unwrap_or_default();
        snapshot.copy_from(&sample.frame, self.engine.facts().take_luma_only);
        let now = Instant::now();
        let job = Job {
            snapshot,
            time_ns: sample.time_ns,
            upstream: sample.upstream.map(<[_]>::to_vec),
            params: *sample.params,
            epoch: sample.epoch,
            context,
            submitted: now,
        };
        let mut state = lock(&self.seat.state);
        let replaced = state.pending.replace(job);
        let is_replaced = replaced.is_some();
        state.spare.extend(replaced.map(|job| job.snapshot));
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
        if let Some(job) = pending {
            let mut analyzer = lock(&self.analyzer);
            let waited = job.submitted.elapsed();
            // After a panic the analyzer may be half-way: it is reset, so unwinding is safe.
            let result = catch_unwind(AssertUnwindSafe(|| job.analyze(&mut analyzer, pool)));
            let result = result.unwrap_or_else(|_| {
                analyzer.reset();
                Err(InferenceError("the analysis panicked".to_owned()))
            });
            let mut state = lock(&self.state);
            state.spare.push(job.snapshot);
            state.outcomes.push_back(Outcome {
                result,
                epoch: job.epoch,
                context: job.context,
                waited,
                delay: job.submitted.elapsed(),
            });
        }
        let mut state = lock(&self.state);
        let next = state.pending.as_ref().map(|job| job.submitted);
        state.is_scheduled = next.is_some();
        *lock(&self.in_flight.0) = next;
        self.done.notify_all();
        state.is_scheduled
    }
}

impl<C> Job<C> {
    fn analyze(&self, analyzer: &mut Analyzer, pool: &Pool) -> Result<Analysis, InferenceError> {
        let frame = self
            .snapshot
            .frame()
            .ok_or_else(|| InferenceError("there is no frame in the snapshot".to_owned()))?;
        let sample = Sample {
            frame,
            time_ns: self.time_ns,
            epoch: self.epoch,
            upstream: self.upstream.as_deref(),
            params: &self.params,
        };
        let mut analysis = Analysis::default();
        pool.lease()?.analyze(analyzer, &sample, &mut analysis)?;
        Ok(analysis)
    }
}

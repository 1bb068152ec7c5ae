// SPDX-License-Identifier: MPL-2.0

//! A stream whose samples are analyzed by the engine's threads, one after the other. While one
//! sample is analyzed, the newest other one is pending; it replaces an older pending one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Engine;
use super::pool::Pool;
use super::workers::QueuedStream;
use attitude::InferenceError;
use attitude::analyzer::{Analysis, Analyzer, Epoch, Params, Sample};
use attitude::detection::Detection;
use attitude::frame::Snapshot;
use attitude::sync::lock;

/// A copy of a sample, until it is analyzed.
struct SampleCopy<C> {
    snapshot: Snapshot,
    time_ns: u64,
    upstream: Option<Vec<Detection>>,
    params: Params,
    epoch: Epoch,
    context: C,
    submitted: Instant,
}

/// A submitted sample whose analysis has ended.
pub struct CompletedSample<C> {
    /// The analysis, or the error of a network.
    pub result: Result<Analysis, InferenceError>,
    /// Epoch of the sample.
    pub epoch: Epoch,
    /// The context that was submitted with the sample.
    pub context: C,
    /// Time from the submission to the begin of the analysis.
    pub queue_wait: Duration,
    /// Time from the submission to the end of the analysis.
    pub delay: Duration,
}

/// A stream of samples, each with a context of type `C`.
///
/// When the stream is dropped, the pending sample is not analyzed, and the result of the one in
/// flight is discarded.
pub struct LiveStream<C: Send + 'static> {
    state: Arc<StreamState<C>>,
    engine: Arc<Engine>,
}

/// The time when the oldest unfinished sample of a stream was submitted. Clones follow the same
/// stream.
#[derive(Clone, Debug, Default)]
pub struct SampleInFlight(Arc<Mutex<Option<Instant>>>);

impl SampleInFlight {
    /// Returns the time since the submission of the oldest unfinished sample; `None` if there is
    /// none.
    pub fn age(&self) -> Option<Duration> {
        lock(&self.0).map(|submitted| submitted.elapsed())
    }

    fn set(&self, submitted: Option<Instant>) {
        *lock(&self.0) = submitted;
    }
}

/// The part of a stream that it shares with the engine's threads.
struct StreamState<C> {
    samples: Mutex<Samples<C>>,
    in_flight: SampleInFlight,
    /// At most one of the engine's threads uses it at a time.
    analyzer: Mutex<Analyzer>,
    completed: Condvar,
}

struct Samples<C> {
    pending: Option<SampleCopy<C>>,
    /// `true` while the stream is in the engine's queue, or one of its threads analyzes a sample.
    is_queued: bool,
    completed: VecDeque<CompletedSample<C>>,
    /// Snapshots of analyzed samples, whose memory the next ones reuse.
    spare: Vec<Snapshot>,
}

impl<C: Send + 'static> LiveStream<C> {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self {
            state: Arc::new(StreamState {
                samples: Mutex::new(Samples {
                    pending: None,
                    is_queued: false,
                    completed: VecDeque::new(),
                    spare: Vec::new(),
                }),
                in_flight: SampleInFlight::default(),
                analyzer: Mutex::default(),
                completed: Condvar::new(),
            }),
            engine,
        }
    }

    /// Returns the age of this stream's oldest unfinished sample, now and later.
    pub fn in_flight(&self) -> SampleInFlight {
        self.state.in_flight.clone()
    }

    /// Submits a copy of `sample`; its [`CompletedSample`] contains `context`. Returns `true` if
    /// the sample replaces a pending one, which is not analyzed.
    pub fn submit(&self, sample: &Sample, context: C) -> bool {
        // The lock is released before the frame is copied, so that the engine's threads need not
        // wait.
        let mut snapshot = lock(&self.state.samples).spare.pop().unwrap_or_default();
        snapshot.copy_from(&sample.frame, self.engine.info().reads_luma_only);
        let now = Instant::now();
        let copy = SampleCopy {
            snapshot,
            time_ns: sample.time_ns,
            upstream: sample.upstream.map(<[_]>::to_vec),
            params: *sample.params,
            epoch: sample.epoch,
            context,
            submitted: now,
        };
        let mut samples = lock(&self.state.samples);
        let replaced = samples.pending.replace(copy);
        let has_replaced = replaced.is_some();
        samples.spare.extend(replaced.map(|copy| copy.snapshot));
        if !std::mem::replace(&mut samples.is_queued, true) {
            self.state.in_flight.set(Some(now));
            drop(samples);
            self.engine.workers.push(self.state.clone());
        }
        has_replaced
    }

    /// Removes and returns the oldest completed sample; `None` if there is none.
    pub fn take_completed(&self) -> Option<CompletedSample<C>> {
        lock(&self.state.samples).completed.pop_front()
    }

    /// Waits until all submitted samples are completed, at most for `timeout`. Returns `false` if
    /// they are not.
    pub fn drain(&self, timeout: Duration) -> bool {
        let is_busy = |samples: &mut Samples<C>| samples.is_queued;
        let samples = lock(&self.state.samples);
        let completed = &self.state.completed;
        let waited = completed.wait_timeout_while(samples, timeout, is_busy);
        let (samples, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !samples.is_queued
    }
}

impl<C: Send + 'static> Drop for LiveStream<C> {
    fn drop(&mut self) {
        lock(&self.state.samples).pending = None;
    }
}

impl<C: Send> QueuedStream for StreamState<C> {
    fn analyze_pending(&self, pool: &Pool) -> bool {
        let pending = lock(&self.samples).pending.take();
        if let Some(copy) = pending {
            let mut analyzer = lock(&self.analyzer);
            let queue_wait = copy.submitted.elapsed();
            // A panic may leave the analyzer inconsistent; it is reset.
            let result = catch_unwind(AssertUnwindSafe(|| copy.analyze(&mut analyzer, pool)));
            let result = result.unwrap_or_else(|_| {
                analyzer.reset();
                Err(InferenceError("the analysis panicked".to_owned()))
            });
            let mut samples = lock(&self.samples);
            samples.spare.push(copy.snapshot);
            samples.completed.push_back(CompletedSample {
                result,
                epoch: copy.epoch,
                context: copy.context,
                queue_wait,
                delay: copy.submitted.elapsed(),
            });
        }
        let mut samples = lock(&self.samples);
        let next = samples.pending.as_ref().map(|copy| copy.submitted);
        samples.is_queued = next.is_some();
        self.in_flight.set(next);
        self.completed.notify_all();
        samples.is_queued
    }
}

impl<C> SampleCopy<C> {
    fn analyze(&self, analyzer: &mut Analyzer, pool: &Pool) -> Result<Analysis, InferenceError> {
        let frame = self
            .snapshot
            .frame()
            .ok_or_else(|| InferenceError("the snapshot contains no frame".to_owned()))?;
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

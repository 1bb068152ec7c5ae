// SPDX-License-Identifier: MPL-2.0

//! Loads the networks of a stream and, for live streams, runs them in a thread of their own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::classifier::OnnxClassifier;
use super::detector::OnnxDetector;
use super::model::{ModelError, Source};
use super::provider::Provider;
use super::runtime::{self, RuntimeError, Search};
use super::session::Placement;
use crate::analysis::InferenceError;
use crate::analysis::analyzer::{Analysis, Analyzer, Params};
use crate::analysis::attitude::AttitudeClassifier;
use crate::analysis::detection::{Detection, FaceDetector};
use crate::analysis::frame::{Frame, Snapshot};
use crate::analysis::mapping::Mapping;
use crate::analysis::preprocessing::Channels;

/// Which networks to run, and on what.
#[derive(Clone, Debug)]
pub struct Config {
    /// Finds faces.
    pub detector: Source,
    /// Scores attitudes.
    pub classifier: Source,
    /// Which of the classifier's emotions count to which attitude; `None` = as the model describes.
    pub mapping: Option<Mapping>,
    /// What to run them on.
    pub provider: Provider,
    /// Number of the GPU.
    pub device_id: i32,
    /// Whether to go on with the CPU where the provider cannot run.
    pub falls_back: bool,
    /// Where to look for ONNX Runtime.
    pub search: Search,
}

/// Why the networks cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no ONNX Runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A model does not serve.
    #[error("{model}: {error}")]
    Model {
        /// Its file, or what the embedded one is called.
        model: String,
        /// What is wrong with it.
        error: ModelError,
    },
    /// The provider that was asked for does not run.
    #[error("the execution provider '{provider}' cannot run: {reason}")]
    Provider {
        /// Its name.
        provider: &'static str,
        /// What it says.
        reason: String,
    },
}

impl LoadError {
    /// Whether the same models may do on another provider.
    fn may_be_the_providers(&self) -> bool {
        let Self::Model { error, .. } = self else {
            return false;
        };
        matches!(error, ModelError::NotLoaded(_) | ModelError::Trial(_))
    }
}

/// The two networks, ready to run.
pub struct Networks {
    /// Finds faces.
    pub detector: Box<dyn FaceDetector>,
    /// Scores attitudes.
    pub classifier: Box<dyn AttitudeClassifier>,
    /// What they run on.
    pub provider: Provider,
    /// Why they do not run on what was asked for, where they do not.
    pub refusal: Option<LoadError>,
}

impl Networks {
    /// Loads both networks and tries them once.
    ///
    /// # Errors
    /// Where there is no ONNX Runtime, a model does not serve, or the provider cannot run and
    /// there is to be no fallback.
    pub fn load(config: &Config) -> Result<Self, LoadError> {
        runtime::environment(&config.search)?;
        let mut refusal = None;
        for provider in config.provider.attempts() {
            match Self::load_on(config, provider) {
                Err(error) if provider != Provider::Cpu && error.may_be_the_providers() => {
                    let refused = LoadError::Provider {
                        provider: provider.name(),
                        reason: error.to_string(),
                    };
                    if config.provider != Provider::Auto && !config.falls_back {
                        return Err(refused);
                    }
                    refusal = Some(refused);
                }
                Ok(networks) => {
                    return Ok(Self {
                        refusal,
                        ..networks
                    });
                }
                Err(error) => return Err(error),
            }
        }
        let networks = Self::load_on(config, Provider::Cpu)?;
        Ok(Self {
            refusal,
            ..networks
        })
    }

    fn load_on(config: &Config, provider: Provider) -> Result<Self, LoadError> {
        let environment = runtime::environment(&config.search)?;
        let placement = Placement {
            provider,
            device_id: config.device_id,
        };
        let failed = |source: &Source| {
            let model = source.name();
            move |error| LoadError::Model { model, error }
        };
        let detector = OnnxDetector::load(environment, &config.detector, placement)
            .map_err(failed(&config.detector))?;
        let classifier = OnnxClassifier::load(
            environment,
            &config.classifier,
            config.mapping.as_ref(),
            placement,
        )
        .map_err(failed(&config.classifier))?;
        Ok(Self {
            detector: Box::new(detector),
            classifier: Box::new(classifier),
            provider,
            refusal: None,
        })
    }

    /// Has `analyzer` take a frame, with the faces that somebody else has found, or those that the
    /// detector finds.
    ///
    /// # Errors
    /// Those of [`Analyzer::analyze`].
    pub fn analyze(
        &mut self,
        analyzer: &mut Analyzer,
        frame: &Frame,
        time_ns: u64,
        given: Option<&[Detection]>,
        params: &Params,
        analysis: &mut Analysis,
    ) -> Result<(), InferenceError> {
        let classifier = self.classifier.as_mut();
        match given {
            Some(given) => {
                analyzer.analyze_given(frame, time_ns, given, classifier, params, analysis)
            }
            None => {
                let detector = self.detector.as_mut();
                analyzer.analyze(frame, time_ns, detector, classifier, params, analysis)
            }
        }
    }

    /// Whether both need no more of a frame than its luma.
    pub fn take_luma_only(&self) -> bool {
        let detector = self.detector.input().pixel_format.channels;
        let classifier = self.classifier.input().pixel_format.channels;
        detector == Channels::Luma && classifier == Channels::Luma
    }
}

/// Which past a frame has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Frames of another stream have none, and tracks are numbered from 1 again.
    pub stream: u32,
    /// Frames of another part of a stream, after a flush or a gap, have none.
    pub part: u32,
}

impl Epoch {
    /// Makes `analyzer`, which was used in this epoch, ready for `next`.
    pub fn advance(&mut self, next: Epoch, analyzer: &mut Analyzer) {
        if next.stream != self.stream {
            *analyzer = Analyzer::default();
        } else if next.part != self.part {
            analyzer.reset();
        }
        *self = next;
    }
}

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
}

/// A thread that analyses the frames of one stream, one after the other. While it is busy the
/// newest frame waits, and replaces one that waits already.
pub struct Worker<C: Send + 'static> {
    shared: Arc<Shared<C>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<C> {
    state: Mutex<State<C>>,
    changed: Condvar,
}

struct State<C> {
    pending: Option<Job<C>>,
    is_busy: bool,
    is_stopping: bool,
    outcomes: VecDeque<Outcome<C>>,
    /// Memory of snapshots that were analysed, for the next ones.
    spare: Vec<Snapshot>,
}

impl<C> Shared<C> {
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        // Nothing that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Send + 'static> Worker<C> {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(mut networks: Networks) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                pending: None,
                is_busy: false,
                is_stopping: false,
                outcomes: VecDeque::new(),
                spare: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let thread = {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name("attitude".to_owned())
                .spawn(move || work(&shared, &mut networks))?
        };
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Memory for the next frame's pixels.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.lock().spare.pop().unwrap_or_default()
    }

    /// Hands in a frame. Returns whether it took the place of one that had not been begun.
    pub fn submit(&self, job: Job<C>) -> bool {
        let mut state = self.shared.lock();
        let replaced = state.pending.replace(job);
        let is_replaced = replaced.is_some();
        state.spare.extend(replaced.map(|job| job.snapshot));
        self.shared.changed.notify_all();
        is_replaced
    }

    /// The oldest outcome that was not taken yet.
    pub fn take_outcome(&self) -> Option<Outcome<C>> {
        self.shared.lock().outcomes.pop_front()
    }

    /// Waits until all that was handed in is done.
    pub fn drain(&self) {
        let state = self.shared.lock();
        let is_working = |state: &mut State<C>| state.is_busy || state.pending.is_some();
        drop(self.shared.changed.wait_while(state, is_working));
    }
}

impl<C: Send + 'static> Drop for Worker<C> {
    /// Waits for the inference in flight: a network cannot be freed under it.
    fn drop(&mut self) {
        self.shared.lock().is_stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // The thread catches what panics in it.
            let _ = thread.join();
        }
    }
}

fn work<C>(shared: &Shared<C>, networks: &mut Networks) {
    let mut analyzer = Analyzer::default();
    let mut epoch = Epoch::default();
    loop {
        let is_idle = |state: &mut State<C>| state.pending.is_none() && !state.is_stopping;
        let waited = shared.changed.wait_while(shared.lock(), is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.is_stopping {
            return;
        }
        let Some(job) = state.pending.take() else {
            continue;
        };
        state.is_busy = true;
        drop(state);

        epoch.advance(job.epoch, &mut analyzer);
        // After a panic the analyzer may be half-way: it is reset, so unwinding is safe.
        let result = catch_unwind(AssertUnwindSafe(|| analyze(&job, &mut analyzer, networks)))
            .unwrap_or_else(|_| {
                analyzer.reset();
                Err(InferenceError("the analysis panicked".to_owned()))
            });

        let mut state = shared.lock();
        state.is_busy = false;
        state.spare.push(job.snapshot);
        state.outcomes.push_back(Outcome {
            result,
            epoch: job.epoch,
            context: job.context,
        });
        drop(state);
        shared.changed.notify_all();
    }
}

fn analyze<C>(
    job: &Job<C>,
    analyzer: &mut Analyzer,
    networks: &mut Networks,
) -> Result<Analysis, InferenceError> {
    let frame = job
        .snapshot
        .frame()
        .ok_or_else(|| InferenceError("there is no frame in the snapshot".to_owned()))?;
    let mut analysis = Analysis::default();
    networks.analyze(
        analyzer,
        &frame,
        job.time_ns,
        job.given.as_deref(),
        &job.params,
        &mut analysis,
    )?;
    Ok(analysis)
}

#[cfg(test)]
mod tests;

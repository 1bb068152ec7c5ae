// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude analyze`: writes tables, summaries and pages for recordings.
//!
//! ```text
//! inputs -> names -> analysis (pipeline -> play -> outputs -> store), per recording -> outcome, pages
//! ```
//!
//! If another program runs the middle part on many machines, `distribution` prints the results of `names`
//! for it, and reads the outcomes that it collected.

use std::num::NonZeroUsize;
use std::sync::Arc;

use attitude_inference::engine::Engine;
use attitude_inference::networks::LoadError;
use tracing::{debug, info};

use arguments::ArgumentError;
pub(crate) use arguments::Arguments;
use distribution::{CollectError, CollectedOutcomes};
use inputs::{InputError, Inputs, Recording, printable};
use outcome::RecordingOutcome;
use progress::Progress;
use settings::{Models, Settings};
use store::{Store, StoreError};
use summary_json::{SummaryFile, fingerprint};

use crate::console::{self, PrintError};
use crate::exit::{Interrupt, SignalError, Status};
use crate::playback::{self, InitError};
use crate::workers;

mod arguments;
mod settings;

mod inputs;
mod names;

mod analysis;
mod annotation;
mod pipeline;
mod play;
mod truncation;

mod outputs;
mod pages;
mod store;
mod summary_json;

mod distribution;
mod outcome;

mod progress;
mod speed;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnalyzeError {
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("there is no recording in the inputs; --verbose shows why files were ignored")]
    NoRecording,
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    MissingElement(#[from] annotation::MissingElement),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Collect(#[from] CollectError),
    #[error("cannot format the plan")]
    Plan(#[source] serde_json::Error),
    #[error(transparent)]
    Print(#[from] PrintError),
}

impl AnalyzeError {
    /// Returns `true` if the arguments are wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Argument(_) | Self::Input(_))
    }
}

/// Data that all recordings of a run share.
struct RunContext<'a> {
    arguments: &'a Arguments,
    settings: Settings,
    models: Models,
    /// Keeps the models loaded between recordings.
    engine: Arc<Engine>,
}

/// A recording to analyse.
struct Task {
    recording: Recording,
    /// Name of its folder.
    name: String,
    /// Fingerprint that its results must have.
    fingerprint: String,
    /// Results of an earlier run.
    earlier: Option<Box<SummaryFile>>,
}

impl Task {
    /// Returns `true` if the results of an earlier run are up to date.
    fn is_done(&self) -> bool {
        let earlier = self.earlier.as_ref();
        earlier.is_some_and(|earlier| earlier.fingerprint == self.fingerprint)
    }
}

/// Analyses all recordings in the inputs.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, AnalyzeError> {
    let interrupt = Interrupt::watch()?;
    playback::init()?;
    arguments.check()?;
    let origin = arguments.origin.as_deref();
    let inputs = Inputs::find(&arguments.inputs, &arguments.output, origin)?;
    if arguments.name.is_some() && inputs.recordings.len() > 1 {
        return Err(ArgumentError::Name.into());
    }
    info!(
        recordings = inputs.recordings.len(),
        ignored = inputs.ignored.len(),
        unreadable = inputs.failures.len(),
        "found inputs"
    );
    for recording in &inputs.recordings {
        debug!(recording = recording.display_name(), "found a recording");
    }
    if inputs.recordings.is_empty() && inputs.failures.is_empty() {
        return Err(AnalyzeError::NoRecording);
    }
    // What can fail at once is done before the long work.
    let context = RunContext::new(arguments)?;
    let store = Store::open(&arguments.output)?;
    if let Some(warning) = &store.warning {
        console::warn(warning);
    }
    let collected = arguments.collect.as_deref();
    let collected = collected.map(CollectedOutcomes::read).transpose()?;
    let is_listed = |recording: &Recording| {
        let collected = collected.as_ref();
        collected.is_none_or(|collected| collected.contains(recording))
    };
    let recordings = inputs.recordings.into_iter().filter(is_listed).collect();
    let tasks = tasks(recordings, &context, &store)?;
    if arguments.plan {
        let plan = distribution::plan(&tasks, arguments.force).map_err(AnalyzeError::Plan)?;
        console::print(&plan)?;
        return Ok(Status::Success);
    }
    let progress = Progress::new(arguments, &tasks);
    for (path, reason) in &inputs.ignored {
        progress.ignore(&printable(path), reason);
    }
    for (path, reason) in &inputs.failures {
        progress.fail(&printable(path), reason);
    }
    let failures = inputs.failures.len();
    let threads = threads(arguments.jobs, tasks.len());
    // An error without a cause is an interruption.
    let finished = workers::run(&mut vec![(); threads], &tasks, |(), task| {
        let mut recording_progress = progress.recording(task);
        let outcome = match (interrupt.is_set(), &collected) {
            (true, _) => Ok(None),
            (false, Some(collected)) => Ok(Some(collected.outcome(task))),
            (false, None) => {
                analysis::analyze(task, &context, &store, &interrupt, &mut recording_progress)
            }
        };
        if outcome.is_err() {
            // The other recordings cannot be written either.
            interrupt.stop();
        }
        let ended = outcome.as_ref().ok().and_then(Option::as_ref);
        recording_progress.end(ended);
        match outcome {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Err(None),
            Err(error) => Err(Some(error)),
        }
    });
    let outcomes = finished.outputs;
    progress.end(&outcomes, failures, interrupt.is_set());
    if let Some(error) = finished.errors.into_iter().flatten().next() {
        return Err(error.into());
    }
    store.write(outcome::FILE, &outcome::table(&tasks, &outcomes))?;
    let index = pages::index(&tasks, &outcomes, &store)?;
    store.write(pages::INDEX, index.as_bytes())?;
    if interrupt.is_set() {
        return Ok(Status::Interrupted);
    }
    let is_complete = outcomes.iter().flatten().all(RecordingOutcome::is_complete);
    Ok(Status::of(is_complete && failures == 0))
}

impl<'a> RunContext<'a> {
    /// Checks for the elements, and loads the models, that the recordings need.
    fn new(arguments: &'a Arguments) -> Result<Self, AnalyzeError> {
        let settings = Settings::of(arguments);
        if settings.annotate {
            annotation::check_elements()?;
        }
        let (source, mapping) = (arguments.classifier.source(), &arguments.classifier.mapping);
        let engine = Engine::acquire(&arguments.networks.config(&source, mapping.as_ref()))?;
        let description = arguments.classifier.attitude_model.as_ref();
        let description =
            description.and_then(|path| std::fs::read(path.with_extension("toml")).ok());
        Ok(Self {
            arguments,
            settings,
            models: Models::of(engine.facts(), description.as_deref()),
            engine,
        })
    }
}

fn tasks(
    recordings: Vec<Recording>,
    context: &RunContext,
    store: &Store,
) -> Result<Vec<Task>, StoreError> {
    let mut earlier = store.summaries()?;
    let names = match &context.arguments.name {
        Some(name) => vec![name.clone()],
        None => names::names(&recordings, &earlier),
    };
    let tasks = recordings
        .into_iter()
        .zip(names)
        .map(|(recording, name)| Task {
            fingerprint: fingerprint(&recording.identity, &context.settings, &context.models),
            recording,
            earlier: earlier.remove(&name).flatten().map(Box::new),
            name,
        });
    Ok(tasks.collect())
}

/// Default of the maximum number of recordings that are analysed at the same time: each takes memory for
/// its decoder.
const MAX_THREADS: usize = 8;

/// Returns the number of recordings to analyse at the same time. On two cores, two at a time took a fifth
/// less time than one after the other, although decoders have their own threads; four took about as long as
/// two.
fn threads(requested: Option<NonZeroUsize>, recordings: usize) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = requested.map_or_else(|| cores().min(MAX_THREADS), NonZeroUsize::get);
    threads.min(recordings)
}

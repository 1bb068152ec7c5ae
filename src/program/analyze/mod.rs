// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude analyze`: writes tables, summaries and pages for recordings.
//!
//! ```text
//! inputs -> names -> analysis (worker -> outputs -> publication -> store), per recording -> outcome, pages
//! ```
//!
//! If another program runs the middle part on many machines, `distribution` prints the results of
//! `names` for it, and reads the outcomes that it collected.

use std::num::NonZeroUsize;

use attitude::data_table::TableSchema;
use attitude::record::columns;
use attitude::record::exports::segments;
use attitude_inference::engine::Engine;
use attitude_inference::networks::{LoadError, provider_warnings};
use attitude_inference::provider::Provider;
use serde_json::json;
use tracing::{debug, info};

use arguments::ArgumentError;
pub(crate) use arguments::Arguments;
use baseline::{BaselineError, BaselineSetting};
use derived::RefreshError;
use distribution::{CollectError, CollectedOutcomes};
use inputs::{InputError, Inputs, Recording, printable};
use outcome::RecordingOutcome;
use progress::RunProgress;
use settings::{Models, Settings};
use store::{Store, StoreError};
use summary_json::{SummaryFile, fingerprint};

use crate::codebook;
use crate::console::{self, PrintError};
use crate::corrections;
use crate::exit::{Interrupt, SignalError, Status};
use crate::numbers::count;
use crate::options::assumed_mapping;
use crate::parallel;
use crate::playback::{self, InitError, annotation};
use crate::publishing::{PublishError, Publishing};
use crate::worker::Player;

mod arguments;
mod settings;

mod inputs;
mod media_type;
mod names;
pub(crate) mod playlists;

mod analysis;
mod baseline;
mod hiding;
mod limits;
mod observers;
pub(crate) mod repair;
mod roles;
pub(crate) mod truncation;

pub(crate) mod derived;
mod outputs;
pub(crate) mod pages;
mod publication;
pub(crate) mod store;
pub(crate) mod summary_json;

mod distribution;
mod outcome;

mod progress;

/// All tables.
pub(crate) static TABLES: [&TableSchema; 3] =
    [&outcome::SCHEMA, &columns::SCHEMA, &segments::SCHEMA];

/// A run ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnalyzeError {
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("there is no recording in the inputs; check the paths")]
    NoRecording,
    #[error("there is no recording in the inputs, but {}; --verbose shows the reasons", count(*.0, "ignored file"))]
    OnlyIgnored(usize),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    MissingElement(#[from] annotation::MissingElement),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Collect(#[from] CollectError),
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    #[error("cannot format the plan")]
    Plan(#[source] serde_json::Error),
    #[error(transparent)]
    Print(#[from] PrintError),
}

impl AnalyzeError {
    /// Returns `true` if the arguments are wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Argument(_)
                | Self::Input(_)
                | Self::Publish(_)
                | Self::Baseline(BaselineError::Find(..))
        )
    }
}

/// Data that all recordings of a run share.
struct RunContext<'a> {
    arguments: &'a Arguments,
    settings: Settings,
    models: Models,
    /// Execution provider that runs the models.
    provider: Provider,
    publishing: Option<Publishing>,
}

/// A recording, and the name and fingerprint of its results.
struct RecordingJob {
    recording: Recording,
    /// Name of its folder.
    name: String,
    /// Fingerprint that its results must have.
    fingerprint: String,
    /// Results of an earlier run.
    earlier: Option<Box<SummaryFile>>,
}

impl RecordingJob {
    /// Returns the results of an earlier run if they are up to date.
    fn current_results(&self) -> Option<&SummaryFile> {
        let earlier = self.earlier.as_deref();
        earlier.filter(|earlier| earlier.fingerprint == self.fingerprint)
    }
}

/// Reason to start no other recording.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("the run was interrupted")]
    Interrupted,
    /// The results of the other recordings cannot be written either.
    #[error(transparent)]
    Store(StoreError),
}

/// Analyzes all recordings in the inputs.
///
/// # Errors
/// Returns an error if the arguments are wrong, the analysis cannot start, or results cannot be
/// written.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, AnalyzeError> {
    let status = analyze(arguments);
    if let Err(error) = &status
        && arguments.json
    {
        progress::print_event(&json!({"event": "error", "reason": console::chain(error)}));
    }
    status
}

fn analyze(arguments: &Arguments) -> Result<Status, AnalyzeError> {
    let interrupt = Interrupt::watch()?;
    playback::init()?;
    arguments.check()?;
    let inputs = find_inputs(arguments)?;
    // Errors that do not depend on the long work are found before it.
    let mut context = RunContext::new(arguments)?;
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
    let (jobs, others) = jobs(recordings, &context, &store)?;
    if arguments.plan {
        let plan = distribution::plan(&jobs, arguments.force).map_err(AnalyzeError::Plan)?;
        console::print(&plan)?;
        return Ok(Status::Success);
    }

    let is_new = |job: &RecordingJob| arguments.force || job.current_results().is_none();
    let is_analyzed = collected.is_none() && jobs.iter().any(is_new);
    if is_analyzed && !baseline::compute(&mut context, &interrupt)? {
        return Ok(Status::Interrupted);
    }

    let (jobs, others) = with_corrections(jobs, others, &store)?;
    let progress = RunProgress::new(arguments, &jobs);
    for (path, reason) in &inputs.ignored {
        progress.ignore(&printable(path), reason);
    }
    for (path, reason) in &inputs.failures {
        progress.fail(&printable(path), reason, None);
    }
    let outcomes = match &collected {
        Some(collected) => collect_outcomes(&jobs, collected, &progress),
        None => analyze_all(&jobs, &context, &store, &interrupt, &progress),
    };
    let unpublished = context.publishing.as_ref().and_then(Publishing::finish);
    if let Some(unpublished) = unpublished {
        console::warn(unpublished);
    }
    let failed_inputs = inputs.failures.len();
    progress.end(&outcomes.outputs, failed_inputs, interrupt.is_set());
    let stops = outcomes.errors.into_iter();
    let store_error = |stop| match stop {
        Stop::Interrupted => None,
        Stop::Store(error) => Some(error),
    };
    if let Some(error) = stops.filter_map(store_error).next() {
        return Err(error.into());
    }
    write_tables(&jobs, &outcomes.outputs, &others, &store)?;
    if interrupt.is_set() {
        return Ok(Status::Interrupted);
    }
    let mut analyzed = outcomes.outputs.iter().flatten();
    let is_complete = failed_inputs == 0 && analyzed.all(RecordingOutcome::is_complete);
    Ok(Status::of(is_complete))
}

/// Finds the recordings in the inputs.
///
/// # Errors
/// Returns an error if an input is wrong, there is no recording, or there are several with one
/// `--name`.
fn find_inputs(arguments: &Arguments) -> Result<Inputs, AnalyzeError> {
    let origin = arguments.origin.as_deref();
    let inputs = Inputs::find(&arguments.inputs, &arguments.output, origin)?;
    let found = inputs.recordings.len();
    info!(
        recordings = found,
        ignored = inputs.ignored.len(),
        unreadable = inputs.failures.len(),
        "found inputs"
    );
    for recording in &inputs.recordings {
        debug!(recording = recording.display_name(), "found a recording");
    }
    if arguments.name.is_some() && found > 1 {
        return Err(ArgumentError::Name { found }.into());
    }
    if found == 0 && inputs.failures.is_empty() {
        for (path, reason) in inputs.ignored.iter().filter(|_| arguments.verbose) {
            console::line(progress::describe_ignored(&printable(path), reason));
        }
        return Err(match inputs.ignored.len() {
            0 => AnalyzeError::NoRecording,
            ignored => AnalyzeError::OnlyIgnored(ignored),
        });
    }
    Ok(inputs)
}

/// Outcomes of recordings, in the order of the jobs.
type Outcomes = parallel::Finished<RecordingOutcome, Stop>;

/// Analyzes the recordings, several at the same time.
fn analyze_all(
    jobs: &[RecordingJob],
    context: &RunContext,
    store: &Store,
    interrupt: &Interrupt,
    progress: &RunProgress,
) -> Outcomes {
    let threads = threads(context.arguments.jobs, jobs.len());
    let stall_timeout = context.arguments.stall.timeout();
    let mut players: Vec<Player> = (0..threads).map(|_| Player::new(stall_timeout)).collect();
    parallel::run(&mut players, jobs, |player, job| {
        let mut recording_progress = progress.recording(job);
        let outcome = match interrupt.is_set() {
            true => Err(Stop::Interrupted),
            false => {
                let progress = &mut recording_progress;
                analysis::analyze(job, context, store, interrupt, player, progress)
            }
        };
        if outcome.is_err() {
            interrupt.stop();
        }
        recording_progress.end(outcome.as_ref().ok());
        outcome
    })
}

/// Reports the outcomes that another program collected.
fn collect_outcomes(
    jobs: &[RecordingJob],
    collected: &CollectedOutcomes,
    progress: &RunProgress,
) -> Outcomes {
    let outcome = |job| {
        let outcome = collected.outcome(job);
        progress.recording(job).end(Some(&outcome));
        Some(outcome)
    };
    Outcomes {
        outputs: jobs.iter().map(outcome).collect(),
        errors: Vec::new(),
    }
}

/// Writes `summary.csv`, its codebook and `index.html`, with the results of `others`, which earlier runs wrote.
fn write_tables(
    jobs: &[RecordingJob],
    outcomes: &[Option<RecordingOutcome>],
    others: &[SummaryFile],
    store: &Store,
) -> Result<(), StoreError> {
    let summary = outcome::table(jobs, outcomes, others);
    for table in codebook::tables().iter().chain([&summary]) {
        store.write_table(table)?;
    }
    let index = pages::index(jobs, outcomes, others, store.folder())?;
    store.write(pages::INDEX, index.as_bytes())
}

impl<'a> RunContext<'a> {
    /// Checks for the elements and loads the models that the recordings need.
    ///
    /// # Errors
    /// Returns an error if an element is missing or a model cannot be loaded.
    fn new(arguments: &'a Arguments) -> Result<Self, AnalyzeError> {
        let baseline = BaselineSetting::of(&arguments.baseline)?;
        let settings = Settings::of(arguments, baseline);
        if settings.annotate {
            annotation::check_elements()?;
        }
        let (source, mapping) = (arguments.classifier.source(), &arguments.classifier.mapping);
        let engine = Engine::acquire(&arguments.networks.config(&source, mapping.as_ref()))?;
        let info = engine.info();
        for warning in provider_warnings(&info.provider_errors, info.provider) {
            console::warn(warning);
        }
        if let Some(mapping) = &info.assumed_mapping {
            console::warn(assumed_mapping(&info.model_name, mapping));
        }
        let description = arguments.classifier.attitude_model.as_ref();
        let description =
            description.and_then(|path| std::fs::read(path.with_extension("toml")).ok());
        Ok(Self {
            arguments,
            settings,
            models: Models::of(info, description.as_deref()),
            provider: info.provider,
            publishing: match arguments.plan || arguments.collect.is_some() {
                true => None,
                false => arguments.publish.start(|text| console::warn(text))?,
            },
        })
    }
}

/// Returns the jobs of `recordings`, with their results of earlier runs in `store`, and the results
/// of other recordings there, sorted by name.
fn jobs(
    recordings: Vec<Recording>,
    context: &RunContext,
    store: &Store,
) -> Result<(Vec<RecordingJob>, Vec<SummaryFile>), StoreError> {
    let mut earlier = store.summaries()?;
    let names = match &context.arguments.name {
        Some(name) => vec![name.clone()],
        None => names::names(&recordings, &earlier),
    };
    let jobs = recordings
        .into_iter()
        .zip(names)
        .map(|(recording, name)| RecordingJob {
            fingerprint: fingerprint(&recording.identity, &context.settings, &context.models),
            recording,
            earlier: earlier.remove(&name).flatten().map(Box::new),
            name,
        })
        .collect();
    let others = earlier.into_iter().filter_map(|(name, results)| {
        let mut results = results?;
        // The folder may have been renamed.
        results.recording.name = name;
        Some(results)
    });
    let mut others: Vec<SummaryFile> = others.collect();
    others.sort_by(|a, b| a.recording.name.cmp(&b.recording.name));
    Ok((jobs, others))
}

/// Applies corrections that changed since an earlier run wrote the results of `jobs` and `others`.
/// Results that cannot be corrected without a new analysis do not count as results of `jobs`.
fn with_corrections(
    mut jobs: Vec<RecordingJob>,
    mut others: Vec<SummaryFile>,
    store: &Store,
) -> Result<(Vec<RecordingJob>, Vec<SummaryFile>), StoreError> {
    for job in &mut jobs {
        let Some(results) = &mut job.earlier else {
            continue;
        };
        match derived::refresh(&store.path(&job.name), results) {
            Ok(Some(refreshed)) => {
                report_problems(&refreshed);
                **results = refreshed;
            }
            Ok(None) => {}
            Err(RefreshError::Store(error)) => return Err(error),
            Err(RefreshError::NoRecords(_)) => job.earlier = None,
            // The recording fails with it.
            Err(RefreshError::Corrections(_)) => {}
            Err(error) => console::warn(console::chain(&error)),
        }
    }
    for results in &mut others {
        match derived::refresh(&store.path(&results.recording.name), results) {
            Ok(Some(refreshed)) => {
                report_problems(&refreshed);
                *results = refreshed;
            }
            Ok(None) => {}
            Err(RefreshError::Store(error)) => return Err(error),
            Err(error) => console::warn(console::chain(&error)),
        }
    }
    Ok((jobs, others))
}

/// Prints the corrections in `results` that had no effect.
fn report_problems(results: &SummaryFile) {
    let applied = results.summary.corrections.as_ref();
    for problem in corrections::problems(&results.recording.name, applied) {
        console::warn(problem);
    }
}

/// Default of the maximum number of recordings that are analyzed at the same time; each takes
/// memory for its decoder.
const MAX_THREADS: usize = 8;

/// Returns the number of recordings to analyze at the same time, of `recordings`. On two cores, two
/// at a time took a fifth less time than one after the other, although decoders have their own
/// threads; four took about as long as two.
fn threads(requested: Option<NonZeroUsize>, recordings: usize) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = requested.map_or_else(|| cores().min(MAX_THREADS), NonZeroUsize::get);
    threads.min(recordings)
}

// SPDX-License-Identifier: MPL-2.0

//! Analyzes one recording: plays its pipeline and writes its folder.

use attitude::record::Record;
use tracing::info;

use super::annotation;
use super::inputs::{Identity, Location, Recording};
use super::outcome::{RecordingError, RecordingOutcome};
use super::outputs::Outputs;
use super::pipeline::Pipeline;
use super::play::{Observer, PlaybackEnd, play, video_info};
use super::progress::RecordingProgress;
use super::settings::Settings;
use super::store::{PartialFolder, Store, StoreError, WriteContext};
use super::summary_json::{SummaryFile, VideoInfo};
use super::truncation::truncation;
use super::{RecordingJob, RunContext, Stop};
use crate::exit::Interrupt;
use crate::playback::UnplayableError;

/// An analysis ended without results.
#[derive(Debug, thiserror::Error)]
enum AnalysisError {
    /// The recording failed; the others go on.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The whole run ends.
    #[error(transparent)]
    Run(#[from] Stop),
}

impl From<StoreError> for AnalysisError {
    fn from(error: StoreError) -> Self {
        Self::Run(Stop::Store(error))
    }
}

/// Analyzes a recording, unless the results of an earlier run are up to date.
///
/// # Errors
/// Returns an error if the run was interrupted, or the results cannot be written.
pub(super) fn analyze(
    job: &RecordingJob,
    context: &RunContext,
    store: &Store,
    interrupt: &Interrupt,
    progress: &mut RecordingProgress<'_>,
) -> Result<RecordingOutcome, Stop> {
    if let Some(results) = job.current_results()
        && !context.arguments.force
    {
        return Ok(RecordingOutcome::Skipped(Box::new(results.clone())));
    }
    progress.begin(context.settings.from_ns, context.settings.to_ns);
    match write_results(job, context, store, interrupt, progress) {
        Ok(results) => Ok(RecordingOutcome::Done(Box::new(results))),
        Err(AnalysisError::Recording(error)) => {
            Ok(RecordingOutcome::without_results(&job.recording, error))
        }
        Err(AnalysisError::Run(stop)) => Err(stop),
    }
}

/// Plays a recording and writes its folder; returns the content of `summary.json`.
fn write_results(
    job: &RecordingJob,
    context: &RunContext,
    store: &Store,
    interrupt: &Interrupt,
    progress: &mut RecordingProgress<'_>,
) -> Result<SummaryFile, AnalysisError> {
    let RecordingJob {
        recording, name, ..
    } = job;
    let settings = &context.settings;
    let folder = store.begin(name)?;
    let pipeline = create_pipeline(recording, context, &folder)?;
    info!(name, "starting the pipeline");
    let mut writer = SampleWriter {
        name,
        outputs: Outputs::open(&folder, settings)?,
        progress,
        last: None,
    };
    let end = play(&pipeline, settings, interrupt, &mut writer)?;
    let SampleWriter { outputs, last, .. } = writer;
    let video = video_info(&pipeline, last.as_ref());
    drop(pipeline);
    info!(
        name,
        frames = video.frames,
        samples = outputs.samples(),
        ?end,
        "playback ended"
    );
    let damage = match end {
        PlaybackEnd::EndOfStream => missing_end(&recording.location),
        PlaybackEnd::Damaged(error) => Some(error.to_string()),
        PlaybackEnd::Failed(error) => return Err(with_cause(error, &recording.location).into()),
        PlaybackEnd::Unwritable(error) => Err(error).write_context(&store.path(name))?,
        PlaybackEnd::Interrupted => return Err(Stop::Interrupted.into()),
    };
    check_samples(settings, &video, last.as_ref(), damage.as_deref())?;
    if let (Location::Url(_), Some(damage)) = (&recording.location, &damage) {
        // The download may succeed next time.
        return Err(RecordingError::Damaged(damage.clone()).into());
    }
    if has_changed(recording) {
        return Err(RecordingError::Changed.into());
    }
    if let Some(damage) = &damage {
        info!(name, damage, "the recording is damaged");
    }
    let file = SummaryFile::new(job, context, video, damage);
    let results = outputs.finish(file, context.arguments.destination())?;
    folder.commit()?;
    Ok(results)
}

fn create_pipeline(
    recording: &Recording,
    context: &RunContext,
    folder: &PartialFolder,
) -> Result<Pipeline, RecordingError> {
    let uri = recording.playable_uri()?;
    let annotated = context.settings.annotate;
    let annotated = annotated.then(|| folder.path(annotation::FILE));
    let (arguments, settings) = (context.arguments, &context.settings);
    Ok(Pipeline::new(
        &uri,
        arguments,
        settings,
        annotated.as_deref(),
    )?)
}

/// Writes the samples of a recording, and reports its progress.
struct SampleWriter<'a, 'p> {
    name: &'a str,
    outputs: Outputs<'a>,
    progress: &'a mut RecordingProgress<'p>,
    last: Option<Record>,
}

impl Observer for SampleWriter<'_, '_> {
    fn sample(&mut self, mut record: Record, duration_ns: Option<u64>) -> Result<(), StoreError> {
        // GStreamer's stream id depends on the path of the file.
        record.stream = self.name.to_owned();
        self.progress.update(record.stream_time_ns, duration_ns);
        self.outputs.push(&record)?;
        self.last = Some(record);
        Ok(())
    }

    fn warning(&mut self, text: &str) {
        self.progress.warn(text);
    }
}

/// Checks that the analyzed part of the recording has samples; `last` is the last of them.
///
/// # Errors
/// Returns the reason why it has none.
fn check_samples(
    settings: &Settings,
    video: &VideoInfo,
    last: Option<&Record>,
    damage: Option<&str>,
) -> Result<(), RecordingError> {
    let from_ns = settings.from_ns.unwrap_or(0);
    // Some demuxers play the last frame if the position is beyond the end.
    let is_in_part = |record: &Record| record.stream_time_ns.is_none_or(|ns| ns >= from_ns);
    if last.is_some_and(is_in_part) {
        return Ok(());
    }
    Err(match (damage, video.duration_ns) {
        (Some(damage), _) => RecordingError::Damaged(damage.to_owned()),
        (None, Some(duration_ns)) if from_ns >= duration_ns => RecordingError::BeyondEnd {
            from_ns,
            duration_ns,
        },
        (None, _) if settings.is_part() => RecordingError::NoFrameInPart,
        (None, _) => RecordingError::NoFrame,
    })
}

/// Replaces an error of GStreamer with its cause if the file is cut off.
fn with_cause(error: RecordingError, location: &Location) -> RecordingError {
    let missing = match &error {
        RecordingError::Unplayable(UnplayableError::Element(_) | UnplayableError::Stalled) => {
            missing_end(location)
        }
        _ => None,
    };
    missing.map_or(error, RecordingError::Damaged)
}

/// Describes what is missing from a file that is cut off.
fn missing_end(location: &Location) -> Option<String> {
    match location {
        // If it cannot be checked, it counts as complete.
        Location::File(path) => truncation(path).ok().flatten(),
        Location::Url(_) => None,
    }
}

fn has_changed(recording: &Recording) -> bool {
    match &recording.location {
        Location::File(path) => Identity::of_file(path).ok().as_ref() != Some(&recording.identity),
        Location::Url(_) => false,
    }
}

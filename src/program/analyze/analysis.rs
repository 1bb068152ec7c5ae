// SPDX-License-Identifier: MPL-2.0

//! Analyzes one recording: plays its pipeline and writes its folder.

use attitude::record::Record;
use tracing::info;

use super::inputs::{Identity, Location, Recording};
use super::outcome::{RecordingError, RecordingOutcome};
use super::outputs::Outputs;
use super::progress::RecordingProgress;
use super::settings::Settings;
use super::store::{PartialFolder, Store, StoreError, WriteContext};
use super::summary_json::{SummaryFile, VideoInfo};
use super::truncation::truncation;
use super::{RecordingJob, RunContext, Stop};
use crate::exit::Interrupt;
use crate::numbers::count;
use crate::playback::{BeyondEndError, PlaybackErrorKind, Progress, annotation};
use crate::worker::message::{AnalysisSettings, AnnotatedVideo, Part, Request};
use crate::worker::{Observer, PlaybackEnd, Player};

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
    player: &mut Player,
    progress: &mut RecordingProgress<'_>,
) -> Result<RecordingOutcome, Stop> {
    if let Some(results) = job.current_results()
        && !context.arguments.force
    {
        return Ok(RecordingOutcome::Skipped(Box::new(results.clone())));
    }
    progress.begin(context.settings.from_ns, context.settings.to_ns);
    let is_used = player.is_used();
    let mut results = write_results(job, context, store, interrupt, player, progress);
    if is_used && let Err(AnalysisError::Recording(RecordingError::Worker(_))) = results {
        // An earlier recording may have damaged the memory of the worker, or filled it.
        results = write_results(job, context, store, interrupt, player, progress);
    }
    match results {
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
    player: &mut Player,
    progress: &mut RecordingProgress<'_>,
) -> Result<SummaryFile, AnalysisError> {
    let RecordingJob {
        recording, name, ..
    } = job;
    let settings = &context.settings;
    let folder = store.begin(name)?;
    let request = request(recording, context, &folder)?;
    info!(name, "starting to play");
    let mut writer = SampleWriter {
        name,
        outputs: Outputs::open(&folder, settings)?,
        progress,
        playback: Progress::default(),
        last: None,
        notes: Vec::new(),
        max_faces: settings.max_faces,
        full_samples: 0,
    };
    let end = player.play(&request, interrupt, &mut writer)?;
    writer.note_limit();
    let SampleWriter {
        mut outputs,
        playback,
        last,
        notes,
        ..
    } = writer;
    if let Some(end_ns) = playback.end_ns {
        outputs.set_end_ns(end_ns);
    }
    let video = VideoInfo::new(&playback, last.as_ref());
    info!(
        name,
        frames = video.frames,
        samples = outputs.samples(),
        ?end,
        "playback ended"
    );
    let damage = match end {
        PlaybackEnd::EndOfStream => missing_end(&recording.location),
        // A file that is cut off is the cause of other damage.
        PlaybackEnd::Damaged(reason) => Some(missing_end(&recording.location).unwrap_or(reason)),
        PlaybackEnd::Failed(error) => {
            return Err(with_cause(error.into(), &recording.location).into());
        }
        PlaybackEnd::Lost(error) => return Err(RecordingError::from(error).into()),
        PlaybackEnd::Unwritable(reason) => Err(reason).write_context(&store.path(name))?,
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
    let file = SummaryFile::new(job, context, video, damage, notes);
    let results = outputs.finish(file, context.arguments.destination())?;
    folder.commit()?;
    Ok(results)
}

/// Returns the request to play and analyze `recording`.
fn request(
    recording: &Recording,
    context: &RunContext,
    folder: &PartialFolder,
) -> Result<Request, RecordingError> {
    let (arguments, settings) = (context.arguments, &context.settings);
    let (networks, classifier) = (&arguments.networks, &arguments.classifier);
    let analysis = AnalysisSettings {
        element: networks.element_settings(&classifier.source(), classifier.mapping.as_ref()),
        sample_interval_ns: settings.sample_interval_ns(),
        max_faces: settings.max_faces,
        min_confidence: settings.min_confidence,
    };
    let annotated = settings.annotate.then(|| AnnotatedVideo {
        path: folder.path(annotation::FILE).into_os_string(),
        blurs: settings.blur,
    });
    Ok(Request {
        uri: recording.playable_uri()?,
        analyses: vec![analysis],
        part: Part {
            from_ns: settings.from_ns,
            to_ns: settings.to_ns,
        },
        annotated,
    })
}

/// Writes the samples of a recording, and reports its progress.
struct SampleWriter<'a, 'p> {
    name: &'a str,
    outputs: Outputs<'a>,
    progress: &'a mut RecordingProgress<'p>,
    playback: Progress,
    last: Option<Record>,
    /// What a user should know about the recording.
    notes: Vec<String>,
    max_faces: u32,
    /// Number of samples with the maximum number of faces.
    full_samples: u64,
}

impl SampleWriter<'_, '_> {
    /// Adds a note if the limit of faces may hide people.
    fn note_limit(&mut self) {
        if self.full_samples > 0 {
            self.notes.push(format!(
                "{} reached the maximum of {}: more people may be in view; raise --max-faces, and \
                 --detector-size if faces are small",
                count(self.full_samples, "sample"),
                count(u64::from(self.max_faces), "face")
            ));
        }
    }
}

impl Observer for SampleWriter<'_, '_> {
    type Error = StoreError;

    fn sample(&mut self, _analysis: usize, mut record: Record) -> Result<(), StoreError> {
        // GStreamer's stream id depends on the path of the file.
        record.stream = self.name.to_owned();
        self.progress
            .update(record.stream_time_ns, self.playback.duration_ns);
        self.outputs.push(&record)?;
        self.full_samples += u64::from(record.faces.len() >= self.max_faces as usize);
        self.last = Some(record);
        Ok(())
    }

    fn progress(&mut self, progress: &Progress) {
        self.playback = progress.clone();
    }

    fn warning(&mut self, text: &str) {
        self.progress.warn(text);
    }

    fn note(&mut self, text: String) {
        self.notes.push(text);
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
        (None, Some(duration_ns)) if from_ns >= duration_ns => BeyondEndError {
            from_ns,
            duration_ns,
        }
        .into(),
        (None, _) if settings.is_part() => RecordingError::NoFrameInPart,
        (None, _) => RecordingError::NoFrame,
    })
}

/// Replaces an error of GStreamer with its cause if the file is cut off.
fn with_cause(error: RecordingError, location: &Location) -> RecordingError {
    let missing = match &error {
        RecordingError::Playback(error) if error.kind == PlaybackErrorKind::Unreadable => {
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

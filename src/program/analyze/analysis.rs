// SPDX-License-Identifier: MPL-2.0

//! Analyzes one recording: plays its pipeline and writes its folder.

use std::path::Path;

use attitude::record::Record;
use attitude::timeline::RecordingEnd;
use tracing::info;

use super::derived;
use super::hiding::FoundFaces;
use super::inputs::{Identity, Location, Recording};
use super::limits::{FaceLimits, SizeCheck};
use super::observers::{SampleWriter, VideoObserver};
use super::outcome::{RecordingError, RecordingOutcome};
use super::outputs::Outputs;
use super::progress::RecordingProgress;
use super::publication::Publication;
use super::repair::Repair;
use super::roles::{Role, roles};
use super::settings::Settings;
use super::store::{Store, StoreError, WriteContext};
use super::summary_json::{SummaryFile, VideoInfo};
use super::truncation::truncation;
use super::{RecordingJob, RunContext, Stop};
use crate::corrections::CorrectionsFile;
use crate::exit::Interrupt;
use crate::playback::{BeyondEndError, PlaybackErrorKind, Progress, annotation};
use crate::worker::message::{AnnotatedVideo, Part, Request};
use crate::worker::{PlaybackEnd, Player};

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
    // A mistake in them is found before the long work.
    let folder = context.arguments.destination().join(&job.name);
    if let Err(error) = CorrectionsFile::read(&folder) {
        return Ok(RecordingOutcome::without_results(
            &job.recording,
            error.into(),
        ));
    }
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
    let mut approach = Approach {
        limits: FaceLimits::first(&context.settings),
        repair: None,
    };
    loop {
        match attempt(job, context, store, interrupt, player, progress, &approach) {
            Ok(Attempt::Complete(results)) => return Ok(*results),
            Ok(Attempt::Repeat(better)) => approach = better,
            // The part before the damage can be read.
            Err(AnalysisError::Recording(error)) if approach.is_repaired() => {
                info!(job.name, %error, "a repaired file cannot be analyzed");
                approach.repair = Some(Repair::default());
            }
            Err(error) => return Err(error),
        }
    }
}

/// How a recording is read and analyzed, as far as this depends on the recording.
struct Approach {
    limits: FaceLimits,
    /// Set if damage was found in the file; empty if it is not repaired.
    repair: Option<Repair>,
}

impl Approach {
    fn is_repaired(&self) -> bool {
        let repair = self.repair.as_ref();
        repair.is_some_and(|repair| *repair != Repair::default())
    }
}

/// Result of an attempt to analyze a recording.
enum Attempt {
    Complete(Box<SummaryFile>),
    /// Another approach is better.
    Repeat(Approach),
}

/// Plays a recording and writes its folder, unless another approach is better.
fn attempt(
    job: &RecordingJob,
    context: &RunContext,
    store: &Store,
    interrupt: &Interrupt,
    player: &mut Player,
    progress: &mut RecordingProgress<'_>,
    approach: &Approach,
) -> Result<Attempt, AnalysisError> {
    let RecordingJob {
        recording, name, ..
    } = job;
    let (settings, limits) = (&context.settings, approach.limits);
    let folder = store.begin(name)?;
    let request = Request {
        uri: recording.playable_uri().map_err(RecordingError::from)?,
        patches: approach
            .repair
            .as_ref()
            .map_or_else(Vec::new, Repair::patches),
        analyses: roles(settings, limits)
            .map(|role| role.settings(context, limits))
            .collect(),
        part: Part {
            from_ns: settings.from_ns,
            to_ns: settings.to_ns,
        },
        annotated: (settings.annotate && !settings.blur).then(|| AnnotatedVideo {
            path: folder.path(annotation::FILE).into_os_string(),
            hidden_faces: None,
        }),
    };
    info!(name, ?limits, "starting to play");
    let publishing = context.publishing.as_ref();
    let publication = publishing.map(|publishing| Publication::create(publishing, &folder));
    let mut writer = SampleWriter {
        name,
        outputs: Outputs::open(&folder, settings)?,
        publication: publication.transpose()?,
        progress,
        playback: Progress::default(),
        last: None,
        notes: Vec::new(),
        roles: roles(settings, limits).collect(),
        limits,
        full_samples: 0,
        check: SizeCheck::default(),
        found: settings.blur.then(FoundFaces::default),
    };
    let end = player.play(&request, interrupt, &mut writer)?;
    if let Some(raised) = writer.raised_limits() {
        info!(name, ?raised, "small faces are missing");
        return Ok(Attempt::Repeat(Approach {
            limits: raised,
            repair: approach.repair.clone(),
        }));
    }
    writer.note_limits(FaceLimits::first(settings));
    let SampleWriter {
        mut outputs,
        progress,
        playback,
        last,
        mut notes,
        found,
        publication,
        ..
    } = writer;
    outputs.set_end(RecordingEnd {
        last_frame_ns: playback.end_ns,
        limit_ns: derived::limit_ns(playback.duration_ns, settings.to_ns),
    });
    let video = VideoInfo::new(&playback, last.as_ref());
    info!(
        name,
        frames = video.frames,
        samples = outputs.samples(),
        ?end,
        "playback ended"
    );
    let damage = damage(end, recording, &store.path(name))?;
    // Some demuxers post nothing about damage behind which they continue.
    if (damage.is_some() || !settings.is_part())
        && approach.repair.is_none()
        && let Some(repair) = repair(&recording.location, interrupt)?
    {
        info!(name, "repeating without the damaged parts");
        return Ok(Attempt::Repeat(Approach {
            limits,
            repair: Some(repair),
        }));
    }
    let damage = match &approach.repair {
        Some(repair) => repair.describe(playback.origin_ns, damage.as_deref()),
        None => damage,
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
    if let Some(found) = found {
        let hidden = found.into_hidden(&settings.timeline_params());
        let path = folder.path(HIDDEN_FACES);
        hidden.write(&path).write_context(&path)?;
        let request = Request {
            analyses: vec![Role::Samples.settings(context, limits)],
            annotated: Some(AnnotatedVideo {
                path: folder.path(annotation::FILE).into_os_string(),
                hidden_faces: Some(path.clone().into_os_string()),
            }),
            ..request
        };
        let mut observer = VideoObserver {
            progress,
            duration_ns: None,
        };
        let end = player.play(&request, interrupt, &mut observer)?;
        // The first pass has found the damage.
        self::damage(end, recording, &store.path(name))?;
        std::fs::remove_file(&path).write_context(&path)?;
        notes.push(hidden.note());
    }
    let file = SummaryFile::new(job, context, video, limits, damage, notes);
    let destination = context.arguments.destination();
    let corrections =
        CorrectionsFile::read(&destination.join(name)).map_err(RecordingError::from)?;
    let results = outputs.finish(file, &corrections, destination)?;
    super::report_problems(&results);
    // Before the results appear: a recording that has results is skipped by the next run.
    if let Some(publication) = publication {
        publication.publish(name, interrupt)?;
    }
    folder.commit()?;
    Ok(Attempt::Complete(Box::new(results)))
}

/// File name of the faces to hide, while the second pass reads them.
const HIDDEN_FACES: &str = "hidden-faces.jsonl";

/// Returns the damage at the end of playback; `None` if there is none. `path` is that of the results.
///
/// # Errors
/// Returns an error if there can be no results.
fn damage(
    end: PlaybackEnd,
    recording: &Recording,
    path: &Path,
) -> Result<Option<String>, AnalysisError> {
    match end {
        PlaybackEnd::EndOfStream => Ok(missing_end(&recording.location)),
        // A file that is cut off is the cause of other damage.
        PlaybackEnd::Damaged(reason) => {
            Ok(Some(missing_end(&recording.location).unwrap_or(reason)))
        }
        PlaybackEnd::Failed(error) => Err(with_cause(error.into(), &recording.location).into()),
        PlaybackEnd::Lost(error) => Err(RecordingError::from(error).into()),
        PlaybackEnd::Unwritable(reason) => Ok(Err(reason).write_context(path)?),
        PlaybackEnd::Interrupted => Err(Stop::Interrupted.into()),
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

/// Returns how the file can be read in spite of damage in it; `None` if there is none, or none that
/// can be skipped.
///
/// # Errors
/// Returns an error if the run was interrupted.
fn repair(location: &Location, interrupt: &Interrupt) -> Result<Option<Repair>, Stop> {
    let Location::File(path) = location else {
        return Ok(None);
    };
    let repair = Repair::of(path, interrupt);
    match interrupt.is_set() {
        true => Err(Stop::Interrupted),
        // If it cannot be checked, the part before the damage counts.
        false => Ok(repair.ok().flatten()),
    }
}

fn has_changed(recording: &Recording) -> bool {
    match &recording.location {
        Location::File(path) => Identity::of_file(path).ok().as_ref() != Some(&recording.identity),
        Location::Url(_) => false,
    }
}

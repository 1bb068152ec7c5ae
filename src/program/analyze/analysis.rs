// SPDX-License-Identifier: MPL-2.0

//! Analyses one recording: plays its pipeline and writes its folder.

use attitude::record::Record;
use tracing::info;

use super::annotation;
use super::inputs::{Identity, Location, Recording};
use super::outcome::{NO_VIDEO, RecordingOutcome};
use super::outputs::Outputs;
use super::pipeline::Pipeline;
use super::play::{Observer, PlaybackEnd, play, video};
use super::progress::RecordingProgress;
use super::store::{At, Store, StoreError};
use super::summary_json::SummaryFile;
use super::truncation::truncation;
use super::{RunContext, Task};
use crate::console;
use crate::exit::Interrupt;

/// Analyses the recording, unless its results are up to date; returns `None` if the run was interrupted.
///
/// # Errors
/// If the results cannot be written.
pub(super) fn analyze(
    task: &Task,
    context: &RunContext,
    store: &Store,
    interrupt: &Interrupt,
    progress: &mut RecordingProgress<'_>,
) -> Result<Option<RecordingOutcome>, StoreError> {
    let Task {
        recording, name, ..
    } = task;
    if let Some(results) = &task.earlier
        && task.is_done()
        && !context.arguments.force
    {
        return Ok(Some(RecordingOutcome::Skipped(results.clone())));
    }
    let failed = |reason: &str| Ok(Some(RecordingOutcome::Failed(reason.to_owned())));
    progress.begin(context.settings.from_ns, context.settings.to_ns);
    let partial = store.begin(name)?;
    let annotated = context
        .settings
        .annotate
        .then(|| partial.path(annotation::FILE));
    let (arguments, settings) = (context.arguments, &context.settings);
    let uri = match recording.playable_uri() {
        Ok(uri) => uri,
        Err(error) => return failed(&console::chain(&error)),
    };
    let pipeline = match Pipeline::new(&uri, arguments, settings, annotated.as_deref()) {
        Ok(pipeline) => pipeline,
        Err(error) => return failed(&error.to_string()),
    };
    info!(name, "starting the pipeline");
    let mut writer = Writer {
        name,
        outputs: Outputs::open(&partial, settings)?,
        progress,
        last: None,
    };
    let end = play(&pipeline, settings, interrupt, &mut writer)?;
    let video = video(&pipeline, writer.last.as_ref());
    drop(pipeline);
    info!(
        name,
        frames = video.frames,
        samples = writer.outputs.samples(),
        ?end,
        "playback ended"
    );
    let damage = match end {
        PlaybackEnd::Interrupted => return Ok(None),
        PlaybackEnd::Unwritable(error) => return Err(error).at(&store.path(name)),
        PlaybackEnd::Failed(reason) => return failed(&reason),
        // A folder may hold files of any kind.
        PlaybackEnd::NoVideo if !recording.is_named => {
            return Ok(Some(RecordingOutcome::Ignored(NO_VIDEO)));
        }
        PlaybackEnd::NoVideo => return failed(NO_VIDEO),
        PlaybackEnd::Damaged(reason) => Some(reason),
        PlaybackEnd::EndOfStream => missing_end(&recording.location),
    };
    if writer.outputs.samples() == 0 {
        return match (damage, settings.from_ns) {
            (Some(damage), _) => failed(&damage),
            (None, Some(_)) => failed("it has no frame in the part that --from and --to ask for"),
            (None, None) => failed("it has no frame"),
        };
    }
    if let (Location::Url(_), Some(damage)) = (&recording.location, &damage) {
        // The download may succeed next time.
        return failed(damage);
    }
    if has_changed(recording) {
        return failed(
            "it changed while it was analysed; run this command again when it is complete",
        );
    }
    if let Some(damage) = &damage {
        info!(name, damage, "the recording is damaged");
    }
    let provider = context.engine.facts().provider.name();
    let fingerprint = task.fingerprint.clone();
    let mut file = SummaryFile::new(
        recording,
        name,
        fingerprint,
        settings,
        &context.models,
        provider,
    );
    file.recording.video = video;
    file.damage = damage;
    let results = writer.outputs.finish(file, arguments.destination())?;
    partial.commit()?;
    Ok(Some(RecordingOutcome::Done(Box::new(results))))
}

/// Writes the samples of a recording, and reports its progress.
struct Writer<'a, 'p> {
    name: &'a str,
    outputs: Outputs<'a>,
    progress: &'a mut RecordingProgress<'p>,
    last: Option<Record>,
}

impl Observer for Writer<'_, '_> {
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

/// Describes what is missing from a file that GStreamer played to its end.
fn missing_end(location: &Location) -> Option<String> {
    match location {
        // The file was just played: if it cannot be checked, it is not damaged.
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

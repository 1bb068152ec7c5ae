// SPDX-License-Identifier: MPL-2.0

//! Plays the pipeline of a recording until it ends, and handles its messages.

use attitude::record::Record;
use gst::prelude::*;
use tracing::debug;

use super::outcome::RecordingError;
use super::pipeline::Pipeline;
use super::settings::Settings;
use super::store::StoreError;
use super::summary_json::VideoInfo;
use crate::exit::Interrupt;
use crate::playback::{
    self, ElementError, MissingPlugin, StallDetector, UnplayableError, one_line,
};

/// Interval of checks for an interruption or a stall.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// Result of playback.
#[derive(Debug)]
pub(super) enum PlaybackEnd {
    EndOfStream,
    /// The recording has video, but cannot be read to its end.
    Damaged(ElementError),
    /// The recording cannot be analyzed.
    Failed(RecordingError),
    /// The annotated video cannot be written.
    Unwritable(ElementError),
    /// The run was interrupted.
    Interrupted,
}

/// Receives what happens during playback.
pub(super) trait Observer {
    /// Handles a sample.
    fn sample(&mut self, record: Record, duration_ns: Option<u64>) -> Result<(), StoreError>;
    /// Handles a warning of GStreamer.
    fn warning(&mut self, text: &str);
}

/// Plays the recording to its end.
///
/// # Errors
/// Returns the error of `observer`.
pub(super) fn play(
    recording: &Pipeline,
    settings: &Settings,
    interrupt: &Interrupt,
    observer: &mut dyn Observer,
) -> Result<PlaybackEnd, StoreError> {
    let pipeline = &recording.pipeline;
    let Some(bus) = pipeline.bus() else {
        let error = glib::bool_error!("the pipeline has no bus");
        return Ok(PlaybackEnd::Failed(error.into()));
    };
    // An element that fails posts an error on the bus.
    let _ = pipeline.set_state(gst::State::Playing);
    let mut playback = Playback {
        recording,
        settings,
        observer,
        missing_plugins: Vec::new(),
        duration_ns: None,
    };
    let mut stall_detector = StallDetector::new();
    loop {
        let message = bus.timed_pop(POLL_INTERVAL);
        if interrupt.is_set() {
            return Ok(PlaybackEnd::Interrupted);
        }
        if let Some(message) = message {
            stall_detector.observe_message();
            if let Some(end) = playback.handle(&message)? {
                return Ok(end);
            }
        } else if stall_detector.is_stalled(recording.stat("frames"), recording.has_video()) {
            return Ok(PlaybackEnd::Failed(UnplayableError::Stalled.into()));
        }
    }
}

/// A pipeline that plays.
struct Playback<'a> {
    recording: &'a Pipeline,
    settings: &'a Settings,
    observer: &'a mut dyn Observer,
    missing_plugins: Vec<MissingPlugin>,
    duration_ns: Option<u64>,
}

impl Playback<'_> {
    /// Handles a message; returns the result of playback if it has ended.
    fn handle(&mut self, message: &gst::Message) -> Result<Option<PlaybackEnd>, StoreError> {
        match message.view() {
            gst::MessageView::Element(element) => {
                self.missing_plugins.extend(MissingPlugin::of(element));
                match self.recording.is_analysis(message) {
                    true => self.handle_sample(element),
                    false => Ok(None),
                }
            }
            gst::MessageView::Application(message) if Pipeline::announces_streams(message) => {
                let end = self.start_part().err().map(PlaybackEnd::Failed);
                Ok(end)
            }
            gst::MessageView::Warning(warning) => {
                let text = one_line(warning.error().message());
                debug!(warning = text, debug = ?warning.debug(), "an element posted a warning");
                self.observer.warning(&text);
                Ok(None)
            }
            gst::MessageView::Error(error) => {
                debug!(debug = ?error.debug(), "an element posted an error");
                Ok(Some(self.end_by_error(message, error)))
            }
            gst::MessageView::Eos(_) => Ok(Some(PlaybackEnd::EndOfStream)),
            _ => Ok(None),
        }
    }

    fn handle_sample(
        &mut self,
        element: &gst::message::Element,
    ) -> Result<Option<PlaybackEnd>, StoreError> {
        match playback::sample(element) {
            Ok(Some(record)) => {
                let pipeline = &self.recording.pipeline;
                self.duration_ns = self.duration_ns.or_else(|| playback::duration_ns(pipeline));
                self.observer.sample(record, self.duration_ns)?;
                Ok(None)
            }
            Ok(None) => Ok(None),
            Err(error) => Ok(Some(PlaybackEnd::Failed(error.into()))),
        }
    }

    /// Starts to play the requested part when all streams are known.
    fn start_part(&self) -> Result<(), RecordingError> {
        let (recording, settings) = (self.recording, self.settings);
        let has_video = recording.has_video();
        debug!(has_video, "all streams are known");
        if !has_video {
            return Err(UnplayableError::NoVideo.into());
        }
        if !settings.is_part() {
            return Ok(());
        }
        if let (Some(from_ns), Some(duration_ns)) = (settings.from_ns, recording.duration_ns())
            && from_ns >= duration_ns
        {
            return Err(RecordingError::BeyondEnd {
                from_ns,
                duration_ns,
            });
        }
        recording.play_part(settings.from_ns, settings.to_ns)
    }

    /// Returns the result of playback that `error` ends, which `message` contains.
    fn end_by_error(&mut self, message: &gst::Message, error: &gst::message::Error) -> PlaybackEnd {
        let recording = self.recording;
        if recording.is_decoding(message) {
            if recording.has_video() {
                return PlaybackEnd::Damaged(error.into());
            }
            let missing = std::mem::take(&mut self.missing_plugins);
            return PlaybackEnd::Failed(UnplayableError::of(error, missing).into());
        }
        match recording.is_writing(message) {
            true => PlaybackEnd::Unwritable(error.into()),
            false => PlaybackEnd::Failed(RecordingError::Analysis(error.into())),
        }
    }
}

/// Returns the properties of the video after playback; `last` is its last sample.
pub(super) fn video_info(recording: &Pipeline, last: Option<&Record>) -> VideoInfo {
    let caps = recording.video_caps();
    let structure = caps.as_ref().and_then(|caps| caps.structure(0));
    let frame_rate = structure.and_then(|s| s.get::<gst::Fraction>("framerate").ok());
    let frame_rate = frame_rate.filter(|rate| rate.numer() > 0);
    VideoInfo {
        duration_ns: playback::duration_ns(&recording.pipeline),
        width: last.map_or(0, |record| record.width),
        height: last.map_or(0, |record| record.height),
        frames_per_second: frame_rate.map(|rate| f64::from(rate.numer()) / f64::from(rate.denom())),
        frames: recording.stat("frames"),
        failed_samples: recording.stat("failures"),
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Plays the pipeline of a recording until it ends, and handles its messages.

use attitude::record::Record;
use gst::prelude::*;
use tracing::debug;

use super::pipeline::Pipeline;
use super::settings::Settings;
use super::store::StoreError;
use super::summary_json::VideoInfo;
use crate::console;
use crate::exit::Interrupt;
use crate::playback::{self, ElementError, MissingPlugin, one_line};

/// Interval of checks for an interruption.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// Result of playback.
#[derive(Debug)]
pub(super) enum PlaybackEnd {
    EndOfStream,
    /// The recording cannot be read, or not to its end, for this reason.
    Damaged(String),
    /// The recording has no video.
    NoVideo,
    /// Something other than the recording failed.
    Failed(String),
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

/// Plays the recording.
///
/// # Errors
/// If `observer` fails.
pub(super) fn play(
    recording: &Pipeline,
    settings: &Settings,
    interrupt: &Interrupt,
    observer: &mut dyn Observer,
) -> Result<PlaybackEnd, StoreError> {
    let pipeline = &recording.pipeline;
    let Some(bus) = pipeline.bus() else {
        return Ok(PlaybackEnd::Failed("the pipeline has no bus".to_owned()));
    };
    // An element that fails posts an error on the bus.
    let _ = pipeline.set_state(gst::State::Playing);
    let mut missing: Vec<MissingPlugin> = Vec::new();
    let mut duration_ns = None;
    loop {
        let message = bus.timed_pop(POLL_INTERVAL);
        if interrupt.is_set() {
            return Ok(PlaybackEnd::Interrupted);
        }
        let Some(message) = message else {
            continue;
        };
        match message.view() {
            gst::MessageView::Element(element) => {
                if recording.is_analysis(&message) {
                    match playback::sample(element) {
                        Ok(Some(record)) => {
                            duration_ns = duration_ns.or_else(|| playback::duration_ns(pipeline));
                            observer.sample(record, duration_ns)?;
                        }
                        Ok(None) => {}
                        Err(error) => return Ok(PlaybackEnd::Failed(console::chain(&error))),
                    }
                }
                missing.extend(MissingPlugin::of(element));
            }
            gst::MessageView::Application(message) if Pipeline::announces_streams(message) => {
                debug!(has_video = recording.has_video(), "all streams are known");
                if !recording.has_video() {
                    return Ok(PlaybackEnd::NoVideo);
                }
                if settings.is_part()
                    && let Err(error) = recording.play_part(settings.from_ns, settings.to_ns)
                {
                    return Ok(PlaybackEnd::Failed(error.to_string()));
                }
            }
            gst::MessageView::Warning(warning) => {
                let text = one_line(warning.error().message());
                debug!(warning = text, debug = ?warning.debug(), "an element posted a warning");
                observer.warning(&text);
            }
            gst::MessageView::Error(error) => {
                debug!(debug = ?error.debug(), "an element posted an error");
                let error_text = ElementError::from(error);
                if !recording.is_decoding(&message) {
                    return Ok(match recording.is_writing(&message) {
                        true => PlaybackEnd::Unwritable(error_text),
                        false => PlaybackEnd::Failed(error_text.to_string()),
                    });
                }
                // The video can be analysed without the sound.
                missing.retain(|missing| !missing.is_sound);
                return Ok(match missing.first() {
                    _ if recording.has_video() => PlaybackEnd::Damaged(error_text.to_string()),
                    Some(missing) => PlaybackEnd::Failed(missing.to_string()),
                    // A plugin for a stream that was not asked for is not reported as missing.
                    None if error.error().matches(gst::CoreError::MissingPlugin) => {
                        PlaybackEnd::NoVideo
                    }
                    None => PlaybackEnd::Damaged(error_text.to_string()),
                });
            }
            gst::MessageView::Eos(_) => return Ok(PlaybackEnd::EndOfStream),
            _ => {}
        }
    }
}

/// Returns the properties of the video, after playback.
pub(super) fn video(recording: &Pipeline, last: Option<&Record>) -> VideoInfo {
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

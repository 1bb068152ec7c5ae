// SPDX-License-Identifier: MPL-2.0

//! Plays a recording through its pipeline to the end, or as far as it goes.

use attitude::record::Record;
use gst::prelude::*;

use super::document::Video;
use super::pipeline::Pipeline;
use super::settings::Settings;
use super::store::StoreError;
use crate::exit::Interrupt;
use crate::playback::{self, ElementError, MissingPlugin, one_line};

/// How long nobody looks whether to stop.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// How a recording ended.
pub enum Ending {
    /// Where it does.
    End,
    /// Before, or where it begins: it is damaged, and this is what GStreamer says.
    Broken(String),
    /// There is no video in it.
    NoVideo,
    /// Something else than the recording does not work.
    Failed(String),
    /// The annotated video cannot be written.
    Unwritable(String),
    /// The run is to end.
    Stopped,
}

/// Who is told what is going on.
pub trait Listener {
    /// A sample.
    fn sample(&mut self, record: Record, duration_ns: Option<u64>) -> Result<(), StoreError>;
    /// Something that does not end it.
    fn warning(&mut self, text: &str);
}

/// Plays it.
///
/// # Errors
/// Where `listener` has one.
pub fn play(
    playing: &Pipeline,
    settings: &Settings,
    interrupt: &Interrupt,
    listener: &mut dyn Listener,
) -> Result<Ending, StoreError> {
    let pipeline = &playing.pipeline;
    let Some(bus) = pipeline.bus() else {
        return Ok(Ending::Failed("the pipeline has no bus".to_owned()));
    };
    // What fails says so on the bus.
    let _ = pipeline.set_state(gst::State::Playing);
    let mut missing: Vec<MissingPlugin> = Vec::new();
    let mut duration_ns = None;
    loop {
        let message = bus.timed_pop(PATIENCE);
        if interrupt.is_set() {
            return Ok(Ending::Stopped);
        }
        let Some(message) = message else {
            continue;
        };
        match message.view() {
            gst::MessageView::Element(element) => {
                if playing.is_analysis(&message) {
                    match playback::sample(element) {
                        Ok(Some(record)) => {
                            duration_ns = duration_ns.or_else(|| playback::duration_ns(pipeline));
                            listener.sample(record, duration_ns)?;
                        }
                        Ok(None) => {}
                        Err(error) => return Ok(Ending::Failed(error.to_string())),
                    }
                }
                missing.extend(MissingPlugin::of(element));
            }
            gst::MessageView::Application(told) if Pipeline::tells_streams(told) => {
                if !playing.has_video() {
                    return Ok(Ending::NoVideo);
                }
                if settings.from_ns.is_some() || settings.to_ns.is_some() {
                    let part = playing.play_part(settings.from_ns, settings.to_ns);
                    if let Err(reason) = part {
                        return Ok(Ending::Failed(reason));
                    }
                }
            }
            gst::MessageView::Warning(warning) => {
                listener.warning(&one_line(&warning.error().to_string()));
            }
            gst::MessageView::Error(error) => {
                let text = ElementError::from(error).to_string();
                if !playing.is_decoding(&message) {
                    return Ok(match playing.is_writing(&message) {
                        true => Ending::Unwritable(text),
                        false => Ending::Failed(text),
                    });
                }
                // Without its sound a recording is judged all the same.
                missing.retain(|missing| !missing.is_sound);
                return Ok(match missing.first() {
                    _ if playing.has_video() => Ending::Broken(text),
                    Some(missing) => Ending::Failed(missing.to_string()),
                    // Of what was not asked for nothing is told to be missing.
                    None if error.error().matches(gst::CoreError::MissingPlugin) => Ending::NoVideo,
                    None => Ending::Broken(text),
                });
            }
            gst::MessageView::Eos(_) => return Ok(Ending::End),
            _ => {}
        }
    }
}

/// What is known of the video once it was played.
pub fn video(playing: &Pipeline, last: Option<&Record>) -> Video {
    let caps = playing.video_caps();
    let structure = caps.as_ref().and_then(|caps| caps.structure(0));
    let frame_rate = structure.and_then(|s| s.get::<gst::Fraction>("framerate").ok());
    let frame_rate = frame_rate.filter(|rate| rate.numer() > 0);
    Video {
        duration_ns: playback::duration_ns(&playing.pipeline),
        width: last.map_or(0, |record| record.width),
        height: last.map_or(0, |record| record.height),
        frames_per_second: frame_rate.map(|rate| f64::from(rate.numer()) / f64::from(rate.denom())),
        frames: playing.stat("frames"),
        failed_samples: playing.stat("failures"),
    }
}

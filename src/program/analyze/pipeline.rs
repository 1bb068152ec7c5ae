// SPDX-License-Identifier: MPL-2.0

//! Pipeline of a recording: decoding, analysis and, on request, the annotated video.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

use super::annotation::Annotation;
use super::arguments::Arguments;
use super::settings::Settings;
use crate::playback;

/// Name of the message that is posted when all streams are known.
const STREAMS: &str = "gst-attitude-streams";

/// Lets decoding and analysis overlap; 3% faster than without a queue.
const QUEUED_FRAMES: u32 = 8;

/// A pipeline that is ready to play.
pub(super) struct Pipeline {
    pub pipeline: gst::Pipeline,
    source: gst::Element,
    analysis: gst::Element,
    gate: Gate,
}

impl Pipeline {
    /// Creates the pipeline of the recording at `uri`; writes the annotated video to `annotated`.
    pub(super) fn new(
        uri: &str,
        arguments: &Arguments,
        settings: &Settings,
        annotated: Option<&std::path::Path>,
    ) -> Result<Self, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let kinds: &[&str] = match annotated {
            Some(_) => &[playback::VIDEO, playback::AUDIO],
            None => &[playback::VIDEO],
        };
        let source = playback::decoder(uri, kinds)?;
        let queue = gst::ElementFactory::make("queue")
            .property("max-size-buffers", QUEUED_FRAMES)
            .property("max-size-bytes", 0u32)
            .property("max-size-time", 0u64)
            .build()?;
        let convert = gst::ElementFactory::make("videoconvert").build()?;
        // Recordings of phones may need to be rotated.
        let flip = gst::ElementFactory::make("videoflip")
            .property_from_str("video-direction", "auto")
            .build()?;
        let analysis = arguments.networks.element(
            &arguments.classifier.source(),
            arguments.classifier.mapping.as_ref(),
        )?;
        analysis.set_property("sample-interval", settings.sample_interval_ns());
        analysis.set_property("max-faces", settings.max_faces);
        analysis.set_property("min-confidence", settings.min_confidence);
        analysis.set_property("roi-meta", annotated.is_some());
        analysis.set_property("analytics-meta", false);
        let chain = [&queue, &convert, &flip, &analysis];
        pipeline.add(&source)?;
        pipeline.add_many(chain)?;
        gst::Element::link_many(chain)?;
        let annotation = match annotated {
            Some(path) => Some(Annotation::add(&pipeline, &analysis, path, settings.blur)?),
            None => {
                let sink = gst::ElementFactory::make("fakesink")
                    .property("sync", false)
                    .property("enable-last-sample", false)
                    .build()?;
                pipeline.add(&sink)?;
                analysis.link(&sink)?;
                None
            }
        };

        let gate = Gate::default();
        let is_part = settings.is_part();
        source.connect_pad_added({
            let (queue, gate, pipeline) = (queue.downgrade(), gate.clone(), pipeline.downgrade());
            move |_, pad| {
                let (Some(queue), Some(pipeline)) = (queue.upgrade(), pipeline.upgrade()) else {
                    return;
                };
                let is_video = kind(pad).as_deref() == Some(playback::VIDEO);
                // The first video of a file is analysed. If a pad cannot be linked, an error is posted on
                // the bus.
                let is_linked = match (is_video, &annotation) {
                    (true, _) => queue
                        .static_pad("sink")
                        .is_some_and(|input| !input.is_linked() && pad.link(&input).is_ok()),
                    (false, Some(annotation)) => annotation.add_sound(&pipeline, pad),
                    (false, None) => false,
                };
                if is_linked && is_part {
                    gate.hold(pad, is_video);
                }
            }
        });
        source.connect_no_more_pads(|source| {
            let message = gst::message::Application::builder(gst::Structure::new_empty(STREAMS))
                .src(source)
                .build();
            // This fails only if the element has no bus, which it has while it plays.
            let _ = source.post_message(message);
        });
        Ok(Self {
            pipeline,
            source,
            analysis,
            gate,
        })
    }

    /// Returns `true` if `message` was posted because all streams are known.
    pub(super) fn announces_streams(message: &gst::message::Application) -> bool {
        message
            .structure()
            .is_some_and(|structure| structure.name() == STREAMS)
    }

    /// Plays the streams from `from_ns` to `to_ns`.
    pub(super) fn play_part(
        &self,
        from_ns: Option<u64>,
        to_ns: Option<u64>,
    ) -> Result<(), NotSeekable> {
        let time = |ns: Option<u64>| ns.map(gst::ClockTime::from_nseconds);
        let (from, to) = (time(from_ns).unwrap_or(gst::ClockTime::ZERO), time(to_ns));
        let seek = gst::event::Seek::new(
            1.0,
            gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE,
            gst::SeekType::Set,
            from,
            match to {
                Some(_) => gst::SeekType::Set,
                None => gst::SeekType::None,
            },
            to,
        );
        let is_seekable = self.gate.video().is_none_or(|video| video.send_event(seek));
        self.gate.open();
        match is_seekable {
            true => Ok(()),
            false => Err(NotSeekable),
        }
    }

    /// Returns `true` if `message` comes from `faceattitude`.
    pub(super) fn is_analysis(&self, message: &gst::Message) -> bool {
        message.src() == Some(self.analysis.upcast_ref())
    }

    /// Returns `true` if `message` comes from an element that reads or decodes the recording.
    pub(super) fn is_decoding(&self, message: &gst::Message) -> bool {
        let source = self.source.upcast_ref::<gst::Object>();
        message
            .src()
            .is_some_and(|src| src == source || src.has_as_ancestor(source))
    }

    /// Returns `true` if `message` comes from the element that writes the annotated video.
    pub(super) fn is_writing(&self, message: &gst::Message) -> bool {
        let element = message
            .src()
            .and_then(|src| src.downcast_ref::<gst::Element>());
        let factory = element.and_then(|element| element.factory());
        factory.is_some_and(|factory| factory.name() == "filesink")
    }

    /// Returns `true` if the recording has a video that can be decoded.
    pub(super) fn has_video(&self) -> bool {
        let pads = self.source.src_pads();
        pads.iter()
            .any(|pad| kind(pad).as_deref() == Some(playback::VIDEO))
    }

    /// Returns the caps of the analysed video, once they are known.
    pub(super) fn video_caps(&self) -> Option<gst::Caps> {
        self.analysis.static_pad("sink")?.current_caps()
    }

    /// Returns a number from the property `stats` of `faceattitude`.
    pub(super) fn stat(&self, name: &str) -> u64 {
        let stats: Option<gst::Structure> = self.analysis.property("stats");
        stats.and_then(|stats| stats.get(name).ok()).unwrap_or(0)
    }
}

/// The recording cannot be played from another position than its beginning.
#[derive(Debug, thiserror::Error)]
#[error(
    "it can only be played from the beginning to the end; omit --from and --to, or convert it first"
)]
pub(super) struct NotSeekable;

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.gate.open();
        // Changing to a lower state does not fail.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Returns the caps name of a pad, such as `video/x-raw`.
fn kind(pad: &gst::Pad) -> Option<String> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    Some(caps.structure(0)?.name().to_string())
}

/// Blocks streams until the position to play from is set: an encoder cannot go back in time.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    video: Option<gst::Pad>,
    probes: Vec<(gst::Pad, gst::PadProbeId)>,
}

impl Gate {
    fn hold(&self, pad: &gst::Pad, is_video: bool) {
        let probe = pad.add_probe(gst::PadProbeType::BLOCK_DOWNSTREAM, |_, _| {
            gst::PadProbeReturn::Ok
        });
        let mut held = lock(&self.0);
        held.probes.extend(probe.map(|probe| (pad.clone(), probe)));
        if is_video {
            held.video = Some(pad.clone());
        }
    }

    fn video(&self) -> Option<gst::Pad> {
        lock(&self.0).video.clone()
    }

    fn open(&self) {
        let held = std::mem::take(&mut *lock(&self.0));
        for (pad, probe) in held.probes {
            pad.remove_probe(probe);
        }
    }
}

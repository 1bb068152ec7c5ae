// SPDX-License-Identifier: MPL-2.0

//! Pipeline of a recording: decoding, analysis and, on request, the annotated video.

use std::path::Path;
use std::sync::{Arc, Mutex};

use attitude::settings::{MAX_FACES, MIN_CONFIDENCE, SAMPLE_INTERVAL_NS};
use attitude::sync::lock;
use gst::prelude::*;

use super::annotation::Annotation;
use super::arguments::Arguments;
use super::outcome::RecordingError;
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
    annotation: Option<Arc<Annotation>>,
    block: PadBlock,
}

impl Pipeline {
    /// Creates the pipeline of the recording at `uri`; writes the annotated video to `annotated`.
    ///
    /// # Errors
    /// Returns an error if an element cannot be created or linked.
    pub(super) fn new(
        uri: &str,
        arguments: &Arguments,
        settings: &Settings,
        annotated: Option<&Path>,
    ) -> Result<Self, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let kinds: &[&str] = match annotated {
            Some(_) => &[playback::VIDEO, playback::AUDIO],
            None => &[playback::VIDEO],
        };
        let source = playback::decoder(uri, kinds)?;
        pipeline.add(&source)?;
        let analysis = analysis_element(arguments, settings)?;
        let video_input = add_analysis(&pipeline, &analysis)?;
        let annotation = match annotated {
            Some(path) => {
                let annotation = Annotation::add(&pipeline, &analysis, path, settings.blur)?;
                Some(Arc::new(annotation))
            }
            None => {
                add_fakesink(&pipeline, &analysis)?;
                None
            }
        };
        let created = Self {
            pipeline,
            source,
            analysis,
            annotation,
            block: PadBlock::default(),
        };
        created.link_streams(&video_input, settings.is_part());
        created.announce_streams();
        Ok(created)
    }

    /// Links the streams of the source when they appear: the first video to `video_input`, the
    /// first sound to the annotated video. If `is_blocked`, they wait for
    /// [`play_part`](Self::play_part).
    fn link_streams(&self, video_input: &gst::Pad, is_blocked: bool) {
        let (pipeline, video_input) = (self.pipeline.downgrade(), video_input.downgrade());
        let (annotation, block) = (self.annotation.clone(), self.block.clone());
        self.source.connect_pad_added(move |_, pad| {
            let (Some(pipeline), Some(video_input)) = (pipeline.upgrade(), video_input.upgrade())
            else {
                return;
            };
            let is_video = is_video(pad);
            // If a pad cannot be linked, an error is posted on the bus.
            let is_linked = match (is_video, &annotation) {
                (true, _) => !video_input.is_linked() && pad.link(&video_input).is_ok(),
                (false, Some(annotation)) => annotation.add_sound(&pipeline, pad),
                (false, None) => false,
            };
            if is_linked && is_blocked {
                block.add(pad, is_video);
            }
        });
    }

    /// Posts a message when all streams are known.
    fn announce_streams(&self) {
        self.source.connect_no_more_pads(|source| {
            let message = gst::message::Application::builder(gst::Structure::new_empty(STREAMS))
                .src(source)
                .build();
            // This fails only if the element has no bus, which it has while it plays.
            let _ = source.post_message(message);
        });
    }

    /// Returns `true` if `message` was posted because all streams are known.
    pub(super) fn announces_streams(message: &gst::message::Application) -> bool {
        message
            .structure()
            .is_some_and(|structure| structure.name() == STREAMS)
    }

    /// Starts to play from the position `from_ns` to `to_ns`; `None` for the start and the end.
    ///
    /// # Errors
    /// Returns an error if the recording can only be played from its start.
    pub(super) fn play_part(
        &self,
        from_ns: Option<u64>,
        to_ns: Option<u64>,
    ) -> Result<(), RecordingError> {
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
        let video = self.block.video_pad();
        let is_seekable = video.is_none_or(|video| video.send_event(seek));
        self.block.remove();
        match is_seekable {
            true => Ok(()),
            false => Err(RecordingError::NotSeekable),
        }
    }

    /// Returns the duration of the recording in nanoseconds before it plays; `None` if it is
    /// unknown.
    pub(super) fn duration_ns(&self) -> Option<u64> {
        let duration = self.block.video_pad()?.query_duration::<gst::ClockTime>()?;
        Some(duration.nseconds())
    }

    /// Returns `true` if `message` comes from `faceattitude`.
    pub(super) fn is_analysis(&self, message: &gst::Message) -> bool {
        message.src() == Some(self.analysis.upcast_ref())
    }

    /// Returns `true` if `message` comes from an element that reads or decodes the recording.
    pub(super) fn is_decoding(&self, message: &gst::Message) -> bool {
        playback::is_from(message, &self.source)
    }

    /// Returns `true` if `message` comes from the element that writes the annotated video.
    pub(super) fn is_writing(&self, message: &gst::Message) -> bool {
        let annotation = self.annotation.as_ref();
        annotation.is_some_and(|annotation| annotation.is_writing(message))
    }

    /// Returns `true` if the recording has a video that can be decoded.
    pub(super) fn has_video(&self) -> bool {
        self.source.src_pads().iter().any(is_video)
    }

    /// Returns the caps of the analyzed video, once they are known.
    pub(super) fn video_caps(&self) -> Option<gst::Caps> {
        self.analysis.static_pad("sink")?.current_caps()
    }

    /// Returns the number `name` of the property `stats` of `faceattitude`; 0 if there is none.
    pub(super) fn stat(&self, name: &str) -> u64 {
        playback::stat(&self.analysis, name)
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.block.remove();
        // Changing to a lower state does not fail.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Creates the `faceattitude` of the recording.
fn analysis_element(
    arguments: &Arguments,
    settings: &Settings,
) -> Result<gst::Element, glib::BoolError> {
    let classifier = &arguments.classifier;
    let networks = &arguments.networks;
    let analysis = networks.element(&classifier.source(), classifier.mapping.as_ref())?;
    analysis.set_property(SAMPLE_INTERVAL_NS.name, settings.sample_interval_ns());
    analysis.set_property(MAX_FACES.name, settings.max_faces);
    analysis.set_property(MIN_CONFIDENCE.name, settings.min_confidence);
    analysis.set_property("roi-meta", settings.annotate);
    analysis.set_property("analytics-meta", false);
    Ok(analysis)
}

/// Adds `analysis` and the elements before it to `pipeline`; returns their input.
fn add_analysis(
    pipeline: &gst::Pipeline,
    analysis: &gst::Element,
) -> Result<gst::Pad, glib::BoolError> {
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
    let chain = [&queue, &convert, &flip, analysis];
    pipeline.add_many(chain)?;
    gst::Element::link_many(chain)?;
    let input = queue.static_pad("sink");
    input.ok_or_else(|| glib::bool_error!("the queue has no sink pad"))
}

fn add_fakesink(pipeline: &gst::Pipeline, analysis: &gst::Element) -> Result<(), glib::BoolError> {
    let sink = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("enable-last-sample", false)
        .build()?;
    pipeline.add(&sink)?;
    analysis.link(&sink)
}

/// Returns `true` if the caps of `pad` are those of decoded video.
fn is_video(pad: &gst::Pad) -> bool {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let first = caps.structure(0);
    first.is_some_and(|structure| structure.name() == playback::VIDEO)
}

/// Blocks pads until the position to play from is set: an encoder cannot go back in time.
#[derive(Clone, Default)]
struct PadBlock(Arc<Mutex<BlockedPads>>);

#[derive(Default)]
struct BlockedPads {
    video: Option<gst::Pad>,
    probes: Vec<(gst::Pad, gst::PadProbeId)>,
}

impl PadBlock {
    /// Blocks `pad`.
    fn add(&self, pad: &gst::Pad, is_video: bool) {
        let probe = pad.add_probe(gst::PadProbeType::BLOCK_DOWNSTREAM, |_, _| {
            gst::PadProbeReturn::Ok
        });
        let mut blocked = lock(&self.0);
        blocked
            .probes
            .extend(probe.map(|probe| (pad.clone(), probe)));
        if is_video {
            blocked.video = Some(pad.clone());
        }
    }

    /// Returns the blocked video pad; `None` if there is none.
    fn video_pad(&self) -> Option<gst::Pad> {
        lock(&self.0).video.clone()
    }

    /// Lets all pads continue.
    fn remove(&self) {
        let blocked = std::mem::take(&mut *lock(&self.0));
        for (pad, probe) in blocked.probes {
            pad.remove_probe(probe);
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Pipeline of a recording: decoding, analysis and, on request, the annotated video.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attitude::clock;
use attitude::settings::{
    DETECTION_INTERVAL_NS, DETECTION_THRESHOLD, DETECTOR_SIZE, MAX_FACES, MIN_CONFIDENCE,
    SAMPLE_INTERVAL_NS,
};
use attitude::sync::lock;
use gst::prelude::*;

use super::annotation::{self, Annotation};
use super::assumed_times::AssumedTimes;
use super::demuxers::{DemuxerMessages, end_reading_of_ffmpeg, remove_times_of_gif};
use super::error::PlayError;
use super::frame_durations::set_frame_durations;
use super::frame_size::FrameSize;
use super::linking::{PadBlock, StreamLinker, is_video};
use super::lost_frames::LostFrames;
use super::notes;
use super::progress::{Counters, Progress};
use super::times::{PositionScale, RecordingTimes, stream_time};
use super::transport_stream;
use crate::numbers::count;
use crate::playback;
use crate::worker::message::{AnalysisSettings, LaterInterval, Part, Request};

/// Name of the message that is posted when all streams are known.
const STREAMS: &str = "gst-attitude-streams";

/// Lets decoding and analysis overlap; 3% faster than without a queue.
const QUEUED_FRAMES: u32 = 8;

/// Maximum time that a pipeline takes to stop.
const MAX_STOPPING: Duration = Duration::from_secs(3);

/// A pipeline that is ready to play.
pub(super) struct Pipeline {
    pub pipeline: gst::Pipeline,
    source: gst::Element,
    /// The first element behind the source.
    video_input: gst::Pad,
    /// The `faceattitude` of each analysis, in a row.
    analyses: Vec<gst::Element>,
    annotation: Option<Arc<Annotation>>,
    block: PadBlock,
    counters: Counters,
    demuxer_messages: DemuxerMessages,
    times: RecordingTimes,
    lost_frames: LostFrames,
    assumed_times: AssumedTimes,
    frame_size: FrameSize,
}

impl Pipeline {
    /// Creates the pipeline that `request` describes.
    ///
    /// # Errors
    /// Returns an error if an element cannot be created or linked.
    pub(super) fn new(request: &Request) -> Result<Self, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let kinds: &[&str] = match request.annotated {
            Some(_) => &[playback::VIDEO, playback::AUDIO],
            None => &[playback::VIDEO],
        };
        let source = playback::decoder(&request.uri, kinds, &request.patches)?;
        let (counters, demuxer_messages) = (Counters::default(), DemuxerMessages::default());
        let times = RecordingTimes::default();
        times.watch(&source);
        if let Ok((path, _)) = glib::filename_from_uri(&request.uri)
            // A file that cannot be read has another error.
            && let Ok(Some(lead_ns)) = transport_stream::sound_lead_ns(&path)
        {
            times.set_sound_lead_ns(lead_ns);
        }
        counters.watch_reading(&source);
        demuxer_messages.watch(&source, &times);
        end_reading_of_ffmpeg(&source);
        remove_times_of_gif(&source);
        pipeline.add(&source)?;
        let analyses: Vec<gst::Element> = request
            .analyses
            .iter()
            .enumerate()
            // The first analysis is the one that is drawn.
            .map(|(index, settings)| {
                analysis_element(settings, index == 0 && request.annotated.is_some())
            })
            .collect::<Result<_, _>>()?;
        let frame_size = FrameSize::default();
        let (video_input, last) = add_analyses(&pipeline, &frame_size, &analyses)?;
        counters.watch_analysis(&pad(&analyses[0], "sink")?, &pad(last, "src")?);
        let lost_frames = LostFrames::default();
        lost_frames.watch(&source, &video_input);
        let assumed_times = AssumedTimes::default();
        assumed_times.add_to(&video_input);
        let annotation = match &request.annotated {
            Some(video) => {
                let path = Path::new(&video.path);
                let annotation = Annotation::add(&pipeline, last, path)?;
                if let Some(path) = &video.hidden_faces {
                    annotation.hide_faces(&pad(last, "src")?, Path::new(path))?;
                }
                if request.part.is_whole() {
                    let times = times.clone();
                    annotation.delay_frames(move || times.assumed_lead_ns());
                }
                let (times, from_ns) = (times.clone(), request.part.from_ns.unwrap_or(0));
                annotation.fill_start(move || times.start_ns().is_some_and(|ns| ns > from_ns));
                Some(Arc::new(annotation))
            }
            None => {
                add_fakesink(&pipeline, last)?;
                None
            }
        };
        let created = Self {
            pipeline,
            source,
            video_input,
            analyses,
            annotation,
            block: PadBlock::default(),
            counters,
            demuxer_messages,
            times,
            lost_frames,
            assumed_times,
            frame_size,
        };
        created.link_streams(!request.part.is_whole());
        created.announce_streams();
        Ok(created)
    }

    /// Links the streams of the source when all are known: the default video to the analyses, the
    /// default sound to the annotated video. If `is_blocked`, they wait for
    /// [`play_part`](Self::play_part).
    fn link_streams(&self, is_blocked: bool) {
        let linker = StreamLinker {
            pipeline: self.pipeline.downgrade(),
            video_input: self.video_input.downgrade(),
            annotation: self.annotation.clone(),
            block: is_blocked.then(|| self.block.clone()),
        };
        self.source
            .connect_no_more_pads(move |source| linker.link_streams(&source.src_pads()));
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

    /// Returns the scale of positions; `None` as long as it may change.
    pub(super) fn scale(&self) -> Option<PositionScale> {
        self.times.scale()
    }

    /// Returns the scale of positions according to what has been read.
    pub(super) fn scale_so_far(&self) -> PositionScale {
        self.times.scale_so_far()
    }

    /// Starts to play `part`.
    ///
    /// # Errors
    /// Returns an error if the recording can only be played from its start.
    pub(super) fn play_part(&self, part: Part) -> Result<(), PlayError> {
        let scale = self.scale_so_far();
        let time = |position_ns| {
            // The maximum is not a time.
            let ns = scale.stream_time_ns(position_ns).min(u64::MAX - 1);
            gst::ClockTime::from_nseconds(ns)
        };
        let (from, to) = (time(part.from_ns.unwrap_or(0)), part.to_ns.map(time));
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
            false => Err(PlayError::NotSeekable),
        }
    }

    /// Returns the duration of the recording in nanoseconds before it plays; `None` if it is
    /// unknown.
    pub(super) fn duration_ns(&self) -> Option<u64> {
        let duration = self.block.video_pad()?.query_duration::<gst::ClockTime>()?;
        Some(self.scale_so_far().duration_ns(duration.nseconds()))
    }

    /// Describes what is missing at the end of the recording, which was played to its end and has
    /// this duration according to its container; `None` if nothing is.
    pub(super) fn missing_end(&self, duration_ns: Option<u64>) -> Option<String> {
        self.times.missing_end(duration_ns, self.progress().end_ns)
    }

    /// Describes frames that are missing or damaged in a recording that was played as a whole; `None`
    /// if there are none.
    pub(super) fn damaged_frames(&self) -> Option<String> {
        let damage = self.lost_frames.damage()?;
        let scale = self.scale_so_far();
        let position = |pts_ns| {
            let position_ns = scale.position_ns(Some(pts_ns), Some(pts_ns));
            clock::position(position_ns.unwrap_or(pts_ns))
        };
        Some(format!(
            "{} cannot be decoded or have damage, from {} to {}",
            count(damage.number as u64, "frame"),
            position(damage.first_ns),
            position(damage.last_ns)
        ))
    }

    /// Describes damage of the data that did not stop the demuxer of a recording that was played as a
    /// whole; `None` if there is none.
    pub(super) fn damaged_data(&self) -> Option<String> {
        let damage = self.demuxer_messages.damage()?;
        let position = |time_ns: Option<u64>| {
            let position_ns = time_ns.and_then(|ns| self.times.position_ns(ns));
            clock::position(position_ns.unwrap_or(0))
        };
        Some(format!(
            "data are missing or damaged from {} to {}: {}",
            position(damage.first_ns),
            position(damage.last_ns),
            damage.text
        ))
    }

    /// Returns the position at which the video ends, after it was played to its end; `None` if it
    /// is not known.
    pub(super) fn video_end_ns(&self) -> Option<u64> {
        self.times.video_end_ns()
    }

    /// Returns what a user should know about the recording and how it was played.
    pub(super) fn notes(&self) -> Vec<String> {
        let videos = self.source.src_pads().into_iter().filter(is_video).count();
        let caps = self.video_input.current_caps();
        let notes = [
            notes::of_tracks(videos),
            self.assumed_times.note(),
            self.frame_size.note(),
            caps.and_then(|caps| notes::of_dynamic_range(&caps)),
        ];
        notes.into_iter().flatten().collect()
    }

    /// Returns the index of the analysis that `message` comes from; `None` if it comes from another
    /// element.
    pub(super) fn analysis_of(&self, message: &gst::Message) -> Option<usize> {
        let is_source = |analysis: &gst::Element| message.src() == Some(analysis.upcast_ref());
        self.analyses.iter().position(is_source)
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

    /// Returns the amount of data that was read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.counters.bytes_read()
    }

    /// Returns the first error of a demuxer, which decodebin may have dropped.
    pub(super) fn demuxer_error(&self) -> Option<gst::Message> {
        self.demuxer_messages.first_error()
    }

    /// Returns `true` if the pipeline writes an annotated video.
    pub(super) fn is_annotating(&self) -> bool {
        self.annotation.is_some()
    }

    /// Ends the streams behind the source, so that the annotated video can be completed.
    pub(super) fn end_streams(&self) {
        let sound = self.pipeline.by_name(annotation::SOUND);
        let sound = sound.and_then(|sound| sound.static_pad("sink"));
        for input in [Some(self.video_input.clone()), sound]
            .into_iter()
            .flatten()
        {
            // A stream that waits for a frame is not held up by one that is stuck.
            std::thread::spawn(move || input.send_event(gst::event::Eos::new()));
        }
    }

    /// Returns the progress so far. Queries no element of the source, which may be stuck.
    pub(super) fn progress(&self) -> Progress {
        let input = self.analyses[0].static_pad("sink");
        let caps = input.as_ref().and_then(gst::Pad::current_caps);
        let structure = caps.as_ref().and_then(|caps| caps.structure(0));
        let frame_rate = structure.and_then(|s| s.get::<gst::Fraction>("framerate").ok());
        let frame_rate = frame_rate.filter(|rate| rate.numer() > 0);
        let position_ns = input.and_then(|input| {
            let pts = self.counters.latest_pts()?;
            let stream_time = stream_time(&input, pts);
            let stream_time_ns = stream_time.map(gst::ClockTime::nseconds);
            self.scale_so_far()
                .position_ns(Some(pts.nseconds()), stream_time_ns)
        });
        let duration_ns = self.counters.latest_duration_ns();
        let end_ns = position_ns.zip(duration_ns);
        Progress {
            frames: self.counters.frames(),
            failed_samples: playback::stat(&self.analyses[0], "failures"),
            bytes_read: self.counters.bytes_read(),
            is_analyzing: self.counters.is_analyzing(),
            position_ns,
            end_ns: end_ns.map(|(start_ns, duration_ns)| start_ns.saturating_add(duration_ns)),
            origin_ns: self.scale_so_far().origin_ns(),
            duration_ns: None,
            frame_rate: frame_rate.map(|rate| (rate.numer(), rate.denom())),
        }
    }
}

impl Pipeline {
    /// Starts to play. Does not wait for the pipeline, which may be stuck in an element.
    pub(super) fn start(&self) {
        self.pipeline.call_async(|pipeline| {
            // An element that fails posts an error on the bus.
            let _ = pipeline.set_state(gst::State::Playing);
        });
    }

    /// Stops playing; returns `false` if the pipeline is stuck.
    pub(super) fn stop(self) -> bool {
        self.block.remove();
        let (sender, stopped) = std::sync::mpsc::channel();
        let pipeline = self.pipeline.clone();
        std::thread::spawn(move || {
            // Changing to a lower state does not fail.
            let _ = pipeline.set_state(gst::State::Null);
            let _ = sender.send(());
        });
        stopped.recv_timeout(MAX_STOPPING).is_ok()
    }
}

fn pad(element: &gst::Element, name: &str) -> Result<gst::Pad, glib::BoolError> {
    let pad = element.static_pad(name);
    pad.ok_or_else(|| glib::bool_error!("{} has no pad {name}", element.name()))
}

/// Creates the `faceattitude` of an analysis.
fn analysis_element(
    settings: &AnalysisSettings,
    is_annotating: bool,
) -> Result<gst::Element, glib::BoolError> {
    let element = settings.element.create()?;
    element.set_property(SAMPLE_INTERVAL_NS.name, settings.sample_interval_ns);
    if let Some(later) = settings.later_interval {
        set_interval_later(&element, later)?;
    }
    element.set_property(MAX_FACES.name, settings.max_faces);
    element.set_property(DETECTOR_SIZE.name, settings.detector_size);
    element.set_property(DETECTION_INTERVAL_NS.name, settings.detection_interval_ns);
    element.set_property(MIN_CONFIDENCE.name, settings.min_confidence);
    if let Some(threshold) = settings.detection_threshold {
        element.set_property(DETECTION_THRESHOLD.name, threshold);
    }
    element.set_property("roi-meta", is_annotating);
    element.set_property("analytics-meta", false);
    Ok(element)
}

/// Sets another time between samples of `element` when that of `later` has come.
fn set_interval_later(element: &gst::Element, later: LaterInterval) -> Result<(), glib::BoolError> {
    let analysis = element.downgrade();
    let first = Mutex::new(None);
    pad(element, "sink")?.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(pts) = info.buffer().and_then(|buffer| buffer.pts()) else {
            return gst::PadProbeReturn::Ok;
        };
        let first = *lock(&first).get_or_insert(pts);
        if pts.saturating_sub(first).nseconds() < later.after_ns {
            return gst::PadProbeReturn::Ok;
        }
        if let Some(analysis) = analysis.upgrade() {
            analysis.set_property(SAMPLE_INTERVAL_NS.name, later.interval_ns);
        }
        gst::PadProbeReturn::Remove
    });
    Ok(())
}

/// Adds `analyses` and the elements before them to `pipeline`; returns their input and the last of
/// them.
fn add_analyses<'a>(
    pipeline: &gst::Pipeline,
    frame_size: &FrameSize,
    analyses: &'a [gst::Element],
) -> Result<(gst::Pad, &'a gst::Element), glib::BoolError> {
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
    let [scale, size] = frame_size.scaler()?;
    set_frame_durations(&pad(&size, "src")?);
    let chain: Vec<&gst::Element> = [&queue, &convert, &flip, &scale, &size]
        .into_iter()
        .chain(analyses)
        .collect();
    pipeline.add_many(chain.iter().copied())?;
    gst::Element::link_many(chain)?;
    let last = analyses.last();
    let last = last.ok_or_else(|| glib::bool_error!("there is no analysis"))?;
    Ok((pad(&queue, "sink")?, last))
}

fn add_fakesink(pipeline: &gst::Pipeline, analysis: &gst::Element) -> Result<(), glib::BoolError> {
    let sink = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("enable-last-sample", false)
        .build()?;
    pipeline.add(&sink)?;
    analysis.link(&sink)
}

// SPDX-License-Identifier: MPL-2.0

//! Plays videos through the element, so that the evaluated results are those of a pipeline.

use std::collections::BTreeMap;
use std::path::Path;

use attitude::Scores;
use attitude::mapping::Mapping;
use attitude::record::{FaceRecord, Record};
use attitude::settings::{MAX_FACES, SAMPLE_INTERVAL_NS};
use attitude_inference::model::ModelSource;
use gst::prelude::*;
use gstattitude::message::MessageError;

use super::data::LabeledSegment;
use super::faces::FaceOutcome;
use crate::options::NetworkArguments;
use crate::playback::{
    self, ElementError, MissingPlugin, StallDetector, UnplayableError, UriError,
};

/// Maximum time that a segment may extend beyond the end of its video, as times are often rounded.
const MAX_OVERHANG_S: f64 = 1.0;

/// Interval of checks for a stall.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// Plays videos.
pub(super) struct Player<'a> {
    pub models: &'a [ModelSource],
    /// Mapping of the emotions of each model to attitudes; `None` for the mapping of the model.
    pub mappings: &'a [Option<Mapping>],
    pub networks: &'a NetworkArguments,
    pub sample_interval_ns: u64,
    pub max_faces: u32,
}

/// A sampled frame.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Position in the video in seconds.
    pub time_s: f64,
    pub outcome: FaceOutcome,
}

/// A video that was played to its end.
#[derive(Debug)]
pub(super) struct Video {
    duration_s: Option<f64>,
    samples: Vec<Sample>,
}

/// A video cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub(super) enum VideoError {
    #[error("there is no such file; check the column 'file'")]
    NotFound,
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error("cannot create the pipeline")]
    Pipeline(#[from] glib::BoolError),
    #[error(transparent)]
    Unplayable(#[from] UnplayableError),
    #[error("GStreamer cannot read it to its end: {0}")]
    Damaged(ElementError),
    #[error("cannot analyze it: {0}")]
    Analysis(ElementError),
    #[error("cannot read a sample")]
    Sample(#[from] MessageError),
}

/// A segment cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub(super) enum SegmentError {
    #[error(
        "the segment from {start_s} s to {end_s} s extends beyond the end of {file}, which is \
         {duration_s:.1} s long"
    )]
    BeyondEnd {
        file: String,
        start_s: f64,
        end_s: f64,
        duration_s: f64,
    },
    #[error("no sampled frame is in the segment; lower --sample-interval")]
    NoSample,
}

impl Video {
    /// Returns the samples in a segment.
    ///
    /// # Errors
    /// Returns an error if the segment is not in the video, or has no sample.
    pub(super) fn samples(&self, segment: &LabeledSegment) -> Result<Vec<Sample>, SegmentError> {
        let LabeledSegment { start_s, end_s, .. } = *segment;
        if let Some(duration_s) = self.duration_s
            && end_s > duration_s + MAX_OVERHANG_S
        {
            return Err(SegmentError::BeyondEnd {
                file: segment.file.clone(),
                start_s,
                end_s,
                duration_s,
            });
        }
        let is_inside = |sample: &&Sample| (start_s..end_s).contains(&sample.time_s);
        let samples: Vec<Sample> = self.samples.iter().filter(is_inside).cloned().collect();
        match samples.is_empty() {
            true => Err(SegmentError::NoSample),
            false => Ok(samples),
        }
    }
}

impl Player<'_> {
    /// Plays the video at `path`. Its frames pass through one element per model.
    ///
    /// # Errors
    /// Returns an error if the video cannot be played to its end.
    pub(super) fn play(&self, path: &Path) -> Result<Video, VideoError> {
        if !path.is_file() {
            return Err(VideoError::NotFound);
        }
        let playback = self.create_pipeline(&playback::file_uri(path)?)?;
        let video = playback.run();
        // Changing to a lower state does not fail.
        let _ = playback.pipeline.set_state(gst::State::Null);
        video
    }

    fn create_pipeline(&self, uri: &str) -> Result<Playback, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let source = playback::decoder(uri, &[playback::VIDEO])?;
        let convert = gst::ElementFactory::make("videoconvert").build()?;
        let sink = gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .build()?;
        let elements: Vec<gst::Element> = (0..self.models.len())
            .map(|index| self.element(index))
            .collect::<Result<_, _>>()?;
        pipeline.add_many([&source, &convert, &sink])?;
        pipeline.add_many(&elements)?;
        let chain = [&convert].into_iter().chain(&elements).chain([&sink]);
        gst::Element::link_many(chain)?;
        let input = convert.static_pad("sink");
        let input = input.ok_or_else(|| glib::bool_error!("videoconvert has no sink pad"))?;
        let video_input = input.clone();
        source.connect_pad_added(move |_, pad| {
            // The first video stream of a file is evaluated.
            if !video_input.is_linked() {
                // If the pad cannot be linked, an error is posted on the bus.
                let _ = pad.link(&video_input);
            }
        });
        Ok(Playback {
            pipeline,
            source,
            input,
            elements,
        })
    }

    fn element(&self, index: usize) -> Result<gst::Element, glib::BoolError> {
        let element = self
            .networks
            .element(&self.models[index], self.mappings[index].as_ref())?;
        element.set_property(SAMPLE_INTERVAL_NS.name, self.sample_interval_ns);
        element.set_property(MAX_FACES.name, self.max_faces);
        element.set_property("roi-meta", false);
        Ok(element)
    }
}

/// The pipeline of a video.
struct Playback {
    pipeline: gst::Pipeline,
    source: gst::Element,
    /// Linked if the source has found a video.
    input: gst::Pad,
    /// The `faceattitude` of each model.
    elements: Vec<gst::Element>,
}

impl Playback {
    /// Plays the pipeline to its end, and collects the samples of the elements.
    fn run(&self) -> Result<Video, VideoError> {
        let bus = self.pipeline.bus();
        let bus = bus.ok_or_else(|| glib::bool_error!("the pipeline has no bus"))?;
        let mut records: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
        let mut missing_plugins = Vec::new();
        // An element that fails posts an error on the bus.
        let _ = self.pipeline.set_state(gst::State::Playing);
        let mut stall_detector = StallDetector::new();
        loop {
            let Some(message) = bus.timed_pop(POLL_INTERVAL) else {
                let frames = self.elements.first();
                let frames = frames.map_or(0, |element| playback::stat(element, "frames"));
                if stall_detector.is_stalled(frames, self.input.is_linked()) {
                    return Err(UnplayableError::Stalled.into());
                }
                continue;
            };
            stall_detector.observe_message();
            match message.view() {
                gst::MessageView::Element(element) => {
                    missing_plugins.extend(MissingPlugin::of(element));
                    let is_source = |e: &gst::Element| Some(e.upcast_ref()) == message.src();
                    if self.elements.iter().any(is_source)
                        && let Some(record) = playback::sample(element)?
                    {
                        // The elements are linked in a row, and post the samples of a frame in that
                        // order.
                        records.entry(record.frame).or_default().push(record);
                    }
                }
                gst::MessageView::Error(error) => {
                    return Err(self.video_error(&message, error, missing_plugins));
                }
                gst::MessageView::Eos(_) => break,
                _ => {}
            }
        }
        let samples = records.into_values().filter_map(|of_models| {
            let time_ns = of_models.first()?.stream_time_ns?;
            Some(Sample {
                time_s: time_ns as f64 / 1e9,
                outcome: outcome(&of_models, self.elements.len()),
            })
        });
        let duration_ns = playback::duration_ns(&self.pipeline);
        Ok(Video {
            duration_s: duration_ns.map(|duration_ns| duration_ns as f64 / 1e9),
            samples: samples.collect(),
        })
    }

    /// Returns the reason for `error`, which `message` contains.
    fn video_error(
        &self,
        message: &gst::Message,
        error: &gst::message::Error,
        missing_plugins: Vec<MissingPlugin>,
    ) -> VideoError {
        match playback::is_from(message, &self.source) {
            true if self.input.is_linked() => VideoError::Damaged(error.into()),
            true => UnplayableError::of(error, missing_plugins).into(),
            false => VideoError::Analysis(error.into()),
        }
    }
}

/// Returns the outcome of the largest face that each of `models` models classified in a frame.
fn outcome(of_models: &[Record], models: usize) -> FaceOutcome {
    let area = |face: &&FaceRecord| face.bbox[2] * face.bbox[3];
    let scores = |record: &Record| {
        let classified = record.faces.iter().filter(|face| face.fresh);
        let largest = classified.max_by(|a, b| area(a).total_cmp(&area(b)))?;
        let raw = largest.raw;
        Some(Scores::from_array([
            raw.positive,
            raw.neutral,
            raw.negative,
        ]))
    };
    let all: Option<Vec<Scores>> = of_models.iter().map(scores).collect();
    match all {
        Some(scores) if scores.len() == models => FaceOutcome::Classified {
            scores,
            is_by_box: false,
        },
        _ if of_models.iter().all(|record| record.faces.is_empty()) => FaceOutcome::NotFound,
        _ => FaceOutcome::NotClassifiable,
    }
}

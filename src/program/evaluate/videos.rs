// SPDX-License-Identifier: MPL-2.0

//! Plays videos through the element, so that the evaluated results are those of a pipeline.

use std::collections::BTreeMap;
use std::path::Path;

use attitude::Scores;
use attitude::mapping::Mapping;
use attitude::record::{FaceRecord, Record};
use attitude_inference::model::Source;
use gst::prelude::*;
use gstattitude::message::MessageError;

use super::data::Segment;
use super::faces::FaceOutcome;
use crate::networks::NetworkArguments;
use crate::playback::{self, ElementError, UriError};

/// Maximum time that a segment may extend beyond the end of its video, as times are often rounded.
const MAX_OVERHANG_S: f64 = 1.0;

/// Plays videos.
pub(super) struct Player<'a> {
    pub models: &'a [Source],
    pub mapping: Option<&'a Mapping>,
    pub networks: &'a NetworkArguments,
    pub sample_interval_ns: u64,
}

/// A sampled frame.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// Position in the video.
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
    #[error("there is no such file")]
    NotFound,
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error("cannot create the pipeline")]
    Pipeline(#[from] glib::BoolError),
    #[error("it cannot be played")]
    Playback(#[source] PlaybackError),
    #[error("it has no video that GStreamer can decode")]
    NoVideo(#[source] PlaybackError),
    #[error("cannot stop the pipeline")]
    Stop(#[from] gst::StateChangeError),
}

/// Playback failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaybackError {
    #[error("the pipeline has no bus")]
    NoBus,
    #[error(transparent)]
    Element(ElementError),
    #[error(transparent)]
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
    #[error("no sampled frame is in the segment; see --sample-interval")]
    NoSample,
}

impl Video {
    /// Returns the samples in a segment.
    pub(super) fn samples(&self, segment: &Segment) -> Result<Vec<Sample>, SegmentError> {
        let Segment { start_s, end_s, .. } = *segment;
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
    pub(super) fn play(&self, path: &Path) -> Result<Video, VideoError> {
        if !path.is_file() {
            return Err(VideoError::NotFound);
        }
        let pipeline = gst::Pipeline::new();
        let uri = playback::file_uri(path)?;
        let source = playback::decoder(&uri, &[playback::VIDEO])?;
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
        let input = convert
            .static_pad("sink")
            .ok_or_else(|| glib::bool_error!("videoconvert has no sink pad"))?;
        let first = input.clone();
        source.connect_pad_added(move |_, pad| {
            // The first video stream of a file is evaluated.
            if !first.is_linked() {
                // If the pad cannot be linked, an error is posted on the bus.
                let _ = pad.link(&first);
            }
        });
        let video = run(&pipeline, &elements);
        let has_video = input.is_linked();
        pipeline.set_state(gst::State::Null)?;
        video.map_err(|error| match has_video {
            true => VideoError::Playback(error),
            false => VideoError::NoVideo(error),
        })
    }

    fn element(&self, index: usize) -> Result<gst::Element, glib::BoolError> {
        let element = self.networks.element(&self.models[index], self.mapping)?;
        element.set_property("sample-interval", self.sample_interval_ns);
        element.set_property("roi-meta", false);
        Ok(element)
    }
}

/// Plays the pipeline to its end, and collects the samples of `elements`.
fn run(pipeline: &gst::Pipeline, elements: &[gst::Element]) -> Result<Video, PlaybackError> {
    let bus = pipeline.bus().ok_or(PlaybackError::NoBus)?;
    let mut records: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
    let _ = pipeline.set_state(gst::State::Playing); // An element that fails posts an error on the bus.
    for message in bus.iter_timed(gst::ClockTime::NONE) {
        match message.view() {
            gst::MessageView::Element(element) => {
                let is_ours = |e: &gst::Element| Some(e.upcast_ref()) == message.src();
                if elements.iter().any(is_ours)
                    && let Some(record) = playback::sample(element)?
                {
                    // The elements are linked in a row, and post the samples of a frame in that order.
                    records.entry(record.frame).or_default().push(record);
                }
            }
            gst::MessageView::Error(error) => {
                return Err(PlaybackError::Element(error.into()));
            }
            gst::MessageView::Eos(_) => break,
            _ => {}
        }
    }
    let samples = records.into_values().filter_map(|of_models| {
        let time = of_models.first()?.stream_time_ns?;
        Some(Sample {
            time_s: time as f64 / 1e9,
            outcome: outcome(&of_models, elements.len()),
        })
    });
    Ok(Video {
        duration_s: playback::duration_ns(pipeline).map(|duration_ns| duration_ns as f64 / 1e9),
        samples: samples.collect(),
    })
}

/// Returns the outcome of the largest face of a frame that the models classified.
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

// SPDX-License-Identifier: MPL-2.0

//! Plays videos through the element, so that what is evaluated is what a pipeline does.

use std::collections::BTreeMap;
use std::path::Path;

use attitude::Scores;
use attitude::mapping::Mapping;
use attitude::record::{FaceRecord, Record};
use attitude_inference::model::Source;
use gst::prelude::*;

use super::data::Segment;
use super::faces::Outcome;
use super::table::Failure;
use crate::networks::NetworkArguments;
use crate::playback::{self, ElementError};

/// How far a segment may reach beyond the end of its video: ends are often written down rounded.
const MAX_OVERHANG_S: f64 = 1.0;

/// How videos are played.
pub struct Player<'a> {
    pub models: &'a [Source],
    pub mapping: Option<&'a Mapping>,
    pub networks: &'a NetworkArguments,
    pub sample_interval_ms: u64,
}

/// A sampled frame.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Position in the video.
    pub time_s: f64,
    pub outcome: Outcome,
}

/// A video that was played to its end.
#[derive(Debug)]
pub struct Clip {
    duration_s: Option<f64>,
    samples: Vec<Sample>,
}

impl Clip {
    /// The samples in a segment.
    pub fn samples(&self, segment: &Segment) -> Result<Vec<Sample>, String> {
        let Segment { start_s, end_s, .. } = *segment;
        if let Some(duration_s) = self.duration_s
            && end_s > duration_s + MAX_OVERHANG_S
        {
            return Err(format!(
                "the segment from {start_s} s to {end_s} s reaches beyond the end of {}, which is \
                 {duration_s:.1} s long",
                segment.file
            ));
        }
        let is_inside = |sample: &&Sample| (start_s..end_s).contains(&sample.time_s);
        let samples: Vec<Sample> = self.samples.iter().filter(is_inside).cloned().collect();
        if samples.is_empty() {
            Err("no sampled frame is in the segment; see --sample-interval-ms".to_owned())
        } else {
            Ok(samples)
        }
    }
}

impl Player<'_> {
    /// Plays the video at `path`: its frames pass through one element for each model.
    pub fn play(&self, path: &Path) -> Result<Clip, Failure> {
        if !path.is_file() {
            return Err("there is no such file".into());
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
            .ok_or("videoconvert has no sink pad")?;
        let first = input.clone();
        source.connect_pad_added(move |_, pad| {
            // Of several videos in a file the first counts.
            if !first.is_linked() {
                // What does not link ends in an error on the bus.
                let _ = pad.link(&first);
            }
        });
        let clip = run(&pipeline, &elements);
        let has_video = input.is_linked();
        pipeline.set_state(gst::State::Null)?;
        clip.map_err(|error| match has_video {
            true => format!("it does not play as a video: {error}").into(),
            false => format!("it has no video that GStreamer can decode: {error}").into(),
        })
    }

    fn element(&self, index: usize) -> Result<gst::Element, glib::BoolError> {
        let element = self.networks.element(&self.models[index], self.mapping)?;
        let interval_ns = self.sample_interval_ms.saturating_mul(1_000_000);
        element.set_property("sample-interval", interval_ns);
        element.set_property("roi-meta", false);
        Ok(element)
    }
}

/// Plays the pipeline to its end and takes down what `elements` say.
fn run(pipeline: &gst::Pipeline, elements: &[gst::Element]) -> Result<Clip, Failure> {
    let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
    let mut records: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
    let _ = pipeline.set_state(gst::State::Playing); // What fails says so on the bus.
    for message in bus.iter_timed(gst::ClockTime::NONE) {
        match message.view() {
            gst::MessageView::Element(element) => {
                let is_ours = |e: &gst::Element| Some(e.upcast_ref()) == message.src();
                if elements.iter().any(is_ours)
                    && let Some(record) = playback::sample(element)?
                {
                    // The elements stand in a row: of a frame the first speaks first.
                    records.entry(record.frame).or_default().push(record);
                }
            }
            gst::MessageView::Error(error) => {
                return Err(ElementError::from(error).into());
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
    Ok(Clip {
        duration_s: playback::duration_ns(pipeline).map(|duration_ns| duration_ns as f64 / 1e9),
        samples: samples.collect(),
    })
}

/// What the models say of the largest face that they judged on a frame.
fn outcome(of_models: &[Record], models: usize) -> Outcome {
    let area = |face: &&FaceRecord| face.bbox[2] * face.bbox[3];
    let scores = |record: &Record| {
        let judged = record.faces.iter().filter(|face| face.fresh);
        let largest = judged.max_by(|a, b| area(a).total_cmp(&area(b)))?;
        let raw = largest.raw;
        Some(Scores::from_array([
            raw.positive,
            raw.neutral,
            raw.negative,
        ]))
    };
    let all: Option<Vec<Scores>> = of_models.iter().map(scores).collect();
    match all {
        Some(scores) if scores.len() == models => Outcome::Judged {
            scores,
            is_by_box: false,
        },
        _ if of_models.iter().all(|record| record.faces.is_empty()) => Outcome::NotFound,
        _ => Outcome::NotJudged,
    }
}

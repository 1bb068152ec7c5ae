// SPDX-License-Identifier: MPL-2.0

//! The analysis of live video: its options, its networks, and the elements that analyze one stream.

use std::sync::Arc;

use clap::Args;
use gst::prelude::*;

use super::stream::Stream;
use crate::options::{ClassifierArguments, FaceArguments, NetworkArguments, SamplingArguments};
use crate::playback::{self, ElementError};

/// Number of frames that wait for the analysis; older ones are dropped.
const MAX_QUEUED_FRAMES: u32 = 2;

/// Options of the analysis of live video.
#[derive(Args)]
pub(crate) struct AnalysisArguments {
    #[command(flatten)]
    pub(crate) sampling: SamplingArguments,

    #[command(flatten)]
    faces: FaceArguments,

    #[command(flatten)]
    classifier: ClassifierArguments,

    #[command(flatten)]
    networks: NetworkArguments,
}

impl AnalysisArguments {
    /// Creates a `faceattitude` in live mode that posts no messages.
    pub(crate) fn element(&self) -> Result<gst::Element, glib::BoolError> {
        let classifier = &self.classifier;
        let settings = self
            .networks
            .element_settings(&classifier.source(), classifier.mapping.as_ref());
        let element = settings.create()?;
        element.set_property_from_str("mode", "live");
        element.set_property_from_str("messages", "none");
        element.set_property("sample-interval", self.sampling.interval_ns());
        element.set_property("max-faces", self.faces.max_faces);
        element.set_property("detector-size", self.faces.detector_size);
        element.set_property("analytics-meta", false);
        Ok(element)
    }
}

/// The networks cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworksError {
    #[error("cannot create faceattitude")]
    Create(#[from] glib::BoolError),
    #[error(transparent)]
    Element(#[from] ElementError),
    #[error("faceattitude does not start")]
    NotStarted,
}

/// Networks that stay loaded, and shared by all streams, until this is dropped.
pub(crate) struct LoadedNetworks(gst::Element);

impl LoadedNetworks {
    /// Loads the networks, so that errors show before there is a stream.
    pub(crate) fn load(arguments: &AnalysisArguments) -> Result<Self, NetworksError> {
        let element = arguments.element()?;
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        if element.set_state(gst::State::Paused).is_ok() {
            return Ok(Self(element));
        }
        let problem = bus.pop_filtered(&[gst::MessageType::Error]);
        let error = problem.and_then(|message| match message.view() {
            gst::MessageView::Error(error) => Some(ElementError::from(error)),
            _ => None,
        });
        let _ = element.set_state(gst::State::Null);
        Err(error.map_or(NetworksError::NotStarted, NetworksError::Element))
    }

    /// Returns the execution provider that runs the networks.
    pub(crate) fn provider(&self) -> String {
        let provider = self.0.property::<Option<String>>("active-provider");
        provider.unwrap_or_default()
    }
}

impl Drop for LoadedNetworks {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

/// Analyzes the video of a stream; nothing of the video is kept.
pub(crate) struct Analysis {
    /// Its pad `sink` accepts raw video. Frames of a source that is not live wait for their time.
    pub(crate) bin: gst::Bin,
    faceattitude: gst::Element,
    stream: Arc<Stream>,
}

impl Analysis {
    /// Creates the elements for a connection of `stream`.
    pub(crate) fn new(
        arguments: &AnalysisArguments,
        stream: &Arc<Stream>,
    ) -> Result<Self, glib::BoolError> {
        let queue = gst::ElementFactory::make("queue")
            .property("max-size-buffers", MAX_QUEUED_FRAMES)
            .property("max-size-bytes", 0u32)
            .property("max-size-time", 0u64)
            .build()?;
        let convert = gst::ElementFactory::make("videoconvert").build()?;
        let faceattitude = arguments.element()?;
        faceattitude.set_property_from_str("messages", "sample");
        let sink = gst::ElementFactory::make("fakesink")
            .property("enable-last-sample", false)
            .build()?;
        let bin = gst::Bin::new();
        let chain = [&queue, &convert, &faceattitude, &sink];
        bin.add_many(chain)?;
        gst::Element::link_many(chain)?;
        let input = pad(&queue, "sink")?;
        pace(&input, &queue, &sink);
        let counted = stream.clone();
        pad(&faceattitude, "src")?.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            counted.count_frame();
            gst::PadProbeReturn::Ok
        });
        bin.add_pad(&gst::GhostPad::with_target(&input)?)?;
        Ok(Self {
            bin,
            faceattitude,
            stream: stream.clone(),
        })
    }

    /// Returns a function that takes this stream's samples from the messages of the pipeline. It is
    /// fast enough for a synchronous handler of the bus.
    pub(crate) fn message_handler(&self) -> impl Fn(&gst::Message) + Send + Sync + use<> {
        let stream = self.stream.clone();
        let faceattitude = self.faceattitude.downgrade();
        move |message| {
            let gst::MessageView::Element(element) = message.view() else {
                return;
            };
            let is_ours = faceattitude
                .upgrade()
                .is_some_and(|faceattitude| playback::is_from(message, &faceattitude));
            if is_ours && let Ok(Some(record)) = playback::sample(element) {
                stream.push(record);
            }
        }
    }
}

/// At the first frame, selects how frames pass: those of a live source at once, dropped if the
/// analysis is behind; those of a recording at their time.
fn pace(input: &gst::Pad, queue: &gst::Element, sink: &gst::Element) {
    let (queue, sink) = (queue.downgrade(), sink.downgrade());
    input.add_probe(gst::PadProbeType::BUFFER, move |pad, _| {
        let is_live = is_live(pad);
        if let (Some(queue), Some(sink)) = (queue.upgrade(), sink.upgrade()) {
            sink.set_property("sync", !is_live);
            if is_live {
                queue.set_property_from_str("leaky", "downstream");
            }
        }
        gst::PadProbeReturn::Remove
    });
}

/// Returns `true` if live data passes `pad`.
pub(crate) fn is_live(pad: &gst::Pad) -> bool {
    let mut query = gst::query::Latency::new();
    let is_answered = match pad.direction() {
        gst::PadDirection::Sink => pad.peer_query(&mut query),
        _ => pad.query(&mut query),
    };
    is_answered && query.result().0
}

fn pad(element: &gst::Element, name: &str) -> Result<gst::Pad, glib::BoolError> {
    let pad = element.static_pad(name);
    pad.ok_or_else(|| glib::bool_error!("{} has no pad {name}", element.name()))
}

// SPDX-License-Identifier: MPL-2.0

//! The analysis of raw video, for both cameras of visitors and the source: a bin that outputs
//! records.

use std::sync::Arc;

use gst::prelude::*;
use gst_app::{AppSink, AppSinkCallbacks};

use super::arguments::Arguments;
use super::channels::PageMessage;
use crate::publishing::SourcePublisher;

/// Receives records, as lines of JSON that `attitudeexport` wrote.
pub(crate) trait RecordSink: Send + Sync {
    /// Receives the record of a sample.
    fn sample(&self, record: &str);

    /// Receives the record of a frame.
    fn frame(&self, record: &str);
}

/// A bin that analyzes video.
pub(crate) struct Analysis {
    /// Its sink pad accepts raw video in system memory, in real time.
    pub(crate) bin: gst::Bin,
    pub(crate) faceattitude: gst::Element,
    /// Drops all frames while its property `drop` is true.
    pub(crate) valve: gst::Element,
}

impl Analysis {
    pub(crate) fn new(
        arguments: &Arguments,
        sink: &Arc<impl RecordSink + 'static>,
        publisher: Option<SourcePublisher>,
    ) -> Result<Self, glib::BoolError> {
        let valve = gst::ElementFactory::make("valve").build()?;
        let faceattitude = arguments.analysis.element()?;
        let tee = gst::ElementFactory::make("tee").build()?;
        let bin = gst::Bin::new();
        bin.add_many([&valve, &faceattitude, &tee])?;
        gst::Element::link_many([&valve, &faceattitude, &tee])?;
        add_export(&bin, &tee, "sample", {
            let sink = sink.clone();
            move |record| {
                sink.sample(record);
                if let Some(publisher) = &publisher {
                    publisher.publish_json(record);
                }
            }
        })?;
        add_export(&bin, &tee, "frame", {
            let sink = sink.clone();
            move |record| sink.frame(record)
        })?;
        let input = valve.static_pad("sink");
        let input = input.ok_or_else(|| glib::bool_error!("valve has no sink pad"))?;
        bin.add_pad(&gst::GhostPad::with_target(&input)?)?;
        Ok(Self {
            bin,
            faceattitude,
            valve,
        })
    }
}

impl Analysis {
    /// Returns what a page controls.
    pub(crate) fn controls(&self) -> AnalysisControls {
        AnalysisControls {
            faceattitude: self.faceattitude.downgrade(),
            valve: self.valve.downgrade(),
        }
    }
}

/// The elements of an analysis that a page controls.
pub(crate) struct AnalysisControls {
    faceattitude: glib::WeakRef<gst::Element>,
    valve: glib::WeakRef<gst::Element>,
}

impl AnalysisControls {
    /// Does what a message of the page requests; nothing if the analysis has ended.
    pub(crate) fn apply(&self, message: PageMessage) {
        match message {
            PageMessage::Alive(_) => (),
            PageMessage::Analysis(is_on) => {
                if let Some(valve) = self.valve.upgrade() {
                    valve.set_property("drop", !is_on);
                }
            }
            PageMessage::LearnBaseline => {
                if let Some(faceattitude) = self.faceattitude.upgrade() {
                    faceattitude.set_property_from_str("baseline", "learn");
                    faceattitude.emit_by_name::<()>("learn-baseline", &[]);
                }
            }
        }
    }
}

/// Adds an `attitudeexport` behind `tee` and calls `write` with each record.
fn add_export(
    bin: &gst::Bin,
    tee: &gst::Element,
    interval: &str,
    write: impl Fn(&str) + Send + 'static,
) -> Result<(), glib::BoolError> {
    let export = gst::ElementFactory::make("attitudeexport")
        .property_from_str("interval", interval)
        .build()?;
    let sink = AppSink::builder().sync(false).async_(false).build();
    sink.set_callbacks(
        AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let map = sample
                    .buffer()
                    .and_then(|buffer| buffer.map_readable().ok());
                let record = map.as_deref().map(str::from_utf8);
                if let Some(Ok(record)) = record {
                    write(record.trim_end());
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build(),
    );
    bin.add_many([&export, sink.upcast_ref()])?;
    gst::Element::link_many([tee, &export, sink.upcast_ref()])
}

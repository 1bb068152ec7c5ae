// SPDX-License-Identifier: MPL-2.0

//! From raw video to records: the same for what visitors send and for the source.

use std::sync::Arc;

use gst::prelude::*;
use gst_app::{AppSink, AppSinkCallbacks};

use super::arguments::Arguments;

/// Where records go: JSON objects, as `attitudeexport` writes them.
pub trait Results: Send + Sync {
    /// The record of a sample.
    fn sample(&self, record: &str);

    /// The record of a frame.
    fn frame(&self, record: &str);
}

/// Analyses video and tells `results`.
pub struct Analysis {
    /// Takes raw video in system memory at its sink pad, in real time.
    pub bin: gst::Bin,
    /// The `faceattitude` in it.
    pub faceattitude: gst::Element,
    /// Lets no frame through while its property `drop` is true.
    pub valve: gst::Element,
}

impl Analysis {
    pub fn new(
        arguments: &Arguments,
        results: &Arc<impl Results + 'static>,
    ) -> Result<Self, glib::BoolError> {
        let valve = gst::ElementFactory::make("valve").build()?;
        let faceattitude = faceattitude(arguments)?;
        let tee = gst::ElementFactory::make("tee").build()?;
        let bin = gst::Bin::new();
        bin.add_many([&valve, &faceattitude, &tee])?;
        gst::Element::link_many([&valve, &faceattitude, &tee])?;
        add_export(&bin, &tee, "sample", {
            let results = results.clone();
            move |record| results.sample(record)
        })?;
        add_export(&bin, &tee, "frame", {
            let results = results.clone();
            move |record| results.frame(record)
        })?;
        let sink = valve.static_pad("sink");
        let sink = sink.ok_or_else(|| glib::bool_error!("valve without a sink pad"))?;
        bin.add_pad(&gst::GhostPad::with_target(&sink)?)?;
        Ok(Self {
            bin,
            faceattitude,
            valve,
        })
    }
}

/// A `faceattitude` as the arguments want it, that holds no frame up.
pub fn faceattitude(arguments: &Arguments) -> Result<gst::Element, glib::BoolError> {
    let networks = &arguments.networks;
    let element = networks.element(&arguments.classifier(), arguments.mapping.as_ref())?;
    element.set_property_from_str("mode", "live");
    element.set_property_from_str("messages", "none");
    element.set_property("sample-interval", arguments.sample_interval_ns());
    element.set_property("max-faces", arguments.faces);
    element.set_property("analytics-meta", false);
    Ok(element)
}

/// Calls `write` with what an `attitudeexport` behind `tee` tells.
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

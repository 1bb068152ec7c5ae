// SPDX-License-Identifier: MPL-2.0

//! GStreamer plugin that tracks the faces in raw video and classifies their attitude: positive,
//! neutral or negative.
//!
//! | element | role |
//! |---|---|
//! | [`faceattitude`] | analyzes video, attaches metadata to frames, posts messages, draws an overlay on request |
//! | [`attitudeoverlay`] | draws the metadata onto frames, or hides the faces |
//! | [`attitudeexport`] | turns the metadata into text |
//! | `attitudepublish` | publishes the metadata to message brokers and webhooks |
//!
//! # Using the plugin in an application
//!
//! An application that depends on this crate (`gst-plugin-attitude`, with the library name
//! `gstattitude`) registers the elements with [`plugin_register_static`]. It needs no plugin in the
//! plugin path.
//!
//! It can read the results from messages on the bus ([`message`]), which come when a face appears,
//! disappears or changes its attitude:
//!
//! ```no_run
//! use gst::prelude::*;
//! use gstattitude::message::AttitudeMessage;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     gst::init()?;
//!     gstattitude::plugin_register_static()?;
//!     let pipeline = gst::parse::launch(
//!         "filesrc location=interview.mp4 ! decodebin ! videoconvert ! faceattitude ! fakesink",
//!     )?;
//!     pipeline.set_state(gst::State::Playing)?;
//!     let bus = pipeline.bus().ok_or("the pipeline has no bus")?;
//!     for message in bus.iter_timed(gst::ClockTime::NONE) {
//!         match message.view() {
//!             gst::MessageView::Element(element) => {
//!                 let structure = element.structure();
//!                 if let Some(Ok(AttitudeMessage(record))) = structure.map(AttitudeMessage::try_from) {
//!                     for face in &record.faces {
//!                         println!("face {} is {}", face.track, face.attitude);
//!                     }
//!                 }
//!             }
//!             gst::MessageView::Error(error) => return Err(error.error().into()),
//!             gst::MessageView::Eos(_) => break,
//!             _ => {}
//!         }
//!     }
//!     pipeline.set_state(gst::State::Null)?;
//!     Ok(())
//! }
//! ```
//!
//! Or it can read the metadata of each frame ([`meta`]), for example in a pad probe:
//!
//! ```
//! use gst::prelude::*;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     gst::init()?;
//!     gstattitude::plugin_register_static()?;
//!     let analysis = gst::ElementFactory::make("faceattitude").build()?;
//!     let pad = analysis.static_pad("src").ok_or("no source pad")?;
//!     pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
//!         if let Some(buffer) = info.buffer() {
//!             let mut faces = Vec::new();
//!             gstattitude::meta::read_records(buffer, &mut faces);
//!             for face in &faces {
//!                 let [left, top, width, height] = face.bbox;
//!                 println!("{} at {left}, {top}, size {width} x {height}", face.attitude);
//!             }
//!         }
//!         gst::PadProbeReturn::Ok
//!     });
//!     // Add `analysis` to a pipeline, link it and play.
//!     Ok(())
//! }
//! ```
//!
//! The types of the results, such as [`Record`](attitude::record::Record), are in the crate
//! [`attitude`], which this crate re-exports. The crate `attitude_inference` runs the networks.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod attitudeexport;
pub mod attitudeoverlay;
#[cfg(feature = "publish")]
pub mod attitudepublish;
mod clock_time;
pub mod drawing;
pub mod faceattitude;
mod failures;
mod frame_times;
pub mod message;
pub mod meta;
mod negotiation;
mod overlay;
mod panics;
mod properties;
pub mod records;
mod video;

/// Registers the metadata and the elements.
fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    meta::register();
    #[cfg(feature = "doc")]
    {
        use gst::prelude::*;
        records::FrameSelection::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    #[cfg(feature = "publish")]
    attitudepublish::register(plugin)?;
    faceattitude::register(plugin)?;
    attitudeoverlay::register(plugin)?;
    attitudeexport::register(plugin)
}

/// Description of the plugin, which GStreamer reads from the library.
#[allow(missing_docs)] // The items of the macro have no documentation.
mod plugin {
    fn init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
        super::register(plugin)
    }

    gst::plugin_define!(
        attitude,
        env!("CARGO_PKG_DESCRIPTION"),
        init,
        concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
        "MPL-2.0",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("PACKAGE_ORIGIN"),
        env!("BUILD_REL_DATE")
    );
}

pub use attitude;
pub use plugin::plugin_register_static;

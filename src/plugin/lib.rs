// SPDX-License-Identifier: MPL-2.0

//! GStreamer plugin that follows faces in raw video and classifies their attitude: positive,
//! neutral or negative.
//!
//! A frame's way through the code, in the order of the modules:
//!
//! ```text
//! buffer -> sampling -> detection -> tracking -> crop -> classification -> smoothing -> metadata -> overlay | message | export
//! ```
//!
//! * [`analysis`] is the computation, pure Rust on slices;
//! * [`inference`] runs the networks and is the only place that knows ONNX Runtime;
//! * [`record`] is what is known of a frame, as data and as text;
//! * [`evaluation`] tells how good a classifier is, by labelled faces;
//! * [`element`] is the glue to GStreamer.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod attitudeexport;
pub mod attitudeoverlay;
pub mod drawing;
pub mod faceattitude;
mod failures;
pub mod message;
pub mod meta;
mod negotiation;
mod overlay;
mod video;

/// Registers what the plugin offers.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    meta::register();
    faceattitude::register(plugin)?;
    attitudeoverlay::register(plugin)?;
    attitudeexport::register(plugin)
}

/// What GStreamer looks for in the library.
#[allow(missing_docs)] // The macro's items have none.
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
        env!("CARGO_PKG_NAME"),
        env!("BUILD_REL_DATE")
    );
}

pub use plugin::plugin_register_static;

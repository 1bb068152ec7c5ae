// SPDX-License-Identifier: MPL-2.0

//! The glue to GStreamer.

mod composition;
pub mod drawing;
pub mod faceattitude;
pub mod message;
pub mod meta;
mod video;

/// Registers what the plugin offers.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    faceattitude::register(plugin)
}

// SPDX-License-Identifier: MPL-2.0

//! SECTION:element-attitudeexport
//!
//! `attitudeexport` writes the faces in the metadata of frames, and their attitudes, as text: JSON
//! lines, CSV, subtitle files, or subtitles for a muxer. It accepts any raw video and never reads a
//! pixel.
//!
//! Each output buffer is a line of JSON, a header, the rows of a frame, or one cue, with the
//! timestamp and the duration of the frame or cue. The property `format` selects the format. For
//! the formats `jsonl` and `csv`, `interval` selects the frames.
//!
//! ## Example pipelines
//!
//! ```sh
//! gst-launch-1.0 filesrc location=interview.mp4 ! decodebin ! videoconvert ! faceattitude ! attitudeexport ! filesink location=interview.jsonl
//! ```
//!
//! Writes one line of JSON per sample of a recording.
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! decodebin ! videoconvert ! faceattitude ! attitudeexport format=csv interval=change ! tcpserversink port=5000
//! ```
//!
//! Serves one row per face over TCP whenever a face appears, disappears or changes its attitude.
//!
//! Since: 0.1.0

use gst::prelude::*;

mod format;
mod imp;
mod stream;

glib::wrapper! {
    /// The element `attitudeexport`; see the [module](self).
    pub struct AttitudeExport(ObjectSubclass<imp::AttitudeExport>)
        @extends gst::Element, gst::Object;
}

pub(super) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    #[cfg(feature = "doc")]
    format::Format::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(
        Some(plugin),
        "attitudeexport",
        gst::Rank::NONE,
        AttitudeExport::static_type(),
    )
}

// SPDX-License-Identifier: MPL-2.0

//! Recordings as raw streams.

/// Kinds of raw streams, in any memory.
pub const VIDEO: &str = "video/x-raw";
pub const AUDIO: &str = "audio/x-raw";

/// What decodes the streams of `kinds` at `uri`, and no others. Its pads are added as it finds them.
pub fn source(uri: &str, kinds: &[&str]) -> Result<gst::Element, glib::BoolError> {
    let mut caps = gst::Caps::new_empty();
    for kind in kinds {
        caps.merge(gst::Caps::builder(*kind).any_features().build());
    }
    gst::ElementFactory::make("uridecodebin")
        .property("uri", uri)
        .property("caps", caps)
        .property("expose-all-streams", false)
        .build()
}

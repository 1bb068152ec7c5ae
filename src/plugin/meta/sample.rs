// SPDX-License-Identifier: MPL-2.0

//! Which frames bring something new.
//!
//! Regions tell of faces. That a sample has found none is told by a custom meta, [`NAME`], on the
//! first frame that carries what a sample has found; its structure has the field `age-ns`, the time
//! from the sampled frame to the one that carries it.

use gst::meta::CustomMeta;

/// Name of the meta, by which `gst_buffer_get_custom_meta` finds it.
pub const NAME: &str = "GstFaceAttitudeSample";

/// Makes the meta known; once a process.
pub(crate) fn register() {
    if !CustomMeta::is_registered(NAME) {
        // Without tags it survives what copies a frame's metadata, whatever becomes of its pixels.
        CustomMeta::register(NAME, &[]);
    }
}

/// Marks `buffer` as the first that carries what a sample has found, `age_ns` before it.
pub fn mark_sample(buffer: &mut gst::BufferRef, age_ns: u64) {
    // It is registered, so it can be added.
    if let Ok(mut meta) = CustomMeta::add(buffer, NAME) {
        meta.mut_structure().set("age-ns", age_ns);
    }
}

/// Whether `buffer` is marked.
pub fn is_sample(buffer: &gst::BufferRef) -> bool {
    CustomMeta::from_buffer(buffer, NAME).is_ok()
}

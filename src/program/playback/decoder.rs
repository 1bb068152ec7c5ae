// SPDX-License-Identifier: MPL-2.0

//! The element that decodes a recording.

use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

use super::movie;
use crate::worker::message::Patch;

/// Caps names of decoded streams, in any memory.
pub(crate) const VIDEO: &str = "video/x-raw";
pub(crate) const AUDIO: &str = "audio/x-raw";

/// Creates an element that decodes the streams of `kinds`, such as [`VIDEO`], at `uri`, whose data are
/// changed by `patches`. It adds its pads while it runs; those of other streams are not decoded.
pub(crate) fn decoder(
    uri: &str,
    kinds: &[&str],
    patches: &[Patch],
) -> Result<gst::Element, glib::BoolError> {
    let decoder = gst::ElementFactory::make("uridecodebin")
        .property("uri", uri)
        .build()?;
    // The property `caps` would rule out decoders that are bins, such as that of video with alpha.
    let decodes_sound = kinds.contains(&AUDIO);
    let is_container = AtomicBool::new(true);
    decoder.connect("autoplug-continue", false, move |values| {
        let caps: gst::Caps = values[2].get().ok()?;
        // The first caps are those of the file.
        let is_container = is_container.swap(false, Ordering::Relaxed);
        let name = caps.structure(0)?.name().as_str();
        Some((is_container || is_decoded(name, decodes_sound)).to_value())
    });
    let mut patches = patches.to_vec();
    if let Ok((path, _)) = glib::filename_from_uri(uri)
        // A file that cannot be read has another error.
        && let Ok(Some(field)) = movie::duration_that_hides_video(&path)
    {
        // A duration of 0 is unknown.
        patches.push(Patch {
            offset: field.offset,
            bytes: vec![0; field.len as usize],
        });
    }
    if !patches.is_empty() {
        decoder.connect("source-setup", false, move |values| {
            let source: gst::Element = values[1].get().ok()?;
            if let Some(pad) = source.static_pad("src") {
                patch_data(&pad, patches.clone());
            }
            None
        });
    }
    Ok(decoder)
}

/// Returns `true` if streams of this media type are decoded.
fn is_decoded(media_type: &str, decodes_sound: bool) -> bool {
    match media_type.split('/').next() {
        Some("audio") => decodes_sound,
        Some("video" | "image" | "multipart") => true,
        // Containers and encrypted streams, but not subtitles.
        Some("application") => !["subtitle", "ssa", "ass", "usf", "teletext", "kate"]
            .iter()
            .any(|kind| media_type.contains(kind)),
        _ => false,
    }
}

/// Replaces the bytes of `patches` in the data that is read at `pad`.
fn patch_data(pad: &gst::Pad, patches: Vec<Patch>) {
    pad.add_probe(
        gst::PadProbeType::PULL | gst::PadProbeType::PUSH | gst::PadProbeType::BUFFER,
        move |_, info| {
            let Some(buffer) = info.buffer_mut() else {
                return gst::PadProbeReturn::Ok;
            };
            let start = buffer.offset();
            let end = start.saturating_add(buffer.size() as u64);
            let overlaps = |patch: &&Patch| {
                let patch_end = patch.offset.saturating_add(patch.bytes.len() as u64);
                start != u64::MAX && patch.offset < end && start < patch_end
            };
            for patch in patches.iter().filter(overlaps) {
                let patch_end = patch.offset + patch.bytes.len() as u64;
                let (first, last) = (patch.offset.max(start), patch_end.min(end));
                let bytes =
                    &patch.bytes[(first - patch.offset) as usize..(last - patch.offset) as usize];
                if let Ok(mut data) = buffer.make_mut().map_writable() {
                    data[(first - start) as usize..(last - start) as usize].copy_from_slice(bytes);
                }
            }
            gst::PadProbeReturn::Ok
        },
    );
}

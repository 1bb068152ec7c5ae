// SPDX-License-Identifier: MPL-2.0

//! One size for all frames: faces stay the same and encoders do not fail if the size of a recording
//! changes.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;

/// The size of the frames of a recording.
#[derive(Clone, Default)]
pub(super) struct FrameSize(Arc<Mutex<Sizes>>);

#[derive(Default)]
struct Sizes {
    /// Width and height of the first frame in pixels.
    first: Option<(i32, i32)>,
    /// Set if a later frame has another size.
    has_others: bool,
}

impl FrameSize {
    /// Creates elements in a row that scale all frames to the size of the first one.
    ///
    /// # Errors
    /// Returns an error if an element cannot be created.
    pub(super) fn scaler(&self) -> Result<[gst::Element; 2], glib::BoolError> {
        let scale = gst::ElementFactory::make("videoscale").build()?;
        let filter = gst::ElementFactory::make("capsfilter").build()?;
        let input = scale.static_pad("sink");
        let input = input.ok_or_else(|| glib::bool_error!("videoscale has no sink pad"))?;
        let (sizes, weak_filter) = (self.0.clone(), filter.downgrade());
        // Not at the first caps: those before the tag of the orientation are of frames on their
        // side.
        input.add_probe(gst::PadProbeType::BUFFER, move |pad, _| {
            let caps = pad.current_caps();
            let first = caps.as_ref().and_then(|caps| caps.structure(0));
            if let (Some(first), Some(filter)) = (first, weak_filter.upgrade()) {
                lock(&sizes).first = size(first);
                filter.set_property("caps", caps_of_size(first));
            }
            gst::PadProbeReturn::Remove
        });
        let sizes = self.0.clone();
        input.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if let Some(gst::EventView::Caps(event)) = info.event().map(|event| event.view()) {
                let mut sizes = lock(&sizes);
                let is_other = sizes.first.is_some()
                    && event.caps().structure(0).and_then(size) != sizes.first;
                sizes.has_others |= is_other;
            }
            gst::PadProbeReturn::Ok
        });
        Ok([scale, filter])
    }

    /// Describes the size of frames that were scaled; `None` if all have the same size.
    pub(super) fn note(&self) -> Option<String> {
        let sizes = lock(&self.0);
        let (width, height) = sizes.first.filter(|_| sizes.has_others)?;
        Some(format!(
            "the size of its frames changes; all are scaled to the first size, {width}x{height}"
        ))
    }
}

/// Returns the width and height in the caps of a frame.
fn size(caps: &gst::StructureRef) -> Option<(i32, i32)> {
    Some((caps.get("width").ok()?, caps.get("height").ok()?))
}

/// Returns caps with the size in those of a frame.
fn caps_of_size(frame: &gst::StructureRef) -> gst::Caps {
    let mut caps = gst::Caps::builder(super::VIDEO).any_features();
    if let Some((width, height)) = size(frame) {
        caps = caps.field("width", width).field("height", height);
    }
    if let Ok(ratio) = frame.get::<gst::Fraction>("pixel-aspect-ratio") {
        caps = caps.field("pixel-aspect-ratio", ratio);
    }
    caps.build()
}

// SPDX-License-Identifier: MPL-2.0

//! Caps and allocation of the elements that draw an overlay.
//!
//! As GStreamer's own text overlay does, an element attaches its overlay to the frame as a
//! `GstVideoOverlayComposition` if both the caps and the allocation of downstream accept one.
//! Otherwise it blends the overlay into the frame.

use std::sync::Mutex;

use gst::prelude::*;
use gst_base::prelude::*;
use gst_video::{VideoFormat, VideoInfo, VideoOverlayCompositionMeta};

use crate::video;
use attitude::sync::lock;

/// Caps feature of frames that may carry a composition.
const COMPOSITION: &str = "meta:GstVideoOverlayComposition";

/// Caps feature of frames in textures of OpenGL.
const GL_MEMORY: &str = "memory:GLMemory";

/// Caps features of the memories that frames may be in. Those of a GPU pass untouched: its allocator
/// copies a frame to the CPU when it is mapped, which the elements do only for sampled frames and to
/// change pixels. DMABuf is not among them, because its frames may be tiled or compressed.
const MEMORIES: [&str; 4] = [
    "memory:SystemMemory",
    GL_MEMORY,
    "memory:CUDAMemory",
    "memory:VAMemory",
];

/// Output of an overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverlayOutput {
    /// The overlay is attached to the frame for downstream to draw.
    Composition,
    /// The overlay is blended into the pixels of the frame.
    Pixels,
}

/// Selects the output of an element's overlay.
#[derive(Debug, Default)]
pub(crate) struct OverlayNegotiation {
    /// `None` before the allocation query.
    output: Mutex<Option<OverlayOutput>>,
}

impl OverlayNegotiation {
    /// Resets the selection for the negotiated caps.
    pub fn set_caps(&self, incaps: &gst::CapsRef, outcaps: &gst::CapsRef) {
        *lock(&self.output) = match (may_have_composition(incaps), may_have_composition(outcaps)) {
            (_, false) => Some(OverlayOutput::Pixels),
            (true, true) => Some(OverlayOutput::Composition),
            (false, true) => None,
        };
    }

    /// Returns the selected output. Sends an allocation query once per negotiation.
    pub fn output(
        &self,
        element: &impl IsA<gst_base::BaseTransform>,
        category: gst::DebugCategory,
    ) -> OverlayOutput {
        if let Some(output) = *lock(&self.output) {
            return output;
        }
        let src_pad = element.as_ref().src_pad();
        let caps = src_pad.current_caps();
        let mut query = gst::query::Allocation::new(caps.as_ref(), false);
        let is_composition = src_pad.peer_query(&mut query)
            && query
                .find_allocation_meta::<VideoOverlayCompositionMeta>()
                .is_some();
        let output = if is_composition {
            gst::info!(category, obj = element, "downstream draws the overlay");
            OverlayOutput::Composition
        } else {
            gst::info!(
                category,
                obj = element,
                "downstream does not draw overlays; blending the overlay into frames"
            );
            OverlayOutput::Pixels
        };
        *lock(&self.output) = Some(output);
        output
    }
}

/// Returns the pad templates for raw video of these formats in all [`MEMORIES`], with and without a
/// composition.
pub(crate) fn pad_templates(
    formats: impl IntoIterator<Item = VideoFormat>,
) -> Vec<gst::PadTemplate> {
    let raw = gst_video::VideoCapsBuilder::new()
        .format_list(formats)
        .build();
    let mut caps = gst::Caps::new_empty();
    for memory in MEMORIES {
        let mut in_memory = raw.clone();
        let with_features = in_memory.make_mut();
        if memory == GL_MEMORY {
            // Textures of a third kind, external-oes, cannot be mapped.
            with_features.set("texture-target", gst::List::new(["2D", "rectangle"]));
        }
        with_features.set_features_simple(Some(gst::CapsFeatures::new([memory])));
        let with_composition = map_features(&in_memory, |features| features.add(COMPOSITION));
        caps.merge(in_memory);
        caps.merge(with_composition);
    }
    video::pad_templates(&caps)
}

/// Returns the caps of the other pad for `caps` on the pad of `direction`. If the element draws,
/// frames that come without a composition may leave with one.
pub(crate) fn transform_caps(
    direction: gst::PadDirection,
    caps: &gst::Caps,
    filter: Option<&gst::Caps>,
    draws: bool,
) -> gst::Caps {
    let transformed = match direction {
        _ if !draws => caps.clone(),
        gst::PadDirection::Sink => preferably_with_composition(caps),
        _ => or_without_composition(caps),
    };
    match filter {
        Some(filter) => filter.intersect_with_mode(&transformed, gst::CapsIntersectMode::First),
        None => transformed,
    }
}

/// Restricts caps that are about to be fixated to those with a composition, if there are any.
pub(crate) fn prefer_composition(caps: gst::Caps) -> gst::Caps {
    only_with_composition(&caps).unwrap_or(caps)
}

/// Parses the caps of raw video.
///
/// # Errors
/// Returns an error if the caps do not describe raw video.
pub(crate) fn video_info(
    caps: &gst::Caps,
    category: gst::DebugCategory,
) -> Result<VideoInfo, gst::LoggableError> {
    VideoInfo::from_caps(caps).map_err(|_| {
        gst::loggable_error!(
            category,
            "these caps do not describe raw video: {caps}; insert decodebin ! videoconvert upstream"
        )
    })
}

/// Returns `true` if frames of these caps may carry a composition.
fn may_have_composition(caps: &gst::CapsRef) -> bool {
    caps.features(0)
        .is_some_and(|features| features.contains(COMPOSITION))
}

/// Returns `caps` with the feature [`COMPOSITION`], followed by `caps` unchanged.
fn preferably_with_composition(caps: &gst::Caps) -> gst::Caps {
    let mut with_composition = map_features(caps, |features| features.add(COMPOSITION));
    with_composition.merge(caps.clone());
    with_composition
}

/// Returns `caps`, followed by `caps` without the feature [`COMPOSITION`].
fn or_without_composition(caps: &gst::Caps) -> gst::Caps {
    let mut all = caps.clone();
    all.merge(map_features(caps, |features| features.remove(COMPOSITION)));
    all
}

fn map_features(caps: &gst::Caps, change: impl Fn(&mut gst::CapsFeatures)) -> gst::Caps {
    let structures = caps.iter_with_features().map(|(structure, features)| {
        let mut features = features.to_owned();
        if !features.is_any() {
            change(&mut features);
        }
        (structure.to_owned(), features)
    });
    structures.collect()
}

/// Returns the first structure of `caps` with the feature [`COMPOSITION`]; `None` if there is none.
fn only_with_composition(caps: &gst::Caps) -> Option<gst::Caps> {
    let (structure, features) = caps
        .iter_with_features()
        .find(|(_, features)| features.contains(COMPOSITION))?;
    Some(
        [(structure.to_owned(), features.to_owned())]
            .into_iter()
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> gst::Caps {
        gst::init().unwrap();
        text.parse().unwrap()
    }

    #[test]
    fn frames_in_mappable_memory_are_accepted_and_others_are_not() {
        gst::init().unwrap();
        let template = pad_templates([VideoFormat::Rgba]).remove(0);
        let accepts = |text: &str| caps(text).can_intersect(template.caps());
        for accepted in [
            "video/x-raw, format=RGBA",
            "video/x-raw(memory:GLMemory), format=RGBA, texture-target=2D",
            "video/x-raw(memory:GLMemory, meta:GstVideoOverlayComposition), format=RGBA, texture-target=rectangle",
            "video/x-raw(memory:CUDAMemory), format=RGBA",
            "video/x-raw(memory:VAMemory, meta:GstVideoOverlayComposition), format=RGBA",
        ] {
            assert!(accepts(accepted), "{accepted}");
        }
        for refused in [
            "video/x-raw, format=NV12",
            "video/x-raw(memory:GLMemory), format=RGBA, texture-target=external-oes",
            "video/x-raw(memory:DMABuf), format=RGBA",
        ] {
            assert!(!accepts(refused), "{refused}");
        }
    }

    #[test]
    fn caps_with_a_composition_are_preferred_and_caps_without_one_accepted() {
        let plain = caps("video/x-raw, format=RGB");
        let announced =
            caps("video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=RGB");
        let mut both = announced.clone();
        both.merge(plain.clone());
        assert_eq!(preferably_with_composition(&plain), both);
        assert_eq!(preferably_with_composition(&announced), announced);
        assert_eq!(or_without_composition(&announced), both);
        assert_eq!(or_without_composition(&plain), plain);
        assert_eq!(only_with_composition(&both), Some(announced.clone()));
        assert_eq!(only_with_composition(&plain), None);
        assert!(may_have_composition(&announced) && !may_have_composition(&plain));
    }
}

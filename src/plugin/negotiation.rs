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

/// The caps feature of frames that may carry a composition.
const FEATURE: &str = "meta:GstVideoOverlayComposition";

/// Decides whether downstream draws the overlay of an element.
#[derive(Debug, Default)]
pub(crate) struct OverlayTarget {
    /// `true` if downstream draws the overlay; `None` before the allocation query.
    is_downstream: Mutex<Option<bool>>,
}

impl OverlayTarget {
    /// Resets the decision for the negotiated caps.
    pub fn set_caps(&self, incaps: &gst::CapsRef, outcaps: &gst::CapsRef) {
        *lock(&self.is_downstream) = match (has_feature(incaps), has_feature(outcaps)) {
            (_, false) => Some(false),
            (true, true) => Some(true),
            (false, true) => None,
        };
    }

    /// Returns `true` if the overlay is attached for downstream to draw. Sends an allocation query
    /// once per negotiation.
    pub fn is_downstream(
        &self,
        element: &impl IsA<gst_base::BaseTransform>,
        category: gst::DebugCategory,
    ) -> bool {
        if let Some(is_downstream) = *lock(&self.is_downstream) {
            return is_downstream;
        }
        let src_pad = element.as_ref().src_pad();
        let caps = src_pad.current_caps();
        let mut query = gst::query::Allocation::new(caps.as_ref(), false);
        let is_downstream = src_pad.peer_query(&mut query)
            && query
                .find_allocation_meta::<VideoOverlayCompositionMeta>()
                .is_some();
        let drawer = if is_downstream {
            "downstream"
        } else {
            "this element"
        };
        gst::info!(category, obj = element, "the overlay is drawn by {drawer}");
        *lock(&self.is_downstream) = Some(is_downstream);
        is_downstream
    }
}

/// Returns the pad templates for raw video of these formats, with and without a composition.
pub(crate) fn pad_templates(
    formats: impl IntoIterator<Item = VideoFormat>,
) -> Vec<gst::PadTemplate> {
    let mut caps = gst_video::VideoCapsBuilder::new()
        .format_list(formats)
        .build();
    let mut with_composition = caps.clone();
    let features = ["memory:SystemMemory", FEATURE];
    with_composition
        .make_mut()
        .set_features_simple(Some(gst::CapsFeatures::new(features)));
    caps.merge(with_composition);
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
        gst::PadDirection::Sink => with_announced(caps),
        _ => with_plain(caps),
    };
    match filter {
        Some(filter) => filter.intersect_with_mode(&transformed, gst::CapsIntersectMode::First),
        None => transformed,
    }
}

/// Restricts caps that are about to be fixated to those with a composition, if there are any.
pub(crate) fn prefer_composition(caps: gst::Caps) -> gst::Caps {
    announced_among(&caps).unwrap_or(caps)
}

/// Parses the caps of raw video.
pub(crate) fn video_info(
    caps: &gst::Caps,
    category: gst::DebugCategory,
) -> Result<VideoInfo, gst::LoggableError> {
    VideoInfo::from_caps(caps)
        .map_err(|_| gst::loggable_error!(category, "caps are not raw video: {caps}"))
}

/// Returns `true` if frames of these caps may carry a composition.
fn has_feature(caps: &gst::CapsRef) -> bool {
    caps.features(0)
        .is_some_and(|features| features.contains(FEATURE))
}

/// Returns `caps` with the feature, followed by `caps`.
fn with_announced(caps: &gst::Caps) -> gst::Caps {
    let mut announced = map_features(caps, |features| features.add(FEATURE));
    announced.merge(caps.clone());
    announced
}

/// Returns `caps`, followed by `caps` without the feature.
fn with_plain(caps: &gst::Caps) -> gst::Caps {
    let mut all = caps.clone();
    all.merge(map_features(caps, |features| features.remove(FEATURE)));
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

/// Returns the first of `caps` that has the feature.
fn announced_among(caps: &gst::Caps) -> Option<gst::Caps> {
    let (structure, features) = caps
        .iter_with_features()
        .find(|(_, features)| features.contains(FEATURE))?;
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
    fn caps_are_offered_with_the_feature_first_and_taken_without_it_too() {
        let plain = caps("video/x-raw, format=RGB");
        let announced =
            caps("video/x-raw(memory:SystemMemory, meta:GstVideoOverlayComposition), format=RGB");
        let mut both = announced.clone();
        both.merge(plain.clone());
        assert_eq!(with_announced(&plain), both);
        assert_eq!(with_announced(&announced), announced);
        assert_eq!(with_plain(&announced), both);
        assert_eq!(with_plain(&plain), plain);
        assert_eq!(announced_among(&both), Some(announced.clone()));
        assert_eq!(announced_among(&plain), None);
        assert!(has_feature(&announced) && !has_feature(&plain));
    }
}

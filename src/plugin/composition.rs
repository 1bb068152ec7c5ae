// SPDX-License-Identifier: MPL-2.0

//! Who draws an overlay: what is downstream, if its caps and its allocation both say that it takes a
//! `GstVideoOverlayComposition`, as GStreamer's own text overlay negotiates it; else whoever has
//! made the overlay.

use gst::prelude::*;
use gst_video::VideoOverlayCompositionMeta;

/// The feature of caps whose frames may carry a composition.
const FEATURE: &str = "meta:GstVideoOverlayComposition";

/// What an element that makes overlays takes or gives on its other pad for `caps` on the pad of
/// `direction`: frames without a composition come out with one where downstream takes that.
pub(super) fn transformed(direction: gst::PadDirection, caps: &gst::Caps) -> gst::Caps {
    match direction {
        gst::PadDirection::Sink => with_announced(caps),
        _ => with_plain(caps),
    }
}

/// Whether an overlay is attached to frames that come with `incaps` and go with `outcaps`; `None`
/// where downstream is to be asked, by [`is_drawn_downstream`], once it has them.
pub(super) fn is_attached(incaps: &gst::CapsRef, outcaps: &gst::CapsRef) -> Option<bool> {
    match (is_announced_by(incaps), is_announced_by(outcaps)) {
        (_, false) => Some(false),
        (true, true) => Some(true),
        (false, true) => None,
    }
}

/// `caps`, raw video, and the same with a composition.
pub(super) fn with_composition(caps: gst::Caps) -> gst::Caps {
    let mut with_composition = caps.clone();
    let features = ["memory:SystemMemory", FEATURE];
    with_composition
        .make_mut()
        .set_features_simple(Some(gst::CapsFeatures::new(features)));
    let mut all = caps;
    all.merge(with_composition);
    all
}

/// Whether frames of these caps may carry a composition.
fn is_announced_by(caps: &gst::CapsRef) -> bool {
    caps.features(0)
        .is_some_and(|features| features.contains(FEATURE))
}

/// `caps` with the feature, then `caps` themselves.
fn with_announced(caps: &gst::Caps) -> gst::Caps {
    let mut announced = each_features(caps, |features| features.add(FEATURE));
    announced.merge(caps.clone());
    announced
}

/// `caps`, then `caps` without the feature.
fn with_plain(caps: &gst::Caps) -> gst::Caps {
    let mut all = caps.clone();
    all.merge(each_features(caps, |features| features.remove(FEATURE)));
    all
}

fn each_features(caps: &gst::Caps, change: impl Fn(&mut gst::CapsFeatures)) -> gst::Caps {
    let structures = caps.iter_with_features().map(|(structure, features)| {
        let mut features = features.to_owned();
        if !features.is_any() {
            change(&mut features);
        }
        (structure.to_owned(), features)
    });
    structures.collect()
}

/// The first of `caps` with the feature, if there is one.
pub(super) fn announced_among(caps: &gst::Caps) -> Option<gst::Caps> {
    let (structure, features) = caps
        .iter_with_features()
        .find(|(_, features)| features.contains(FEATURE))?;
    Some(
        [(structure.to_owned(), features.to_owned())]
            .into_iter()
            .collect(),
    )
}

/// Whether what is downstream of `src_pad`, whose caps it knows, says that it draws compositions.
pub(super) fn is_drawn_downstream(src_pad: &gst::Pad) -> bool {
    let caps = src_pad.current_caps();
    let mut query = gst::query::Allocation::new(caps.as_ref(), false);
    src_pad.peer_query(&mut query)
        && query
            .find_allocation_meta::<VideoOverlayCompositionMeta>()
            .is_some()
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
        assert!(is_announced_by(&announced) && !is_announced_by(&plain));
    }
}

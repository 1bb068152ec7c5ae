// SPDX-License-Identifier: MPL-2.0

//! The element `attitudeoverlay`.

use gst::prelude::*;

mod imp;
mod settings;

glib::wrapper! {
    /// Draws what a frame's metadata tell of faces and their attitude: boxes, labels, each face's
    /// history and that of the whole scene. It looks at no pixel, unless faces are to be made
    /// unrecognisable.
    ///
    /// The metadata may be of `faceattitude`, attached anywhere upstream, or
    /// `GstAnalyticsRelationMeta` of another element.
    ///
    /// ```text
    /// gst-launch-1.0 v4l2src ! videoconvert ! faceattitude ! attitudeoverlay scores=true ! videoconvert ! autovideosink
    /// gst-launch-1.0 filesrc location=meeting.mp4 ! decodebin ! videoconvert ! faceattitude sample-interval=0 ! attitudeoverlay blur-faces=true ! videoconvert ! autovideosink
    /// ```
    pub struct AttitudeOverlay(ObjectSubclass<imp::AttitudeOverlay>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

pub(super) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "attitudeoverlay",
        gst::Rank::NONE,
        AttitudeOverlay::static_type(),
    )
}

// SPDX-License-Identifier: MPL-2.0

//! SECTION:element-attitudeoverlay
//!
//! `attitudeoverlay` draws the faces that the metadata of a frame describe: boxes, labels, the
//! recent history of each face and that of the whole scene. It can also pixelate the faces. It does
//! not analyze the picture.
//!
//! The metadata are those of `faceattitude`, which may run anywhere upstream, or the
//! `GstAnalyticsRelationMeta` of another element.
//!
//! ## Example pipelines
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! videoconvert ! faceattitude ! attitudeoverlay scores=true ! videoconvert ! autovideosink
//! ```
//!
//! Draws the overlay with the scores of each face.
//!
//! ```sh
//! gst-launch-1.0 filesrc location=meeting.mp4 ! decodebin ! videoconvert ! faceattitude sample-interval=0 ! attitudeoverlay blur-faces=true ! videoconvert ! autovideosink
//! ```
//!
//! Analyzes every frame of a recording and pixelates the faces.
//!
//! Since: 0.1.0

use gst::prelude::*;

mod imp;
mod settings;

glib::wrapper! {
    /// The element `attitudeoverlay`; see the [module](self).
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

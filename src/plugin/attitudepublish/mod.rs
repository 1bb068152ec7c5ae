// SPDX-License-Identifier: MPL-2.0

//! SECTION:element-attitudepublish
//!
//! `attitudepublish` publishes the faces in the metadata of frames, and their attitudes, to a message
//! broker or a webhook. Frames pass through it unchanged, whatever their caps, and never wait: if the
//! broker is slow or unavailable, messages are lost, or stay in a file, by the property `delivery`.
//!
//! The property `location` is a URI whose scheme selects the protocol: `mqtt`, `mqtts`, `redis`,
//! `rediss`, `nats`, `natss`, `http` or `https`.
//!
//! ## Example pipelines
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! decodebin ! videoconvert ! faceattitude ! attitudepublish location=mqtt://localhost topic=camera ! fakesink
//! ```
//!
//! Publishes one message per sample of a camera.
//!
//! Since: 0.1.0

use gst::prelude::*;

mod imp;
mod settings;

glib::wrapper! {
    /// The element `attitudepublish`; see the [module](self).
    pub struct AttitudePublish(ObjectSubclass<imp::AttitudePublish>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Decides which messages are lost if the broker is slow or unavailable; the property `delivery`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstAttitudePublishDelivery")]
pub enum Delivery {
    /// The latest messages are kept in memory, and the oldest ones are dropped.
    #[default]
    #[enum_value(name = "Keep the latest messages in memory", nick = "latest")]
    Latest,
    /// All messages are kept in a file until they are delivered.
    #[enum_value(
        name = "Keep all messages in a file until they are delivered",
        nick = "buffered"
    )]
    Buffered,
}

pub(super) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    #[cfg(feature = "doc")]
    Delivery::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(
        Some(plugin),
        "attitudepublish",
        gst::Rank::NONE,
        AttitudePublish::static_type(),
    )
}

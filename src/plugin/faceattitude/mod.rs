// SPDX-License-Identifier: MPL-2.0

//! SECTION:element-faceattitude
//!
//! `faceattitude` finds the faces in raw video, tracks each one and classifies its attitude:
//! positive, neutral or negative.
//!
//! The result is attached to every frame as one `GstVideoRegionOfInterestMeta` of type `face` per
//! face ([`meta`](crate::meta)), posted on the bus as element messages named `faceattitude`
//! ([`message`](crate::message)), and drawn if the property `overlay` is set.
//!
//! In a live pipeline frames are never delayed, and results attach to later frames, together with
//! their age. Otherwise each sampled frame waits for its own result, and the same input gives the
//! same output. The property `mode` selects one of the two.
//!
//! ## Example pipelines
//!
//! ```sh
//! gst-launch-1.0 v4l2src ! decodebin ! videoconvert ! faceattitude overlay=true ! videoconvert ! autovideosink
//! ```
//!
//! Shows the camera's picture with an overlay.
//!
//! ```sh
//! gst-launch-1.0 -m filesrc location=interview.mp4 ! decodebin ! videoconvert ! faceattitude messages=sample ! fakesink
//! ```
//!
//! Prints one message per sample of a recording.
//!
//! Since: 0.1.0

use std::sync::LazyLock;

use attitude::baseline::BaselineMode;
use attitude_inference::provider::Provider;
use gst::prelude::*;

mod imp;
mod messages;
mod orientation;
mod processing;
mod settings;
mod stats;
mod stream;

#[cfg(test)]
mod tests;

pub use orientation::OrientationMethod;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "faceattitude",
        gst::DebugColorFlags::empty(),
        Some("Detection, tracking and classification of faces"),
    )
});

glib::wrapper! {
    /// The element `faceattitude`; see the [module](self).
    pub struct FaceAttitude(ObjectSubclass<imp::FaceAttitude>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Selects whether sampled frames wait for their results; the property `mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeMode")]
pub enum Mode {
    /// `live` if upstream is live, otherwise `sync`.
    #[default]
    #[enum_value(name = "Live if upstream is live, otherwise sync", nick = "auto")]
    Auto,
    /// Never delays frames; results attach to later frames.
    #[enum_value(
        name = "Never delay frames; attach results to later frames",
        nick = "live"
    )]
    Live,
    /// Delays each sampled frame until its result is available.
    #[enum_value(
        name = "Delay each sampled frame until its result is available",
        nick = "sync"
    )]
    Sync,
}

macro_rules! define_execution_provider {
    ($($variant:ident $name:literal $description:literal { $($row:tt)* })*) => {
        /// Execution provider of ONNX Runtime that runs the networks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, glib::Enum)]
        #[enum_type(name = "GstFaceAttitudeExecutionProvider")]
        pub enum ExecutionProvider {
            $(
                #[doc = concat!($description, ".")]
                #[enum_value(name = $description, nick = $name)]
                $variant,
            )*
        }

        impl From<ExecutionProvider> for Provider {
            fn from(provider: ExecutionProvider) -> Self {
                match provider {
                    $(ExecutionProvider::$variant => Self::$variant,)*
                }
            }
        }
    };
}

attitude_inference::execution_providers!(define_execution_provider);

/// Selects the action if the requested execution provider cannot run; the property `fallback`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeFallback")]
pub enum Fallback {
    /// Posts a warning and uses the CPU.
    #[default]
    #[enum_value(name = "Warn and use the CPU", nick = "warn")]
    Warn,
    /// Fails to start.
    #[enum_value(name = "Fail to start", nick = "error")]
    Error,
}

/// Selects how the baseline of each face is computed; the property `baseline`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeBaseline")]
pub enum Baseline {
    /// There is no baseline.
    #[default]
    #[enum_value(name = "No baseline", nick = "off")]
    Off,
    /// The median valence so far.
    #[enum_value(name = "Median valence so far", nick = "auto")]
    Auto,
    /// The median valence over the first `baseline-time`.
    #[enum_value(name = "Median valence over the first baseline-time", nick = "learn")]
    Learn,
}

impl From<Baseline> for BaselineMode {
    fn from(baseline: Baseline) -> Self {
        match baseline {
            Baseline::Off => Self::Off,
            Baseline::Auto => Self::Auto,
            Baseline::Learn => Self::Learn,
        }
    }
}

/// Selects the samples for which a message is posted on the bus; the property `messages`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeMessages")]
pub enum Messages {
    /// No samples.
    #[enum_value(name = "No samples", nick = "none")]
    None,
    /// Samples in which a face appears, disappears or changes its attitude.
    #[default]
    #[enum_value(
        name = "Samples in which a face appears, disappears or changes its attitude",
        nick = "change"
    )]
    Change,
    /// All samples, including samples without faces.
    #[enum_value(name = "All samples, including samples without faces", nick = "sample")]
    Sample,
}

pub(super) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    #[cfg(feature = "doc")]
    for enumeration in [
        Mode::static_type(),
        ExecutionProvider::static_type(),
        Fallback::static_type(),
        Baseline::static_type(),
        Messages::static_type(),
        OrientationMethod::static_type(),
    ] {
        enumeration.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(
        Some(plugin),
        "faceattitude",
        gst::Rank::NONE,
        FaceAttitude::static_type(),
    )
}

// SPDX-License-Identifier: MPL-2.0

//! The element `faceattitude`.

use std::sync::LazyLock;

use attitude_inference::provider::Provider;
use gst::prelude::*;

mod imp;
mod settings;
mod stats;
mod stream;

#[cfg(test)]
mod tests;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "faceattitude",
        gst::DebugColorFlags::empty(),
        Some("Attitude of faces"),
    )
});

glib::wrapper! {
    /// Finds the faces in raw video, follows each one and classifies its attitude: positive,
    /// neutral or negative.
    ///
    /// What it finds is attached to every frame as `GstVideoRegionOfInterestMeta` of type `face`,
    /// told on the bus as element messages named `faceattitude`
    /// ([`Record`](attitude::record::Record) reads them), and drawn if asked.
    ///
    /// ```text
    /// gst-launch-1.0 v4l2src ! decodebin ! videoconvert ! faceattitude overlay=true ! videoconvert ! autovideosink
    /// gst-launch-1.0 -m filesrc location=interview.mp4 ! decodebin ! videoconvert ! faceattitude messages=sample ! fakesink
    /// ```
    ///
    /// In a live pipeline frames pass at once and results attach to later frames, with their age;
    /// otherwise each sampled frame waits for its own result, and the same input gives the same
    /// output. The property `mode` chooses.
    pub struct FaceAttitude(ObjectSubclass<imp::FaceAttitude>)
        @extends gst_base::BaseTransform, gst::Element, gst::Object;
}

/// How frames and their results meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeMode")]
pub enum Mode {
    /// `live` where upstream says that it is live, else `sync`.
    #[default]
    #[enum_value(name = "Live if upstream is live, else sync", nick = "auto")]
    Auto,
    /// Frames are never delayed, results attach to later frames.
    #[enum_value(
        name = "Never delay frames, attach results to later ones",
        nick = "live"
    )]
    Live,
    /// A sampled frame waits for its own result.
    #[enum_value(name = "Sampled frames wait for their own result", nick = "sync")]
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

/// What happens where the asked provider cannot run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeFallback")]
pub enum Fallback {
    /// The CPU takes over, with a warning.
    #[default]
    #[enum_value(name = "Warn and use the CPU", nick = "warn")]
    Warn,
    /// The element does not start.
    #[enum_value(name = "Fail to start", nick = "error")]
    Error,
}

/// Which messages are posted on the bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstFaceAttitudeMessages")]
pub enum Messages {
    /// None.
    #[enum_value(name = "No messages", nick = "none")]
    None,
    /// One where a face comes, goes or changes its attitude.
    #[default]
    #[enum_value(name = "When a face comes, goes or changes attitude", nick = "change")]
    Change,
    /// One for every sample, also without faces.
    #[enum_value(name = "For every sample", nick = "sample")]
    Sample,
}

pub(super) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    #[cfg(feature = "doc")]
    for enumeration in [
        Mode::static_type(),
        ExecutionProvider::static_type(),
        Fallback::static_type(),
        Messages::static_type(),
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

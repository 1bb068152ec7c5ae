// SPDX-License-Identifier: MPL-2.0

//! Codecs that browsers play, and their RTP packets.

use gst::prelude::*;

/// A codec that browsers play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    H264,
    Vp8,
    Vp9,
}

impl Codec {
    /// Returns the codec of `caps`, if browsers play it.
    pub(crate) fn from_caps(caps: &gst::CapsRef) -> Option<Self> {
        match caps.structure(0)?.name().as_str() {
            "video/x-h264" => Some(Self::H264),
            "video/x-vp8" => Some(Self::Vp8),
            "video/x-vp9" => Some(Self::Vp9),
            _ => None,
        }
    }

    /// Returns the element that outputs whole frames, and its output caps.
    pub(crate) fn parser(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::H264 => Some(("h264parse", "video/x-h264, alignment=au")),
            Self::Vp8 => None,
            Self::Vp9 => Some(("vp9parse", "video/x-vp9, alignment=super-frame")),
        }
    }

    /// Creates a payloader whose RTP timestamps are running times.
    pub(crate) fn payloader(self) -> Result<gst::Element, glib::BoolError> {
        let (name, properties) = match self {
            Self::H264 => (
                "rtph264pay",
                &[
                    ("config-interval", "-1"),
                    ("aggregate-mode", "zero-latency"),
                ][..],
            ),
            Self::Vp8 => ("rtpvp8pay", &[("picture-id-mode", "15-bit")][..]),
            Self::Vp9 => ("rtpvp9pay", &[("picture-id-mode", "15-bit")][..]),
        };
        let element = gst::ElementFactory::make(name)
            .property("timestamp-offset", 0u32)
            .property("perfect-rtptime", false)
            .property("pt", 96u32)
            .property("mtu", 1200u32)
            .build()?;
        for (name, value) in properties {
            element.set_property_from_str(name, value);
        }
        Ok(element)
    }

    /// Returns the caps for the SDP offer.
    pub(crate) fn offer(self) -> Result<gst::Caps, glib::BoolError> {
        let encoding = match self {
            // Constrained baseline, which all browsers accept in an offer. They decode the other
            // profiles, too.
            Self::H264 => {
                "H264, packetization-mode=(string)1, profile-level-id=(string)42e01f, \
                 level-asymmetry-allowed=(string)1"
            }
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
        };
        format!(
            "application/x-rtp, media=video, encoding-name={encoding}, payload=96, clock-rate=90000, \
             rtcp-fb-nack-pli=true, rtcp-fb-ccm-fir=true"
        )
        .parse()
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The elements that receive the source's video from a WHIP client.

use gst::prelude::*;
use gst_webrtc::WebRTCICEConnectionState;

use super::super::arguments::Arguments;
use super::super::limits::{limit_bitrate, limit_size};
use crate::webrtc::{network, peer};

/// Name of the `webrtcbin` in its pipeline.
const WEBRTC: &str = "webrtc";
/// Time to wait for lost packets; other packets are not delayed.
const LATENCY_MS: u32 = 100;

/// Adds a `webrtcbin` to `pipeline`. Returns the bin
/// that adds a pad for the encoded video.
pub(crate) fn add_to(
    pipeline: &gst::Pipeline,
    arguments: &Arguments,
) -> Result<gst::Element, glib::BoolError> {
    let addresses = network::addresses(arguments.listen.ip());
    let addresses = addresses
        .map_err(|error| glib::bool_error!("the network interfaces cannot be listed: {error}"))?;
    let webrtc = peer::create(&addresses, LATENCY_MS)?;
    let bin = gst::Bin::new();
    bin.add(&webrtc)?;
    pipeline.add(&bin)?;
    peer::attach_capture_times(&webrtc);
    request_lost_packets(&webrtc);
    end_on_failure(&webrtc);
    let (max_bitrate, max_size) = (arguments.max_bitrate, arguments.max_size);
    let weak = bin.downgrade();
    webrtc.connect_pad_added(move |_, pad| {
        if let Some(bin) = weak.upgrade().filter(|bin| bin.num_src_pads() == 0)
            && pad.direction() == gst::PadDirection::Src
            && let Err(error) = add_depayloader(&bin, pad, max_bitrate, max_size)
        {
            fail(&bin, &error.message);
        }
    });
    Ok(bin.upcast())
}

/// Returns the `webrtcbin` of a pipeline.
pub(crate) fn webrtc(pipeline: &gst::Pipeline) -> Option<gst::Element> {
    pipeline.by_name(WEBRTC)
}

/// Adds a depayloader for the packets of `pad`, and a pad with its output to `bin`.
fn add_depayloader(
    bin: &gst::Bin,
    pad: &gst::Pad,
    max_bitrate_kbits: u32,
    max_size: (u32, u32),
) -> Result<(), glib::BoolError> {
    let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
    let caps = caps.structure(0);
    let encoding = caps.and_then(|caps| caps.get::<&str>("encoding-name").ok());
    let factory = match encoding {
        Some("VP8") => "rtpvp8depay",
        Some("VP9") => "rtpvp9depay",
        Some("H264") => "rtph264depay",
        _ => return Err(glib::bool_error!("its codec is none of VP8, VP9 and H.264")),
    };
    // After lost packets, frames are wrong until the next keyframe.
    let depayloader = gst::ElementFactory::make(factory)
        .property("request-keyframe", true)
        .property("wait-for-keyframe", true)
        .build()?;
    bin.add(&depayloader)?;
    let ends = (
        depayloader.static_pad("sink"),
        depayloader.static_pad("src"),
    );
    let (Some(input), Some(output)) = ends else {
        return Err(glib::bool_error!("{factory} has no pads"));
    };
    let weak = bin.downgrade();
    let exceed = move |problem: String| {
        if let Some(bin) = weak.upgrade() {
            fail(&bin, &problem);
        }
    };
    limit_bitrate(&input, max_bitrate_kbits, exceed.clone());
    limit_size(&output, max_size, exceed);
    depayloader.sync_state_with_parent()?;
    let ghost = gst::GhostPad::with_target(&output)?;
    ghost.set_active(true)?;
    bin.add_pad(&ghost)?;
    let linked = pad.link(&input);
    linked
        .map(drop)
        .map_err(|error| glib::bool_error!("{factory} cannot be linked: {error}"))
}

/// Makes `webrtc` ask for lost packets again.
fn request_lost_packets(webrtc: &gst::Element) {
    webrtc.connect("on-new-transceiver", false, |values| {
        if let Some(Ok(transceiver)) = values.get(1).map(glib::Value::get::<glib::Object>) {
            transceiver.set_property("do-nack", true);
        }
        None
    });
}

/// Posts an error when the connection fails.
fn end_on_failure(webrtc: &gst::Element) {
    webrtc.connect_notify(Some("ice-connection-state"), |webrtc, _| {
        let state = webrtc.property::<WebRTCICEConnectionState>("ice-connection-state");
        if state == WebRTCICEConnectionState::Failed {
            fail(webrtc, "the client and the server cannot reach each other");
        }
    });
}

/// Posts an error with a sentence for visitors, which ends the reading.
fn fail(element: &impl IsA<gst::Element>, problem: &str) {
    gst::element_error!(element, gst::ResourceError::Failed, ("{problem}"));
}

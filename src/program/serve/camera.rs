// SPDX-License-Identifier: MPL-2.0

//! Sessions that receive a visitor's camera: received, decoded, analyzed, discarded.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;
use gst_webrtc::{WebRTCRTPTransceiver, WebRTCRTPTransceiverDirection};

use super::analysis::{Analysis, AnalysisControls};
use super::arguments::Arguments;
use super::end::Reason;
use super::limits::{limit_bitrate, limit_size};
use super::metrics::{Metrics, Watch};
use super::session::{CreateError, Session};
use crate::publishing::SourcePublisher;
use crate::webrtc::peer;

/// Time to wait for lost packets; other packets are not delayed.
const LATENCY_MS: u32 = 100;
/// VP8, which all browsers send, with transport-wide feedback, by which a page adapts its bitrate.
const CAPS: &str = "application/x-rtp, media=video, encoding-name=VP8, payload=96, clock-rate=90000, \
    rtcp-fb-nack-pli=true, rtcp-fb-ccm-fir=true, rtcp-fb-transport-cc=true, \
    extmap-1=\"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\"";

/// Creates a session that receives a camera. The watch counts its analysis until it is dropped.
pub(crate) fn session(
    number: u64,
    arguments: &Arguments,
    metrics: &Metrics,
    publisher: Option<SourcePublisher>,
) -> Result<(Session, Watch), CreateError> {
    let controls: Arc<Mutex<Option<AnalysisControls>>> = Arc::default();
    let session = Session::new(number, arguments.listen.ip(), LATENCY_MS, {
        let controls = controls.clone();
        move |message| {
            if let Some(controls) = &*lock(&controls) {
                controls.apply(message);
            }
        }
    })?;
    let analysis = Analysis::new(arguments, &session.channels, publisher)?;
    *lock(&controls) = Some(analysis.controls());

    let depay = gst::ElementFactory::make("rtpvp8depay")
        .property("request-keyframe", true)
        .property("wait-for-keyframe", true)
        .build()?;
    // One thread: one visitor must not use all cores.
    let decode = gst::ElementFactory::make("vp8dec")
        .property("threads", 1u32)
        .build()?;
    session
        .pipeline
        .add_many([&depay, &decode, analysis.bin.upcast_ref()])?;
    gst::Element::link_many([&depay, &decode, analysis.bin.upcast_ref()])?;
    let pad = |element: &gst::Element, name: &str| -> Result<gst::Pad, glib::BoolError> {
        let pad = element.static_pad(name);
        pad.ok_or_else(|| glib::bool_error!("{} has no pad {name}", element.name()))
    };
    let input = pad(&depay, "sink")?;
    metrics.count_received(&input);
    let end = session.end.clone();
    let exceed = move |problem| end.end(Reason::Limit, problem);
    limit_bitrate(&input, arguments.max_bitrate, exceed.clone());
    limit_size(&pad(&depay, "src")?, arguments.max_size, exceed);

    let caps: gst::Caps = CAPS.parse()?;
    let transceiver = session.webrtc.emit_by_name::<WebRTCRTPTransceiver>(
        "add-transceiver",
        &[&WebRTCRTPTransceiverDirection::Recvonly, &caps],
    );
    transceiver.set_property("do-nack", true);
    // Pages match frames and records by it.
    peer::attach_capture_times(&session.webrtc);
    let input = input.downgrade();
    session.webrtc.connect_pad_added(move |_, pad| {
        if let Some(input) = input.upgrade()
            && pad.direction() == gst::PadDirection::Src
            && !input.is_linked()
        {
            // If this fails, webrtcbin posts an error: its pad is not linked.
            let _ = pad.link(&input);
        }
    });
    Ok((session, metrics.watch(&analysis.faceattitude)))
}

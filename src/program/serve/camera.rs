// SPDX-License-Identifier: MPL-2.0

//! What a visitor's camera goes through: received, decoded, analysed, and gone.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use gst::prelude::*;
use gst_webrtc::{WebRTCRTPTransceiver, WebRTCRTPTransceiverDirection};

use super::arguments::Arguments;
use super::ending::Reason;
use super::metrics::{Metrics, Watch};
use super::results::Analysis;
use super::session::{End, Session};
use attitude::sync::lock;

/// How long lost packets are waited for; packets that are there are not held up.
const LATENCY_MS: u32 = 100;
/// More than so many times the bitrate that a page was asked to keep is too much.
const BITRATE_TOLERANCE: u64 = 2;
/// Over as long a time.
const BITRATE_WINDOW_S: u64 = 5;
/// VP8, that all browsers send; a page adapts its bitrate to what is told of each packet's arrival.
const CAPS: &str = "application/x-rtp, media=video, encoding-name=VP8, payload=96, clock-rate=90000, \
    rtcp-fb-nack-pli=true, rtcp-fb-ccm-fir=true, rtcp-fb-transport-cc=true, \
    extmap-1=\"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\"";

/// A session that receives a camera; what its analysis does is counted while the watch is there.
pub fn session(
    arguments: &Arguments,
    metrics: &Metrics,
) -> Result<(Session, Watch), glib::BoolError> {
    let valve: Arc<Mutex<Option<glib::WeakRef<gst::Element>>>> = Arc::default();
    let session = Session::new(LATENCY_MS, {
        let valve = valve.clone();
        move |is_on| {
            let valve = lock(&valve);
            if let Some(valve) = valve.as_ref().and_then(glib::WeakRef::upgrade) {
                valve.set_property("drop", !is_on);
            }
        }
    })?;
    let analysis = Analysis::new(arguments, &session.channels)?;
    *lock(&valve) = Some(analysis.valve.downgrade());

    let depay = gst::ElementFactory::make("rtpvp8depay")
        .property("request-keyframe", true)
        .property("wait-for-keyframe", true)
        .build()?;
    // One thread: what one visitor sends must not take all cores.
    let decode = gst::ElementFactory::make("vp8dec")
        .property("threads", 1u32)
        .build()?;
    session
        .pipeline
        .add_many([&depay, &decode, analysis.bin.upcast_ref()])?;
    gst::Element::link_many([&depay, &decode, analysis.bin.upcast_ref()])?;
    let pad = |element: &gst::Element, name: &str| {
        let pad = element.static_pad(name);
        pad.ok_or_else(|| glib::bool_error!("{} without a pad {name}", element.name()))
    };
    let input = pad(&depay, "sink")?;
    metrics.count_received(&input);
    limit_bitrate(&input, arguments.max_bitrate, &session.end);
    limit_size(&pad(&depay, "src")?, arguments.max_size, &session.end);

    let caps: gst::Caps = CAPS.parse()?;
    let transceiver = session.webrtc.emit_by_name::<WebRTCRTPTransceiver>(
        "add-transceiver",
        &[&WebRTCRTPTransceiverDirection::Recvonly, &caps],
    );
    transceiver.set_property("do-nack", true);
    tell_capture_times(&session.webrtc);
    let input = input.downgrade();
    session.webrtc.connect_pad_added(move |_, pad| {
        if let Some(input) = input.upgrade()
            && pad.direction() == gst::PadDirection::Src
            && !input.is_linked()
        {
            // What cannot be linked is told of by webrtcbin, which finds nobody to push to.
            let _ = pad.link(&input);
        }
    });
    Ok((session, metrics.watch(&analysis.faceattitude)))
}

/// Has frames carry the time of day, by the sender's clock, at which they were captured: pages find the
/// frame that a record belongs to by it.
fn tell_capture_times(webrtc: &gst::Element) {
    let Some(bin) = webrtc.downcast_ref::<gst::Bin>() else {
        return;
    };
    if let Some(rtpbin) = bin.by_name("rtpbin") {
        rtpbin.connect("new-jitterbuffer", false, |values| {
            if let Some(Ok(jitterbuffer)) = values.get(1).map(glib::Value::get::<gst::Element>) {
                jitterbuffer.set_property("add-reference-timestamp-meta", true);
            }
            None
        });
    }
}

/// Ends the session where more is sent for long.
fn limit_bitrate(pad: &gst::Pad, max_bitrate_kbits: u32, end: &End) {
    let max_bytes = u64::from(max_bitrate_kbits) * 1000 / 8 * BITRATE_WINDOW_S * BITRATE_TOLERANCE;
    let end = end.clone();
    let window = Mutex::new((Instant::now(), 0));
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let mut window = lock(&window);
        let (begin, bytes) = &mut *window;
        if begin.elapsed().as_secs() >= BITRATE_WINDOW_S {
            (*begin, *bytes) = (Instant::now(), 0);
        }
        *bytes += info.buffer().map_or(0, |buffer| buffer.size()) as u64;
        if *bytes <= max_bytes {
            return gst::PadProbeReturn::Ok;
        }
        end.end(
            Reason::Limit,
            format!("more than {max_bitrate_kbits} kbit/s were sent for seconds"),
        );
        // After `Drop` GStreamer complains that the buffer is gone already.
        gst::PadProbeReturn::Handled
    });
}

/// Ends the session where frames are larger, before they are decoded.
fn limit_size(pad: &gst::Pad, (max_width, max_height): (u32, u32), end: &End) {
    let end = end.clone();
    let max_pixels = u64::from(max_width) * u64::from(max_height);
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view()) else {
            return gst::PadProbeReturn::Ok;
        };
        let size = caps.caps().structure(0).map(|structure| {
            let side = |name| structure.get::<i32>(name).ok().and_then(|side| u64::try_from(side).ok());
            (side("width").unwrap_or(0), side("height").unwrap_or(0))
        });
        let (width, height) = size.unwrap_or_default();
        // A phone may hold its camera upright.
        if width * height <= max_pixels {
            return gst::PadProbeReturn::Ok;
        }
        end.end(
            Reason::Limit,
            format!("the camera sends {width}x{height}, more than the {max_width}x{max_height} that are allowed"),
        );
        gst::PadProbeReturn::Handled
    });
}

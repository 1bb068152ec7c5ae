// SPDX-License-Identifier: MPL-2.0

//! A viewer of SOURCE: sent what all are sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gst_app::AppSrc;
use gst_utils::ConsumptionLink;
use gst_webrtc::{WebRTCPeerConnectionState, WebRTCRTPTransceiver, WebRTCRTPTransceiverDirection};

use super::super::session::Session;
use super::codec::Codec;
use super::reading::Reading;
use super::viewers::Seat;

/// Keeps SOURCE coming for one session.
pub struct Viewer {
    link: ConsumptionLink,
    seat: Option<Arc<Seat>>,
    pub reading: Arc<Reading>,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.seat = None;
        self.reading.viewers.turn_valve();
    }
}

/// A session that is sent the video of `reading` and its records.
pub fn session(
    reading: &Arc<Reading>,
    codec: Codec,
) -> Result<(Session, Arc<Viewer>), glib::BoolError> {
    let wants_records = Arc::new(AtomicBool::new(true));
    let session = Session::new(0, {
        let wants_records = wants_records.clone();
        let viewers = Arc::downgrade(&reading.viewers);
        move |is_on| {
            wants_records.store(is_on, Ordering::Relaxed);
            if let Some(viewers) = viewers.upgrade() {
                viewers.turn_valve();
            }
        }
    })?;
    let source = AppSrc::builder().build();
    let payloader = codec.payloader()?;
    let caps = codec.offer()?;
    // webrtcbin takes what is offered alone.
    let label = gst::ElementFactory::make("capssetter")
        .property("caps", &caps)
        .build()?;
    let line = [source.upcast_ref(), &payloader, &label];
    session.pipeline.add_many(line)?;
    gst::Element::link_many(line)?;
    send(&session.webrtc, &label, &caps)?;

    reading.share_time(&session.pipeline);
    let link = reading.producer.add_consumer(&source);
    let link = link.map_err(|error| glib::bool_error!("{error}"))?;
    // Until there is a way to the page.
    link.set_discard(true);
    let seat = Arc::new(Seat {
        channels: session.channels.clone(),
        end: session.end.clone(),
        wants_records,
    });
    reading.viewers.add(&seat);
    if let Some(ending) = reading.ending() {
        session.end.end(ending.reason, ending.problem);
    }
    let viewer = Arc::new(Viewer {
        link,
        seat: Some(seat),
        reading: reading.clone(),
    });
    begin_when_connected(&session.webrtc, &viewer);
    Ok((session, viewer))
}

/// Has `webrtc` send what comes from `packets`, offered as `caps`.
fn send(
    webrtc: &gst::Element,
    packets: &gst::Element,
    caps: &gst::Caps,
) -> Result<(), glib::BoolError> {
    let output = packets.static_pad("src");
    let input = webrtc.request_pad_simple("sink_%u");
    let (Some(output), Some(input)) = (output, input) else {
        return Err(glib::bool_error!("webrtcbin takes no video"));
    };
    let linked = output.link(&input);
    linked.map_err(|error| glib::bool_error!("webrtcbin takes no video: {error}"))?;
    let transceiver = input.property::<WebRTCRTPTransceiver>("transceiver");
    transceiver.set_direction(WebRTCRTPTransceiverDirection::Sendonly);
    transceiver.set_property("codec-preferences", caps);
    transceiver.set_property("do-nack", true);
    Ok(())
}

/// Lets video through, from a keyframe on, as soon as it gets to the page.
fn begin_when_connected(webrtc: &gst::Element, viewer: &Arc<Viewer>) {
    let viewer = Arc::downgrade(viewer);
    webrtc.connect_notify(Some("connection-state"), move |webrtc, _| {
        let state = webrtc.property::<WebRTCPeerConnectionState>("connection-state");
        if state == WebRTCPeerConnectionState::Connected
            && let Some(viewer) = viewer.upgrade()
        {
            viewer.link.set_discard(false);
            viewer.reading.play();
        }
    });
}

// SPDX-License-Identifier: MPL-2.0

//! A viewer of the source: a session that receives the video and the records of a reading.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;
use gst_app::AppSrc;
use gst_utils::ConsumptionLink;
use gst_webrtc::{WebRTCPeerConnectionState, WebRTCRTPTransceiver, WebRTCRTPTransceiverDirection};

use super::super::channels::PageMessage;
use super::super::session::{CreateError, Session};
use super::codec::Codec;
use super::reading::Reading;
use super::viewers::Subscriber;

/// A viewer's part of a reading, which is read until all viewers are dropped.
pub(crate) struct Viewer {
    link: ConsumptionLink,
    subscriber: Option<Arc<Subscriber>>,
    reading: Arc<Reading>,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.subscriber = None;
        self.reading.viewers.update_valve();
    }
}

/// Creates a session that sends the video of `reading` and its records.
pub(crate) fn session(
    number: u64,
    listening: IpAddr,
    reading: &Arc<Reading>,
    codec: Codec,
) -> Result<(Session, Arc<Viewer>), CreateError> {
    let wants_records = Arc::new(AtomicBool::new(true));
    let session = Session::new(number, listening, 0, {
        let wants_records = wants_records.clone();
        let viewers = Arc::downgrade(&reading.viewers);
        move |message| {
            // The baselines are those of all viewers: none of them changes them for the others.
            let PageMessage::Analysis(is_on) = message else {
                return;
            };
            wants_records.store(is_on, Ordering::Relaxed);
            if let Some(viewers) = viewers.upgrade() {
                viewers.update_valve();
            }
        }
    })?;
    let source = AppSrc::builder().build();
    let payloader = codec.payloader()?;
    let caps = codec.offer()?;
    // webrtcbin accepts only packets with the offered caps.
    let label = gst::ElementFactory::make("capssetter")
        .property("caps", &caps)
        .build()?;
    let line = [source.upcast_ref(), &payloader, &label];
    session.pipeline.add_many(line)?;
    gst::Element::link_many(line)?;
    send(&session.webrtc, &label, &caps)?;

    reading.synchronize(&session.pipeline);
    let link = reading.producer.add_consumer(&source);
    let link = link.map_err(|error| glib::bool_error!("{error}"))?;
    // Until the page is connected.
    link.set_discard(true);
    let subscriber = Arc::new(Subscriber {
        channels: session.channels.clone(),
        end: session.end.clone(),
        wants_records,
    });
    reading.viewers.add(&subscriber);
    if let Some(ending) = reading.ending() {
        session.end.end(ending.reason, ending.problem);
    }
    let viewer = Arc::new(Viewer {
        link,
        subscriber: Some(subscriber),
        reading: reading.clone(),
    });
    start_when_connected(&session.webrtc, &viewer);
    Ok((session, viewer))
}

/// Makes `webrtc` send the output of `packets`, offered as `caps`.
fn send(
    webrtc: &gst::Element,
    packets: &gst::Element,
    caps: &gst::Caps,
) -> Result<(), glib::BoolError> {
    let output = packets.static_pad("src");
    let input = webrtc.request_pad_simple("sink_%u");
    let (Some(output), Some(input)) = (output, input) else {
        return Err(glib::bool_error!("webrtcbin accepts no video"));
    };
    let linked = output.link(&input);
    linked.map_err(|error| glib::bool_error!("webrtcbin accepts no video: {error}"))?;
    let transceiver = input.property::<WebRTCRTPTransceiver>("transceiver");
    transceiver.set_direction(WebRTCRTPTransceiverDirection::Sendonly);
    transceiver.set_property("codec-preferences", caps);
    transceiver.set_property("do-nack", true);
    Ok(())
}

/// Starts to send video, from a keyframe on, when the page is connected.
fn start_when_connected(webrtc: &gst::Element, viewer: &Arc<Viewer>) {
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

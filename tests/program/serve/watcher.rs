// SPDX-License-Identifier: MPL-2.0

//! A WebRTC peer like the page of a server with a SOURCE: receives the video and its results.

use std::collections::{BTreeMap, BTreeSet};

use gst_sdp::SDPMessage;
use gst_webrtc::{
    WebRTCDataChannel, WebRTCICEGatheringState, WebRTCSDPType, WebRTCSessionDescription,
};

use super::peer::{request, restrict_to_loopback};
use super::*;
use crate::support::bytes;

#[derive(Default)]
struct Received {
    control: Option<WebRTCDataChannel>,
    /// By data channel.
    messages: BTreeMap<String, Vec<Value>>,
    /// RTP timestamps.
    timestamps: BTreeSet<u32>,
}

pub struct Watcher {
    pipeline: gst::Pipeline,
    received: Arc<Mutex<Received>>,
    /// ID of the session.
    pub id: String,
    pub offer: String,
}

impl Watcher {
    /// Opens a session and connects to it.
    pub fn new(server: &Server) -> Self {
        let (id, offer) = server.open();
        let pipeline = gst::Pipeline::new();
        let webrtc = gst::ElementFactory::make("webrtcbin")
            .property_from_str("bundle-policy", "max-bundle")
            .build()
            .unwrap();
        restrict_to_loopback(&webrtc);
        pipeline.add(&webrtc).unwrap();
        let received = Arc::new(Mutex::new(Received::default()));
        let all = received.clone();
        webrtc.connect("on-data-channel", false, move |values| {
            receive_messages(&values[1].get().unwrap(), &all);
            None
        });
        let (all, weak) = (received.clone(), pipeline.downgrade());
        webrtc.connect_pad_added(move |_, pad| {
            if let Some(pipeline) = weak.upgrade() {
                receive_video(&pipeline, pad, &all);
            }
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let answer = answer(&webrtc, &offer);
        assert_eq!(server.answer(&id, &answer).status, 204);
        Self {
            pipeline,
            received,
            id,
            offer,
        }
    }

    /// Returns the offered encoding of the video.
    pub fn encoding(&self) -> &str {
        let line = self.offer.lines().find(|line| line.contains("a=rtpmap:96"));
        let line = line.unwrap_or_else(|| panic!("no video in {}", self.offer));
        line.split([' ', '/']).nth(1).unwrap()
    }

    /// Returns the messages that were received on a data channel.
    pub fn messages(&self, channel: &str) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        received.messages.get(channel).cloned().unwrap_or_default()
    }

    /// Returns the records of frames, by the RTP timestamps that belong to their running times.
    pub fn frames(&self) -> BTreeMap<u32, Value> {
        let by_timestamp = |record: Value| {
            let running_time_ns = record["running_time_ns"].as_u64().unwrap();
            let timestamp = u128::from(running_time_ns) * 90_000 / 1_000_000_000;
            (timestamp as u32, record)
        };
        self.messages("frames")
            .into_iter()
            .map(by_timestamp)
            .collect()
    }

    /// Returns the timestamps of the received RTP packets.
    pub fn timestamps(&self) -> BTreeSet<u32> {
        self.received.lock().unwrap().timestamps.clone()
    }

    /// Sends a control message if the data channel is open.
    pub fn send(&self, message: &Value) {
        let control = self.received.lock().unwrap().control.clone();
        if let Some(control) = control {
            let _ = control.send_string_full(Some(&message.to_string()));
        }
    }

    /// Keeps the session alive until at least `frames` records and frames were received.
    pub fn watch(&self, frames: usize) {
        assert!(
            wait_until(|| {
                self.send(&json!({"alive": true}));
                self.frames().len() >= frames && self.timestamps().len() >= frames
            }),
            "{} records, {} frames, {:?}",
            self.frames().len(),
            self.timestamps().len(),
            self.messages("control")
        );
    }

    /// Waits until the server ends the session. Returns its message.
    pub fn ending(&self) -> Value {
        wait_until(|| {
            self.send(&json!({"alive": true}));
            !self.messages("control").is_empty()
        });
        self.messages("control").remove(0)["closing"].take()
    }

    /// Asserts that each received frame has a record, and each record a frame.
    pub fn assert_synchronized(&self) {
        let (frames, timestamps) = (self.frames(), self.timestamps());
        // Either may start earlier than the other and may be ahead: only the common time is
        // compared.
        let first = frames.keys().next().max(timestamps.first()).unwrap();
        let last = frames.keys().last().min(timestamps.last()).unwrap();
        let recorded: Vec<_> = frames
            .keys()
            .filter(|of| (first..=last).contains(of))
            .collect();
        let shown: Vec<_> = timestamps.range(first..=last).collect();
        assert!(recorded.len() >= 10, "{recorded:?}");
        assert_eq!(recorded, shown);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// Returns the SDP answer to `offer`.
fn answer(webrtc: &gst::Element, offer: &str) -> String {
    let offer = SDPMessage::parse_buffer(offer.as_bytes()).unwrap();
    let offer = WebRTCSessionDescription::new(WebRTCSDPType::Offer, offer);
    request(webrtc, "set-remote-description", &[&offer]);
    let reply = request(webrtc, "create-answer", &[&None::<gst::Structure>]).unwrap();
    let answer = reply.get::<WebRTCSessionDescription>("answer").unwrap();
    request(webrtc, "set-local-description", &[&answer]);
    assert!(wait_until(|| {
        webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state")
            == WebRTCICEGatheringState::Complete
    }));
    let local = webrtc.property::<WebRTCSessionDescription>("local-description");
    local.sdp().as_text().unwrap()
}

fn receive_messages(channel: &WebRTCDataChannel, received: &Arc<Mutex<Received>>) {
    let label = channel.label().unwrap_or_default().to_string();
    if label == "control" {
        received.lock().unwrap().control = Some(channel.clone());
    }
    let received = Arc::downgrade(received);
    channel.connect_on_message_string(move |_, message| {
        if let (Some(received), Some(message)) = (received.upgrade(), message) {
            let message = serde_json::from_str(message).unwrap();
            let mut received = received.lock().unwrap();
            received
                .messages
                .entry(label.clone())
                .or_default()
                .push(message);
        }
    });
}

fn receive_video(pipeline: &gst::Pipeline, pad: &gst::Pad, received: &Arc<Mutex<Received>>) {
    let sink = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .build()
        .unwrap();
    pipeline.add(&sink).unwrap();
    sink.sync_state_with_parent().unwrap();
    let received = received.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let packet = bytes(info.buffer().unwrap());
        let timestamp = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        received.lock().unwrap().timestamps.insert(timestamp);
        gst::PadProbeReturn::Ok
    });
    pad.link(&sink.static_pad("sink").unwrap()).unwrap();
}

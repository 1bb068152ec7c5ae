// SPDX-License-Identifier: MPL-2.0

//! What a page is to a server with a SOURCE: it sees the video and hears what is told of it.

use std::collections::{BTreeMap, BTreeSet};

use gst_sdp::SDPMessage;
use gst_webrtc::{
    WebRTCDataChannel, WebRTCICEGatheringState, WebRTCSDPType, WebRTCSessionDescription,
};

use super::peer::{ask, keep_off_the_router};
use super::*;
use crate::support::bytes;

#[derive(Default)]
struct Seen {
    control: Option<WebRTCDataChannel>,
    /// By the names of their channels.
    messages: BTreeMap<String, Vec<Value>>,
    /// Of RTP packets.
    timestamps: BTreeSet<u32>,
}

pub struct Watcher {
    pipeline: gst::Pipeline,
    seen: Arc<Mutex<Seen>>,
    /// Of its session.
    pub id: String,
    pub offer: String,
}

impl Watcher {
    /// One that has opened a session.
    pub fn new(server: &Server) -> Self {
        let (id, offer) = server.open();
        let pipeline = gst::Pipeline::new();
        let webrtc = gst::ElementFactory::make("webrtcbin")
            .property_from_str("bundle-policy", "max-bundle")
            .build()
            .unwrap();
        keep_off_the_router(&webrtc);
        pipeline.add(&webrtc).unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let all = seen.clone();
        webrtc.connect("on-data-channel", false, move |values| {
            hear(&values[1].get().unwrap(), &all);
            None
        });
        let (all, weak) = (seen.clone(), pipeline.downgrade());
        webrtc.connect_pad_added(move |_, pad| {
            if let Some(pipeline) = weak.upgrade() {
                see(&pipeline, pad, &all);
            }
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let answer = answer(&webrtc, &offer);
        assert_eq!(server.answer(&id, &answer).status, 204);
        Self {
            pipeline,
            seen,
            id,
            offer,
        }
    }

    /// Of its video, as it was offered.
    pub fn encoding(&self) -> &str {
        let line = self.offer.lines().find(|line| line.contains("a=rtpmap:96"));
        let line = line.unwrap_or_else(|| panic!("no video in {}", self.offer));
        line.split([' ', '/']).nth(1).unwrap()
    }

    /// What has come on a channel.
    pub fn heard(&self, channel: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        seen.messages.get(channel).cloned().unwrap_or_default()
    }

    /// Records of frames, by the timestamps that their packets must have.
    pub fn frames(&self) -> BTreeMap<u32, Value> {
        let by_timestamp = |record: Value| {
            let running_time_ns = record["running_time_ns"].as_u64().unwrap();
            let timestamp = u128::from(running_time_ns) * 90_000 / 1_000_000_000;
            (timestamp as u32, record)
        };
        self.heard("frames").into_iter().map(by_timestamp).collect()
    }

    /// Those of RTP packets.
    pub fn timestamps(&self) -> BTreeSet<u32> {
        self.seen.lock().unwrap().timestamps.clone()
    }

    /// Says a word to the server, where that is heard already.
    pub fn say(&self, word: &Value) {
        let control = self.seen.lock().unwrap().control.clone();
        if let Some(control) = control {
            let _ = control.send_string_full(Some(&word.to_string()));
        }
    }

    /// Waits, and says that it is there, until so many frames have been seen.
    pub fn watch(&self, frames: usize) {
        assert!(
            wait_until(|| {
                self.say(&json!({"alive": true}));
                self.frames().len() >= frames && self.timestamps().len() >= frames
            }),
            "{} records, {} frames, {:?}",
            self.frames().len(),
            self.timestamps().len(),
            self.heard("control")
        );
    }

    /// Waits until the server ends the session, and tells why it does.
    pub fn ending(&self) -> Value {
        wait_until(|| {
            self.say(&json!({"alive": true}));
            !self.heard("control").is_empty()
        });
        self.heard("control").remove(0)["closing"].take()
    }

    /// Asserts that the frames that were seen are those that were told of.
    pub fn assert_in_step(&self) {
        let (frames, timestamps) = (self.frames(), self.timestamps());
        // Records may be told before there is video, and the other way round, and one may be ahead.
        let first = frames.keys().next().max(timestamps.first()).unwrap();
        let last = frames.keys().last().min(timestamps.last()).unwrap();
        let told: Vec<_> = frames
            .keys()
            .filter(|of| (first..=last).contains(of))
            .collect();
        let shown: Vec<_> = timestamps.range(first..=last).collect();
        assert!(told.len() >= 10, "{told:?}");
        assert_eq!(told, shown);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// What is answered to `offer`.
fn answer(webrtc: &gst::Element, offer: &str) -> String {
    let offer = SDPMessage::parse_buffer(offer.as_bytes()).unwrap();
    let offer = WebRTCSessionDescription::new(WebRTCSDPType::Offer, offer);
    ask(webrtc, "set-remote-description", &[&offer]);
    let reply = ask(webrtc, "create-answer", &[&None::<gst::Structure>]).unwrap();
    let answer = reply.get::<WebRTCSessionDescription>("answer").unwrap();
    ask(webrtc, "set-local-description", &[&answer]);
    assert!(wait_until(|| {
        webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state")
            == WebRTCICEGatheringState::Complete
    }));
    let local = webrtc.property::<WebRTCSessionDescription>("local-description");
    local.sdp().as_text().unwrap()
}

fn hear(channel: &WebRTCDataChannel, seen: &Arc<Mutex<Seen>>) {
    let label = channel.label().unwrap_or_default().to_string();
    if label == "control" {
        seen.lock().unwrap().control = Some(channel.clone());
    }
    let seen = Arc::downgrade(seen);
    channel.connect_on_message_string(move |_, message| {
        if let (Some(seen), Some(message)) = (seen.upgrade(), message) {
            let message = serde_json::from_str(message).unwrap();
            let mut seen = seen.lock().unwrap();
            seen.messages
                .entry(label.clone())
                .or_default()
                .push(message);
        }
    });
}

fn see(pipeline: &gst::Pipeline, pad: &gst::Pad, seen: &Arc<Mutex<Seen>>) {
    let sink = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .build()
        .unwrap();
    pipeline.add(&sink).unwrap();
    sink.sync_state_with_parent().unwrap();
    let seen = seen.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let packet = bytes(info.buffer().unwrap());
        let timestamp = u32::from_be_bytes(packet[4..8].try_into().unwrap());
        seen.lock().unwrap().timestamps.insert(timestamp);
        gst::PadProbeReturn::Ok
    });
    pad.link(&sink.static_pad("sink").unwrap()).unwrap();
}

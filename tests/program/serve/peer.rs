// SPDX-License-Identifier: MPL-2.0

//! A WebRTC peer like the page: answers an offer, sends the video of a camera, and receives
//! results.

use std::collections::HashMap;

use gst_sdp::SDPMessage;
use gst_webrtc::prelude::*;
use gst_webrtc::{
    WebRTCDataChannel, WebRTCICE, WebRTCICEGatheringState, WebRTCSDPType, WebRTCSessionDescription,
};

use super::*;

const CAMERA: &str = "videotestsrc name=camera is-live=true ! video/x-raw,width=320,height=192,framerate=25/1 \
    ! vp8enc deadline=1 keyframe-max-dist=25 ! rtpvp8pay pt=96 \
    ! application/x-rtp,media=video,encoding-name=VP8,payload=96 \
    ! webrtcbin name=peer bundle-policy=max-bundle";

#[derive(Default)]
struct Received {
    control: Option<WebRTCDataChannel>,
    /// By data channel.
    messages: HashMap<String, Vec<String>>,
}

pub struct Peer {
    pipeline: gst::Pipeline,
    received: Arc<Mutex<Received>>,
}

impl Peer {
    /// Creates a peer for `offer`. Returns it and its answer.
    pub fn answering(offer: &str) -> (Self, String) {
        Self::showing("smpte", offer)
    }

    /// Creates a peer whose camera shows `pattern` of `videotestsrc`.
    pub fn showing(pattern: &str, offer: &str) -> (Self, String) {
        let pipeline = gst::parse::launch(CAMERA).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let camera = pipeline.by_name("camera").unwrap();
        camera.set_property_from_str("pattern", pattern);
        let webrtc = pipeline.by_name("peer").unwrap();
        restrict_to_loopback(&webrtc);
        let received = Arc::new(Mutex::new(Received::default()));
        let all = received.clone();
        webrtc.connect("on-data-channel", false, move |values| {
            receive(&values[1].get().unwrap(), &all);
            None
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let peer = Self { pipeline, received };
        let offer = SDPMessage::parse_buffer(offer.as_bytes()).unwrap();
        let offer = WebRTCSessionDescription::new(WebRTCSDPType::Offer, offer);
        request(&webrtc, "set-remote-description", &[&offer]);
        let reply = request(&webrtc, "create-answer", &[&None::<gst::Structure>]).unwrap();
        let answer = reply.get::<WebRTCSessionDescription>("answer").unwrap();
        request(&webrtc, "set-local-description", &[&answer]);
        assert!(wait_until(|| {
            webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state")
                == WebRTCICEGatheringState::Complete
        }));
        let local = webrtc.property::<WebRTCSessionDescription>("local-description");
        let answer = local.sdp().as_text().unwrap();
        (peer, answer)
    }

    /// Returns the messages that were received on a data channel.
    pub fn messages(&self, channel: &str) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        let messages = received.messages.get(channel).into_iter().flatten();
        messages
            .map(|message| serde_json::from_str(message).unwrap())
            .collect()
    }

    /// Sends a control message if the data channel is open.
    pub fn send(&self, message: &Value) {
        let control = self.received.lock().unwrap().control.clone();
        if let Some(control) = control {
            let _ = control.send_string_full(Some(&message.to_string()));
        }
    }

    /// Opens data channels of its own.
    pub fn open_channels(&self, channels: usize) {
        let webrtc = self.pipeline.by_name("peer").unwrap();
        for number in 0..channels {
            let label = format!("own {number}");
            webrtc.emit_by_name::<Option<WebRTCDataChannel>>(
                "create-data-channel",
                &[&label, &None::<gst::Structure>],
            );
        }
    }

    /// Keeps the session alive until `condition` holds. Returns false after [`TIMEOUT`].
    pub fn keep_alive_until(&self, mut condition: impl FnMut() -> bool) -> bool {
        wait_until(|| {
            self.send(&json!({"alive": true}));
            condition()
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn receive(channel: &WebRTCDataChannel, received: &Arc<Mutex<Received>>) {
    let label = channel.label().unwrap_or_default().to_string();
    if label == "control" {
        received.lock().unwrap().control = Some(channel.clone());
    }
    let received = Arc::downgrade(received);
    channel.connect_on_message_string(move |_, message| {
        if let (Some(received), Some(message)) = (received.upgrade(), message) {
            let mut received = received.lock().unwrap();
            let messages = received.messages.entry(label.clone()).or_default();
            messages.push(message.to_owned());
        }
    });
}

/// Makes a peer connect through the loopback interface, so that the tests need no network. Without
/// UPnP, with which libnice asks the router to forward ports, and warns if two peers do so at once.
pub fn restrict_to_loopback(webrtc: &gst::Element) {
    let ice = webrtc.property::<WebRTCICE>("ice-agent");
    assert!(ice.emit_add_local_ip_address("127.0.0.1"));
    let agent = ice.property::<glib::Object>("agent");
    agent.set_property("upnp", false);
}

/// Emits the action signal `action` of `webrtc`, and waits for its reply.
pub fn request(
    webrtc: &gst::Element,
    action: &str,
    arguments: &[&dyn ToValue],
) -> Option<gst::Structure> {
    let promise = gst::Promise::new();
    let mut values: Vec<_> = arguments.iter().map(|value| value.to_value()).collect();
    values.push(promise.to_value());
    webrtc.emit_by_name_with_values(action, &values);
    assert_eq!(promise.wait(), gst::PromiseResult::Replied);
    promise.get_reply().map(ToOwned::to_owned)
}

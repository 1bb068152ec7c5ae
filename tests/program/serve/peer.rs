// SPDX-License-Identifier: MPL-2.0

//! What a page is to the server: it answers an offer, sends a camera, and hears what is told.

use std::collections::HashMap;

use gst_sdp::SDPMessage;
use gst_webrtc::{
    WebRTCDataChannel, WebRTCICEGatheringState, WebRTCSDPType, WebRTCSessionDescription,
};

use super::*;

const CAMERA: &str = "videotestsrc name=camera is-live=true ! video/x-raw,width=320,height=192,framerate=25/1 \
    ! vp8enc deadline=1 keyframe-max-dist=25 ! rtpvp8pay pt=96 \
    ! application/x-rtp,media=video,encoding-name=VP8,payload=96 \
    ! webrtcbin name=peer bundle-policy=max-bundle";

#[derive(Default)]
struct Heard {
    control: Option<WebRTCDataChannel>,
    /// By the names of their channels.
    messages: HashMap<String, Vec<String>>,
}

pub struct Peer {
    pipeline: gst::Pipeline,
    heard: Arc<Mutex<Heard>>,
}

impl Peer {
    /// One that answers `offer`, and its answer.
    pub fn answering(offer: &str) -> (Self, String) {
        Self::showing("smpte", offer)
    }

    /// The same; its camera shows this pattern of `videotestsrc`.
    pub fn showing(pattern: &str, offer: &str) -> (Self, String) {
        let pipeline = gst::parse::launch(CAMERA).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let camera = pipeline.by_name("camera").unwrap();
        camera.set_property_from_str("pattern", pattern);
        let webrtc = pipeline.by_name("peer").unwrap();
        keep_off_the_router(&webrtc);
        let heard = Arc::new(Mutex::new(Heard::default()));
        let all = heard.clone();
        webrtc.connect("on-data-channel", false, move |values| {
            hear(&values[1].get().unwrap(), &all);
            None
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let peer = Self { pipeline, heard };
        let offer = SDPMessage::parse_buffer(offer.as_bytes()).unwrap();
        let offer = WebRTCSessionDescription::new(WebRTCSDPType::Offer, offer);
        ask(&webrtc, "set-remote-description", &[&offer]);
        let reply = ask(&webrtc, "create-answer", &[&None::<gst::Structure>]).unwrap();
        let answer = reply.get::<WebRTCSessionDescription>("answer").unwrap();
        ask(&webrtc, "set-local-description", &[&answer]);
        assert!(wait_until(|| {
            webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state")
                == WebRTCICEGatheringState::Complete
        }));
        let local = webrtc.property::<WebRTCSessionDescription>("local-description");
        let answer = local.sdp().as_text().unwrap();
        (peer, answer)
    }

    /// What has come on a channel.
    pub fn heard(&self, channel: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        let messages = heard.messages.get(channel).into_iter().flatten();
        messages
            .map(|message| serde_json::from_str(message).unwrap())
            .collect()
    }

    /// Says a word to the server, where that is heard already.
    pub fn say(&self, word: &Value) {
        let control = self.heard.lock().unwrap().control.clone();
        if let Some(control) = control {
            let _ = control.send_string_full(Some(&word.to_string()));
        }
    }

    /// The same until it is so.
    pub fn say_alive_until(&self, mut is_so: impl FnMut() -> bool) -> bool {
        wait_until(|| {
            self.say(&json!({"alive": true}));
            is_so()
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn hear(channel: &WebRTCDataChannel, heard: &Arc<Mutex<Heard>>) {
    let label = channel.label().unwrap_or_default().to_string();
    if label == "control" {
        heard.lock().unwrap().control = Some(channel.clone());
    }
    let heard = Arc::downgrade(heard);
    channel.connect_on_message_string(move |_, message| {
        if let (Some(heard), Some(message)) = (heard.upgrade(), message) {
            let mut heard = heard.lock().unwrap();
            let messages = heard.messages.entry(label.clone()).or_default();
            messages.push(message.to_owned());
        }
    });
}

/// Else libnice asks the network's router to let everyone in, which warns where two do so at a time.
pub fn keep_off_the_router(webrtc: &gst::Element) {
    let ice = webrtc.property::<glib::Object>("ice-agent");
    let agent = ice.property::<glib::Object>("agent");
    agent.set_property("upnp", false);
}

/// Has `webrtc` do `action`, and waits.
pub fn ask(
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

// SPDX-License-Identifier: MPL-2.0

//! A WHIP client that sends a test picture.

use gst_sdp::SDPMessage;
use gst_webrtc::{
    WebRTCICEGatheringState, WebRTCRTPTransceiver, WebRTCRTPTransceiverDirection, WebRTCSDPType,
    WebRTCSessionDescription,
};

use super::peer::{request, restrict_to_loopback};
use super::*;

pub const VP8: &str = "vp8enc deadline=1 keyframe-max-dist=25 ! rtpvp8pay pt=96 \
    ! application/x-rtp,media=video,encoding-name=VP8,payload=96";
/// As OBS sends it.
pub const H264_AND_SOUND: &str = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 \
    ! video/x-h264,profile=constrained-baseline ! rtph264pay pt=96 config-interval=-1 aggregate-mode=zero-latency \
    ! application/x-rtp,media=video,encoding-name=H264,payload=96 ! peer. \
    audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=97 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97";

pub struct WhipClient {
    pipeline: gst::Pipeline,
    webrtc: gst::Element,
    pub offer: String,
}

impl WhipClient {
    /// Creates a client with this encoding, and its offer.
    pub fn new(encoding: &str) -> Self {
        let description = format!(
            "webrtcbin name=peer bundle-policy=max-bundle \
             videotestsrc is-live=true ! video/x-raw,width=320,height=192,framerate=25/1 ! {encoding} ! peer."
        );
        let pipeline = gst::parse::launch(&description).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        let webrtc = pipeline.by_name("peer").unwrap();
        restrict_to_loopback(&webrtc);
        for pad in webrtc.sink_pads() {
            let transceiver = pad.property::<WebRTCRTPTransceiver>("transceiver");
            transceiver.set_direction(WebRTCRTPTransceiverDirection::Sendonly);
        }
        pipeline.set_state(gst::State::Playing).unwrap();
        let has_caps = |pad: &gst::Pad| pad.current_caps().is_some();
        assert!(wait_until(|| webrtc.sink_pads().iter().all(has_caps)));
        let reply = request(&webrtc, "create-offer", &[&None::<gst::Structure>]).unwrap();
        let offer = reply.get::<WebRTCSessionDescription>("offer").unwrap();
        request(&webrtc, "set-local-description", &[&offer]);
        assert!(wait_until(|| {
            webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state")
                == WebRTCICEGatheringState::Complete
        }));
        let local = webrtc.property::<WebRTCSessionDescription>("local-description");
        let offer = local.sdp().as_text().unwrap();
        Self {
            pipeline,
            webrtc,
            offer,
        }
    }

    /// Returns the request that opens a session.
    pub fn request(&self) -> Request {
        offering(&self.offer)
    }

    /// Opens a session. Returns its path.
    pub fn open(&self, server: &Server) -> String {
        let response = server.send(&self.request());
        assert_eq!(response.status, 201, "{}", response.text());
        self.accept(&response.text());
        response.header("Location").unwrap().to_owned()
    }

    /// Sets the SDP answer.
    pub fn accept(&self, answer: &str) {
        let answer = SDPMessage::parse_buffer(answer.as_bytes()).unwrap();
        let answer = WebRTCSessionDescription::new(WebRTCSDPType::Answer, answer);
        request(&self.webrtc, "set-remote-description", &[&answer]);
    }
}

impl Drop for WhipClient {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// Returns the request that opens a session with this offer.
pub fn offering(offer: &str) -> Request {
    Request::new("POST", "/whip")
        .header("Content-Type", "application/sdp")
        .body(offer)
}

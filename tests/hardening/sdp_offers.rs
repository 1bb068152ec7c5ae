// SPDX-License-Identifier: MPL-2.0

//! SDP offers of WHIP clients.

use gst_attitude::fuzzing::whip_offer;
use gst_sdp::SDPMessage;

/// Parses the offer. The offer of its video is a description that GStreamer can parse and in which
/// nothing is left to sanitize, and the answer has as many media as the offer.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    gst::init().expect("GStreamer starts");
    match whip_offer(text) {
        Ok(offer) => {
            let video = offer.video();
            let again = whip_offer(video).expect("a sanitized offer is accepted");
            assert_eq!(again.video(), video);
            let parsed = SDPMessage::parse_buffer(video.as_bytes());
            let parsed = parsed.expect("GStreamer can parse the offer");
            assert_eq!(parsed.medias_len(), 1);
            let media = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
            let answer =
                offer.complete("v=0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n");
            assert_eq!(media(&answer), media(text), "{answer}");
        }
        Err(error) => assert!(!error.is_empty()),
    }
}

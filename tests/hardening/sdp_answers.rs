// SPDX-License-Identifier: MPL-2.0

//! SDP answers of pages.

use gst_attitude::fuzzing::sanitize_sdp_answer;
use gst_sdp::SDPMessage;

/// An offer of the server for visitors' cameras.
const OFFER: &str = include_str!("corpora/sdp_answers/offer.sdp");

/// Sanitizes the answer. The result is a description that GStreamer can parse, and in which nothing
/// is left to sanitize.
pub(crate) fn run(data: &[u8]) {
    let Ok(answer) = std::str::from_utf8(data) else {
        return;
    };
    gst::init().expect("GStreamer starts");
    match sanitize_sdp_answer(OFFER, answer) {
        Ok(sanitized) => {
            assert_eq!(
                sanitize_sdp_answer(OFFER, &sanitized),
                Ok(sanitized.clone())
            );
            let parsed = SDPMessage::parse_buffer(sanitized.as_bytes());
            let parsed = parsed.expect("GStreamer can parse the answer");
            assert_eq!(parsed.medias_len() as usize, OFFER.matches("\nm=").count());
        }
        Err(error) => assert!(!error.is_empty()),
    }
}

// SPDX-License-Identifier: MPL-2.0

use super::*;

const FINGERPRINT: &str = "sha-256 A3:2E:90:4C:62:BF:2A:1D:F7:4E:E8:F9:86:CE:6F:72:BC:EE:64:98:16:D5:6D:3D:16:03:E8:46:C2:75:E9:84";

/// An offer of Chromium with audio and video, shortened.
fn offer() -> String {
    format!(
        "v=0\r
o=- 4 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0 1\r
m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r
c=IN IP4 0.0.0.0\r
a=ice-ufrag:LS1N\r
a=ice-pwd:9si4pCXz41ASWnDXr/WCdpJy\r
a=fingerprint:{FINGERPRINT}\r
a=setup:actpass\r
a=candidate:1 1 udp 2122194687 192.0.2.2 47353 typ host\r
a=mid:0\r
a=sendonly\r
a=rtcp-mux\r
a=rtpmap:111 opus/48000/2\r
m=video 0 UDP/TLS/RTP/SAVPF 45 46 96 97\r
c=IN IP4 0.0.0.0\r
a=bundle-only\r
a=mid:1\r
a=sendrecv\r
a=rtcp-mux\r
a=rtpmap:45 AV1/90000\r
a=rtpmap:46 rtx/90000\r
a=fmtp:46 apt=45\r
a=rtpmap:96 VP8/90000\r
a=rtcp-fb:96 nack pli\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
"
    )
}

#[test]
fn the_first_known_codec_of_the_video_is_selected() {
    let offer = Offer::parse(&offer()).unwrap();
    assert_eq!(offer.ice_ufrag, "LS1N");
    let lines: Vec<_> = offer.sdp.lines().collect();
    assert!(lines.contains(&"m=video 9 UDP/TLS/RTP/SAVPF 96 97"));
    assert!(lines.contains(&"a=sendonly"));
    assert!(lines.contains(&"a=candidate:1 1 UDP 2122194687 192.0.2.2 47353 typ host"));
    assert!(!offer.sdp.contains("AV1") && !offer.sdp.contains("audio"));
}

#[test]
fn all_other_media_of_the_answer_are_inactive_or_rejected() {
    let data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n";
    let offer = Offer::parse(&(offer() + data)).unwrap();
    let answer =
        "v=0\r\na=group:BUNDLE 1\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ice-ufrag:x\r\n";
    assert_eq!(
        offer.complete(answer),
        "v=0\r\na=group:BUNDLE 0 1\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\na=rtcp-mux\r\n\
         a=rtpmap:111 opus/48000/2\r\na=ice-ufrag:x\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ice-ufrag:x\r\n\
         m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=inactive\r\n"
    );
}

#[test]
fn offers_without_a_known_video_are_refused() {
    for (from, to, error) in [
        ("a=sendrecv", "a=recvonly", OfferError::NoVideo),
        ("a=bundle-only", "a=none", OfferError::NoVideo),
        ("m=video", "m=text", OfferError::NoVideo),
        ("VP8", "H265", OfferError::NoCodec),
        ("v=0", "v=1", OfferError::Sdp(SdpError::NotSdp)),
        (
            "a=ice-ufrag:LS1N",
            "a=ice-ufrag:#",
            OfferError::Sdp(SdpError::Attribute("ice-ufrag")),
        ),
    ] {
        let offer = offer().replace(from, to);
        assert_eq!(Offer::parse(&offer).unwrap_err(), error, "{to}");
    }
}

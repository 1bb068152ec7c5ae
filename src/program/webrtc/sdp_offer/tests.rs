// SPDX-License-Identifier: MPL-2.0

use super::*;

const FINGERPRINT: &str = "sha-256 A3:2E:90:4C:62:BF:2A:1D:F7:4E:E8:F9:86:CE:6F:72:BC:EE:64:98:16:D5:6D:3D:16:03:E8:46:C2:75:E9:84";

/// An offer of Janus, shortened.
fn janus() -> String {
    format!(
        "v=0\r
o=- 1795908981097274 1 IN IP4 192.0.2.2\r
s=VideoRoom 42\r
t=0 0\r
a=group:BUNDLE 0\r
a=fingerprint:{FINGERPRINT}\r
a=extmap-allow-mixed\r
m=video 9 UDP/TLS/RTP/SAVPF 96 97\r
c=IN IP4 192.0.2.2\r
a=sendonly\r
a=mid:0\r
a=rtcp-mux\r
a=ice-ufrag:Vzq0\r
a=ice-pwd:ZlFFebqH55h97a54aAChc6\r
a=setup:actpass\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1\r
a=rtcp-fb:96 nack\r
a=rtcp-fb:96 nack pli\r
a=rtcp-fb:96 goog-remb\r
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
a=ssrc:2688573343 cname:janus\r
a=candidate:1 1 udp 2015363327 192.0.2.2 57069 typ host\r
a=end-of-candidates\r
"
    )
}

#[test]
fn an_offer_of_a_server_keeps_what_a_connection_needs() {
    let expected = format!(
        "v=0\r
o=- 1 1 IN IP4 0.0.0.0\r
s=-\r
t=0 0\r
a=group:BUNDLE 0\r
m=video 9 UDP/TLS/RTP/SAVPF 96 97\r
c=IN IP4 0.0.0.0\r
a=mid:0\r
a=ice-ufrag:Vzq0\r
a=ice-pwd:ZlFFebqH55h97a54aAChc6\r
a=fingerprint:{FINGERPRINT}\r
a=setup:actpass\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1\r
a=rtcp-fb:96 nack\r
a=rtcp-fb:96 nack pli\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r
a=ssrc:2688573343 cname:peer\r
a=sendonly\r
a=rtcp-mux\r
a=candidate:1 1 UDP 2015363327 192.0.2.2 57069 typ host\r
"
    );
    assert_eq!(sanitize(&janus()), Ok(expected));
}

#[test]
fn a_sanitized_offer_has_nothing_left_to_sanitize() {
    let once = sanitize(&janus()).unwrap();
    assert_eq!(sanitize(&once), Ok(once));
}

#[test]
fn missing_and_invalid_parts_are_named() {
    for (from, to, problem) in [
        ("v=0", "", "not a session description"),
        ("m=video", "m=audio 9 x 0\r\nm=video", "2 media"),
        ("m=video 9", "m=video 0", "expected one video"),
        ("a=mid:0", "a=mid:a b", "a=mid"),
        ("a=ice-ufrag:Vzq0", "a=ice-ufrag:", "ice-ufrag"),
        ("sha-256 A3:", "sha-256 ", "fingerprint"),
        ("a=setup:actpass", "a=setup:holdconn", "setup"),
        ("a=sendonly", "a=inactive", "a=sendonly"),
        ("a=rtcp-mux\r\n", "", "rtcp-mux"),
        ("H264/90000", "H263/90000", "VP8, VP9, H264, AV1"),
        ("SAVPF 96", "SAVPF 999", "VP8, VP9, H264, AV1"),
    ] {
        let error = sanitize(&janus().replace(from, to)).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(problem), "{to}: {error}");
    }
}

#[test]
fn invalid_parameters_are_dropped() {
    for parameters in ["", "x", "a=", "a=\u{e9}", "a=1;;b=2", "a=(1)"] {
        let offer = janus().replace("profile-level-id=42e01f;packetization-mode=1", parameters);
        let sanitized = sanitize(&offer).unwrap();
        assert!(!sanitized.contains("a=fmtp:96"), "{parameters}");
    }
}

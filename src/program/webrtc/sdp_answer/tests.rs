// SPDX-License-Identifier: MPL-2.0

use super::super::sdp::{MAX_ICE_CANDIDATES, candidate};
use super::*;

/// An offer of `webrtcbin`, shortened.
const OFFER: &str = "v=0\r
o=- 5726722434912938918 0 IN IP4 0.0.0.0\r
s=-\r
t=0 0\r
a=ice-options:trickle\r
a=group:BUNDLE video0 application1\r
m=video 9 UDP/TLS/RTP/SAVPF 96 97\r
c=IN IP4 0.0.0.0\r
a=setup:actpass\r
a=rtcp-mux\r
a=rtcp-rsize\r
a=recvonly\r
a=rtpmap:96 VP8/90000\r
a=rtcp-fb:96 nack\r
a=rtcp-fb:96 transport-cc\r
a=extmap:1 urn:one\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
a=mid:video0\r
m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r
c=IN IP4 0.0.0.0\r
a=setup:actpass\r
a=bundle-only\r
a=mid:application1\r
a=sctp-port:5000\r
";
const FINGERPRINT: &str = "sha-256 A3:2E:90:4C:62:BF:2A:1D:F7:4E:E8:F9:86:CE:6F:72:BC:EE:64:98:16:D5:6D:3D:16:03:E8:46:C2:75:E9:84";

/// An answer of Chromium, shortened.
fn chromium() -> String {
    format!(
        "v=0\r
o=- 347622970685397186 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE video0 application1\r
a=msid-semantic: WMS\r
m=video 47353 UDP/TLS/RTP/SAVPF 96 97\r
c=IN IP4 192.0.2.2\r
a=rtcp:9 IN IP4 0.0.0.0\r
a=candidate:2178201219 1 udp 2122194687 192.0.2.2 47353 typ host generation 0 network-id 1\r
a=candidate:1 1 udp 2122265343 0bfe4b4e-5a3c-4c8b.local 45278 typ host generation 0\r
a=candidate:3 1 tcp 1518280447 192.0.2.2 9 typ host tcptype active generation 0\r
a=ice-ufrag:LS1N\r
a=ice-pwd:9si4pCXz41ASWnDXr/WCdpJy\r
a=ice-options:trickle\r
a=fingerprint:{FINGERPRINT}\r
a=setup:active\r
a=mid:video0\r
a=extmap:1 urn:one\r
a=sendonly\r
a=msid:- ce1eddf5\r
a=rtcp-mux\r
a=rtcp-rsize\r
a=rtpmap:96 VP8/90000\r
a=rtcp-fb:96 transport-cc\r
a=rtcp-fb:96 goog-remb\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
a=ssrc-group:FID 2662317200 4221630568\r
a=ssrc:2662317200 cname:k12VG9pVwtY2qd9H\r
a=ssrc:4221630568 cname:k12VG9pVwtY2qd9H\r
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r
c=IN IP4 0.0.0.0\r
a=ice-ufrag:LS1N\r
a=ice-pwd:9si4pCXz41ASWnDXr/WCdpJy\r
a=fingerprint:{FINGERPRINT}\r
a=setup:active\r
a=mid:application1\r
a=sctp-port:5000\r
a=max-message-size:262144\r
"
    )
}

#[test]
fn an_answer_of_a_browser_keeps_what_a_connection_needs() {
    let transport = format!(
        "a=ice-ufrag:LS1N\r\na=ice-pwd:9si4pCXz41ASWnDXr/WCdpJy\r\na=fingerprint:{FINGERPRINT}\r\na=setup:active\r\n"
    );
    let expected = format!(
        "v=0\r
o=- 1 1 IN IP4 0.0.0.0\r
s=-\r
t=0 0\r
a=group:BUNDLE video0 application1\r
m=video 9 UDP/TLS/RTP/SAVPF 96 97\r
c=IN IP4 0.0.0.0\r
a=mid:video0\r
{transport}a=sendonly\r
a=rtcp-mux\r
a=rtcp-rsize\r
a=rtpmap:96 VP8/90000\r
a=rtcp-fb:96 transport-cc\r
a=extmap:1 urn:one\r
a=rtpmap:97 rtx/90000\r
a=fmtp:97 apt=96\r
a=ssrc:2662317200 cname:peer\r
a=ssrc:4221630568 cname:peer\r
a=candidate:2178201219 1 UDP 2122194687 192.0.2.2 47353 typ host\r
a=candidate:3 1 TCP 1518280447 192.0.2.2 9 typ host tcptype active\r
m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r
c=IN IP4 0.0.0.0\r
a=mid:application1\r
{transport}a=sctp-port:5000\r
a=max-message-size:262144\r
"
    );
    assert_eq!(sanitize(OFFER, &chromium()).as_ref(), Ok(&expected));
    // Firefox writes its fingerprint once, before all media. Line ends may be LF alone.
    let once = chromium().replace(&format!("a=fingerprint:{FINGERPRINT}\r\n"), "");
    let once = once.replacen("m=", &format!("a=fingerprint:{FINGERPRINT}\r\nm="), 1);
    let once = once.replace("\r\n", "\n");
    assert_eq!(sanitize(OFFER, &once), Ok(expected));
}

#[test]
fn missing_and_invalid_parts_are_named() {
    for (from, to, problem) in [
        ("v=0", "", "not a session description"),
        ("m=application", "x=application", "1 media"),
        ("a=mid:video0", "a=mid:application1", "a=mid:video0"),
        ("m=video", "m=audio", "a=mid:video0"),
        ("m=video 47353", "m=video 0", "rejects the video"),
        (
            "a=ice-pwd:9si4pCXz41ASWnDXr/WCdpJy",
            "a=ice-pwd:short",
            "ice-pwd",
        ),
        ("a=ice-ufrag:LS1N", "a=ice-ufrag:", "ice-ufrag"),
        ("sha-256 A3:", "sha-256 ", "fingerprint"),
        ("sha-256 A3", "sha-256 XX", "fingerprint"),
        ("a=setup:active", "a=setup:actpass", "setup"),
        ("a=sendonly", "a=sendrecv", "a=sendonly"),
        ("a=rtcp-mux\r\n", "", "rtcp-mux"),
        ("SAVPF 96 97", "SAVPF 97", "codecs"),
        ("a=sctp-port:5000", "a=sctp-port:70000", "sctp-port"),
    ] {
        let answer = chromium().replace(from, to);
        let error = sanitize(OFFER, &answer).unwrap_err().to_string();
        assert!(error.contains(problem), "{to}: {error}");
    }
}

#[test]
fn invalid_candidates_are_dropped() {
    for text in [
        "",
        "1 1 udp",
        "1 2 udp 1 192.0.2.2 5 typ host",
        "1 97 udp 1 192.0.2.2 5 typ host",
        "1 1 sctp 1 192.0.2.2 5 typ host",
        "1 1 udp -1 192.0.2.2 5 typ host",
        "1 1 udp 1 192.0.2.2 99999 typ host",
        "1 1 udp 1 example.com 5 typ host",
        "1 1 udp 1 a.example.local 5 typ host",
        "1 1 udp 1 .local 5 typ host",
        "1 1 udp 1 192.0.2.2 5 type host",
        "1 1 udp 1 192.0.2.2 5 typ other",
        "1 1 udp 1 192.0.2.2 5 typ srflx",
        "1 1 udp 1 192.0.2.2 5 typ relay raddr x rport 1",
        "1 1 tcp 1 192.0.2.2 5 typ host",
        "é 1 udp 1 192.0.2.2 5 typ host",
    ] {
        assert_eq!(candidate(text), None, "{text}");
    }
    let reflected = "1 1 udp 1 192.0.2.2 5 typ srflx raddr 0.0.0.0 rport 0 generation 0";
    let rewritten = "1 1 UDP 1 192.0.2.2 5 typ srflx raddr 0.0.0.0 rport 0";
    assert_eq!(candidate(reflected).as_deref(), Some(rewritten));
}

#[test]
fn the_number_of_candidates_and_streams_is_limited() {
    let candidate = "a=candidate:1 1 udp 1 192.0.2.2 5 typ host\r\n";
    let ssrcs: String = (1..1000)
        .map(|ssrc| format!("a=ssrc:{ssrc} cname:x\r\n"))
        .collect();
    let more = format!("{}{ssrcs}a=sendonly\r\n", candidate.repeat(1000));
    let answer = chromium().replacen("a=sendonly\r\n", &more, 1);
    let sanitized = sanitize(OFFER, &answer).unwrap();
    assert_eq!(sanitized.matches("a=candidate").count(), MAX_ICE_CANDIDATES);
    assert_eq!(sanitized.matches("a=ssrc").count(), MAX_SSRCS);
}

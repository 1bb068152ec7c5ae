// SPDX-License-Identifier: MPL-2.0

//! Sanitizes a server's SDP offer of one video: writes from scratch what a connection needs.

use std::fmt::Write;

use super::sdp::{MAX_SSRCS, SdpError, Section, Transport, sections, ssrc};

/// Codecs that GStreamer decodes.
const CODECS: [&str; 4] = ["VP8", "VP9", "H264", "AV1"];
/// Retransmissions of another format.
pub(crate) const RETRANSMISSION: &str = "rtx";
const CLOCK_RATE: &str = "90000";
const FEEDBACK: [&str; 4] = ["nack", "nack pli", "ccm fir", "transport-cc"];
/// Header extensions that `webrtcbin` knows.
const EXTENSIONS: [&str; 2] = [
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
];
const PROTOCOL: &str = "UDP/TLS/RTP/SAVPF";

/// Returns an offer with the parts of `offer` that a connection which receives its video needs.
///
/// # Errors
/// Returns an error if the offer is not of one video in a known codec, or a part is invalid.
pub(crate) fn sanitize(offer: &str) -> Result<String, SdpError> {
    if !offer.starts_with("v=0") {
        return Err(SdpError::NotSdp);
    }
    let (session, media) = sections(offer);
    let [video] = &media[..] else {
        return Err(SdpError::NotOneVideo(media.len()));
    };
    if video.kind() != "video" || video.is_rejected() {
        return Err(SdpError::NotOneVideo(0));
    }
    let transport = Transport::read(&session, video, &["actpass", "active", "passive"])?;
    let mid = video.first("mid").filter(|mid| is_mid(mid));
    let mid = mid.ok_or(SdpError::Attribute("mid"))?;
    for attribute in ["sendonly", "rtcp-mux"] {
        if !video.has(&(attribute, "")) {
            return Err(SdpError::Video(attribute));
        }
    }
    let formats = formats(video);
    let is_codec = |format: &Format| format.encoding != RETRANSMISSION;
    if !formats.iter().any(is_codec) {
        return Err(SdpError::NoKnownCodec(CODECS.join(", ")));
    }
    let types: Vec<_> = formats.iter().map(|format| format.payload_type).collect();
    let mut text = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n\
         m=video 9 {PROTOCOL} {}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n",
        types.join(" ")
    );
    let mut add = |attribute: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = write!(text, "a={attribute}:{value}\r\n");
    };
    add("ice-ufrag", transport.ufrag);
    add("ice-pwd", transport.password);
    add("fingerprint", transport.fingerprint);
    add("setup", transport.setup);
    for format in &formats {
        let payload_type = format.payload_type;
        add(
            "rtpmap",
            &format!("{payload_type} {}/{CLOCK_RATE}", format.encoding),
        );
        if let Some(parameters) = format.parameters {
            add("fmtp", &format!("{payload_type} {parameters}"));
        }
        for feedback in &format.feedback {
            add("rtcp-fb", &format!("{payload_type} {feedback}"));
        }
    }
    for (id, uri) in extensions(video) {
        add("extmap", &format!("{id} {uri}"));
    }
    let mut ssrcs: Vec<_> = video.all("ssrc").filter_map(ssrc).collect();
    ssrcs.dedup();
    for number in ssrcs.iter().take(MAX_SSRCS) {
        add("ssrc", &format!("{number} cname:peer"));
    }
    text += "a=sendonly\r\na=rtcp-mux\r\n";
    text += &transport.candidate_lines();
    Ok(text)
}

/// An offered format of video.
struct Format<'a> {
    payload_type: &'a str,
    encoding: &'static str,
    parameters: Option<&'a str>,
    feedback: Vec<&'static str>,
}

/// Returns the formats that are known, each once.
fn formats<'a>(video: &Section<'a>) -> Vec<Format<'a>> {
    let mut formats: Vec<Format> = Vec::new();
    for payload_type in video.formats() {
        let is_dynamic = payload_type.len() <= 3
            && payload_type.bytes().all(|digit| digit.is_ascii_digit())
            && payload_type.parse().is_ok_and(|number: u8| number < 128);
        let is_known = formats
            .iter()
            .any(|known| known.payload_type == payload_type);
        if !is_dynamic || is_known {
            continue;
        }
        let of_format = |name| {
            let values = video.all(name);
            values.filter_map(move |value| {
                let (format, rest) = value.split_once(' ')?;
                (format == payload_type).then_some(rest)
            })
        };
        let encoding = of_format("rtpmap").find_map(encoding);
        let Some(encoding) = encoding else {
            continue;
        };
        // A retransmission names the format whose packets it repeats.
        let is_of_encoding = |text: &&str| match encoding {
            RETRANSMISSION => text.strip_prefix("apt=").is_some_and(|repeated| {
                repeated != payload_type && video.formats().any(|format| format == repeated)
            }),
            _ => true,
        };
        let mut parameters = of_format("fmtp").filter(|text| is_parameters(text));
        let feedback = of_format("rtcp-fb");
        let feedback =
            feedback.filter_map(|text| FEEDBACK.into_iter().find(|known| *known == text));
        formats.push(Format {
            payload_type,
            encoding,
            parameters: parameters.find(is_of_encoding),
            feedback: feedback.take(FEEDBACK.len()).collect(),
        });
    }
    formats
}

/// Returns the known encoding in the value of `a=rtpmap`.
pub(crate) fn encoding(text: &str) -> Option<&'static str> {
    let (name, clock_rate) = text.split_once('/')?;
    let mut known = CODECS.into_iter().chain([RETRANSMISSION]);
    known.find(|known| known.eq_ignore_ascii_case(name) && clock_rate == CLOCK_RATE)
}

/// Returns true if these are parameters such as `packetization-mode=1;profile-level-id=42e01f`.
fn is_parameters(text: &str) -> bool {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_+/,.= ".contains(&letter);
    let is_parameter = |pair: &str| {
        let pair = pair.trim().split_once('=');
        pair.is_some_and(|(key, value)| {
            !key.is_empty() && !value.is_empty() && key.bytes().chain(value.bytes()).all(is_plain)
        })
    };
    text.len() <= 512 && text.split(';').all(is_parameter)
}

/// Returns ids and URIs of the header extensions that are known, each once.
fn extensions(video: &Section) -> impl Iterator<Item = (u8, &'static str)> {
    let mut ids = Vec::new();
    EXTENSIONS.into_iter().filter_map(move |uri| {
        let mut values = video
            .all("extmap")
            .filter_map(|value| value.split_once(' '));
        let (id, _) = values.find(|(_, found)| *found == uri)?;
        let id = id
            .parse()
            .ok()
            .filter(|id| (1..15).contains(id) && !ids.contains(id))?;
        ids.push(id);
        Some((id, uri))
    })
}

/// Returns true if this identifies media.
fn is_mid(text: &str) -> bool {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    (1..=32).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests;

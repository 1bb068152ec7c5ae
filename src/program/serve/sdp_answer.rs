// SPDX-License-Identifier: MPL-2.0

//! Sanitizes a page's SDP answer: parses strictly what a connection needs, and writes it from
//! scratch.
//!
//! `webrtcbin` trusts its input, and aborts on some descriptions that no browser writes. Therefore
//! no line of the page is passed on unchanged.

use std::fmt::Write;
use std::net::IpAddr;

/// Maximum number of candidates; a browser has one or two per network.
const MAX_ICE_CANDIDATES: usize = 32;
/// Maximum number of streams; a video and its retransmissions are two.
const MAX_SSRCS: usize = 8;
/// Directions in the offer and the answer.
const DIRECTIONS: [(&str, &str); 2] = [("recvonly", "sendonly"), ("sendonly", "recvonly")];
const CANDIDATE_TYPES: [&str; 4] = ["host", "srflx", "prflx", "relay"];
/// Digests of certificates, with their lengths in bytes.
const DIGESTS: [(&str, usize); 3] = [("sha-256", 32), ("sha-384", 48), ("sha-512", 64)];

/// The answer cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SdpAnswerError {
    #[error("the answer is not a session description")]
    NotSdp,
    #[error("the answer has {answered} media, expected {offered} as in the offer")]
    MediaCount { answered: usize, offered: usize },
    #[error("the offer has no media")]
    NoMedia,
    #[error("the answer's a={0} is missing or invalid")]
    Attribute(&'static str),
    #[error("the answer's a=mid:{0} is not at the same position as in the offer")]
    Mid(String),
    #[error("the answer rejects the {0}")]
    Rejected(String),
    #[error("the answer's video has no a={0}")]
    Video(&'static str),
    #[error("the answer contains none of the offered codecs")]
    NoCodec,
}

/// Returns an answer to `offer` with the parts of `answer` that a connection needs.
pub(crate) fn sanitize(offer: &str, answer: &str) -> Result<String, SdpAnswerError> {
    if !answer.starts_with("v=0") {
        return Err(SdpAnswerError::NotSdp);
    }
    let (_, offered) = sections(offer);
    let (session, answered) = sections(answer);
    if answered.len() != offered.len() {
        return Err(SdpAnswerError::MediaCount {
            answered: answered.len(),
            offered: offered.len(),
        });
    }
    // All media are bundled on the transport of the first.
    let transport = match answered.first() {
        Some(first) => Transport::read(&session, first)?,
        None => return Err(SdpAnswerError::NoMedia),
    };
    let mids = offered.iter().filter_map(|media| media.first("mid"));
    let mids: Vec<_> = mids.collect();
    let mut text = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n",
        mids.join(" ")
    );
    for (offered, answered) in offered.iter().zip(&answered) {
        text += &media_section(offered, answered, &transport)?;
    }
    Ok(text)
}

/// A section of a description: of the whole session, or of one of its media.
#[derive(Default)]
struct Section<'a> {
    /// The text after `m=`.
    line: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

/// Splits a description into the section of the session and those of its media.
fn sections(text: &str) -> (Section<'_>, Vec<Section<'_>>) {
    let mut session = Section::default();
    let mut media: Vec<Section> = Vec::new();
    for line in text.lines() {
        match line.split_once('=') {
            Some(("m", line)) => media.push(Section {
                line,
                attributes: Vec::new(),
            }),
            Some(("a", attribute)) => {
                let attribute = attribute.split_once(':').unwrap_or((attribute, ""));
                let section = media.last_mut().unwrap_or(&mut session);
                section.attributes.push(attribute);
            }
            _ => (),
        }
    }
    (session, media)
}

impl<'a> Section<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self
            .attributes
            .iter()
            .filter(move |(attribute, _)| *attribute == name);
        named.map(|(_, value)| *value)
    }

    fn first(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    fn has(&self, attribute: &(&str, &str)) -> bool {
        self.attributes.contains(attribute)
    }

    /// Returns the kind of media, such as `video`.
    fn kind(&self) -> &'a str {
        self.line.split(' ').next().unwrap_or_default()
    }

    fn is_rejected(&self) -> bool {
        self.line.split(' ').nth(1) == Some("0")
    }

    fn protocol(&self) -> &'a str {
        self.line.split(' ').nth(2).unwrap_or_default()
    }

    /// Returns the payload types, or the name of a protocol.
    fn formats(&self) -> impl Iterator<Item = &'a str> {
        self.line.split(' ').skip(3)
    }
}

/// The page's addresses and credentials.
struct Transport<'a> {
    ufrag: &'a str,
    password: &'a str,
    fingerprint: &'a str,
    setup: &'a str,
    candidates: Vec<String>,
}

impl<'a> Transport<'a> {
    /// Reads the attributes of `media`, or else those of the session.
    fn read(session: &Section<'a>, media: &Section<'a>) -> Result<Self, SdpAnswerError> {
        let find = |name: &'static str, is_valid: fn(&str) -> bool| {
            let mut values = media.all(name).chain(session.all(name));
            let value = values.find(|value| is_valid(value));
            value.ok_or(SdpAnswerError::Attribute(name))
        };
        let candidates = media.all("candidate").filter_map(candidate);
        Ok(Self {
            ufrag: find("ice-ufrag", |text| is_ice(text, 4, 256))?,
            password: find("ice-pwd", |text| is_ice(text, 22, 256))?,
            fingerprint: find("fingerprint", is_fingerprint)?,
            setup: find("setup", |text| ["active", "passive"].contains(&text))?,
            candidates: candidates.take(MAX_ICE_CANDIDATES).collect(),
        })
    }
}

/// Returns the section of the answer for one of the media.
fn media_section(
    offered: &Section,
    answered: &Section,
    transport: &Transport,
) -> Result<String, SdpAnswerError> {
    let kind = offered.kind();
    let mid = offered.first("mid").unwrap_or_default();
    if answered.kind() != kind || answered.first("mid") != Some(mid) {
        return Err(SdpAnswerError::Mid(mid.to_owned()));
    }
    if answered.is_rejected() {
        return Err(SdpAnswerError::Rejected(kind.to_owned()));
    }
    let formats: Vec<_> = offered
        .formats()
        .filter(|format| {
            kind == "application" || answered.formats().any(|answered| answered == *format)
        })
        .collect();
    let mut text = format!(
        "m={kind} 9 {} {}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n",
        offered.protocol(),
        formats.join(" ")
    );
    let mut add = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = match value {
            "" => write!(text, "a={name}\r\n"),
            value => write!(text, "a={name}:{value}\r\n"),
        };
    };
    add("ice-ufrag", transport.ufrag);
    add("ice-pwd", transport.password);
    add("fingerprint", transport.fingerprint);
    add("setup", transport.setup);
    match kind {
        "application" => {
            let number = |name| answered.first(name).and_then(|text| text.parse().ok());
            let port = number("sctp-port").filter(|port| (1..=65535).contains(port));
            let port: u32 = port.ok_or(SdpAnswerError::Attribute("sctp-port"))?;
            add("sctp-port", &port.to_string());
            if let Some(size) = number("max-message-size").filter(|size| *size <= i32::MAX as u32) {
                add("max-message-size", &size.to_string());
            }
        }
        _ => {
            add_video(offered, answered, &formats, &mut add)?;
            for candidate in &transport.candidates {
                add("candidate", candidate);
            }
        }
    }
    Ok(text)
}

/// Adds the attributes of the video: direction, codecs, feedback and streams.
fn add_video(
    offered: &Section,
    answered: &Section,
    formats: &[&str],
    add: &mut impl FnMut(&str, &str),
) -> Result<(), SdpAnswerError> {
    let direction = DIRECTIONS
        .into_iter()
        .find(|(direction, _)| offered.has(&(direction, "")))
        .map_or("", |(_, answer)| answer);
    if !answered.has(&(direction, "")) {
        return Err(SdpAnswerError::Video(direction));
    }
    add(direction, "");
    if !answered.has(&("rtcp-mux", "")) {
        return Err(SdpAnswerError::Video("rtcp-mux"));
    }
    add("rtcp-mux", "");
    let mut has_codec = false;
    for attribute @ (name, value) in &offered.attributes {
        let of_format = |value: &str| {
            let format = value.split(' ').next();
            format.is_some_and(|format| formats.contains(&format))
        };
        let is_agreed = match *name {
            "rtpmap" | "fmtp" => of_format(value),
            "rtcp-fb" => of_format(value) && answered.has(attribute),
            "extmap" | "rtcp-rsize" => answered.has(attribute),
            _ => false,
        };
        if is_agreed {
            has_codec |= *name == "rtpmap" && !value.contains(" rtx/");
            add(name, value);
        }
    }
    if !has_codec {
        return Err(SdpAnswerError::NoCodec);
    }
    let ssrc = |text: &str| text.parse::<u32>().ok().filter(|ssrc| *ssrc > 0);
    let mut ssrcs = Vec::new();
    for value in answered.all("ssrc") {
        let number = value.split(' ').next().and_then(ssrc);
        if let Some(number) = number.filter(|number| !ssrcs.contains(number))
            && ssrcs.len() < MAX_SSRCS
        {
            ssrcs.push(number);
            add("ssrc", &format!("{number} cname:page"));
        }
    }
    Ok(())
}

/// Returns the candidate, written from scratch; `None` if it is invalid or of no use.
fn candidate(text: &str) -> Option<String> {
    let mut words = text.split(' ');
    let foundation = words.next().filter(|text| is_ice(text, 1, 32))?;
    words.next().filter(|component| *component == "1")?;
    let transport = words.next()?.to_ascii_uppercase();
    let priority: u32 = words.next()?.parse().ok()?;
    let address = words.next().filter(|text| is_address(text))?;
    let port: u16 = words.next()?.parse().ok()?;
    words.next().filter(|word| *word == "typ")?;
    let candidate_type = words.next().filter(|word| CANDIDATE_TYPES.contains(word))?;
    let rest: Vec<_> = words.collect();
    let rest = |name: &str| {
        let mut pairs = rest.chunks_exact(2);
        pairs.find_map(|pair| (pair[0] == name).then_some(pair[1]))
    };
    let base =
        format!("{foundation} 1 {transport} {priority} {address} {port} typ {candidate_type}");
    let related = match (rest("raddr"), rest("rport")) {
        (Some(address), Some(port)) if is_address(address) => {
            format!(" raddr {address} rport {}", port.parse::<u16>().ok()?)
        }
        _ if candidate_type == "host" => String::new(),
        _ => return None,
    };
    let tcp = match (&transport[..], rest("tcptype")) {
        ("UDP", _) => String::new(),
        ("TCP", Some(side @ ("active" | "passive"))) => format!(" tcptype {side}"),
        _ => return None,
    };
    Some(base + &related + &tcp)
}

/// Returns true if this is an IP address. The mDNS names by which browsers hide addresses are not
/// resolved: the page connects to the server, and GStreamer 1.22 leaks a connection that had to
/// resolve a name.
fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Returns true if this is a token of ICE with `min` to `max` characters.
fn is_ice(text: &str, min: usize, max: usize) -> bool {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"+/".contains(&letter);
    (min..=max).contains(&text.len()) && text.bytes().all(is_plain)
}

fn is_fingerprint(text: &str) -> bool {
    let Some((digest, bytes)) = text.split_once(' ') else {
        return false;
    };
    let is_byte =
        |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let named = DIGESTS
        .iter()
        .find(|(name, _)| digest.eq_ignore_ascii_case(name));
    named.is_some_and(|(_, length)| bytes.split(':').count() == *length)
        && bytes.split(':').all(is_byte)
}

#[cfg(test)]
mod tests;

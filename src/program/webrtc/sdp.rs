// SPDX-License-Identifier: MPL-2.0

//! Session descriptions: parses strictly what a connection needs.
//!
//! `webrtcbin` trusts its input, and aborts on some descriptions that no browser writes. Therefore
//! no line of a peer is passed on unchanged.

use std::net::IpAddr;

/// Maximum number of candidates; a browser has one or two per network.
pub(super) const MAX_ICE_CANDIDATES: usize = 32;
/// Maximum number of streams; a video and its retransmissions are two.
pub(super) const MAX_SSRCS: usize = 8;
const CANDIDATE_TYPES: [&str; 4] = ["host", "srflx", "prflx", "relay"];
/// Digests of certificates, with their lengths in bytes.
const DIGESTS: [(&str, usize); 3] = [("sha-256", 32), ("sha-384", 48), ("sha-512", 64)];

/// A session description of a peer cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SdpError {
    #[error("this is not a session description")]
    NotSdp,
    #[error("the answer has {answered} media, expected {offered} as in the offer")]
    MediaCount { answered: usize, offered: usize },
    #[error("the offer has no media")]
    NoMedia,
    #[error("the session description's a={0} is missing or invalid")]
    Attribute(&'static str),
    #[error("the answer's a=mid:{0} is not at the same position as in the offer")]
    Mid(String),
    #[error("the answer rejects the {0}")]
    Rejected(String),
    #[error("the session description's video has no a={0}")]
    Video(&'static str),
    #[error("the answer contains none of the offered codecs")]
    NoCommonCodec,
    #[error("the offer contains none of the codecs {0}")]
    NoKnownCodec(String),
    #[error("the offer has {0} media, expected one video")]
    NotOneVideo(usize),
}

/// A section of a description: of the whole session, or of one of its media.
#[derive(Default)]
pub(super) struct Section<'a> {
    /// The text after `m=`.
    pub(super) line: &'a str,
    pub(super) attributes: Vec<(&'a str, &'a str)>,
}

/// Splits a description into the section of the session and those of its media.
pub(super) fn sections(text: &str) -> (Section<'_>, Vec<Section<'_>>) {
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
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self
            .attributes
            .iter()
            .filter(move |(attribute, _)| *attribute == name);
        named.map(|(_, value)| *value)
    }

    pub(super) fn first(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub(super) fn has(&self, attribute: &(&str, &str)) -> bool {
        self.attributes.contains(attribute)
    }

    /// Returns the kind of media, such as `video`.
    pub(super) fn kind(&self) -> &'a str {
        self.line.split(' ').next().unwrap_or_default()
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.line.split(' ').nth(1) == Some("0")
    }

    pub(super) fn protocol(&self) -> &'a str {
        self.line.split(' ').nth(2).unwrap_or_default()
    }

    /// Returns the payload types, or the name of a protocol.
    pub(super) fn formats(&self) -> impl Iterator<Item = &'a str> {
        self.line.split(' ').skip(3)
    }
}

/// A peer's addresses and credentials.
pub(super) struct Transport<'a> {
    pub(super) ufrag: &'a str,
    pub(super) password: &'a str,
    pub(super) fingerprint: &'a str,
    pub(super) setup: &'a str,
    pub(super) candidates: Vec<String>,
}

impl<'a> Transport<'a> {
    /// Reads the attributes of `media`, or else those of the session.
    ///
    /// # Errors
    /// Returns an error if one is missing or invalid. The values of `a=setup` are `setups`.
    pub(super) fn read(
        session: &Section<'a>,
        media: &Section<'a>,
        setups: &[&str],
    ) -> Result<Self, SdpError> {
        let find = |name: &'static str, is_valid: &dyn Fn(&str) -> bool| {
            let mut values = media.all(name).chain(session.all(name));
            let value = values.find(|value| is_valid(value));
            value.ok_or(SdpError::Attribute(name))
        };
        let candidates = media.all("candidate").filter_map(candidate);
        Ok(Self {
            ufrag: find("ice-ufrag", &|text| is_ice(text, 4, 256))?,
            password: find("ice-pwd", &|text| is_ice(text, 22, 256))?,
            fingerprint: find("fingerprint", &is_fingerprint)?,
            setup: find("setup", &|text| setups.contains(&text))?,
            candidates: candidates.take(MAX_ICE_CANDIDATES).collect(),
        })
    }

    /// Returns the lines of the candidates.
    pub(super) fn candidate_lines(&self) -> String {
        let lines = self.candidates.iter();
        lines
            .map(|candidate| format!("a=candidate:{candidate}\r\n"))
            .collect()
    }
}

/// Returns the candidate, written from scratch; `None` if it is invalid or of no use.
pub(crate) fn candidate(text: &str) -> Option<String> {
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
/// resolved: the browser connects to this side, and GStreamer 1.22 leaks a connection that had to
/// resolve a name.
fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Returns true if this is a token of ICE with `min` to `max` characters.
pub(super) fn is_ice(text: &str, min: usize, max: usize) -> bool {
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

/// Returns the number of a stream in the value of `a=ssrc`.
pub(super) fn ssrc(text: &str) -> Option<u32> {
    let number = text.split(' ').next()?.parse().ok();
    number.filter(|number| *number > 0)
}

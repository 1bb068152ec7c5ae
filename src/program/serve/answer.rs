// SPDX-License-Identifier: MPL-2.0

//! What is taken of a page's answer: what a connection needs, read strictly and written anew.
//!
//! `webrtcbin` trusts what it is told: some descriptions that no browser writes make it abort. None of a
//! page's lines reaches it as it is.

use std::fmt::Write;
use std::net::IpAddr;

/// As many candidates are tried; a browser has one or two for each of its networks.
const MAX_CANDIDATES: usize = 32;
/// As many streams may be told of; a video and what is sent of it again are two.
const MAX_SSRCS: usize = 8;
/// Directions in an offer, and in its answer.
const DIRECTIONS: [(&str, &str); 2] = [("recvonly", "sendonly"), ("sendonly", "recvonly")];
const CANDIDATE_TYPES: [&str; 4] = ["host", "srflx", "prflx", "relay"];
/// The digests that a certificate may be told by, with their lengths in bytes.
const DIGESTS: [(&str, usize); 3] = [("sha-256", 32), ("sha-384", 48), ("sha-512", 64)];

/// The answer to `offer` that says what `answer` does, as far as it is understood.
pub fn understood(offer: &str, answer: &str) -> Result<String, String> {
    if !answer.starts_with("v=0") {
        return Err("the answer is no session description".to_owned());
    }
    let (_, offered) = sections(offer);
    let (session, answered) = sections(answer);
    if answered.len() != offered.len() {
        let (answered, offered) = (answered.len(), offered.len());
        return Err(format!(
            "the answer has {answered} media, the offer {offered}"
        ));
    }
    // All go over one transport, the first one's.
    let transport = match answered.first() {
        Some(first) => Transport::read(&session, first)?,
        None => return Err("the offer has no media".to_owned()),
    };
    let mids = offered.iter().filter_map(|media| media.first("mid"));
    let mids: Vec<_> = mids.collect();
    let mut text = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n",
        mids.join(" ")
    );
    for (offered, answered) in offered.iter().zip(&answered) {
        text += &media(offered, answered, &transport)?;
    }
    Ok(text)
}

/// What is said of the whole session, or of one of its media.
#[derive(Default)]
struct Section<'a> {
    /// What follows `m=`.
    line: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

/// What is said of the session, and of each of its media.
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
        let named = self.attributes.iter().filter(move |(of, _)| *of == name);
        named.map(|(_, value)| *value)
    }

    fn first(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    fn has(&self, attribute: &(&str, &str)) -> bool {
        self.attributes.contains(attribute)
    }

    /// Such as `video`.
    fn kind(&self) -> &'a str {
        self.line.split(' ').next().unwrap_or_default()
    }

    fn is_refused(&self) -> bool {
        self.line.split(' ').nth(1) == Some("0")
    }

    fn protocol(&self) -> &'a str {
        self.line.split(' ').nth(2).unwrap_or_default()
    }

    /// Numbers of the codecs, or the name of a protocol.
    fn formats(&self) -> impl Iterator<Item = &'a str> {
        self.line.split(' ').skip(3)
    }
}

/// How the page is reached, and known.
struct Transport<'a> {
    ufrag: &'a str,
    password: &'a str,
    fingerprint: &'a str,
    setup: &'a str,
    candidates: Vec<String>,
}

impl<'a> Transport<'a> {
    /// What is said of `media`, or else of all.
    fn read(session: &Section<'a>, media: &Section<'a>) -> Result<Self, String> {
        let find = |name: &str, is_right: fn(&str) -> bool| {
            let mut values = media.all(name).chain(session.all(name));
            let value = values.find(|value| is_right(value));
            value.ok_or_else(|| format!("the answer has no a={name}, or one that cannot be used"))
        };
        let candidates = media.all("candidate").filter_map(candidate);
        Ok(Self {
            ufrag: find("ice-ufrag", |text| is_ice(text, 4, 256))?,
            password: find("ice-pwd", |text| is_ice(text, 22, 256))?,
            fingerprint: find("fingerprint", is_fingerprint)?,
            setup: find("setup", |text| ["active", "passive"].contains(&text))?,
            candidates: candidates.take(MAX_CANDIDATES).collect(),
        })
    }
}

/// The answer to one of the media.
fn media(offered: &Section, answered: &Section, transport: &Transport) -> Result<String, String> {
    let kind = offered.kind();
    let mid = offered.first("mid").unwrap_or_default();
    if answered.kind() != kind || answered.first("mid") != Some(mid) {
        return Err(format!(
            "the answer's a=mid:{mid} is not where the offer's is"
        ));
    }
    if answered.is_refused() {
        return Err(format!("the answer refuses the {kind}"));
    }
    let formats: Vec<_> = offered
        .formats()
        .filter(|format| kind == "application" || answered.formats().any(|of| of == *format))
        .collect();
    let mut text = format!(
        "m={kind} 9 {} {}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n",
        offered.protocol(),
        formats.join(" ")
    );
    let mut add = |name: &str, value: &str| {
        // To write to a string does not fail.
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
            let port: u32 = port.ok_or("the answer has no a=sctp-port")?;
            add("sctp-port", &port.to_string());
            if let Some(size) = number("max-message-size").filter(|size| *size <= i32::MAX as u32) {
                add("max-message-size", &size.to_string());
            }
        }
        _ => {
            video(offered, answered, &formats, &mut add)?;
            for candidate in &transport.candidates {
                add("candidate", candidate);
            }
        }
    }
    Ok(text)
}

/// Which way video goes, and as what.
fn video(
    offered: &Section,
    answered: &Section,
    formats: &[&str],
    add: &mut impl FnMut(&str, &str),
) -> Result<(), String> {
    let direction = DIRECTIONS
        .into_iter()
        .find(|(direction, _)| offered.has(&(direction, "")))
        .map_or("", |(_, answer)| answer);
    if !answered.has(&(direction, "")) {
        return Err(format!("the answer's video is not a={direction}"));
    }
    add(direction, "");
    if !answered.has(&("rtcp-mux", "")) {
        return Err("the answer's video is not a=rtcp-mux".to_owned());
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
        return Err("the answer has none of the offered codecs".to_owned());
    }
    let ssrc = |text: &str| text.parse::<u32>().ok().filter(|ssrc| *ssrc > 0);
    let mut ssrcs = Vec::new();
    for told in answered.all("ssrc") {
        let told = told.split(' ').next().and_then(ssrc);
        if let Some(told) = told.filter(|told| !ssrcs.contains(told))
            && ssrcs.len() < MAX_SSRCS
        {
            ssrcs.push(told);
            add("ssrc", &format!("{told} cname:page"));
        }
    }
    Ok(())
}

/// A candidate as the server understands it; one that it does not is none to try.
fn candidate(text: &str) -> Option<String> {
    let mut words = text.split(' ');
    let foundation = words.next().filter(|text| is_ice(text, 1, 32))?;
    words.next().filter(|component| *component == "1")?;
    let transport = words.next()?.to_ascii_uppercase();
    let priority: u32 = words.next()?.parse().ok()?;
    let address = words.next().filter(|text| is_address(text))?;
    let port: u16 = words.next()?.parse().ok()?;
    words.next().filter(|word| *word == "typ")?;
    let of_type = words.next().filter(|of| CANDIDATE_TYPES.contains(of))?;
    let rest: Vec<_> = words.collect();
    let rest = |name: &str| {
        let mut pairs = rest.chunks_exact(2);
        pairs.find_map(|pair| (pair[0] == name).then_some(pair[1]))
    };
    let told = format!("{foundation} 1 {transport} {priority} {address} {port} typ {of_type}");
    let related = match (rest("raddr"), rest("rport")) {
        (Some(address), Some(port)) if is_address(address) => {
            format!(" raddr {address} rport {}", port.parse::<u16>().ok()?)
        }
        _ if of_type == "host" => String::new(),
        _ => return None,
    };
    let tcp = match (&transport[..], rest("tcptype")) {
        ("UDP", _) => String::new(),
        ("TCP", Some(side @ ("active" | "passive"))) => format!(" tcptype {side}"),
        _ => return None,
    };
    Some(told + &related + &tcp)
}

/// Whether this is an address. A name by which a browser hides one is none: who has it need not be asked,
/// as the page asks the server, and GStreamer 1.22 keeps all of a connection for ever where it has to find
/// out.
fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Whether this is a word of ICE, of so many letters.
fn is_ice(text: &str, min: usize, max: usize) -> bool {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"+/".contains(&letter);
    (min..=max).contains(&text.len()) && text.bytes().all(is_plain)
}

fn is_fingerprint(text: &str) -> bool {
    let Some((digest, bytes)) = text.split_once(' ') else {
        return false;
    };
    let is_byte = |text: &str| text.len() == 2 && text.bytes().all(|of| of.is_ascii_hexdigit());
    let named = DIGESTS
        .iter()
        .find(|(name, _)| digest.eq_ignore_ascii_case(name));
    named.is_some_and(|(_, length)| bytes.split(':').count() == *length)
        && bytes.split(':').all(is_byte)
}

#[cfg(test)]
mod tests;

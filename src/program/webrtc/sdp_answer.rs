// SPDX-License-Identifier: MPL-2.0

//! Sanitizes a peer's SDP answer: writes from scratch what a connection needs.

use std::fmt::Write;

use super::sdp::{MAX_SSRCS, SdpError, Section, Transport, sections, ssrc};

/// Directions in the offer and the answer.
const DIRECTIONS: [(&str, &str); 2] = [("recvonly", "sendonly"), ("sendonly", "recvonly")];

/// Returns an answer to `offer` with the parts of `answer` that a connection needs.
pub(crate) fn sanitize(offer: &str, answer: &str) -> Result<String, SdpError> {
    if !answer.starts_with("v=0") {
        return Err(SdpError::NotSdp);
    }
    let (_, offered) = sections(offer);
    let (session, answered) = sections(answer);
    if answered.len() != offered.len() {
        return Err(SdpError::MediaCount {
            answered: answered.len(),
            offered: offered.len(),
        });
    }
    // All media are bundled on the transport of the first.
    let transport = match answered.first() {
        Some(first) => Transport::read(&session, first, &["active", "passive"])?,
        None => return Err(SdpError::NoMedia),
    };
    let mids = offered.iter().filter_map(|media| media.first("mid"));
    let mids: Vec<_> = mids.collect();
    let mut text = format!(
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n",
        mids.join(" ")
    );
    for (index, (offered, answered)) in offered.iter().zip(&answered).enumerate() {
        text += &media_section(offered, answered, &transport)?;
        if index == 0 {
            text += &transport.candidate_lines();
        }
    }
    Ok(text)
}

/// Returns the section of the answer for one of the media.
fn media_section(
    offered: &Section,
    answered: &Section,
    transport: &Transport,
) -> Result<String, SdpError> {
    let kind = offered.kind();
    let mid = offered.first("mid").unwrap_or_default();
    if answered.kind() != kind || answered.first("mid") != Some(mid) {
        return Err(SdpError::Mid(mid.to_owned()));
    }
    if answered.is_rejected() {
        return Err(SdpError::Rejected(kind.to_owned()));
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
            let port: u32 = port.ok_or(SdpError::Attribute("sctp-port"))?;
            add("sctp-port", &port.to_string());
            if let Some(size) = number("max-message-size").filter(|size| *size <= i32::MAX as u32) {
                add("max-message-size", &size.to_string());
            }
        }
        _ => add_video(offered, answered, &formats, &mut add)?,
    }
    Ok(text)
}

/// Adds the attributes of the video: direction, codecs, feedback and streams.
fn add_video(
    offered: &Section,
    answered: &Section,
    formats: &[&str],
    add: &mut impl FnMut(&str, &str),
) -> Result<(), SdpError> {
    let direction = DIRECTIONS
        .into_iter()
        .find(|(direction, _)| offered.has(&(direction, "")))
        .map_or("", |(_, answer)| answer);
    if !answered.has(&(direction, "")) {
        return Err(SdpError::Video(direction));
    }
    add(direction, "");
    if !answered.has(&("rtcp-mux", "")) {
        return Err(SdpError::Video("rtcp-mux"));
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
        return Err(SdpError::NoCommonCodec);
    }
    let mut ssrcs = Vec::new();
    for value in answered.all("ssrc") {
        if let Some(number) = ssrc(value).filter(|number| !ssrcs.contains(number))
            && ssrcs.len() < MAX_SSRCS
        {
            ssrcs.push(number);
            add("ssrc", &format!("{number} cname:peer"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: MPL-2.0

//! The SDP offer of a WHIP client: one video is received, and nothing else.

use crate::webrtc::{SdpError, sdp_offer};

/// Codecs that a source may have.
const CODECS: [&str; 3] = ["VP8", "VP9", "H264"];
/// Attributes that all media of a bundle share.
const TRANSPORT: [&str; 5] = ["ice-ufrag", "ice-pwd", "fingerprint", "setup", "candidate"];
/// Directions of media.
const DIRECTIONS: [&str; 4] = ["sendonly", "sendrecv", "recvonly", "inactive"];

/// The offer cannot be accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("the offer contains no video to send; its media must be sendonly or sendrecv")]
    NoVideo,
    #[error("the offer contains none of the codecs VP8, VP9 and H264")]
    NoCodec,
    #[error(transparent)]
    Sdp(#[from] SdpError),
}

/// An offer.
#[derive(Debug)]
pub(crate) struct Offer {
    /// The offer of the video alone, sanitized.
    pub(crate) sdp: String,
    /// Identifies the ICE session.
    pub(crate) ice_ufrag: String,
    /// Position of the video.
    video: usize,
    /// The other media and the video, in the order of the offer.
    media: Vec<Refusal>,
}

impl Offer {
    /// Parses an offer and selects its first video, in its first known codec.
    pub(crate) fn parse(text: &str) -> Result<Self, OfferError> {
        if !text.starts_with("v=0") {
            return Err(SdpError::NotSdp.into());
        }
        let mut lines = text.lines().peekable();
        let session: Vec<_> =
            std::iter::from_fn(|| lines.next_if(|line| !line.starts_with("m="))).collect();
        let mut media: Vec<Media> = Vec::new();
        for line in lines {
            match (line.strip_prefix("m="), media.last_mut()) {
                (Some(line), _) => media.push(Media {
                    line,
                    lines: Vec::new(),
                }),
                (None, Some(media)) => media.lines.push(line),
                (None, None) => {}
            }
        }
        let video = media.iter().position(Media::is_sent_video);
        let video = video.ok_or(OfferError::NoVideo)?;
        let formats = media[video].formats().ok_or(OfferError::NoCodec)?;
        let mut sdp: Vec<String> = session.iter().map(|&line| line.to_owned()).collect();
        sdp.push(format!("m=video 9 {} {formats}", media[video].protocol()));
        let is_direction = |line: &&&str| {
            let attribute = line.strip_prefix("a=");
            attribute.is_some_and(|name| DIRECTIONS.contains(&name))
        };
        let own = media[video].lines.iter();
        sdp.extend(
            own.filter(|line| !is_direction(line))
                .map(|&line| line.to_owned()),
        );
        sdp.push("a=sendonly".to_owned());
        if media[video].port() == "0" {
            // The first medium has the transport of the bundle.
            let shared = media[0].lines.iter().filter(|line| is_transport(line));
            sdp.extend(shared.map(|&line| line.to_owned()));
        }
        let sdp = sdp_offer::sanitize(&(sdp.join("\r\n") + "\r\n"))?;
        let ufrag = sdp
            .lines()
            .find_map(|line| line.strip_prefix("a=ice-ufrag:"));
        Ok(Self {
            ice_ufrag: ufrag.unwrap_or_default().to_owned(),
            video,
            media: media.iter().map(Media::refusal).collect(),
            sdp,
        })
    }

    /// Adds the other media to the answer to the video alone.
    pub(crate) fn complete(&self, answer: &str) -> String {
        let (session, video) = match answer.find("m=video") {
            Some(begin) => answer.split_at(begin),
            None => (answer, ""),
        };
        let transport: String = video
            .split_inclusive('\n')
            .filter(|line| is_transport(line))
            .collect();
        let mut mids: Vec<&str> = Vec::new();
        let mut sections = String::new();
        for (position, refusal) in self.media.iter().enumerate() {
            let is_video = position == self.video;
            sections += if is_video { video } else { &refusal.section };
            if !is_video && refusal.is_bundled {
                sections += &transport;
            }
            if is_video || refusal.is_bundled {
                mids.push(&refusal.mid);
            }
        }
        let is_group = |line: &&str| line.starts_with("a=group:");
        let session = session.split_inclusive('\n').filter(|line| !is_group(line));
        let session: String = session.collect();
        format!("{session}a=group:BUNDLE {}\r\n{sections}", mids.join(" "))
    }
}

/// Returns true if all media of a bundle share this line.
fn is_transport(line: &str) -> bool {
    let attribute = line
        .strip_prefix("a=")
        .and_then(|line| line.split(':').next());
    attribute.is_some_and(|name| TRANSPORT.contains(&name))
}

/// The answer to a medium that is not received.
#[derive(Debug)]
struct Refusal {
    mid: String,
    section: String,
    /// Set if it stays in the bundle.
    is_bundled: bool,
}

/// A medium of an offer.
struct Media<'a> {
    /// The text after `m=`.
    line: &'a str,
    lines: Vec<&'a str>,
}

impl<'a> Media<'a> {
    fn word(&self, index: usize) -> &'a str {
        self.line.split(' ').nth(index).unwrap_or_default()
    }

    fn port(&self) -> &'a str {
        self.word(1)
    }

    fn protocol(&self) -> &'a str {
        self.word(2)
    }

    /// Returns the values of an attribute.
    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let lines = self.lines.iter().filter_map(|line| line.strip_prefix("a="));
        lines.filter_map(move |line| line.strip_prefix(name)?.strip_prefix(':'))
    }

    fn is_sent_video(&self) -> bool {
        let has = |line: &str| self.lines.contains(&line);
        self.word(0) == "video" && self.is_offered() && !has("a=recvonly") && !has("a=inactive")
    }

    /// Returns false if the client itself does not use this.
    fn is_offered(&self) -> bool {
        self.port() != "0" || self.lines.contains(&"a=bundle-only")
    }

    /// Returns the payload type of the first known codec, and that of its retransmissions.
    fn formats(&self) -> Option<String> {
        let encoding = |format: &str| {
            let mut maps = self.all("rtpmap").filter_map(|map| map.split_once(' '));
            maps.find_map(|(of, text)| (of == format).then(|| sdp_offer::encoding(text))?)
        };
        let is_known = |format: &&str| encoding(format).is_some_and(|name| CODECS.contains(&name));
        let format = self.line.split(' ').skip(3).find(is_known)?;
        let target = format!("apt={format}");
        let mut parameters = self.all("fmtp").filter_map(|line| line.split_once(' '));
        let retransmission = parameters.find(|(format, text)| {
            *text == target && encoding(format) == Some(sdp_offer::RETRANSMISSION)
        });
        Some(match retransmission {
            Some((retransmission, _)) => format!("{format} {retransmission}"),
            None => format.to_owned(),
        })
    }

    /// Returns the answer if this is not received. It is inactive rather than rejected: Chromium
    /// cannot use a bundle whose first medium is rejected.
    fn refusal(&self) -> Refusal {
        let (kind, protocol) = (self.word(0), self.protocol());
        let mid = self.all("mid").next().unwrap_or_default();
        let is_bundled = self.is_offered() && protocol.contains("RTP");
        let section = match is_bundled {
            true => {
                let format = self.word(3);
                let prefix = format!("{format} ");
                let maps = self.all("rtpmap").filter(|map| map.starts_with(&prefix));
                let maps: String = maps.map(|map| format!("a=rtpmap:{map}\r\n")).collect();
                format!(
                    "m={kind} 9 {protocol} {format}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n\
                     a=rtcp-mux\r\n{maps}"
                )
            }
            false => {
                let formats: Vec<_> = self.line.split(' ').skip(3).collect();
                format!(
                    "m={kind} 0 {protocol} {}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=inactive\r\n",
                    formats.join(" ")
                )
            }
        };
        Refusal {
            mid: mid.to_owned(),
            section,
            is_bundled,
        }
    }
}

#[cfg(test)]
mod tests;

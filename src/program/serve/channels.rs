// SPDX-License-Identifier: MPL-2.0

//! The data channels between a page and its session.

use std::sync::{Arc, Mutex};

use attitude::sync::lock;
use gst::prelude::*;
use gst_webrtc::{WebRTCDataChannel, WebRTCDataChannelState};
use serde::Deserialize;

use super::analysis::RecordSink;
use super::end::{End, Ending, Reason};

/// Maximum number of bytes that wait in the channel `frames`; further frames are dropped.
const MAX_BUFFERED_FRAMES_BYTES: u64 = 64 << 10;
/// Maximum number of bytes that wait in the other channels; a page that is so far behind has
/// stopped reading.
const MAX_BUFFERED_SAMPLES_BYTES: u64 = 4 << 20;

/// A message of the page, on the channel `control`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PageMessage {
    /// The page is still there.
    Alive(bool),
    /// The page turns the analysis on or off.
    Analysis(bool),
    /// The visitor looks neutral now.
    #[serde(rename = "learn-baseline")]
    LearnBaseline,
}

/// The server's ends of the channels.
#[derive(Debug)]
pub(crate) struct Channels {
    control: WebRTCDataChannel,
    samples: WebRTCDataChannel,
    frames: WebRTCDataChannel,
}

impl Channels {
    /// Creates the channels in `webrtc`, which must be in state READY or higher. Calls `on_message`
    /// for each message of the page, and ends the session at the first channel that the page opens.
    pub(crate) fn new(
        webrtc: &gst::Element,
        end: &End,
        on_message: impl Fn(PageMessage) + Send + Sync + 'static,
    ) -> Result<Self, glib::BoolError> {
        let own = OwnChannels::default();
        end_at_others(webrtc, &own, end);
        let channel = |label: &str, options: Option<gst::Structure>| {
            let channel = webrtc.emit_by_name::<Option<WebRTCDataChannel>>(
                "create-data-channel",
                &[&label, &options],
            );
            let channel =
                channel.ok_or_else(|| glib::bool_error!("webrtcbin creates no data channel"))?;
            own.add(&channel);
            Ok::<_, glib::BoolError>(channel)
        };
        let lossy = gst::Structure::builder("options")
            .field("ordered", false)
            .field("max-retransmits", 0)
            .build();
        let channels = Self {
            control: channel("control", None)?,
            samples: channel("samples", None)?,
            frames: channel("frames", Some(lossy))?,
        };
        channels.control.connect_on_message_string(move |_, text| {
            // Other text is ignored, and does not keep the session alive.
            if let Some(Ok(message)) = text.map(serde_json::from_str) {
                on_message(message);
            }
        });
        Ok(channels)
    }

    /// Sends the page the reason for the session's end.
    pub(crate) fn send_ending(&self, ending: &Ending) {
        let message = serde_json::json!({ "closing": ending }).to_string();
        send(&self.control, &message, MAX_BUFFERED_SAMPLES_BYTES);
    }
}

/// The channels that the server has opened.
#[derive(Clone, Default)]
struct OwnChannels(Arc<Mutex<Vec<glib::WeakRef<WebRTCDataChannel>>>>);

impl OwnChannels {
    fn add(&self, channel: &WebRTCDataChannel) {
        lock(&self.0).push(channel.downgrade());
    }

    /// Returns true if `pad` of `sctpdec` outputs the messages of one of the channels.
    fn have(&self, pad: &gst::Pad) -> bool {
        let name = pad.name();
        let id = name.strip_prefix("src_").and_then(|id| id.parse().ok());
        let channels = lock(&self.0);
        let mut channels = channels.iter().filter_map(glib::WeakRef::upgrade);
        channels.any(|channel| Some(channel.id()) == id)
    }
}

/// Ends the session at the first channel that the page opens. Each would cost the server threads,
/// and a packet can open many, so none of its messages is received any more. Its acknowledgements
/// are: without them the message of the session's end might not be sent.
fn end_at_others(webrtc: &gst::Element, own: &OwnChannels, end: &End) {
    let Some(bin) = webrtc.downcast_ref::<gst::Bin>() else {
        return;
    };
    let (own, end) = (own.clone(), end.clone());
    bin.connect_element_added(move |_, element| {
        if element
            .factory()
            .is_none_or(|factory| factory.name() != "sctpdec")
        {
            return;
        }
        let (own, end) = (own.clone(), end.clone());
        element.connect_pad_added(move |decoder, pad| {
            if pad.direction() != gst::PadDirection::Src || own.have(pad) {
                return;
            }
            end.end(
                Reason::Limit,
                "the page opened a data channel, which only the server may do",
            );
            if let Some(input) = decoder.static_pad("sink") {
                input.add_probe(gst::PadProbeType::BUFFER, drop_messages);
            }
            // webrtcbin, whose handler comes next, would create the channel.
            glib::signal::signal_stop_emission_by_name(decoder, "pad-added");
        });
    });
}

/// Drops the SCTP packets that carry messages.
fn drop_messages(_: &gst::Pad, info: &mut gst::PadProbeInfo<'_>) -> gst::PadProbeReturn {
    let packet = info.buffer().and_then(|packet| packet.map_readable().ok());
    match packet {
        Some(packet) if !carries_message(&packet) => gst::PadProbeReturn::Ok,
        _ => gst::PadProbeReturn::Drop,
    }
}

/// Returns true if one of the chunks of an SCTP packet is of a message (RFC 9260, section 3, and
/// RFC 8260, section 2.1).
fn carries_message(packet: &[u8]) -> bool {
    const PACKET_HEADER: usize = 12;
    const CHUNK_HEADER: usize = 4;
    const DATA: u8 = 0;
    const INTERLEAVED_DATA: u8 = 64;
    let mut chunks = packet.get(PACKET_HEADER..).unwrap_or_default();
    while let [kind, _, high, low, ..] = *chunks {
        if matches!(kind, DATA | INTERLEAVED_DATA) {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([high, low])).max(CHUNK_HEADER);
        chunks = chunks
            .get(length.next_multiple_of(CHUNK_HEADER)..)
            .unwrap_or_default();
    }
    false
}

impl RecordSink for Channels {
    fn sample(&self, record: &str) {
        send(&self.samples, record, MAX_BUFFERED_SAMPLES_BYTES);
    }

    fn frame(&self, record: &str) {
        send(&self.frames, record, MAX_BUFFERED_FRAMES_BYTES);
    }
}

/// Sends `text`, unless the channel is not open or `max_buffered_bytes` wait in it.
fn send(channel: &WebRTCDataChannel, text: &str, max_buffered_bytes: u64) {
    if channel.ready_state() == WebRTCDataChannelState::Open
        && channel.buffered_amount() < max_buffered_bytes
        && let Err(error) = channel.send_string_full(Some(text))
    {
        tracing::debug!("cannot send {} bytes: {error}", text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a packet with chunks of the given types and lengths.
    fn packet(chunks: &[(u8, u16)]) -> Vec<u8> {
        let mut packet = vec![0; 12];
        for &(kind, length) in chunks {
            let start = packet.len();
            packet.extend([kind, 0]);
            packet.extend(length.to_be_bytes());
            packet.resize(start + usize::from(length).next_multiple_of(4), 0xff);
        }
        packet
    }

    #[test]
    fn packets_with_messages_are_told_from_acknowledgements() {
        let (data, acknowledgement, interleaved) = (0, 3, 64);
        assert!(carries_message(&packet(&[(data, 18)])));
        assert!(carries_message(&packet(&[(interleaved, 21)])));
        assert!(carries_message(&packet(&[
            (acknowledgement, 17),
            (data, 18)
        ])));
        assert!(!carries_message(&packet(&[(acknowledgement, 16)])));
        assert!(!carries_message(&packet(&[])));
    }

    #[test]
    fn malformed_packets_carry_no_message() {
        assert!(!carries_message(&[]));
        assert!(!carries_message(&[0; 11]));
        // A length of zero, and one beyond the end.
        let mut malformed = packet(&[(3, 16)]);
        malformed[14..16].fill(0);
        malformed[16..].fill(3);
        assert!(!carries_message(&malformed));
        malformed[14..16].fill(0xff);
        assert!(!carries_message(&malformed));
    }
}

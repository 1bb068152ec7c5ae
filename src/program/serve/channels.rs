// SPDX-License-Identifier: MPL-2.0

//! The data channels between a page and its session.

use gst::prelude::*;
use gst_webrtc::{WebRTCDataChannel, WebRTCDataChannelState};
use serde::Deserialize;

use super::analysis::RecordSink;
use super::end::Ending;

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
    /// for each message of the page.
    pub(crate) fn new(
        webrtc: &gst::Element,
        on_message: impl Fn(PageMessage) + Send + Sync + 'static,
    ) -> Result<Self, glib::BoolError> {
        let channel = |label: &str, options: Option<gst::Structure>| {
            let channel = webrtc.emit_by_name::<Option<WebRTCDataChannel>>(
                "create-data-channel",
                &[&label, &options],
            );
            channel.ok_or_else(|| glib::bool_error!("webrtcbin creates no data channel"))
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

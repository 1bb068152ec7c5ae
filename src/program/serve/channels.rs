// SPDX-License-Identifier: MPL-2.0

//! The data channels between a page and its session.

use gst::prelude::*;
use gst_webrtc::{WebRTCDataChannel, WebRTCDataChannelState};
use serde::Deserialize;

use super::ending::Ending;
use super::results::Results;

/// As much of what is for drawing alone may wait for the network; what is more is left out.
const MAX_WAITING_FRAMES_BYTES: u64 = 64 << 10;
/// As much of what is to be kept may wait; then the page is as good as gone.
const MAX_WAITING_SAMPLES_BYTES: u64 = 4 << 20;

/// What a page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// It is there.
    Alive(bool),
    /// Whether to analyse the video.
    Analysis(bool),
}

/// The server's ends.
#[derive(Debug)]
pub struct Channels {
    control: WebRTCDataChannel,
    samples: WebRTCDataChannel,
    frames: WebRTCDataChannel,
}

impl Channels {
    /// Adds them to what `webrtc` will offer; it must be in READY at least. `hear` is called for each
    /// word of the page.
    pub fn new(
        webrtc: &gst::Element,
        hear: impl Fn(Word) + Send + Sync + 'static,
    ) -> Result<Self, glib::BoolError> {
        let channel = |label: &str, options: Option<gst::Structure>| {
            let channel = webrtc.emit_by_name::<Option<WebRTCDataChannel>>(
                "create-data-channel",
                &[&label, &options],
            );
            channel.ok_or_else(|| glib::bool_error!("webrtcbin makes no data channel"))
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
            // What is no word counts for nothing, not even for a sign of life.
            if let Some(Ok(word)) = text.map(serde_json::from_str) {
                hear(word);
            }
        });
        Ok(channels)
    }

    /// Tells the page why its session ends.
    pub fn tell_ending(&self, ending: &Ending) {
        let message = serde_json::json!({ "closing": ending }).to_string();
        send(&self.control, &message, MAX_WAITING_SAMPLES_BYTES);
    }
}

impl Results for Channels {
    fn sample(&self, record: &str) {
        send(&self.samples, record, MAX_WAITING_SAMPLES_BYTES);
    }

    fn frame(&self, record: &str) {
        send(&self.frames, record, MAX_WAITING_FRAMES_BYTES);
    }
}

/// Sends `text`, unless the channel is not open, or that much waits already.
fn send(channel: &WebRTCDataChannel, text: &str, max_waiting_bytes: u64) {
    if channel.ready_state() == WebRTCDataChannelState::Open
        && channel.buffered_amount() < max_waiting_bytes
        && let Err(error) = channel.send_string_full(Some(text))
    {
        gst::debug!(
            gst::CAT_DEFAULT,
            obj = channel,
            "cannot send {} bytes: {error}",
            text.len()
        );
    }
}

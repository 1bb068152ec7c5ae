// SPDX-License-Identifier: MPL-2.0

//! The data channel by which members of the room can receive the records.

use std::sync::{Arc, Mutex};

use attitude::record::Record;
use attitude::sync::lock;
use gst::prelude::*;
use gst_webrtc::{WebRTCDataChannel, WebRTCDataChannelState, WebRTCSDPType};

use super::connection::{Connection, CreateError};
use crate::streams::RecordConsumer;
use crate::webrtc::peer::{self, PeerError};
use crate::webrtc::sdp_answer;

/// Name of the channel.
const LABEL: &str = "attitude";
/// Maximum number of bytes that wait in the channel; further records are dropped.
const MAX_BUFFERED_BYTES: u64 = 1 << 20;

/// Sends records while there is a channel.
#[derive(Default)]
pub(super) struct DataChannel(Mutex<Option<WebRTCDataChannel>>);

impl RecordConsumer for DataChannel {
    fn push(&self, record: &Record) {
        let channel = lock(&self.0).clone();
        let Some(channel) = channel.filter(|channel| {
            channel.ready_state() == WebRTCDataChannelState::Open
                && channel.buffered_amount() < MAX_BUFFERED_BYTES
        }) else {
            return;
        };
        match serde_json::to_string(record) {
            Ok(text) => {
                if let Err(error) = channel.send_string_full(Some(&text)) {
                    tracing::debug!("cannot send a record into the room: {error}");
                }
            }
            Err(error) => tracing::warn!("cannot send a record into the room: {error}"),
        }
    }
}

/// The connection with the channel.
pub(super) struct Publication {
    connection: Connection,
    channel: Arc<DataChannel>,
}

impl Publication {
    /// Creates the connection; `fail` is called with the reason if it fails.
    pub(super) fn new(
        channel: &Arc<DataChannel>,
        fail: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, CreateError> {
        let connection = Connection::new()?;
        connection.report(|_| (), fail);
        let created = connection
            .webrtc()
            .emit_by_name::<Option<WebRTCDataChannel>>(
                "create-data-channel",
                &[&LABEL, &None::<gst::Structure>],
            );
        let created =
            created.ok_or_else(|| glib::bool_error!("webrtcbin creates no data channel"))?;
        *lock(&channel.0) = Some(created);
        Ok(Self {
            connection,
            channel: channel.clone(),
        })
    }

    /// Returns the SDP offer.
    pub(super) fn offer(&self) -> impl Future<Output = Result<String, PeerError>> + Send + use<> {
        self.connection.offer()
    }

    /// Sets the SDP answer of the server.
    pub(super) async fn accept(&self, answer: &str) -> Result<(), PeerError> {
        let webrtc = self.connection.webrtc();
        let answer = sdp_answer::sanitize(&peer::local_description(webrtc)?, answer)?;
        peer::set_remote_description(webrtc, WebRTCSDPType::Answer, &answer).await
    }

    /// Stops the connection.
    pub(super) async fn stop(self) {
        *lock(&self.channel.0) = None;
        self.connection.stop().await;
    }
}

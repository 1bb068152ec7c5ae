// SPDX-License-Identifier: MPL-2.0

//! A WHIP client: sends the video of a reading, which ends with it.

use std::sync::Arc;

use gst::prelude::*;
use gst_webrtc::WebRTCSDPType;

use super::super::end::{Ending, Reason};
use super::super::whip::Offer;
use super::ingest;
use super::reading::Reading;
use crate::webrtc::peer::{self, PeerError};

/// The client's connection.
pub(crate) struct Client {
    reading: Arc<Reading>,
    webrtc: gst::Element,
    /// Identifies the ICE session.
    pub(crate) ice_ufrag: String,
}

impl Client {
    /// Starts `reading` with the video of `offer`, limited to `max_bitrate_kbits` kbit/s. Returns
    /// the client and the SDP answer with all candidates.
    pub(crate) async fn connect(
        reading: Arc<Reading>,
        offer: &Offer,
        max_bitrate_kbits: u32,
    ) -> Result<(Self, String), PeerError> {
        let webrtc = ingest::webrtc(reading.pipeline()).ok_or(PeerError::NoDescription)?;
        let client = Self {
            reading,
            webrtc,
            ice_ufrag: offer.ice_ufrag.clone(),
        };
        peer::start(client.reading.pipeline())?;
        peer::set_remote_description(&client.webrtc, WebRTCSDPType::Offer, &offer.sdp).await?;
        let answer = peer::describe(&client.webrtc, WebRTCSDPType::Answer, |answer| {
            for media in answer.medias_mut() {
                media.add_bandwidth("AS", max_bitrate_kbits);
            }
        });
        let answer = offer.complete(&answer.await?);
        tokio::spawn({
            let reading = client.reading.clone();
            // Ends the reading if no video arrives in time.
            async move { reading.codec().await.map(drop) }
        });
        Ok((client, answer))
    }

    /// Adds an address of the client.
    pub(crate) fn add_candidate(&self, candidate: &str) {
        let candidate = format!("candidate:{candidate}");
        self.webrtc
            .emit_by_name::<()>("add-ice-candidate", &[&0u32, &candidate]);
    }

    /// Waits until the reading has ended.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + use<> {
        self.reading.over()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let problem = "the WHIP client has left";
        self.reading.end(Ending::new(Reason::Ended, problem));
    }
}

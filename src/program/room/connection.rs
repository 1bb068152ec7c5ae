// SPDX-License-Identifier: MPL-2.0

//! The connection of a participant's video: received, decoded, analyzed, discarded.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use gst::prelude::*;
use gst_webrtc::{WebRTCICEConnectionState, WebRTCSDPType};

use crate::playback::ElementError;
use crate::streams::{Analysis, AnalysisArguments, Stream, bus};
use crate::webrtc::peer::{self, PeerError};
use crate::webrtc::{candidate, network, sdp_offer};

/// Time to wait for lost packets and their retransmission.
const LATENCY_MS: u32 = 200;

/// A connection cannot be created.
#[derive(Debug, thiserror::Error)]
pub(super) enum CreateError {
    #[error(transparent)]
    Pipeline(#[from] glib::BoolError),
    #[error("the network interfaces cannot be listed")]
    Interfaces(#[from] io::Error),
}

/// A pipeline with a `webrtcbin`.
pub(super) struct Connection {
    pipeline: gst::Pipeline,
    webrtc: gst::Element,
}

impl Connection {
    /// Creates a connection that analyzes what it receives. `fail` is called, possibly several times,
    /// with the reason if it fails.
    pub(super) fn receiving(
        arguments: &AnalysisArguments,
        stream: &Arc<Stream>,
        fail: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self, CreateError> {
        let connection = Self::new()?;
        let analysis = Analysis::new(arguments, stream)?;
        connection.report(analysis.message_handler(), fail);
        let decoder = gst::ElementFactory::make("decodebin").build()?;
        decoder.connect("deep-element-added", false, |values| {
            if let Some(Ok(element)) = values.get(2).map(glib::Value::get::<gst::Element>) {
                configure(&element);
            }
            None
        });
        let elements = [&decoder, analysis.bin.upcast_ref()];
        connection.pipeline.add_many(elements)?;
        // If linking fails, GStreamer posts an error: a pad is not linked.
        let analysis = analysis.bin.downgrade();
        decoder.connect_pad_added(move |_, pad| {
            let input = analysis.upgrade().and_then(|bin| bin.static_pad("sink"));
            if let Some(input) = input.filter(|input| !input.is_linked()) {
                let _ = pad.link(&input);
            }
        });
        let decoder = decoder.downgrade();
        connection.webrtc.connect_pad_added(move |_, pad| {
            let input = decoder
                .upgrade()
                .and_then(|decoder| decoder.static_pad("sink"));
            if let Some(input) = input.filter(|input| !input.is_linked())
                && pad.direction() == gst::PadDirection::Src
            {
                let _ = pad.link(&input);
            }
        });
        // Asks for lost packets again.
        connection
            .webrtc
            .connect("on-new-transceiver", false, |values| {
                if let Some(Ok(transceiver)) = values.get(1).map(glib::Value::get::<glib::Object>) {
                    transceiver.set_property("do-nack", true);
                }
                None
            });
        peer::attach_capture_times(&connection.webrtc);
        Ok(connection)
    }

    /// Creates a pipeline that contains only a `webrtcbin`, in state READY.
    pub(super) fn new() -> Result<Self, CreateError> {
        let addresses = network::addresses(IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
        let webrtc = peer::create(&addresses, LATENCY_MS)?;
        let pipeline = gst::Pipeline::new();
        pipeline.add(&webrtc)?;
        peer::prepare(&pipeline)?;
        Ok(Self { pipeline, webrtc })
    }

    /// Calls `handle` with each message of the pipeline, and `fail` with the reason if the pipeline
    /// or the connection fails.
    pub(super) fn report(
        &self,
        handle: impl Fn(&gst::Message) + Send + Sync + 'static,
        fail: impl Fn(String) + Send + Sync + 'static,
    ) {
        let fail = Arc::new(fail);
        self.webrtc.connect_notify(Some("ice-connection-state"), {
            let fail = fail.clone();
            move |webrtc, _| {
                let state = webrtc.property::<WebRTCICEConnectionState>("ice-connection-state");
                if state == WebRTCICEConnectionState::Failed {
                    fail("the server cannot be reached for media".to_owned());
                }
            }
        });
        bus::handle_messages(&self.pipeline, move |message| {
            handle(message);
            if let gst::MessageView::Error(error) = message.view() {
                fail(ElementError::from(error).to_string());
            }
        });
    }

    /// Returns the `webrtcbin`.
    pub(super) fn webrtc(&self) -> &gst::Element {
        &self.webrtc
    }

    /// Starts the pipeline and returns the SDP answer to an offer. Starts it at once: a future may run
    /// after the connection was stopped.
    pub(super) fn answer(
        &self,
        offer: &str,
    ) -> impl Future<Output = Result<String, PeerError>> + Send + use<> {
        let offer = sdp_offer::sanitize(offer).map_err(PeerError::from);
        let offer = offer.and_then(|offer| peer::start(&self.pipeline).map(|()| offer));
        let webrtc = self.webrtc.clone();
        async move {
            let offer = offer?;
            peer::set_remote_description(&webrtc, WebRTCSDPType::Offer, &offer).await?;
            peer::describe(&webrtc, WebRTCSDPType::Answer, |_| ()).await
        }
    }

    /// Starts the pipeline at once and returns an SDP offer.
    pub(super) fn offer(&self) -> impl Future<Output = Result<String, PeerError>> + Send + use<> {
        let (started, webrtc) = (peer::start(&self.pipeline), self.webrtc.clone());
        async move {
            started?;
            peer::describe(&webrtc, WebRTCSDPType::Offer, |_| ()).await
        }
    }

    /// Adds an address of the server. Invalid ones are ignored.
    pub(super) fn add_candidate(&self, media_index: u32, text: &str) {
        let text = text.strip_prefix("candidate:").unwrap_or(text);
        if let Some(candidate) = candidate(text) {
            let candidate = format!("candidate:{candidate}");
            self.webrtc
                .emit_by_name::<()>("add-ice-candidate", &[&media_index, &candidate]);
        }
    }

    /// Stops the pipeline.
    pub(super) async fn stop(self) {
        // Blocks until the streaming threads have ended.
        let stopped = tokio::task::spawn_blocking(move || drop(self));
        let _ = stopped.await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        bus::stop(&self.pipeline);
    }
}

/// Configures an element of the decoder.
fn configure(element: &gst::Element) {
    let set = |name: &str, value: &dyn ToValue| {
        if element.find_property(name).is_some() {
            element.set_property_from_value(name, &value.to_value());
        }
    };
    let class = element.metadata("klass").unwrap_or_default();
    if class.contains("Depayloader") {
        // After lost packets, frames are wrong until the next key frame.
        set("request-keyframe", &true);
        set("wait-for-keyframe", &true);
    } else if element
        .factory()
        .is_some_and(|factory| factory.name() == "vp8dec")
    {
        // One thread: one participant must not use all cores.
        set("threads", &1u32);
    }
}

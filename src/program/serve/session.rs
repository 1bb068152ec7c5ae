// SPDX-License-Identifier: MPL-2.0

//! A session: a pipeline with a `webrtcbin` that is connected to one visitor's page.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use attitude::sync::lock;
use gst::prelude::*;
use gst_sdp::SDPMessage;
use gst_webrtc::prelude::*;
use gst_webrtc::{
    WebRTCICE, WebRTCICEConnectionState, WebRTCICEGatheringState, WebRTCSDPType,
    WebRTCSessionDescription,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::channels::{Channels, PageMessage};
use super::end::{End, Ending, Reason};
use super::network;
use super::sdp_answer::{SdpAnswerError, sanitize};
use crate::playback::ElementError;

/// Maximum time to gather candidates.
const MAX_GATHERING: Duration = Duration::from_secs(5);
/// Maximum time for the page to send its SDP answer and connect.
const MAX_CONNECTING: Duration = Duration::from_secs(30);
/// Maximum time between two messages of the page.
const MAX_SILENCE: Duration = Duration::from_secs(10);
/// Time between checks of these limits.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Time for the last message to reach the network.
const LAST_MESSAGE: Duration = Duration::from_millis(200);

/// A visitor's pipeline and connection.
pub(crate) struct Session {
    /// Number of the session since the server started, for the log; the id is a secret of the page.
    pub(crate) number: u64,
    pub(crate) pipeline: gst::Pipeline,
    pub(crate) webrtc: gst::Element,
    pub(crate) channels: Arc<Channels>,
    pub(crate) end: End,
    page: Arc<Mutex<PageState>>,
    endings: Mutex<Option<mpsc::Receiver<Ending>>>,
}

/// The page's side of the connection.
#[derive(Debug)]
struct PageState {
    /// Time by which the page must send its next message.
    deadline: Instant,
    has_sdp_answer: bool,
}

/// The session's pipeline cannot be created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    #[error(transparent)]
    Pipeline(#[from] glib::BoolError),
    #[error("the network interfaces cannot be listed")]
    Interfaces(#[from] io::Error),
}

/// The session's pipeline failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("the pipeline does not start")]
    Start(#[source] gst::StateChangeError),
    #[error("webrtcbin refused {action}: {reason}")]
    Refused {
        action: &'static str,
        reason: String,
    },
    #[error("webrtcbin returned no usable offer")]
    NoOffer,
    #[error("no network address was found within {} s", MAX_GATHERING.as_secs())]
    NoAddress,
}

/// The page's SDP answer is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetAnswerError {
    #[error("the session already has an answer")]
    Second,
    #[error(transparent)]
    Sdp(#[from] SdpAnswerError),
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Session {
    /// Creates a pipeline that contains only a `webrtcbin` with its data channels. The session can
    /// be reached where a server that listens on `listening` can. `set_analysis` is called when the
    /// page turns the analysis on or off.
    pub(crate) fn new(
        number: u64,
        listening: IpAddr,
        latency_ms: u32,
        set_analysis: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, CreateError> {
        let pipeline = gst::Pipeline::new();
        let webrtc = gst::ElementFactory::make("webrtcbin")
            .name("webrtc")
            .property_from_str("bundle-policy", "max-bundle")
            .property("latency", latency_ms)
            .build()?;
        disable_upnp(&webrtc);
        offer_addresses(&webrtc, &network::addresses(listening)?)?;
        pipeline.add(&webrtc)?;
        pipeline.set_state(gst::State::Ready).map_err(|_| {
            glib::bool_error!(
                "webrtcbin does not start; install the Debian package gstreamer1.0-nice"
            )
        })?;
        let page = Arc::new(Mutex::new(PageState {
            deadline: Instant::now() + MAX_CONNECTING,
            has_sdp_answer: false,
        }));
        let (end, endings) = End::channel();
        let channels = Channels::new(&webrtc, &end, {
            let page = page.clone();
            move |message| {
                lock(&page).deadline = Instant::now() + MAX_SILENCE;
                if let PageMessage::Analysis(is_on) = message {
                    tracing::debug!(session = number, is_on, "page switched the analysis");
                    set_analysis(is_on);
                }
            }
        })?;
        end_on_failure(number, &pipeline, &webrtc, &end);
        Ok(Self {
            number,
            pipeline,
            webrtc,
            channels: Arc::new(channels),
            end,
            page,
            endings: Mutex::new(Some(endings)),
        })
    }

    /// Starts the pipeline and returns the SDP offer with all candidates. The offer limits the
    /// video to `max_bitrate_kbits` kbit/s.
    pub(crate) async fn offer(&self, max_bitrate_kbits: u32) -> Result<String, SessionError> {
        let (sender, gathered) = oneshot::channel();
        let sender = Mutex::new(Some(sender));
        self.webrtc
            .connect_notify(Some("ice-gathering-state"), move |webrtc, _| {
                let state = webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state");
                if state == WebRTCICEGatheringState::Complete
                    && let Some(sender) = lock(&sender).take()
                {
                    let _ = sender.send(());
                }
            });
        self.pipeline
            .set_state(gst::State::Playing)
            .map_err(SessionError::Start)?;
        let reply = self.request("create-offer", &[&None::<gst::Structure>]);
        let reply = reply.await?.ok_or(SessionError::NoOffer)?;
        let set = {
            let offer = reply.get::<WebRTCSessionDescription>("offer");
            let mut offer = offer.map_err(|_| SessionError::NoOffer)?;
            for media in offer.sdp_mut().medias_mut() {
                if media.media() == Some("video") {
                    media.add_bandwidth("AS", max_bitrate_kbits);
                }
            }
            self.request("set-local-description", &[&offer])
        };
        set.await?;
        if timeout(MAX_GATHERING, gathered).await.is_err() {
            return Err(SessionError::NoAddress);
        }
        let local = self
            .webrtc
            .property::<Option<WebRTCSessionDescription>>("local-description");
        let local = local.ok_or(SessionError::NoOffer)?;
        local.sdp().as_text().map_err(|_| SessionError::NoOffer)
    }

    /// Sets the page's SDP answer.
    pub(crate) async fn set_sdp_answer(&self, sdp: &str) -> Result<(), SetAnswerError> {
        let local = self
            .webrtc
            .property::<Option<WebRTCSessionDescription>>("local-description");
        let offer = local.and_then(|local| local.sdp().as_text().ok());
        let offer = offer.ok_or(SessionError::NoOffer)?;
        let sdp = sanitize(&offer, sdp)?;
        let sdp = SDPMessage::parse_buffer(sdp.as_bytes()).map_err(|_| SdpAnswerError::NotSdp)?;
        if std::mem::replace(&mut lock(&self.page).has_sdp_answer, true) {
            return Err(SetAnswerError::Second);
        }
        let set = {
            let answer = WebRTCSessionDescription::new(WebRTCSDPType::Answer, sdp);
            self.request("set-remote-description", &[&answer])
        };
        set.await?;
        Ok(())
    }

    /// Waits for the session's end, reports it to the page, and stops the pipeline.
    pub(crate) async fn run(&self) -> Ending {
        let endings = lock(&self.endings).take();
        let ending = match endings {
            Some(endings) => self.wait_for_end(endings).await,
            None => Ending::new(Reason::Failed, "the session has already ended"),
        };
        self.channels.send_ending(&ending);
        if ending.reason != Reason::Left {
            tokio::time::sleep(LAST_MESSAGE).await;
        }
        let pipeline = self.pipeline.clone();
        // Blocks until the streaming threads have ended.
        let stopped = tokio::task::spawn_blocking(move || {
            pipeline.bus().inspect(|bus| bus.unset_sync_handler());
            pipeline.set_state(gst::State::Null)
        });
        let _ = stopped.await;
        ending
    }

    /// Waits until something ends the session, or the page is silent for too long.
    async fn wait_for_end(&self, mut endings: mpsc::Receiver<Ending>) -> Ending {
        loop {
            match timeout(CHECK_INTERVAL, endings.recv()).await {
                Ok(Some(ending)) => return ending,
                Ok(None) => {
                    return Ending::new(Reason::Failed, "the session lost its pipeline");
                }
                Err(_) => {
                    if Instant::now() > lock(&self.page).deadline {
                        return Ending::new(
                            Reason::Timeout,
                            "the server received nothing from this page for too long",
                        );
                    }
                }
            }
        }
    }

    /// Emits the action signal `action` of webrtcbin and returns its reply.
    fn request(
        &self,
        action: &'static str,
        arguments: &[&dyn ToValue],
    ) -> impl Future<Output = Result<Option<gst::Structure>, SessionError>> + use<> {
        let (promise, reply) = gst::Promise::new_future();
        let mut values: Vec<_> = arguments.iter().map(|value| value.to_value()).collect();
        values.push(promise.to_value());
        self.webrtc.emit_by_name_with_values(action, &values);
        async move {
            let refused = |reason| SessionError::Refused { action, reason };
            let reply = reply.await.map_err(|error| refused(format!("{error:?}")))?;
            let reply = reply.as_deref().map(ToOwned::to_owned);
            match reply
                .as_ref()
                .map(|reply| reply.get::<glib::Error>("error"))
            {
                Some(Ok(error)) => Err(refused(error.message().to_owned())),
                _ => Ok(reply),
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Needed if it never ran: elements must be stopped before they are freed.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Restricts the candidates of `webrtc` to these addresses. By default it would offer those of all
/// network interfaces except the loopback interface.
fn offer_addresses(webrtc: &gst::Element, addresses: &[IpAddr]) -> Result<(), glib::BoolError> {
    let agent = webrtc.property::<Option<WebRTCICE>>("ice-agent");
    let agent = agent.ok_or_else(|| glib::bool_error!("webrtcbin has no ICE agent"))?;
    for address in addresses {
        if !agent.emit_add_local_ip_address(&address.to_string()) {
            return Err(glib::bool_error!(
                "the ICE agent refused the address {address}"
            ));
        }
    }
    Ok(())
}

/// Keeps libnice from asking the network's router, by UPnP, to forward ports.
fn disable_upnp(webrtc: &gst::Element) {
    let agent = webrtc
        .property::<Option<glib::Object>>("ice-agent")
        .filter(|ice| ice.has_property_with_type("agent", glib::Object::static_type()))
        .and_then(|ice| ice.property::<Option<glib::Object>>("agent"));
    if let Some(agent) = agent
        && agent.has_property_with_type("upnp", bool::static_type())
    {
        agent.set_property("upnp", false);
    }
}

/// Ends the session when its pipeline or connection fails.
fn end_on_failure(number: u64, pipeline: &gst::Pipeline, webrtc: &gst::Element, end: &End) {
    webrtc.connect_notify(Some("ice-connection-state"), {
        let end = end.clone();
        move |webrtc, _| {
            let state = webrtc.property::<WebRTCICEConnectionState>("ice-connection-state");
            if state == WebRTCICEConnectionState::Failed {
                end.end(
                    Reason::Timeout,
                    "the page and the server cannot reach each other",
                );
            }
        }
    });
    let Some(bus) = pipeline.bus() else {
        return;
    };
    let pipeline = pipeline.downgrade();
    let end = end.clone();
    bus.set_sync_handler(move |_, message| {
        match message.view() {
            gst::MessageView::Error(error) => {
                let error = ElementError::from(error);
                tracing::warn!(session = number, "pipeline: {error}");
                end.end(Reason::Failed, error.to_string());
            }
            gst::MessageView::Eos(_) => end.end(Reason::Ended, "the video has ended"),
            gst::MessageView::Latency(_) => {
                if let Some(pipeline) = pipeline.upgrade() {
                    pipeline.call_async(|pipeline| {
                        let _ = pipeline.recalculate_latency();
                    });
                }
            }
            _ => (),
        }
        gst::BusSyncReply::Drop
    });
}

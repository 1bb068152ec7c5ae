// SPDX-License-Identifier: MPL-2.0

//! A session: a pipeline with a `webrtcbin` that is connected to one visitor's page.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use attitude::sync::lock;
use gst::prelude::*;
use gst_sdp::SDPMessageRef;
use gst_webrtc::{WebRTCICEConnectionState, WebRTCSDPType};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::channels::{Channels, PageMessage};
use super::end::{End, Ending, Reason};
use super::http::MAX_REQUEST;
use crate::playback::ElementError;
use crate::streams::bus;
use crate::webrtc::peer::{self, PeerError};
use crate::webrtc::sdp_answer::sanitize;
use crate::webrtc::{SdpError, network};

/// Maximum time to create the SDP offer; the page's request does not take longer.
const MAX_OFFERING: Duration = MAX_REQUEST;
/// Maximum time for the page to send its SDP answer and connect, after it has the SDP offer.
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
    /// Time by which the page must have the SDP offer, then connect, then send its next message.
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

/// The page's SDP answer is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetAnswerError {
    #[error("the session already has an answer")]
    Second,
    #[error(transparent)]
    Sdp(#[from] SdpError),
    #[error(transparent)]
    Peer(#[from] PeerError),
}

impl Session {
    /// Creates a pipeline that contains only a `webrtcbin` with its data channels. The session can
    /// be reached where a server that listens on `listening` can. `on_message` is called for each message
    /// of the page.
    pub(crate) fn new(
        number: u64,
        listening: IpAddr,
        latency_ms: u32,
        on_message: impl Fn(PageMessage) + Send + Sync + 'static,
    ) -> Result<Self, CreateError> {
        let pipeline = gst::Pipeline::new();
        let webrtc = peer::create(&network::addresses(listening)?, latency_ms)?;
        pipeline.add(&webrtc)?;
        peer::prepare(&pipeline)?;
        let page = Arc::new(Mutex::new(PageState {
            deadline: Instant::now() + MAX_OFFERING,
            has_sdp_answer: false,
        }));
        let (end, endings) = End::channel();
        let channels = Channels::new(&webrtc, &end, {
            let page = page.clone();
            move |message| {
                lock(&page).deadline = Instant::now() + MAX_SILENCE;
                if !matches!(message, PageMessage::Alive(_)) {
                    tracing::debug!(session = number, ?message, "received from the page");
                }
                on_message(message);
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
    pub(crate) async fn offer(&self, max_bitrate_kbits: u32) -> Result<String, PeerError> {
        peer::start(&self.pipeline)?;
        let limit_bitrate = |offer: &mut SDPMessageRef| {
            for media in offer.medias_mut() {
                if media.media() == Some("video") {
                    media.add_bandwidth("AS", max_bitrate_kbits);
                }
            }
        };
        let offer = peer::describe(&self.webrtc, WebRTCSDPType::Offer, limit_bitrate).await?;
        lock(&self.page).deadline = Instant::now() + MAX_CONNECTING;
        Ok(offer)
    }

    /// Sets the page's SDP answer.
    pub(crate) async fn set_sdp_answer(&self, sdp: &str) -> Result<(), SetAnswerError> {
        let sdp = sanitize(&peer::local_description(&self.webrtc)?, sdp)?;
        if std::mem::replace(&mut lock(&self.page).has_sdp_answer, true) {
            return Err(SetAnswerError::Second);
        }
        peer::set_remote_description(&self.webrtc, WebRTCSDPType::Answer, &sdp).await?;
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
        let _ = tokio::task::spawn_blocking(move || bus::stop(&pipeline)).await;
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
}

impl Drop for Session {
    fn drop(&mut self) {
        // Needed if it never ran: elements must be stopped before they are freed.
        bus::stop(&self.pipeline);
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
    let end = end.clone();
    bus::handle_messages(pipeline, move |message| match message.view() {
        gst::MessageView::Error(error) => {
            let error = ElementError::from(error);
            tracing::warn!(session = number, "pipeline: {error}");
            end.end(Reason::Failed, error.to_string());
        }
        gst::MessageView::Eos(_) => end.end(Reason::Ended, "the video has ended"),
        _ => (),
    });
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::playback;

    #[test]
    fn the_time_to_connect_starts_when_the_page_has_the_offer() {
        playback::init().unwrap();
        if gst::ElementFactory::find("webrtcbin").is_none()
            || gst::ElementFactory::find("nicesrc").is_none()
        {
            println!("skipped: GStreamer's webrtcbin or nicesrc is missing");
            return;
        }
        let session = Session::new(1, Ipv4Addr::LOCALHOST.into(), 0, |_| ()).unwrap();
        let deadline = || lock(&session.page).deadline;
        // Holds up the thread that creates the offer, as a machine without free cores does.
        session
            .webrtc
            .connect_notify(Some("signaling-state"), |_, _| {
                std::thread::sleep(Duration::from_secs(2));
            });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let begun = Instant::now();
        runtime.block_on(session.offer(1000)).unwrap();
        assert!(deadline() >= begun + Duration::from_secs(2) + MAX_CONNECTING);
        assert!(deadline() <= Instant::now() + MAX_CONNECTING);
    }
}

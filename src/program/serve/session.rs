// SPDX-License-Identifier: MPL-2.0

//! One viewer: a pipeline with a `webrtcbin` whose other end is the page.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_sdp::SDPMessage;
use gst_webrtc::{
    WebRTCICEConnectionState, WebRTCICEGatheringState, WebRTCSDPType, WebRTCSessionDescription,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::answer::understood;
use super::channels::{Channels, Word};
use super::ending::{Ending, Reason};
use attitude::sync::lock;

/// How long candidates may be gathered.
const MAX_GATHERING: Duration = Duration::from_secs(5);
/// How long a page may take to answer and to connect.
const MAX_CONNECTING: Duration = Duration::from_secs(30);
/// How long a page may be silent.
const MAX_SILENCE: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// For the last message to leave.
const FAREWELL: Duration = Duration::from_millis(200);

/// Ends a session; the first that does so tells why.
#[derive(Clone, Debug)]
pub struct End(mpsc::Sender<Ending>);

impl End {
    /// Ends the session for `reason`; `problem` is a sentence for the visitor.
    pub fn end(&self, reason: Reason, problem: impl Into<String>) {
        // Where one waits already, this one comes second.
        let _ = self.0.try_send(Ending::new(reason, problem));
    }
}

/// A viewer's pipeline, up to the moment when it is taken down.
pub struct Session {
    pub pipeline: gst::Pipeline,
    pub webrtc: gst::Element,
    pub channels: Arc<Channels>,
    pub end: End,
    heard: Arc<Mutex<Heard>>,
    endings: Mutex<Option<mpsc::Receiver<Ending>>>,
}

/// What the page has said.
#[derive(Debug)]
struct Heard {
    /// When the session must have heard from it.
    deadline: Instant,
    /// Whether it has answered the offer.
    answered: bool,
}

/// Why an answer was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// There has been one.
    Second,
    /// What is wrong with it.
    Wrong(String),
}

impl Session {
    /// A pipeline that has nothing but a `webrtcbin` and its data channels. `set_analysis` is called
    /// when the page turns the analysis on or off.
    pub fn new(
        latency_ms: u32,
        set_analysis: impl Fn(bool) + Send + Sync + 'static,
    ) -> Result<Self, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let webrtc = gst::ElementFactory::make("webrtcbin")
            .name("webrtc")
            .property_from_str("bundle-policy", "max-bundle")
            .property("latency", latency_ms)
            .build()?;
        keep_off_the_router(&webrtc);
        pipeline.add(&webrtc)?;
        pipeline.set_state(gst::State::Ready).map_err(|_| {
            glib::bool_error!("webrtcbin does not start: is gstreamer1.0-nice installed?")
        })?;
        let heard = Arc::new(Mutex::new(Heard {
            deadline: Instant::now() + MAX_CONNECTING,
            answered: false,
        }));
        let channels = Channels::new(&webrtc, {
            let heard = heard.clone();
            move |word| {
                let mut heard = lock(&heard);
                heard.deadline = Instant::now() + MAX_SILENCE;
                drop(heard);
                if let Word::Analysis(is_on) = word {
                    set_analysis(is_on);
                }
            }
        })?;
        let (sender, endings) = mpsc::channel(1);
        let end = End(sender);
        watch(&pipeline, &webrtc, &end);
        Ok(Self {
            pipeline,
            webrtc,
            channels: Arc::new(channels),
            end,
            heard,
            endings: Mutex::new(Some(endings)),
        })
    }

    /// Starts the pipeline and makes the offer, with all candidates. Video is limited to
    /// `max_bitrate_kbits` a second.
    pub async fn offer(&self, max_bitrate_kbits: u32) -> Result<String, String> {
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
            .map_err(|error| error.to_string())?;
        let reply = self.ask("create-offer", &[&None::<gst::Structure>]);
        let reply = reply.await?.ok_or("webrtcbin makes no offer")?;
        let set = {
            let offer = reply.get::<WebRTCSessionDescription>("offer");
            let mut offer = offer.map_err(|error| error.to_string())?;
            for media in offer.sdp_mut().medias_mut() {
                if media.media() == Some("video") {
                    media.add_bandwidth("AS", max_bitrate_kbits);
                }
            }
            self.ask("set-local-description", &[&offer])
        };
        set.await?;
        if timeout(MAX_GATHERING, gathered).await.is_err() {
            return Err("no address to be reached at was found in time".to_owned());
        }
        let local = self
            .webrtc
            .property::<Option<WebRTCSessionDescription>>("local-description");
        let local = local.ok_or("webrtcbin has no offer")?;
        local.sdp().as_text().map_err(|error| error.to_string())
    }

    /// Takes the page's answer.
    pub async fn answer(&self, sdp: &str) -> Result<(), Refusal> {
        let wrong = |problem: &str| Refusal::Wrong(problem.to_owned());
        let local = self
            .webrtc
            .property::<Option<WebRTCSessionDescription>>("local-description");
        let offer = local.and_then(|local| local.sdp().as_text().ok());
        let offer = offer.ok_or_else(|| wrong("there is no offer to answer"))?;
        let sdp = understood(&offer, sdp).map_err(Refusal::Wrong)?;
        let sdp = SDPMessage::parse_buffer(sdp.as_bytes())
            .map_err(|_| wrong("the answer is no session description"))?;
        {
            let mut heard = lock(&self.heard);
            if std::mem::replace(&mut heard.answered, true) {
                return Err(Refusal::Second);
            }
        }
        let set = {
            let answer = WebRTCSessionDescription::new(WebRTCSDPType::Answer, sdp);
            self.ask("set-remote-description", &[&answer])
        };
        set.await.map(drop).map_err(Refusal::Wrong)
    }

    /// Waits until the session is to end, tells the page, and takes the pipeline down.
    pub async fn live(&self) -> Ending {
        let endings = lock(&self.endings).take();
        let ending = match endings {
            Some(endings) => self.ending(endings).await,
            None => Ending::new(Reason::Failed, "the session has ended already"),
        };
        self.channels.tell_ending(&ending);
        if ending.reason != Reason::Left {
            tokio::time::sleep(FAREWELL).await;
        }
        let pipeline = self.pipeline.clone();
        // Waits for threads that end.
        let stopped = tokio::task::spawn_blocking(move || {
            pipeline.bus().inspect(|bus| bus.unset_sync_handler());
            pipeline.set_state(gst::State::Null)
        });
        let _ = stopped.await;
        ending
    }

    async fn ending(&self, mut endings: mpsc::Receiver<Ending>) -> Ending {
        loop {
            match timeout(LOOK, endings.recv()).await {
                Ok(Some(ending)) => return ending,
                Ok(None) => {
                    return Ending::new(Reason::Failed, "the session has lost its pipeline");
                }
                Err(_) => {
                    let heard = lock(&self.heard);
                    if Instant::now() > heard.deadline {
                        return Ending::new(
                            Reason::Timeout,
                            "the server has heard nothing from this page for too long",
                        );
                    }
                }
            }
        }
    }

    /// Has webrtcbin do `action`, and tells what it replies.
    fn ask(
        &self,
        action: &'static str,
        arguments: &[&dyn ToValue],
    ) -> impl Future<Output = Result<Option<gst::Structure>, String>> + use<> {
        let (promise, reply) = gst::Promise::new_future();
        let mut values: Vec<_> = arguments.iter().map(|value| value.to_value()).collect();
        values.push(promise.to_value());
        self.webrtc.emit_by_name_with_values(action, &values);
        async move {
            let reply = reply
                .await
                .map_err(|error| format!("webrtcbin, {action}: {error:?}"))?;
            let reply = reply.as_deref().map(ToOwned::to_owned);
            match reply
                .as_ref()
                .map(|reply| reply.get::<glib::Error>("error"))
            {
                Some(Ok(error)) => Err(format!("webrtcbin, {action}: {}", error.message())),
                _ => Ok(reply),
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may never have lived; elements must not go while they are at work.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Else libnice asks the network's router by UPnP to let everyone in.
fn keep_off_the_router(webrtc: &gst::Element) {
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

/// Ends the session where its pipeline or connection fails.
fn watch(pipeline: &gst::Pipeline, webrtc: &gst::Element, end: &End) {
    webrtc.connect_notify(Some("ice-connection-state"), {
        let end = end.clone();
        move |webrtc, _| {
            let state = webrtc.property::<WebRTCICEConnectionState>("ice-connection-state");
            if state == WebRTCICEConnectionState::Failed {
                end.end(Reason::Timeout, "no way leads from this page to the server");
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
                let source = error.src().map(GstObjectExt::path_string);
                gst::warning!(
                    gst::CAT_DEFAULT,
                    "{}: {} ({:?})",
                    source.unwrap_or_default(),
                    error.error(),
                    error.debug()
                );
                end.end(Reason::Failed, error.error().message());
            }
            gst::MessageView::Eos(_) => end.end(Reason::Ended, "the video has come to its end"),
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

// SPDX-License-Identifier: MPL-2.0

//! Creates a `webrtcbin`, and exchanges descriptions with it.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use attitude::sync::lock;
use gst::prelude::*;
use gst_sdp::SDPMessage;
use gst_webrtc::prelude::*;
use gst_webrtc::{WebRTCICE, WebRTCICEGatheringState, WebRTCSDPType, WebRTCSessionDescription};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::sdp::SdpError;

/// Maximum time to gather candidates.
const MAX_GATHERING: Duration = Duration::from_secs(5);
/// Interval in which a request checks that its `webrtcbin` still runs.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A `webrtcbin` failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("the pipeline does not start")]
    Start(#[source] gst::StateChangeError),
    #[error("webrtcbin refused {action}: {reason}")]
    Refused {
        action: &'static str,
        reason: String,
    },
    #[error("webrtcbin was stopped before {action}")]
    Stopped { action: &'static str },
    #[error("webrtcbin returned no usable session description")]
    NoDescription,
    #[error("no network address was found within {} s", MAX_GATHERING.as_secs())]
    NoAddress,
    #[error(transparent)]
    Sdp(#[from] SdpError),
}

/// Creates a `webrtcbin` that bundles all media, and can be reached only at these addresses. By
/// default it would offer those of all network interfaces except the loopback interface.
///
/// # Errors
/// Returns an error if it is not installed, or refuses an address.
pub(crate) fn create(
    addresses: &[IpAddr],
    latency_ms: u32,
) -> Result<gst::Element, glib::BoolError> {
    let webrtc = gst::ElementFactory::make("webrtcbin")
        .name("webrtc")
        .property_from_str("bundle-policy", "max-bundle")
        .property("latency", latency_ms)
        .build()?;
    disable_upnp(&webrtc);
    let agent = webrtc.property::<Option<WebRTCICE>>("ice-agent");
    let agent = agent.ok_or_else(|| glib::bool_error!("webrtcbin has no ICE agent"))?;
    for address in addresses {
        if !agent.emit_add_local_ip_address(&address.to_string()) {
            return Err(glib::bool_error!(
                "the ICE agent refused the address {address}"
            ));
        }
    }
    Ok(webrtc)
}

/// Sets the state of a pipeline with a `webrtcbin` to READY.
///
/// # Errors
/// Returns an error that names the package that may be missing.
pub(crate) fn prepare(pipeline: &gst::Pipeline) -> Result<(), glib::BoolError> {
    let ready = pipeline.set_state(gst::State::Ready);
    ready.map(drop).map_err(|_| {
        glib::bool_error!("webrtcbin does not start; install the Debian package gstreamer1.0-nice")
    })
}

/// Starts a pipeline with a `webrtcbin`.
///
/// # Errors
/// Returns an error if it does not start.
pub(crate) fn start(pipeline: &gst::Pipeline) -> Result<(), PeerError> {
    let playing = pipeline.set_state(gst::State::Playing);
    playing.map(drop).map_err(PeerError::Start)
}

/// Attaches to each received frame the UTC time of its capture, by the sender's clock.
pub(crate) fn attach_capture_times(webrtc: &gst::Element) {
    let Some(bin) = webrtc.downcast_ref::<gst::Bin>() else {
        return;
    };
    if let Some(rtpbin) = bin.by_name("rtpbin") {
        rtpbin.connect("new-jitterbuffer", false, |values| {
            if let Some(Ok(jitterbuffer)) = values.get(1).map(glib::Value::get::<gst::Element>) {
                jitterbuffer.set_property("add-reference-timestamp-meta", true);
            }
            None
        });
    }
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

/// Creates an offer or answer, sets it as the local description once `change` was applied, and
/// returns its text with all candidates.
///
/// # Errors
/// Returns an error if `webrtcbin` refuses, or finds no address in time.
pub(crate) async fn describe(
    webrtc: &gst::Element,
    kind: WebRTCSDPType,
    change: impl FnOnce(&mut gst_sdp::SDPMessageRef),
) -> Result<String, PeerError> {
    let (sender, gathered) = oneshot::channel();
    let sender = Mutex::new(Some(sender));
    let handler = webrtc.connect_notify(Some("ice-gathering-state"), move |webrtc, _| {
        if has_gathered(webrtc)
            && let Some(sender) = lock(&sender).take()
        {
            let _ = sender.send(());
        }
    });
    let (action, field) = match kind {
        WebRTCSDPType::Offer => ("create-offer", "offer"),
        _ => ("create-answer", "answer"),
    };
    let reply = request(webrtc, action, &[&None::<gst::Structure>]);
    let reply = reply.await?.ok_or(PeerError::NoDescription)?;
    let set = {
        let description = reply.get::<WebRTCSessionDescription>(field);
        let mut description = description.map_err(|_| PeerError::NoDescription)?;
        change(description.sdp_mut());
        request(webrtc, "set-local-description", &[&description])
    };
    set.await?;
    // A later description has the candidates of the first.
    let is_complete = has_gathered(webrtc) || timeout(MAX_GATHERING, gathered).await.is_ok();
    webrtc.disconnect(handler);
    match is_complete {
        true => local_description(webrtc),
        false => Err(PeerError::NoAddress),
    }
}

fn has_gathered(webrtc: &gst::Element) -> bool {
    let state = webrtc.property::<WebRTCICEGatheringState>("ice-gathering-state");
    state == WebRTCICEGatheringState::Complete
}

/// Returns the text of the local description.
///
/// # Errors
/// Returns an error if there is none yet.
pub(crate) fn local_description(webrtc: &gst::Element) -> Result<String, PeerError> {
    let local = webrtc.property::<Option<WebRTCSessionDescription>>("local-description");
    let text = local.and_then(|local| local.sdp().as_text().ok());
    text.ok_or(PeerError::NoDescription)
}

/// Sets a sanitized description of the peer.
///
/// # Errors
/// Returns an error if `webrtcbin` refuses it.
pub(crate) async fn set_remote_description(
    webrtc: &gst::Element,
    kind: WebRTCSDPType,
    sdp: &str,
) -> Result<(), PeerError> {
    let set = {
        let sdp = SDPMessage::parse_buffer(sdp.as_bytes()).map_err(|_| SdpError::NotSdp)?;
        let description = WebRTCSessionDescription::new(kind, sdp);
        request(webrtc, "set-remote-description", &[&description])
    };
    set.await.map(drop)
}

/// A promise that is interrupted when it is dropped: nobody waits for its reply any more.
struct AwaitedPromise(gst::Promise);

impl Drop for AwaitedPromise {
    fn drop(&mut self) {
        // Has no effect if there is a reply.
        self.0.interrupt();
    }
}

/// Emits the action signal `action` of `webrtc` and returns its reply. Ends when `webrtc` is stopped,
/// which drops requests that it has not handled yet without a reply.
fn request(
    webrtc: &gst::Element,
    action: &'static str,
    arguments: &[&dyn ToValue],
) -> impl Future<Output = Result<Option<gst::Structure>, PeerError>> + use<> {
    let (promise, mut reply) = gst::Promise::new_future();
    let mut values: Vec<_> = arguments.iter().map(|value| value.to_value()).collect();
    values.push(promise.to_value());
    webrtc.emit_by_name_with_values(action, &values);
    let promise = AwaitedPromise(promise);
    let webrtc = webrtc.clone();
    async move {
        let _promise = promise;
        let reply = loop {
            match timeout(CHECK_INTERVAL, &mut reply).await {
                Ok(reply) => break reply,
                Err(_) if webrtc.current_state() == gst::State::Null => {
                    return Err(PeerError::Stopped { action });
                }
                Err(_) => {}
            }
        };
        let refused = |reason| PeerError::Refused { action, reason };
        let reply = reply.map_err(|error| refused(format!("{error:?}")))?;
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::mpsc;

    use super::*;
    use crate::playback;

    #[test]
    fn a_request_ends_when_its_webrtcbin_is_stopped_before_it_is_handled() {
        playback::init().unwrap();
        if gst::ElementFactory::find("webrtcbin").is_none()
            || gst::ElementFactory::find("nicesrc").is_none()
        {
            println!("skipped: GStreamer's webrtcbin or nicesrc is missing");
            return;
        }
        let pipeline = gst::Pipeline::new();
        let webrtc = create(&[Ipv4Addr::LOCALHOST.into()], 0).unwrap();
        pipeline.add(&webrtc).unwrap();
        // Holds up the thread that handles requests, as a machine without free cores does. It asks
        // for a negotiation once, as soon as it starts.
        let (started, starts) = mpsc::channel();
        let (sender, release) = mpsc::channel::<()>();
        let release = Mutex::new(release);
        webrtc.connect("on-negotiation-needed", false, move |_| {
            let _ = started.send(());
            let _ = lock(&release).recv();
            None
        });
        prepare(&pipeline).unwrap();
        start(&pipeline).unwrap();
        starts.recv_timeout(Duration::from_secs(20)).unwrap();
        let reply = request(&webrtc, "create-offer", &[&None::<gst::Structure>]);
        let stopping = std::thread::spawn({
            let pipeline = pipeline.clone();
            move || pipeline.set_state(gst::State::Null)
        });
        // By then it waits for the thread.
        std::thread::sleep(Duration::from_millis(500));
        drop(sender);
        stopping.join().unwrap().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let end = runtime.block_on(async { timeout(Duration::from_secs(20), reply).await });
        let error = end.expect("the request does not end").unwrap_err();
        assert_eq!(
            error.to_string(),
            "webrtcbin was stopped before create-offer"
        );
    }
}

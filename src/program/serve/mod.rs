// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude serve`: the live view, in a browser.
//!
//! ```text
//! page -> http -> sessions -> session (camera | source) -> results -> channels -> page
//! ```

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Handle, Server, from_tcp, from_tcp_rustls};
use gst::prelude::*;
use tokio::signal::unix::{SignalKind, signal};

use access::Access;
pub use arguments::Arguments;
use metrics::Metrics;
use places::Places;
use sessions::Sessions;
use source::{Input, Source};

mod arguments;

mod access;
mod secret;
mod tls;

mod ending;
mod metrics;
mod results;

mod answer;
mod channels;
mod session;

mod camera;
mod source;

mod memory;
mod sessions;

mod export;
mod page;

mod answers;
mod guard;
mod http;
mod places;

use crate::console;
use crate::exit::{Interrupt, Status};

type Failure = Box<dyn Error>;

/// How long requests may take to end when the server does.
const MAX_REQUEST: Duration = Duration::from_secs(2);
/// How long a connection may be without a request, and a request's headers may be on their way.
const MAX_SILENCE: Duration = Duration::from_secs(15);
/// Connections at a time; what is more is closed at once.
const MAX_CONNECTIONS: usize = 256;

/// Serves until Ctrl-C or SIGTERM.
pub fn run(arguments: Arguments) -> Result<Status, Failure> {
    gst::init()?;
    gstattitude::plugin_register_static()?;
    let arguments = Arc::new(arguments);
    let input = arguments.source.as_deref().map(Input::new).transpose()?;
    // Loads the networks, so that what is wrong with them is told now, and keeps them loaded.
    let networks = results::faceattitude(&arguments)?;
    start(&networks)?;
    let provider = networks.property::<Option<String>>("active-provider");
    let provider = provider.unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    // The first signal ends all in order, another one at once.
    Interrupt::watch()?;
    let served = runtime.block_on(serve(arguments, provider, input));
    networks.set_state(gst::State::Null)?;
    served.map(|()| Status::Success)
}

/// Starts `networks`, or tells why they do not.
fn start(networks: &gst::Element) -> Result<(), Failure> {
    let bus = gst::Bus::new();
    networks.set_bus(Some(&bus));
    if networks.set_state(gst::State::Paused).is_ok() {
        return Ok(());
    }
    let problem = bus.pop_filtered(&[gst::MessageType::Error]);
    let told = problem.and_then(|message| match message.view() {
        gst::MessageView::Error(error) => Some(error.error().message().to_owned()),
        _ => None,
    });
    networks.set_state(gst::State::Null)?;
    Err(told
        .unwrap_or_else(|| "faceattitude does not start".to_owned())
        .into())
}

async fn serve(
    arguments: Arc<Arguments>,
    provider: String,
    input: Option<Input>,
) -> Result<(), Failure> {
    let tls = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::config(certificate, key)?),
        _ => None,
    };
    let access = Arc::new(Access::new(&arguments)?);
    let listener = TcpListener::bind(arguments.listen).map_err(|error| {
        let listen = arguments.listen;
        format!("cannot listen on {listen}: {error}; --listen takes another address or port")
    })?;
    let metrics = Arc::new(Metrics::new(arguments.max_sessions, provider));
    let source = input.map(|input| Source::new(arguments.clone(), metrics.clone(), input));
    let sessions = Arc::new(Sessions::new(arguments.clone(), metrics.clone(), source));
    let routes = http::routes(http::Server {
        arguments: arguments.clone(),
        access: access.clone(),
        metrics,
        sessions: sessions.clone(),
    });
    let handle = Handle::<SocketAddr>::new();
    let warning = access.warning(sessions.source_name());
    tokio::spawn(shut_down_on_signal(handle.clone(), sessions)?);
    let addresses = access.addresses(listener.local_addr()?).join(" or ");
    console::line(format_args!("Open {addresses} in a browser; Ctrl-C ends"));
    if let Some(warning) = warning {
        console::warn(warning);
    }
    let routes = routes.into_make_service();
    let places = Places::new(MAX_CONNECTIONS);
    match tls {
        Some(tls) => {
            let server = from_tcp_rustls(listener, RustlsConfig::from_config(tls))?
                .map(|tls| tls.acceptor(places));
            limited(server).handle(handle).serve(routes).await?;
        }
        None => {
            let server = from_tcp(listener)?.acceptor(places);
            limited(server).handle(handle).serve(routes).await?;
        }
    }
    Ok(())
}

/// Speaks the HTTP that is needed, with nobody who is silent.
fn limited<A>(server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let mut server = server.http1_only();
    let mut http = server.http_builder().http1();
    http.header_read_timeout(MAX_SILENCE);
    server
}

/// Ends sessions and server at the first Ctrl-C or SIGTERM.
fn shut_down_on_signal(
    handle: Handle<SocketAddr>,
    sessions: Arc<Sessions>,
) -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        std::future::poll_fn(|context| {
            match interrupt.poll_recv(context).is_ready() || terminate.poll_recv(context).is_ready()
            {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
        sessions.shut_down().await;
        handle.graceful_shutdown(Some(MAX_REQUEST));
    })
}

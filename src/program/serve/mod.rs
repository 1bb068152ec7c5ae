// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude serve`: live analysis in a browser.
//!
//! ```text
//! page -> http -> sessions -> session (camera | source) -> analysis -> channels -> page
//! ```

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Handle, Server, from_tcp, from_tcp_rustls};
use gst::prelude::*;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::signal::unix::{SignalKind, signal};

use access::RandomError;
pub(crate) use arguments::Arguments;
use connection_limit::ConnectionLimit;
use sessions::Sessions;
use source::{Location, LocationError, SourceError};
use tls::TlsError;

mod arguments;

mod responses;

mod access;
mod connection_limit;
mod tls;

mod end;
mod metrics;

mod analysis;

mod channels;
mod session;

mod camera;
mod source;

mod sessions;

pub(crate) mod export;
mod page;

pub(crate) mod http;

use crate::console;
use crate::exit::{Interrupt, SignalError, Status};
use crate::playback::{self, ElementError, InitError};
use crate::publishing::PublishError;

/// Maximum time for requests to end when the server shuts down.
const MAX_SHUTDOWN: Duration = Duration::from_secs(2);
/// Maximum time for the server to end after a signal.
const MAX_END: Duration = Duration::from_secs(10);
/// Maximum time for a connection without a request, and for the headers of a request.
const MAX_SILENCE: Duration = Duration::from_secs(15);

/// The server does not start, or stops early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Element(#[from] ElementError),
    #[error("faceattitude does not start")]
    NotStarted,
    #[error("the source cannot be shown")]
    Source(#[source] SourceError),
    #[error("GStreamer failed")]
    GStreamer(#[from] glib::BoolError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("cannot listen on {0}; choose another address or port with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("the server failed")]
    Io(#[from] io::Error),
}

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn run(arguments: Arguments) -> Result<Status, ServeError> {
    playback::init()?;
    let arguments = Arc::new(arguments);
    let location = arguments
        .source
        .as_deref()
        .map(Location::parse)
        .transpose()?;
    // Loads the networks, so that errors show now, and keeps them loaded.
    let networks = analysis::faceattitude(&arguments)?;
    start(&networks)?;
    let provider = networks.property::<Option<String>>("active-provider");
    let provider = provider.unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    // The first signal ends the server in order, the second one at once.
    Interrupt::watch()?;
    end_in_time()?;
    let served = runtime.block_on(serve(arguments, provider, location));
    runtime.shutdown_timeout(MAX_SHUTDOWN);
    let _ = networks.set_state(gst::State::Null);
    served.map(|()| Status::Success)
}

/// Ends the process [`MAX_END`] after the first Ctrl-C or SIGTERM. If the system allows no further
/// threads, pipelines may never stop. This thread exists by then, and waits for nothing else.
fn end_in_time() -> Result<(), ServeError> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(SignalError)?;
    let thread = std::thread::Builder::new().name("end-in-time".to_owned());
    let wait = move || {
        if signals.forever().next().is_some() {
            std::thread::sleep(MAX_END);
            console::warn("some sessions did not stop in time");
            // Nothing is lost: the server stores nothing.
            signal_hook::low_level::exit(0);
        }
    };
    thread.spawn(wait).map(drop).map_err(ServeError::Thread)
}

/// Starts the element, or returns the error that it posted.
fn start(networks: &gst::Element) -> Result<(), ServeError> {
    let bus = gst::Bus::new();
    networks.set_bus(Some(&bus));
    if networks.set_state(gst::State::Paused).is_ok() {
        return Ok(());
    }
    let problem = bus.pop_filtered(&[gst::MessageType::Error]);
    let error = problem.and_then(|message| match message.view() {
        gst::MessageView::Error(error) => Some(ElementError::from(error)),
        _ => None,
    });
    let _ = networks.set_state(gst::State::Null);
    Err(error.map_or(ServeError::NotStarted, ServeError::Element))
}

async fn serve(
    arguments: Arc<Arguments>,
    provider: String,
    location: Option<Location>,
) -> Result<(), ServeError> {
    let tls = match (&arguments.tls_certificate, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::server_config(certificate, key)?),
        _ => None,
    };
    let listener = TcpListener::bind(arguments.listen)
        .map_err(|error| ServeError::Listen(arguments.listen, error))?;
    let publishing = arguments
        .publish
        .start(|text| tracing::warn!("publishing: {text}"))?
        .map(Arc::new);
    let server = http::Server::new(arguments, provider, publishing.clone(), location)?;
    let (access, sessions) = (server.access.clone(), server.sessions.clone());
    sessions.check_file().await.map_err(ServeError::Source)?;
    let routes = http::routes(server);
    let handle = Handle::<SocketAddr>::new();
    let warning = access.warning(sessions.source_name());
    tokio::spawn(shut_down_on_signal(handle.clone(), sessions)?);
    let addresses = access.addresses(listener.local_addr()?).join(" or ");
    console::line(format_args!("Open {addresses} in a browser; Ctrl-C stops"));
    if let Some(warning) = warning {
        console::warn(warning);
    }
    let routes = routes.into_make_service();
    let limit = ConnectionLimit::default();
    match tls {
        Some(tls) => {
            let server = from_tcp_rustls(listener, RustlsConfig::from_config(tls))?
                .map(|tls| tls.acceptor(limit));
            limited(server).handle(handle).serve(routes).await?;
        }
        None => {
            let server = from_tcp(listener)?.acceptor(limit);
            limited(server).handle(handle).serve(routes).await?;
        }
    }
    if let Some(publishing) = publishing {
        let finished = tokio::task::spawn_blocking(move || publishing.finish());
        if let Ok(Some(unpublished)) = finished.await {
            console::warn(unpublished);
        }
    }
    Ok(())
}

/// Limits the server to HTTP/1.1, and closes connections that are silent.
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
) -> io::Result<impl Future<Output = ()>> {
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
        tracing::info!("shutting down");
        sessions.shut_down().await;
        handle.graceful_shutdown(Some(MAX_SHUTDOWN));
    })
}

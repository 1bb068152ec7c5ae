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
use axum_server::{Handle, from_tcp, from_tcp_rustls};
use tokio::signal::unix::{SignalKind, signal};

use access::AccessError;
pub(crate) use arguments::Arguments;
use sessions::Sessions;
use source::{Origin, SourceError};
use tls::TlsError;

mod arguments;

mod tls;

mod end;
mod limits;
mod metrics;

mod access;
mod analysis;

mod channels;
mod session;

mod camera;
mod source;

mod sessions;

pub(crate) mod export;
mod page;
pub(crate) mod whip;

pub(crate) mod http;

use crate::console;
use crate::exit::{Interrupt, SignalError, Status};
use crate::playback::{self, InitError};
use crate::publishing::PublishError;
use crate::shutdown::{self, EndInTimeError};
use crate::streams::{LoadedNetworks, Location, LocationError, NetworksError};
use crate::web_server::{ConnectionLimit, limited};

/// Maximum time for requests to end when the server shuts down.
const MAX_SHUTDOWN: Duration = Duration::from_secs(2);
/// Maximum time for the server to end after a signal.
const MAX_END: Duration = Duration::from_secs(10);

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
    Networks(#[from] NetworksError),
    #[error("the source cannot be shown")]
    Source(#[source] SourceError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    End(#[from] EndInTimeError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("cannot listen on {0}; choose another address or port with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("the server failed")]
    Io(#[from] io::Error),
}

/// Serves until Ctrl-C or SIGTERM.
pub(crate) fn run(arguments: Arguments) -> Result<Status, ServeError> {
    playback::init()?;
    let arguments = Arc::new(arguments);
    let origin = match &arguments.source {
        Some(source) => Some(Origin::Location(Location::parse(source)?)),
        None => arguments.whip.then_some(Origin::Whip),
    };
    let networks = LoadedNetworks::load(&arguments.analysis)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    // The first signal ends the server in order, the second one at once.
    Interrupt::watch()?;
    // Nothing is lost: the server stores nothing.
    shutdown::end_in_time(MAX_END, "some sessions did not stop in time")?;
    let served = runtime.block_on(serve(arguments, networks.provider(), origin));
    runtime.shutdown_timeout(MAX_SHUTDOWN);
    served.map(|()| Status::Success)
}

async fn serve(
    arguments: Arc<Arguments>,
    provider: String,
    origin: Option<Origin>,
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
    let server = http::Server::new(arguments, provider, publishing.clone(), origin)?;
    let (access, sessions) = (server.access.clone(), server.sessions.clone());
    sessions.check_file().await.map_err(ServeError::Source)?;
    let has_whip = server.arguments.whip;
    let routes = http::routes(server);
    let handle = Handle::<SocketAddr>::new();
    let warning = access.warning(sessions.source_name());
    tokio::spawn(shut_down_on_signal(handle.clone(), sessions)?);
    let addresses = access.addresses(listener.local_addr()?).join(" or ");
    console::line(format_args!("Open {addresses} in a browser; Ctrl-C stops"));
    if has_whip {
        let endpoints = access
            .endpoints(listener.local_addr()?, whip::PATH)
            .join(" or ");
        console::line(format_args!("WHIP clients send their video to {endpoints}"));
    }
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

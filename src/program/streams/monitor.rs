// SPDX-License-Identifier: MPL-2.0

//! The web server for monitoring: `/metrics` for Prometheus, and `/healthz` for health checks.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::{Handle, from_tcp};
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use tokio::runtime::Runtime;

use super::metrics;
use super::registry::Registry;
use crate::publishing::Publishing;
use crate::web_server::responses::{add_headers, describe_errors, problem};
use crate::web_server::{ConnectionLimit, limited};

/// Maximum time for requests to end when the server shuts down.
const MAX_SHUTDOWN: Duration = Duration::from_secs(1);

/// What the responses report.
#[derive(Clone)]
struct Observed {
    streams: Registry,
    publishing: Option<Arc<Publishing>>,
    provider: String,
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MonitorError {
    #[error("cannot listen on {0}; choose another address or port with --listen")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("cannot start the web server")]
    Start(#[source] io::Error),
}

/// A web server, which runs until it is dropped.
pub(crate) struct Monitor {
    runtime: Option<Runtime>,
    handle: Handle<SocketAddr>,
    /// The address that it listens on.
    pub(crate) address: SocketAddr,
}

impl Monitor {
    /// Starts to listen on `address`.
    ///
    /// # Errors
    /// Returns an error if the address cannot be used.
    pub(crate) fn start(
        address: SocketAddr,
        streams: Registry,
        publishing: Option<Arc<Publishing>>,
        provider: String,
    ) -> Result<Self, MonitorError> {
        let listen = |error| MonitorError::Listen(address, error);
        let listener = TcpListener::bind(address).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("monitor")
            .enable_all()
            .build()
            .map_err(MonitorError::Start)?;
        let handle = Handle::new();
        let server = {
            // The listener is registered with the runtime.
            let _entered = runtime.enter();
            from_tcp(listener).map_err(MonitorError::Start)?
        };
        let routes = routes(Observed {
            streams,
            publishing,
            provider,
        });
        let server = limited(server.acceptor(ConnectionLimit::default())).handle(handle.clone());
        runtime.spawn(async move {
            if let Err(error) = server.serve(routes.into_make_service()).await {
                tracing::error!("the web server of --listen failed: {error}");
            }
        });
        Ok(Self {
            runtime: Some(runtime),
            handle,
            address,
        })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.handle.graceful_shutdown(Some(MAX_SHUTDOWN));
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(MAX_SHUTDOWN);
        }
    }
}

fn routes(observed: Observed) -> Router {
    let routes = Router::new()
        .route("/metrics", get(get_metrics))
        .route("/healthz", get(get_health))
        .with_state(observed);
    // Around the whole router, which adds the header `Allow` outside of its own layers.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn(describe_errors))
        .layer(map_response(add_headers))
}

async fn get_metrics(State(observed): State<Observed>) -> Response {
    let Observed {
        streams,
        publishing,
        provider,
    } = &observed;
    match metrics::text(streams, publishing.as_ref(), provider) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// Responds with 503 and the reasons if there are sources without video.
async fn get_health(State(observed): State<Observed>) -> Response {
    match observed.streams.problems() {
        None => "ok".into_response(),
        Some(problems) => problem(StatusCode::SERVICE_UNAVAILABLE, problems),
    }
}

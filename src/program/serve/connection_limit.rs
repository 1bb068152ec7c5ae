// SPDX-License-Identifier: MPL-2.0

//! A limit on the number of TCP connections, so that they leave file descriptors for the sessions.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;

use axum::{Extension, Router};
use axum_server::accept::Accept;
use tokio::sync::Semaphore;

/// Accepts connections up to a limit, and closes further ones at once.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionLimit(Arc<Semaphore>);

impl ConnectionLimit {
    pub(crate) fn new(max_connections: usize) -> Self {
        Self(Arc::new(Semaphore::new(max_connections)))
    }
}

impl<I> Accept<I, Router> for ConnectionLimit {
    type Stream = I;
    type Service = Router;
    type Future = Ready<io::Result<(I, Router)>>;

    fn accept(&self, stream: I, routes: Router) -> Self::Future {
        let permit = self.0.clone().try_acquire_owned();
        // A connection keeps its routes, and with them the permit, for as long as it lasts.
        let accepted = permit.map(|permit| (stream, routes.layer(Extension(Arc::new(permit)))));
        ready(accepted.map_err(|error| {
            tracing::warn!("connection closed: too many connections");
            io::Error::other(error)
        }))
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Places for connections, so that they do not take what sessions need.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;

use axum::{Extension, Router};
use axum_server::accept::Accept;
use tokio::sync::Semaphore;

/// So many of them.
#[derive(Clone, Debug)]
pub struct Places(Arc<Semaphore>);

impl Places {
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }
}

impl<I> Accept<I, Router> for Places {
    type Stream = I;
    type Service = Router;
    type Future = Ready<io::Result<(I, Router)>>;

    /// Refuses the connection where all places are taken.
    fn accept(&self, stream: I, routes: Router) -> Self::Future {
        let place = self.0.clone().try_acquire_owned();
        // A connection has its routes for as long as it lasts.
        let place = place.map(|place| (stream, routes.layer(Extension(Arc::new(place)))));
        ready(place.map_err(io::Error::other))
    }
}

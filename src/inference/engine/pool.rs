// SPDX-License-Identifier: MPL-2.0

//! A pool of equal networks, each of which is lent to one thread at a time.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex};

use crate::networks::{LoadError, Networks};
use attitude::InferenceError;
use attitude::sync::{lock, wait_while};

type Load = dyn Fn() -> Result<Networks, LoadError> + Send + Sync;

/// A pool of networks that were loaded with the same configuration.
pub(super) struct Pool {
    load: Box<Load>,
    state: Mutex<PoolState>,
    changed: Condvar,
}

struct PoolState {
    idle: Vec<Networks>,
    /// Number of networks that are idle, lent or being loaded.
    count: usize,
    max_count: usize,
    /// Number of the next request.
    next_request: u64,
    /// Number of the request that is served next.
    next_served: u64,
}

/// Networks on loan; they return to the pool when this is dropped.
pub struct Lease<'a> {
    pool: &'a Pool,
    /// `None` only while it is dropped.
    networks: Option<Networks>,
}

impl Pool {
    /// Creates a pool with `networks`. `load` loads more of the same, up to a total of `max_count`,
    /// which is at least 1.
    pub(super) fn new(
        networks: Networks,
        load: impl Fn() -> Result<Networks, LoadError> + Send + Sync + 'static,
        max_count: usize,
    ) -> Self {
        Self {
            load: Box::new(load),
            state: Mutex::new(PoolState {
                idle: vec![networks],
                count: 1,
                max_count: max_count.max(1),
                next_request: 0,
                next_served: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Lends idle networks; loads some if none are idle and the maximum is not reached, else waits.
    /// Requests are served in their order, so that a thread cannot starve the others.
    ///
    /// # Errors
    /// Returns an error if the pool has no networks, and none can be loaded.
    pub(super) fn lease(&self) -> Result<Lease<'_>, InferenceError> {
        loop {
            let mut state = lock(&self.state);
            let request = state.next_request;
            state.next_request += 1;
            let must_wait = |state: &mut PoolState| {
                let is_available = !state.idle.is_empty() || state.count < state.max_count;
                request != state.next_served || !is_available
            };
            state = wait_while(&self.changed, state, must_wait);
            state.next_served += 1;
            self.changed.notify_all();
            let networks = match state.idle.pop() {
                Some(networks) => Ok(networks),
                None => {
                    state.count += 1;
                    drop(state);
                    (self.load)()
                }
            };
            match networks {
                Ok(networks) => {
                    return Ok(Lease {
                        pool: self,
                        networks: Some(networks),
                    });
                }
                Err(error) => {
                    // The memory may be exhausted: the pool continues with the networks that it
                    // has.
                    let mut state = lock(&self.state);
                    state.count -= 1;
                    state.max_count = state.count.max(1);
                    if state.count == 0 {
                        return Err(InferenceError(error.to_string()));
                    }
                }
            }
        }
    }

    /// Returns the number of requests so far.
    #[cfg(test)]
    pub(super) fn request_count(&self) -> u64 {
        lock(&self.state).next_request
    }
}

impl Deref for Lease<'_> {
    type Target = Networks;

    fn deref(&self) -> &Networks {
        self.networks.as_ref().expect("the networks are on loan")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Networks {
        self.networks.as_mut().expect("the networks are on loan")
    }
}

impl Drop for Lease<'_> {
    /// Returns the networks to the pool. After a panic they can be used again, because a session
    /// keeps no state from one run to the next.
    fn drop(&mut self) {
        lock(&self.pool.state).idle.extend(self.networks.take());
        self.pool.changed.notify_all();
    }
}

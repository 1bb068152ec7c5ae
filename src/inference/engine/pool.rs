// SPDX-License-Identifier: MPL-2.0

//! Networks that are lent for one analysis after the other.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex};

use crate::networks::{LoadError, Networks};
use attitude::InferenceError;
use attitude::sync::{lock, wait_while};

type Load = dyn Fn() -> Result<Networks, LoadError> + Send + Sync;

/// Networks of one kind.
pub(super) struct Pool {
    load: Box<Load>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    idle: Vec<Networks>,
    /// Number of networks that are idle, lent or being loaded, and its limit.
    count: usize,
    most: usize,
    /// Whoever asks takes the next number, and is served when it comes.
    next_number: u64,
    serving: u64,
}

/// Networks on loan.
pub struct Lease<'a> {
    pool: &'a Pool,
    /// Until it is given back.
    networks: Option<Networks>,
}

impl Pool {
    /// Starts with `networks`; `load` makes more of the same, up to `most`.
    pub(super) fn new(
        networks: Networks,
        load: impl Fn() -> Result<Networks, LoadError> + Send + Sync + 'static,
        most: usize,
    ) -> Self {
        Self {
            load: Box::new(load),
            state: Mutex::new(State {
                idle: vec![networks],
                count: 1,
                most: most.max(1),
                next_number: 0,
                serving: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Waits for idle networks, or loads some where there may be more. In the order of asking, so
    /// that one who asks again at once takes nobody's turn.
    ///
    /// # Errors
    /// If there are none and none can be loaded.
    pub(super) fn lease(&self) -> Result<Lease<'_>, InferenceError> {
        loop {
            let mut state = lock(&self.state);
            let number = state.next_number;
            state.next_number += 1;
            let must_wait = |state: &mut State| {
                let is_free = !state.idle.is_empty() || state.count < state.most;
                number != state.serving || !is_free
            };
            state = wait_while(&self.changed, state, must_wait);
            state.serving += 1;
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
                    // Those that there are have to do.
                    let mut state = lock(&self.state);
                    state.count -= 1;
                    state.most = state.count.max(1);
                    if state.count == 0 {
                        return Err(InferenceError(error.to_string()));
                    }
                }
            }
        }
    }

    /// Number of requests for networks.
    #[cfg(test)]
    pub(super) fn asked(&self) -> u64 {
        lock(&self.state).next_number
    }
}

impl Deref for Lease<'_> {
    type Target = Networks;

    fn deref(&self) -> &Networks {
        self.networks.as_ref().expect("it is on loan")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Networks {
        self.networks.as_mut().expect("it is on loan")
    }
}

impl Drop for Lease<'_> {
    /// Gives them back, also after a panic: a session keeps nothing from one run to the next.
    fn drop(&mut self) {
        lock(&self.pool.state).idle.extend(self.networks.take());
        self.pool.changed.notify_all();
    }
}

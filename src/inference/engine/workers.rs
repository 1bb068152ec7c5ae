// SPDX-License-Identifier: MPL-2.0

//! The threads that analyse the frames of live streams, a frame of each stream in turn.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::pool::Pool;
use attitude::sync::{lock, wait_while};

/// A stream that has work to do.
pub(super) trait Task: Send + Sync {
    /// Does one piece of it. Returns whether there is another one.
    fn run(&self, pool: &Pool) -> bool;
}

/// Threads, and the streams that wait for them.
pub(super) struct Workers {
    queue: Arc<Queue>,
    pool: Arc<Pool>,
    most: usize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Each at most once, so that a stream with many frames waits its turn like one with few.
    waiting: VecDeque<Arc<dyn Task>>,
    is_closed: bool,
}

impl Workers {
    /// Up to `most` threads that lend networks from `pool`. They are not started yet.
    pub(super) fn new(pool: Arc<Pool>, most: usize) -> Self {
        Self {
            queue: Arc::new(Queue {
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
            pool,
            most,
            threads: Mutex::default(),
        }
    }

    /// Starts the threads, if they do not run yet.
    ///
    /// # Errors
    /// If the system provides no thread.
    pub(super) fn start(&self) -> std::io::Result<()> {
        let mut threads = lock(&self.threads);
        while threads.len() < self.most {
            let (queue, pool) = (self.queue.clone(), self.pool.clone());
            let thread = std::thread::Builder::new()
                .name("attitude".to_owned())
                .spawn(move || queue.work(&pool));
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => return Err(error),
                // Those that there are have to do.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Puts a stream, which is not among them, behind those that wait.
    pub(super) fn push(&self, task: Arc<dyn Task>) {
        self.queue.push(task);
    }
}

impl Drop for Workers {
    /// Waits for the inferences in flight: a network cannot be freed under them.
    fn drop(&mut self) {
        lock(&self.queue.state).is_closed = true;
        self.queue.changed.notify_all();
        let threads = self.threads.get_mut();
        for thread in threads.unwrap_or_else(PoisonError::into_inner).drain(..) {
            // The tasks catch what panics in them.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn push(&self, task: Arc<dyn Task>) {
        lock(&self.state).waiting.push_back(task);
        self.changed.notify_one();
    }

    fn work(&self, pool: &Pool) {
        while let Some(task) = self.next() {
            if task.run(pool) {
                self.push(task);
            }
        }
    }

    /// `None` once there is nothing to come.
    fn next(&self) -> Option<Arc<dyn Task>> {
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
        let mut state = wait_while(&self.changed, lock(&self.state), is_idle);
        if state.is_closed {
            return None;
        }
        state.waiting.pop_front()
    }
}

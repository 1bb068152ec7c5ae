// SPDX-License-Identifier: MPL-2.0

//! Threads that analyze the samples of live streams, one sample of each stream in turn.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::pool::Pool;
use attitude::sync::{lock, wait_while};

/// A stream in the queue of the threads.
pub(super) trait QueuedStream: Send + Sync {
    /// Analyzes the pending sample with networks from `pool`. Returns `true` if another sample is
    /// pending afterwards.
    fn analyze_pending(&self, pool: &Pool) -> bool;
}

/// Threads, and the queue of the streams that have a pending sample.
pub(super) struct Workers {
    queue: Arc<StreamQueue>,
    pool: Arc<Pool>,
    max_threads: usize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct StreamQueue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    /// Each stream is in the queue at most once, so that streams with many and few samples take
    /// turns.
    waiting: VecDeque<Arc<dyn QueuedStream>>,
    is_closed: bool,
}

impl Workers {
    /// Creates at most `max_threads` threads that use networks from `pool`. [`start`](Self::start)
    /// starts them.
    pub(super) fn new(pool: Arc<Pool>, max_threads: usize) -> Self {
        Self {
            queue: Arc::new(StreamQueue {
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
            pool,
            max_threads,
            threads: Mutex::default(),
        }
    }

    /// Starts the threads that are not running yet.
    ///
    /// # Errors
    /// Returns an error if the system refuses to start the first thread. Fewer threads than the
    /// maximum are not an error.
    pub(super) fn start(&self) -> std::io::Result<()> {
        let mut threads = lock(&self.threads);
        while threads.len() < self.max_threads {
            let (queue, pool) = (self.queue.clone(), self.pool.clone());
            let thread = std::thread::Builder::new()
                .name("attitude".to_owned())
                .spawn(move || queue.serve(&pool));
            match thread {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Adds a stream, which must not be in the queue, to the end of the queue.
    pub(super) fn push(&self, stream: Arc<dyn QueuedStream>) {
        self.queue.push(stream);
    }
}

impl Drop for Workers {
    /// Waits for the inferences in flight, because a network must not be freed while it runs.
    fn drop(&mut self) {
        lock(&self.queue.state).is_closed = true;
        self.queue.changed.notify_all();
        let threads = self.threads.get_mut();
        for thread in threads.unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A stream catches the panics of its analysis, so that the thread does not panic.
            let _ = thread.join();
        }
    }
}

impl StreamQueue {
    fn push(&self, stream: Arc<dyn QueuedStream>) {
        lock(&self.state).waiting.push_back(stream);
        self.changed.notify_one();
    }

    /// Serves the streams in turn until the queue is closed.
    fn serve(&self, pool: &Pool) {
        while let Some(stream) = self.pop() {
            if stream.analyze_pending(pool) {
                self.push(stream);
            }
        }
    }

    /// Waits for a stream and removes it from the queue; returns `None` when the queue is closed.
    fn pop(&self) -> Option<Arc<dyn QueuedStream>> {
        let is_idle = |state: &mut QueueState| state.waiting.is_empty() && !state.is_closed;
        let mut state = wait_while(&self.changed, lock(&self.state), is_idle);
        if state.is_closed {
            return None;
        }
        state.waiting.pop_front()
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The messages that wait for delivery: in the queue or, if there is a spool, in the spool.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::message::Message;
use crate::progress::Progress;
use crate::queue::Queue;
use crate::spool::{Spool, SpooledBatch};

/// Time after which a spool that cannot be read is read again.
const SPOOL_RETRY: Duration = Duration::from_secs(1);

/// The messages of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batching {
    /// Maximum number of messages.
    pub(crate) max_len: usize,
    /// Maximum time that the first message waits for the others.
    pub(crate) max_wait: Duration,
}

/// Messages that are being delivered.
pub(crate) enum Batch {
    Queued(Vec<Message>),
    Spooled(SpooledBatch),
}

impl Batch {
    pub(crate) fn messages(&self) -> &[Message] {
        match self {
            Self::Queued(messages) => messages,
            Self::Spooled(batch) => &batch.messages,
        }
    }
}

/// The messages that wait.
pub(crate) struct Backlog {
    queue: Arc<Queue>,
    spool: Option<RefCell<Spool>>,
    /// Notified when a message arrives in the spool.
    spooled: tokio::sync::Notify,
    progress: Arc<Progress>,
}

impl Backlog {
    pub(crate) fn new(queue: Arc<Queue>, spool: Option<Spool>, progress: Arc<Progress>) -> Self {
        if let Some(spool) = &spool {
            progress.published(spool.len() as u64);
            progress.set_spool_bytes(spool.bytes());
        }
        Self {
            queue,
            spool: spool.map(RefCell::new),
            spooled: tokio::sync::Notify::new(),
            progress,
        }
    }

    pub(crate) fn has_spool(&self) -> bool {
        self.spool.is_some()
    }

    /// Moves messages from the queue to the spool as they arrive; never returns. Does nothing if
    /// there is no spool.
    pub(crate) async fn fill_spool(&self) {
        if !self.has_spool() {
            return std::future::pending().await;
        }
        loop {
            self.queue.arrived().await;
            self.spool_queued();
        }
    }

    /// Moves all messages from the queue to the spool.
    pub(crate) fn spool_queued(&self) {
        let Some(spool) = &self.spool else {
            return;
        };
        let mut spool = spool.borrow_mut();
        for message in self.queue.take(usize::MAX) {
            match spool.append(&message) {
                Ok(dropped) => self.progress.dropped(dropped, "the spool is full"),
                Err(problem) => self.progress.dropped(1, &problem),
            }
        }
        self.progress.set_spool_bytes(spool.bytes());
        self.spooled.notify_one();
    }

    fn len(&self) -> usize {
        match &self.spool {
            Some(spool) => spool.borrow().len(),
            None => self.queue.len(),
        }
    }

    async fn arrived(&self) {
        match self.spool {
            Some(_) => self.spooled.notified().await,
            None => self.queue.arrived().await,
        }
    }

    /// Waits for messages and returns the first ones. They stay in the spool. If the future is
    /// dropped, no message is lost.
    pub(crate) async fn next(&self, batching: Batching) -> Batch {
        while self.len() == 0 {
            self.arrived().await;
        }
        let deadline = Instant::now() + batching.max_wait;
        while self.len() < batching.max_len
            && !self.queue.is_hurried()
            && timeout_at(deadline, self.arrived()).await.is_ok()
        {}
        let Some(spool) = &self.spool else {
            return Batch::Queued(self.queue.take(batching.max_len));
        };
        loop {
            let batch = spool.borrow().peek(batching.max_len);
            match batch {
                Ok(batch) => return Batch::Spooled(batch),
                Err(problem) => self.progress.warn(&problem),
            }
            sleep(SPOOL_RETRY).await;
        }
    }

    /// Counts messages as delivered.
    pub(crate) fn acknowledge(&self, batch: &Batch) {
        let count = self.remove(batch);
        self.progress.delivered(count, batch.messages());
    }

    /// Counts a batch of one message as rejected, for this reason.
    pub(crate) fn reject(&self, batch: &Batch, reason: &str) {
        if self.remove(batch) > 0 {
            self.progress.rejected(reason);
        }
    }

    /// Removes messages. Returns their number without those that the spool has dropped in the
    /// meantime.
    fn remove(&self, batch: &Batch) -> u64 {
        match (batch, &self.spool) {
            (Batch::Spooled(batch), Some(spool)) => {
                let mut spool = spool.borrow_mut();
                let removed = spool.acknowledge(batch);
                self.progress.set_spool_bytes(spool.bytes());
                removed.unwrap_or_else(|problem| {
                    self.progress.warn(&problem);
                    0
                })
            }
            _ => batch.messages().len() as u64,
        }
    }

    /// Returns messages that were not delivered.
    pub(crate) fn put_back(&self, batch: Batch) {
        if let Batch::Queued(messages) = batch {
            let dropped = self.queue.put_back(messages);
            self.progress.dropped(dropped, "the queue is full");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The publishing thread: connects, delivers, and connects again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::backlog::{Backlog, Batching};
use crate::backoff::Backoff;
use crate::progress::Progress;
use crate::protocol::{Connection, Protocol, SendError};
use crate::tls;

/// Maximum time to connect.
const MAX_CONNECTING: Duration = Duration::from_secs(5);
/// Maximum time for the broker to acknowledge a batch.
const MAX_SENDING: Duration = Duration::from_secs(10);
/// Time between checks whether all messages are delivered, at the end.
const END_CHECK: Duration = Duration::from_millis(5);

/// Delivers the messages of a backlog.
pub(crate) struct Delivery {
    pub(crate) protocol: Box<dyn Protocol + Send>,
    pub(crate) progress: Arc<Progress>,
    /// Time by which the delivery ends; `None` as long as messages are published.
    pub(crate) deadline: watch::Receiver<Option<Instant>>,
}

impl Delivery {
    /// Delivers messages until the end: until none waits or the deadline has passed or, if there is
    /// a spool, which keeps them, at once.
    pub(crate) async fn run(self, backlog: Backlog) {
        tokio::select! {
            () = backlog.fill_spool() => {}
            () = self.deliver(&backlog) => {}
            () = self.ended(&backlog) => {}
        }
        backlog.spool_queued();
    }

    async fn ended(&self, backlog: &Backlog) {
        let mut deadline = self.deadline.clone();
        let deadline = deadline.wait_for(Option::is_some).await;
        // The publisher is gone without a deadline if it failed to start.
        let deadline = deadline.ok().and_then(|deadline| *deadline);
        let deadline = deadline.unwrap_or_else(Instant::now);
        while !backlog.has_spool() && !self.progress.is_settled() && Instant::now() < deadline {
            sleep(END_CHECK).await;
        }
    }

    /// Connects whenever there is no connection; never returns.
    async fn deliver(&self, backlog: &Backlog) {
        let mut backoff = Backoff::default();
        loop {
            let reason = match timeout(MAX_CONNECTING, self.protocol.connect()).await {
                Ok(Ok(mut connection)) => {
                    self.progress.connected();
                    self.send_all(&mut *connection, backlog, &mut backoff).await
                }
                Ok(Err(reason)) => reason,
                Err(_) => format!("no connection within {} s", MAX_CONNECTING.as_secs()),
            };
            match tls::advice(&reason) {
                Some(advice) => self.progress.disconnected(&format!("{reason}; {advice}")),
                None => self.progress.disconnected(&reason),
            }
            sleep(backoff.next_wait()).await;
        }
    }

    /// Sends messages until the connection is lost; returns the reason.
    async fn send_all(
        &self,
        connection: &mut dyn Connection,
        backlog: &Backlog,
        backoff: &mut Backoff,
    ) -> String {
        let batching = self.protocol.batching();
        let single = Batching {
            max_len: 1,
            max_wait: Duration::ZERO,
        };
        // Number of messages to send one by one, to find the one that was rejected.
        let mut singles = 0usize;
        loop {
            let batching = if singles > 0 { single } else { batching };
            let batch = tokio::select! {
                reason = connection.lost() => return reason,
                batch = backlog.next(batching) => batch,
            };
            let sent = timeout(MAX_SENDING, connection.send(batch.messages())).await;
            singles = singles.saturating_sub(batch.messages().len());
            match sent {
                Ok(Ok(())) => {
                    backlog.acknowledge(&batch);
                    backoff.reset();
                }
                Ok(Err(SendError::Rejected(reason))) => match batch.messages().len() {
                    1 => backlog.reject(&batch, &reason),
                    len => {
                        singles = len;
                        backlog.put_back(batch);
                    }
                },
                Ok(Err(SendError::Lost(reason))) => {
                    backlog.put_back(batch);
                    return reason;
                }
                Err(_) => {
                    backlog.put_back(batch);
                    return format!("no acknowledgement within {} s", MAX_SENDING.as_secs());
                }
            }
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Counters of a publisher, and the warnings about what it loses.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use attitude::sync::lock;
use hdrhistogram::Histogram;

use crate::message::Message;
use crate::publisher::Event;

/// Minimum time between two warnings.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);
/// Longest latency that the histogram resolves, in microseconds.
const MAX_LATENCY_US: u64 = 60_000_000;

/// Counters since the publisher was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages that were published, and those that the spool contained at the start.
    pub published: u64,
    /// Messages that the broker has acknowledged.
    pub delivered: u64,
    /// Messages that were lost because the queue or the spool was full.
    pub dropped: u64,
    /// Messages that the broker refused for what they are, such as too large ones.
    pub rejected: u64,
    /// Messages that wait, in memory and in the spool.
    pub waiting: u64,
    /// Size of the messages in the spool, in bytes.
    pub spool_bytes: u64,
    /// `true` if there is a connection to the broker.
    pub is_connected: bool,
    /// Number of connections so far.
    pub connections: u64,
    /// Median, 95th and 99th percentile of the time from publication to acknowledgement.
    pub latency: [Duration; 3],
}

/// Counters that the caller and the publishing thread share.
pub(crate) struct Progress {
    state: Mutex<State>,
    /// Notified when messages are settled.
    settled: Condvar,
    /// Name of the broker in warnings.
    location: String,
    on_event: Box<dyn Fn(Event) + Send + Sync>,
}

struct State {
    stats: Stats,
    latency_us: Histogram<u32>,
    last_warning: Option<Instant>,
    /// Messages that were dropped since the last warning.
    unreported: u64,
}

impl State {
    /// Returns the number of messages that were delivered or lost.
    fn settled(&self) -> u64 {
        self.stats.delivered + self.stats.dropped + self.stats.rejected
    }
}

impl Progress {
    pub(crate) fn new(location: String, on_event: Box<dyn Fn(Event) + Send + Sync>) -> Self {
        let latency_us = Histogram::new_with_max(MAX_LATENCY_US, 2);
        Self {
            state: Mutex::new(State {
                stats: Stats::default(),
                latency_us: latency_us.expect("the constants are valid"),
                last_warning: None,
                unreported: 0,
            }),
            settled: Condvar::new(),
            location,
            on_event,
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = lock(&self.state);
        let mut stats = state.stats.clone();
        stats.waiting = stats.published.saturating_sub(state.settled());
        stats.latency = [0.5, 0.95, 0.99]
            .map(|quantile| Duration::from_micros(state.latency_us.value_at_quantile(quantile)));
        stats
    }

    pub(crate) fn is_connected(&self) -> bool {
        lock(&self.state).stats.is_connected
    }

    /// Counts messages that were published.
    pub(crate) fn published(&self, count: u64) {
        lock(&self.state).stats.published += count;
    }

    /// Counts messages that the broker has acknowledged.
    pub(crate) fn delivered(&self, count: u64, messages: &[Message]) {
        let mut state = lock(&self.state);
        state.stats.delivered += count;
        for at in messages.iter().filter_map(|message| message.published_at) {
            let us = u64::try_from(at.elapsed().as_micros()).unwrap_or(MAX_LATENCY_US);
            state.latency_us.saturating_record(us);
        }
        drop(state);
        self.settled.notify_all();
    }

    /// Counts messages that were lost, for this reason, and warns.
    pub(crate) fn dropped(&self, count: u64, reason: &str) {
        if count == 0 {
            return;
        }
        let mut state = lock(&self.state);
        state.stats.dropped += count;
        state.unreported += count;
        drop(state);
        self.settled.notify_all();
        self.warn(reason);
    }

    /// Counts a message that the broker refused.
    pub(crate) fn rejected(&self, reason: &str) {
        lock(&self.state).stats.rejected += 1;
        self.settled.notify_all();
        self.warn(&format!("{} rejected a message: {reason}", self.location));
    }

    pub(crate) fn set_spool_bytes(&self, bytes: u64) {
        lock(&self.state).stats.spool_bytes = bytes;
    }

    pub(crate) fn connected(&self) {
        let mut state = lock(&self.state);
        state.stats.is_connected = true;
        state.stats.connections += 1;
        drop(state);
        (self.on_event)(Event::Connected);
    }

    /// Warns that there is no connection, for this reason.
    pub(crate) fn disconnected(&self, reason: &str) {
        lock(&self.state).stats.is_connected = false;
        self.warn(&format!(
            "cannot publish to {}, trying again: {reason}",
            self.location
        ));
    }

    /// Warns, at most once per second. What was dropped in the meantime is part of the next
    /// warning.
    pub(crate) fn warn(&self, text: &str) {
        let mut state = lock(&self.state);
        let last = state.last_warning;
        if last.is_some_and(|last| last.elapsed() < WARNING_INTERVAL) {
            return;
        }
        state.last_warning = Some(Instant::now());
        let dropped = std::mem::take(&mut state.unreported);
        drop(state);
        let text = match dropped {
            0 => text.to_owned(),
            1 => format!("{text}; 1 message was dropped"),
            _ => format!("{text}; {dropped} messages were dropped"),
        };
        (self.on_event)(Event::Warning(text));
    }

    /// Returns `true` if no message waits.
    pub(crate) fn is_settled(&self) -> bool {
        let state = lock(&self.state);
        state.settled() >= state.stats.published
    }

    /// Waits until all messages that were published before are delivered or lost. Returns `false`
    /// after `timeout`.
    pub(crate) fn wait_until_settled(&self, timeout: Duration) -> bool {
        let state = lock(&self.state);
        let target = state.stats.published;
        let is_waiting = |state: &mut State| state.settled() < target;
        let waited = self.settled.wait_timeout_while(state, timeout, is_waiting);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.settled() >= target
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn warnings_are_rare_and_count_what_was_dropped() {
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let progress = Progress::new("mqtt://broker".to_owned(), {
            let warnings = warnings.clone();
            Box::new(move |event| {
                if let Event::Warning(text) = event {
                    lock(&warnings).push(text);
                }
            })
        });
        progress.published(9);
        progress.dropped(2, "the queue is full");
        progress.dropped(3, "the queue is full");
        progress.disconnected("refused");
        assert_eq!(
            *lock(&warnings),
            ["the queue is full; 2 messages were dropped"]
        );
        lock(&progress.state).last_warning = None;
        progress.disconnected("refused");
        assert_eq!(
            lock(&warnings)[1],
            "cannot publish to mqtt://broker, trying again: refused; 3 messages were dropped"
        );
        let stats = progress.stats();
        assert_eq!((stats.dropped, stats.waiting), (5, 4));
    }

    #[test]
    fn waiting_ends_when_all_messages_are_settled() {
        let progress = Progress::new(String::new(), Box::new(|_| ()));
        progress.published(2);
        assert!(!progress.wait_until_settled(Duration::from_millis(1)));
        progress.delivered(1, &[]);
        progress.rejected("too large");
        assert!(progress.is_settled());
        assert!(progress.wait_until_settled(Duration::ZERO));
    }
}

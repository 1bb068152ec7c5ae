// SPDX-License-Identifier: MPL-2.0

//! The queue between the caller and the publishing thread.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use attitude::sync::lock;
use tokio::sync::Notify;

use crate::message::Message;

/// A queue of limited length, which drops the oldest messages. It has one consumer.
#[derive(Debug)]
pub(crate) struct Queue {
    messages: Mutex<VecDeque<Message>>,
    max_len: usize,
    /// Notified when a message arrives.
    arrived: Notify,
    is_hurried: AtomicBool,
}

impl Queue {
    pub(crate) fn new(max_len: usize) -> Self {
        Self {
            messages: Mutex::default(),
            max_len,
            arrived: Notify::new(),
            is_hurried: AtomicBool::new(false),
        }
    }

    /// Appends a message. Returns the number of messages that were dropped.
    pub(crate) fn push(&self, message: Message) -> u64 {
        let mut messages = lock(&self.messages);
        messages.push_back(message);
        let excess = messages.len().saturating_sub(self.max_len);
        messages.drain(..excess);
        drop(messages);
        self.arrived.notify_one();
        excess as u64
    }

    /// Returns messages that were not delivered to the front. Returns the number of messages that
    /// were dropped.
    pub(crate) fn put_back(&self, batch: Vec<Message>) -> u64 {
        let mut messages = lock(&self.messages);
        for message in batch.into_iter().rev() {
            messages.push_front(message);
        }
        let excess = messages.len().saturating_sub(self.max_len);
        messages.drain(..excess);
        excess as u64
    }

    /// Waits until a message has arrived since the last call, or the consumer shall hurry.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Makes the consumer deliver incomplete batches from now on, or no longer.
    pub(crate) fn set_hurried(&self, is_hurried: bool) {
        self.is_hurried.store(is_hurried, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    pub(crate) fn is_hurried(&self) -> bool {
        self.is_hurried.load(Ordering::Relaxed)
    }

    /// Removes the first messages, at most `max_len`.
    pub(crate) fn take(&self, max_len: usize) -> Vec<Message> {
        let mut messages = lock(&self.messages);
        let len = max_len.min(messages.len());
        messages.drain(..len).collect()
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.messages).len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.max_len
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn message(number: u8) -> Message {
        Message {
            topic: "t".to_owned(),
            key: "k".to_owned(),
            payload: vec![number],
            published_at: None,
        }
    }

    pub(crate) fn numbers(messages: &[Message]) -> Vec<u8> {
        messages.iter().map(|message| message.payload[0]).collect()
    }

    #[test]
    fn the_oldest_messages_are_dropped() {
        let queue = Queue::new(3);
        let dropped: u64 = (0..5).map(|number| queue.push(message(number))).sum();
        assert_eq!(dropped, 2);
        assert_eq!(numbers(&queue.take(10)), [2, 3, 4]);
    }

    #[test]
    fn messages_that_are_put_back_are_the_oldest() {
        let queue = Queue::new(3);
        queue.push(message(0));
        queue.push(message(1));
        let batch = queue.take(2);
        queue.push(message(2));
        queue.push(message(3));
        assert_eq!(queue.put_back(batch), 1);
        assert_eq!(numbers(&queue.take(10)), [1, 2, 3]);
    }
}

// SPDX-License-Identifier: MPL-2.0

//! A message, and its encoding in a spool.

use std::time::Instant;

/// A record to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    /// The record as JSON, without a line feed.
    pub(crate) payload: Vec<u8>,
    /// Time of the publication; `None` if an earlier process published the message.
    pub(crate) published_at: Option<Instant>,
}

impl Message {
    /// Encodes topic and payload: the length of the topic as a big-endian `u32`, the topic, the
    /// payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Topics are far shorter than 4 GiB.
        let topic_len = u32::try_from(self.topic.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(4 + self.topic.len() + self.payload.len());
        bytes.extend(topic_len.to_be_bytes());
        bytes.extend(self.topic.as_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Decodes topic and payload; `None` if `bytes` are not a message.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (topic_len, rest) = bytes.split_first_chunk()?;
        let topic_len = usize::try_from(u32::from_be_bytes(*topic_len)).ok()?;
        let (topic, payload) = rest.split_at_checked(topic_len)?;
        Some(Self {
            topic: str::from_utf8(topic).ok()?.to_owned(),
            payload: payload.to_vec(),
            published_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_decoded_from_their_encoding() {
        let message = Message {
            topic: "a/b".to_owned(),
            payload: b"{}".to_vec(),
            published_at: None,
        };
        let bytes = message.encode();
        assert_eq!(Message::decode(&bytes), Some(message));
        for damaged in [&bytes[..3], &bytes[..5], b"\0\0\0\x01\xff{}"] {
            assert_eq!(Message::decode(damaged), None, "{damaged:?}");
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! A message, and its encoding in a spool.

use std::time::Instant;

/// A record to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    /// The stream of the record, whose messages have an order.
    pub(crate) key: String,
    /// The record as JSON, without a line feed.
    pub(crate) payload: Vec<u8>,
    /// Time of the publication; `None` if an earlier process published the message.
    pub(crate) published_at: Option<Instant>,
}

impl Message {
    /// Encodes topic, key and payload: topic and key with their lengths as big-endian `u32`, and the
    /// payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let len = 8 + self.topic.len() + self.key.len() + self.payload.len();
        let mut bytes = Vec::with_capacity(len);
        for text in [&self.topic, &self.key] {
            // Far shorter than 4 GiB.
            let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend(len.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(&self.payload);
        bytes
    }

    /// Decodes topic, key and payload; `None` if `bytes` are not a message.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (topic, rest) = decode_text(bytes)?;
        let (key, payload) = decode_text(rest)?;
        Some(Self {
            topic,
            key,
            payload: payload.to_vec(),
            published_at: None,
        })
    }
}

/// Decodes a text with its length. Returns the bytes behind it.
fn decode_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok()?;
    let (text, rest) = rest.split_at_checked(len)?;
    Some((str::from_utf8(text).ok()?.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_decoded_from_their_encoding() {
        let message = Message {
            topic: "a/b".to_owned(),
            key: "camera".to_owned(),
            payload: b"{}".to_vec(),
            published_at: None,
        };
        let bytes = message.encode();
        assert_eq!(Message::decode(&bytes), Some(message));
        for damaged in [
            &bytes[..3],
            &bytes[..5],
            &bytes[..9],
            b"\0\0\0\x01\xff\0\0\0\0",
        ] {
            assert_eq!(Message::decode(damaged), None, "{damaged:?}");
        }
    }
}

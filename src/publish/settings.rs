// SPDX-License-Identifier: MPL-2.0

//! Settings of a publisher: names, defaults and ranges that the element and the program share.

use std::path::PathBuf;
use std::time::Duration;

use attitude::settings::NumberSetting;

/// Maximum number of messages that wait in memory.
pub const MAX_QUEUE: NumberSetting<u32> = NumberSetting {
    name: "max-queue",
    nick: "Maximum queue",
    blurb: "Maximum number of messages that wait in memory; the oldest ones are dropped",
    default: 1000,
    min: 1,
    max: 1_000_000,
};

/// Maximum size of the messages in a spool, in bytes.
pub const MAX_SPOOL_BYTES: NumberSetting<u64> = NumberSetting {
    name: "max-spool-bytes",
    nick: "Maximum spool",
    blurb: "Maximum size of the messages in the spool, in bytes; the oldest ones are dropped",
    default: 64 << 20,
    min: 64 << 10,
    max: 16 << 30,
};

/// Maximum time to deliver the remaining messages at the end.
pub const FLUSH_TIMEOUT_NS: NumberSetting<u64> = NumberSetting {
    name: "flush-timeout",
    nick: "Flush timeout",
    blurb: "Maximum time to deliver the remaining messages at the end of the stream",
    default: 5_000_000_000,
    min: 0,
    max: 3_600_000_000_000,
};

/// Decides which messages are lost if the broker is slow or unavailable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryPolicy {
    /// Keeps the latest messages in memory.
    Latest,
    /// Keeps messages in a file until the broker has acknowledged them, beyond the end of the
    /// process. A message may be delivered twice.
    Buffered {
        /// Path of the file, which is created if it does not exist.
        spool: PathBuf,
        /// Maximum size of the messages in the file.
        max_bytes: u64,
    },
}

/// Settings of a publisher.
#[derive(Clone, Debug)]
pub struct Settings {
    /// URI of the broker; see `README.md`.
    pub location: String,
    /// Topic, which may contain the placeholders `{stream}`, `{source}` and `{track}`; `None` for
    /// the default of the protocol.
    pub topic: Option<String>,
    /// Maximum number of messages in memory.
    pub max_queue: u32,
    /// Which messages are lost.
    pub policy: DeliveryPolicy,
    /// Time to deliver the remaining messages when the publisher is dropped. It does not block the
    /// caller.
    pub flush_timeout: Duration,
}

impl Settings {
    /// Returns the default settings for a broker.
    pub fn new(location: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            topic: None,
            max_queue: MAX_QUEUE.default,
            policy: DeliveryPolicy::Latest,
            flush_timeout: Duration::from_nanos(FLUSH_TIMEOUT_NS.default),
        }
    }
}

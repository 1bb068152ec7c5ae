// SPDX-License-Identifier: MPL-2.0

//! Publishes records to message brokers and webhooks.
//!
//! ```text
//! Publisher::publish -> topic -> queue [-> spool] -> delivery -> protocol
//! ```
//!
//! The caller is never blocked: [`Publisher::publish`] appends to a bounded queue, and a thread of
//! the publisher delivers the messages. If the broker is slow or unavailable, the
//! [`DeliveryPolicy`] decides which messages are lost.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]
#![warn(unreachable_pub)]

mod error;
mod location;
mod message;
mod settings;
mod tls;
mod topic;

mod backlog;
mod queue;
mod spool;

mod backoff;
mod delivery;
mod progress;
mod protocol;

mod publisher;

#[doc(hidden)]
pub mod fuzzing;

pub use backoff::Backoff;
pub use error::{LocationError, SpoolError, StartError, TopicError};
pub use location::Location;
pub use progress::Stats;
pub use protocol::schemes;
pub use publisher::{Event, Publisher};
pub use settings::{DeliveryPolicy, FLUSH_TIMEOUT_NS, MAX_QUEUE, MAX_SPOOL_BYTES, Settings};
pub use tls::tls_client_config;

// SPDX-License-Identifier: MPL-2.0

//! The protocols, one module per protocol. To add a protocol, add its module and its entry in
//! [`PROTOCOLS`].

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;

use std::pin::Pin;

use crate::backlog::Batching;
use crate::error::{LocationError, TopicError};
use crate::location::Location;
use crate::message::Message;
use crate::topic::Topic;

pub(crate) type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A protocol with the settings of a location.
pub(crate) trait Protocol {
    /// Returns how many messages are sent together.
    fn batching(&self) -> Batching;

    /// Connects to the broker. The error is the reason.
    fn connect(&self) -> LocalFuture<'_, Result<Box<dyn Connection>, String>>;
}

/// A connection to a broker.
pub(crate) trait Connection {
    /// Sends messages in their order. Returns when the broker has acknowledged all of them.
    fn send<'a>(&'a mut self, messages: &'a [Message]) -> LocalFuture<'a, Result<(), SendError>>;

    /// Keeps the connection alive while there is nothing to send. Returns the reason when it is
    /// lost. The future may be dropped at any time.
    fn lost(&mut self) -> LocalFuture<'_, String>;
}

/// Messages were not acknowledged.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The connection is lost, or the broker cannot take messages now, for this reason. All
    /// messages are sent again.
    Lost(String),
    /// The broker will never take one of the messages, for this reason.
    Rejected(String),
}

/// An entry in the table of protocols.
struct Entry {
    schemes: &'static [&'static str],
    /// Names of the options of a location, besides those of TLS and passwords.
    options: &'static [&'static str],
    /// Names of the secrets, each of which has the options `{name}-file` and `{name}-env`.
    secrets: &'static [&'static str],
    default_topic: &'static str,
    /// Characters that a topic must not contain.
    forbidden: &'static [char],
    create: fn(&Location) -> Result<Box<dyn Protocol + Send>, LocationError>,
}

/// All protocols that were compiled in.
static PROTOCOLS: &[Entry] = &[
    #[cfg(feature = "mqtt")]
    mqtt::ENTRY,
    #[cfg(feature = "redis")]
    redis::ENTRY,
    #[cfg(feature = "nats")]
    nats::ENTRY,
    #[cfg(feature = "kafka")]
    kafka::ENTRY,
    #[cfg(feature = "http")]
    http::ENTRY,
];

fn entry(scheme: &str) -> Option<&'static Entry> {
    PROTOCOLS
        .iter()
        .find(|entry| entry.schemes.contains(&scheme))
}

/// Returns the schemes of locations, such as `mqtt`.
pub fn schemes() -> Vec<&'static str> {
    let schemes = PROTOCOLS.iter().flat_map(|entry| entry.schemes);
    schemes.copied().collect()
}

/// Returns the names of the options of locations with this scheme; `None` if there is no such
/// protocol.
pub(crate) fn options(scheme: &str) -> Option<Vec<String>> {
    let entry = entry(scheme)?;
    let secrets = entry.secrets.iter();
    let secrets = secrets.flat_map(|name| ["file", "env"].map(|suffix| format!("{name}-{suffix}")));
    let options = entry.options.iter().chain(&crate::tls::OPTIONS);
    Some(
        options
            .map(|&name| name.to_owned())
            .chain(secrets)
            .collect(),
    )
}

/// Creates the protocol of a location.
pub(crate) fn create(location: &Location) -> Result<Box<dyn Protocol + Send>, LocationError> {
    let entry = entry(location.scheme());
    let entry = entry.ok_or_else(|| LocationError::Scheme(location.scheme().to_owned()))?;
    (entry.create)(location)
}

/// Parses a topic; `None` for the default of the protocol.
pub(crate) fn topic(location: &Location, text: Option<&str>) -> Result<Topic, TopicError> {
    let Some(entry) = entry(location.scheme()) else {
        return Err(TopicError::Empty);
    };
    let text = text.unwrap_or(entry.default_topic);
    let topic = Topic::parse(text)?;
    if topic.is_empty() {
        return Err(TopicError::Empty);
    }
    let is_forbidden = |c: &char| entry.forbidden.contains(c) || c.is_control();
    let forbidden = topic.texts().flat_map(str::chars).find(is_forbidden);
    match forbidden {
        Some(character) => Err(TopicError::Character {
            topic: text.to_owned(),
            character,
            protocol: entry.schemes[0],
        }),
        None => Ok(topic),
    }
}

/// Formats an error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause.
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

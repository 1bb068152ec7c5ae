// SPDX-License-Identifier: MPL-2.0

//! NATS.
//!
//! Core NATS has no acknowledgements. A server handles the messages of a connection in their order,
//! so a message to this client itself, after each batch, shows that the server has the batch. If a
//! JetStream stream covers the subject, the server stores the messages.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, PublishErrorKind, Subscriber};
use futures_util::StreamExt;
use tokio::sync::watch;

use super::{Connection, Entry, LocalFuture, Protocol, SendError, chain};
use crate::backlog::Batching;
use crate::error::LocationError;
use crate::location::Location;
use crate::message::Message;
use crate::tls;

pub(super) const ENTRY: Entry = Entry {
    schemes: &["nats", "natss"],
    options: &[],
    secrets: &["password", "token"],
    default_topic: "gst-attitude.{stream}",
    forbidden: &['*', '>', ' '],
    create: |location| Ok(Box::new(Nats::new(location)?)),
};

struct Nats {
    address: String,
    options: ConnectOptions,
}

impl Nats {
    fn new(location: &Location) -> Result<Self, LocationError> {
        let host = match location.host() {
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_owned(),
        };
        let mut options = ConnectOptions::new()
            .name("gst-attitude")
            // The addresses of other servers may not be reachable, or not have the same certificate.
            .ignore_discovered_servers()
            .max_reconnects(1);
        options = match (location.credentials()?, location.secret("token")?) {
            (Some(_), Some(_)) => {
                return Err(LocationError::Unusable(
                    "a user and a token exclude each other".to_owned(),
                ));
            }
            (Some(login), None) => options.user_and_password(login.user, login.password),
            (None, Some(token)) => options.token(token),
            (None, None) => options,
        };
        if location.scheme() == "natss" {
            let config = tls::client_config(location)?;
            options = options.require_tls(true).tls_client_config(config);
        }
        Ok(Self {
            address: format!("nats://{host}:{}", location.port_or(4222)),
            options,
        })
    }
}

impl Protocol for Nats {
    fn batching(&self) -> Batching {
        Batching {
            max_len: 100,
            max_wait: Duration::ZERO,
        }
    }

    fn connect(&self) -> LocalFuture<'_, Result<Box<dyn Connection>, String>> {
        Box::pin(async {
            let (sender, lost) = watch::channel(None);
            let options = self.options.clone().event_callback(move |event| {
                let sender = sender.clone();
                async move {
                    if !matches!(event, Event::Connected) {
                        sender.send_replace(Some(event.to_string()));
                    }
                }
            });
            let client = options.connect(&self.address).await;
            let client = client.map_err(|error| chain(&error))?;
            let inbox = client.new_inbox();
            let subscribed = client.subscribe(inbox.clone()).await;
            let markers = subscribed.map_err(|error| chain(&error))?;
            let connection: Box<dyn Connection> = Box::new(NatsConnection {
                client,
                inbox,
                markers,
                marker: 0,
                lost,
            });
            Ok(connection)
        })
    }
}

struct NatsConnection {
    client: Client,
    /// Subject of messages to this client.
    inbox: String,
    markers: Subscriber,
    /// Number of the last batch.
    marker: u64,
    /// Reason why the connection is lost. The client would connect again by itself, but not know
    /// which messages the server has.
    lost: watch::Receiver<Option<String>>,
}

impl NatsConnection {
    async fn send(&mut self, messages: &[Message]) -> Result<(), SendError> {
        for Message { topic, payload, .. } in messages {
            let sent = self.client.publish(topic.clone(), payload.clone().into());
            sent.await.map_err(|error| match error.kind() {
                PublishErrorKind::Send => SendError::Lost(chain(&error)),
                _ => SendError::Rejected(chain(&error)),
            })?;
        }
        self.marker += 1;
        let marker = self.marker.to_string();
        let sent = self
            .client
            .publish(self.inbox.clone(), marker.clone().into());
        sent.await.map_err(|error| SendError::Lost(chain(&error)))?;
        loop {
            tokio::select! {
                reason = lost(&mut self.lost) => return Err(SendError::Lost(reason)),
                received = self.markers.next() => match received {
                    Some(message) if message.payload == marker.as_bytes() => break,
                    Some(_) => {}
                    None => return Err(SendError::Lost("the connection is closed".to_owned())),
                },
            }
        }
        // Lets the task that reports errors, such as a missing permission, report those of this
        // batch, which came before the marker.
        tokio::task::yield_now().await;
        match self.lost.borrow().clone() {
            Some(reason) => Err(SendError::Lost(reason)),
            None => Ok(()),
        }
    }
}

/// Waits until the connection is lost.
async fn lost(reason: &mut watch::Receiver<Option<String>>) -> String {
    let lost = reason.wait_for(Option::is_some).await;
    let reason = lost.ok().and_then(|reason| reason.clone());
    reason.unwrap_or_else(|| "the connection is closed".to_owned())
}

impl Connection for NatsConnection {
    fn send<'a>(&'a mut self, messages: &'a [Message]) -> LocalFuture<'a, Result<(), SendError>> {
        Box::pin(self.send(messages))
    }

    fn lost(&mut self) -> LocalFuture<'_, String> {
        Box::pin(lost(&mut self.lost))
    }
}

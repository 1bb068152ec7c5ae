// SPDX-License-Identifier: MPL-2.0

//! MQTT 3.1.1 and 5.
//!
//! Each connection is a clean session. What it has not acknowledged is sent again by the delivery,
//! in order, for all protocols in the same way, so the client keeps no state of its own.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{Outgoing, TlsConfiguration, Transport};

use super::{Connection, Entry, LocalFuture, Protocol, SendError};
use crate::backlog::Batching;
use crate::error::LocationError;
use crate::location::{Credentials, Location};
use crate::message::Message;
use crate::tls;

pub(super) const ENTRY: Entry = Entry {
    schemes: &["mqtt", "mqtts"],
    options: &["qos", "retain", "version", "client-id"],
    secrets: &["password"],
    default_topic: "gst-attitude/{stream}",
    forbidden: &['+', '#', '\0'],
    create: |location| Ok(Box::new(Mqtt::new(location)?)),
};

/// Time without traffic after which a broker that does not answer counts as lost.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Maximum number of messages that are not acknowledged.
const MAX_IN_FLIGHT: u16 = 100;
/// Maximum length of a packet.
const MAX_PACKET_BYTES: usize = 16 << 20;

#[derive(Clone)]
struct Mqtt {
    host: String,
    port: u16,
    client_id: String,
    credentials: Option<Credentials>,
    tls: Option<Arc<rustls::ClientConfig>>,
    quality: Quality,
    retain: bool,
    version: Version,
}

/// Quality of service: how often a message arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    /// At most once.
    Zero,
    /// At least once.
    One,
    /// Exactly once per connection.
    Two,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V3,
    V5,
}

impl Mqtt {
    fn new(location: &Location) -> Result<Self, LocationError> {
        let quality = match location.parsed("qos", "0, 1 or 2", 1, |qos| *qos <= 2)? {
            0 => Quality::Zero,
            1 => Quality::One,
            _ => Quality::Two,
        };
        let is_version = |version: &String| ["3.1.1", "5"].contains(&version.as_str());
        let version = location.parsed("version", "3.1.1 or 5", "3.1.1".to_owned(), is_version)?;
        let is_tls = location.scheme() == "mqtts";
        let tls = is_tls.then(|| tls::client_config(location)).transpose()?;
        let client_id = location.option("client-id").map(str::to_owned);
        Ok(Self {
            host: location.host().to_owned(),
            port: location.port_or(if is_tls { 8883 } else { 1883 }),
            // Two clients with the same id would disconnect each other.
            client_id: client_id
                .unwrap_or_else(|| format!("gst-attitude-{:016x}", fastrand::u64(..))),
            credentials: location.credentials()?,
            tls: tls.map(Arc::new),
            quality,
            retain: location.parsed("retain", "true or false", false, |_| true)?,
            version: if version == "5" {
                Version::V5
            } else {
                Version::V3
            },
        })
    }

    fn transport(&self) -> Transport {
        match &self.tls {
            Some(tls) => Transport::Tls(TlsConfiguration::Rustls(tls.clone())),
            None => Transport::Tcp,
        }
    }
}

impl Protocol for Mqtt {
    fn batching(&self) -> Batching {
        Batching {
            max_len: usize::from(MAX_IN_FLIGHT),
            max_wait: Duration::ZERO,
        }
    }

    fn connect(&self) -> LocalFuture<'_, Result<Box<dyn Connection>, String>> {
        match self.version {
            Version::V3 => Box::pin(v3::connect(self)),
            Version::V5 => Box::pin(v5::connect(self)),
        }
    }
}

/// Defines the connection of a version of MQTT. The client has the same functions for both versions,
/// with different types.
macro_rules! define_connection {
    ($client:path, $quality:path, $configure:expr, $refusal:expr) => {
        use $client as mqtt;
        use $quality as QoS;

        use super::*;

        struct Client {
            requests: mqtt::AsyncClient,
            events: mqtt::EventLoop,
            quality: Quality,
            retain: bool,
        }

        pub(super) async fn connect(settings: &Mqtt) -> Result<Box<dyn Connection>, String> {
            let Mqtt {
                client_id, host, ..
            } = settings;
            let mut options = mqtt::MqttOptions::new(client_id, host, settings.port);
            options.set_keep_alive(KEEP_ALIVE);
            options.set_transport(settings.transport());
            if let Some(Credentials { user, password }) = &settings.credentials {
                options.set_credentials(user, password);
            }
            let configure: fn(&mut mqtt::MqttOptions) = $configure;
            configure(&mut options);
            let (requests, events) = mqtt::AsyncClient::new(options, MAX_IN_FLIGHT.into());
            let mut client = Client {
                requests,
                events,
                quality: settings.quality,
                retain: settings.retain,
            };
            // The first event is the acknowledgement of the connection.
            client.event().await?;
            Ok(Box::new(client))
        }

        impl Client {
            async fn event(&mut self) -> Result<mqtt::Event, String> {
                let event = self.events.poll().await;
                event.map_err(|error| super::super::chain(&error))
            }

            async fn send(&mut self, messages: &[Message]) -> Result<(), SendError> {
                let quality = match self.quality {
                    Quality::Zero => QoS::AtMostOnce,
                    Quality::One => QoS::AtLeastOnce,
                    Quality::Two => QoS::ExactlyOnce,
                };
                for Message { topic, payload, .. } in messages {
                    let payload = payload.clone();
                    // The queue of requests is as long as a batch.
                    self.requests
                        .try_publish(topic, quality, self.retain, payload)
                        .map_err(|error| SendError::Rejected(error.to_string()))?;
                }
                let mut waiting = messages.len();
                while waiting > 0 {
                    let event = self.event().await.map_err(SendError::Lost)?;
                    let refusal: fn(&mqtt::Event) -> Option<String> = $refusal;
                    if let Some(reason) = refusal(&event) {
                        return Err(SendError::Lost(reason));
                    }
                    let is_acknowledged = match (self.quality, &event) {
                        (Quality::Zero, mqtt::Event::Outgoing(Outgoing::Publish(_))) => true,
                        (Quality::One, mqtt::Event::Incoming(mqtt::Incoming::PubAck(_))) => true,
                        (Quality::Two, mqtt::Event::Incoming(mqtt::Incoming::PubComp(_))) => true,
                        _ => false,
                    };
                    waiting -= usize::from(is_acknowledged);
                }
                Ok(())
            }
        }

        impl Connection for Client {
            fn send<'a>(
                &'a mut self,
                messages: &'a [Message],
            ) -> LocalFuture<'a, Result<(), SendError>> {
                Box::pin(self.send(messages))
            }

            fn lost(&mut self) -> LocalFuture<'_, String> {
                Box::pin(async {
                    loop {
                        if let Err(reason) = self.event().await {
                            return reason;
                        }
                    }
                })
            }
        }
    };
}

mod v3 {
    define_connection!(
        rumqttc,
        rumqttc::QoS,
        |options| {
            options.set_inflight(MAX_IN_FLIGHT);
            options.set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        },
        |_| None
    );
}

mod v5 {
    use rumqttc::v5::mqttbytes::v5::{PubAckReason, PubRecReason};

    define_connection!(
        rumqttc::v5,
        rumqttc::v5::mqttbytes::QoS,
        |options| {
            options.set_outgoing_inflight_upper_limit(MAX_IN_FLIGHT);
        },
        |event| match event {
            mqtt::Event::Incoming(mqtt::Incoming::PubAck(acknowledgement)) => {
                let reason = acknowledgement.reason;
                let is_accepted = matches!(
                    reason,
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers
                );
                (!is_accepted).then(|| format!("the broker refused a message: {reason:?}"))
            }
            mqtt::Event::Incoming(mqtt::Incoming::PubRec(receipt)) => {
                let reason = receipt.reason;
                let is_accepted = matches!(
                    reason,
                    PubRecReason::Success | PubRecReason::NoMatchingSubscribers
                );
                (!is_accepted).then(|| format!("the broker refused a message: {reason:?}"))
            }
            _ => None,
        }
    );
}

// SPDX-License-Identifier: MPL-2.0

//! Kafka. The key of a message is its stream, whose messages are in one partition, in their order.
//!
//! The producer is idempotent: what librdkafka sends again by itself arrives once.

use std::time::Duration;

use futures_util::future::try_join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, ClientContext};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::{Connection, Entry, LocalFuture, Protocol, SendError};
use crate::backlog::Batching;
use crate::error::LocationError;
use crate::location::Location;
use crate::message::Message;
use crate::tls;

pub(super) const ENTRY: Entry = Entry {
    schemes: &["kafka", "kafkas"],
    options: &["sasl-mechanism"],
    secrets: &["password"],
    default_topic: "gst-attitude",
    forbidden: &['/', ':', '+', '#', '*', '>', ' '],
    create: |location| Ok(Box::new(Kafka::new(location)?)),
};

/// Maximum time for the brokers of a cluster to list themselves.
const MAX_LISTING: Duration = Duration::from_secs(4);
/// Maximum time in which librdkafka sends a message again; less than the delivery waits.
const MAX_SENDING_MS: &str = "8000";
const SASL_MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

struct Kafka {
    config: ClientConfig,
}

impl Kafka {
    fn new(location: &Location) -> Result<Self, LocationError> {
        let host = match location.host() {
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_owned(),
        };
        let mut config = ClientConfig::new();
        config
            .set(
                "bootstrap.servers",
                format!("{host}:{}", location.port_or(9092)),
            )
            .set("client.id", "gst-attitude")
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", MAX_SENDING_MS)
            // The messages are batches already.
            .set("linger.ms", "0")
            // As the clients in Java, so that a key has the same partition for all producers.
            .set("partitioner", "murmur2_random");
        let is_tls = location.scheme() == "kafkas";
        if is_tls {
            // Describes what is wrong better than librdkafka does.
            tls::client_config(location)?;
            for (option, name) in [
                ("ca-file", "ssl.ca.location"),
                ("certificate-file", "ssl.certificate.location"),
                ("key-file", "ssl.key.location"),
            ] {
                if let Some(path) = location.option(option) {
                    config.set(name, path);
                }
            }
        }
        let is_mechanism = |name: &String| SASL_MECHANISMS.contains(&name.as_str());
        let expected = "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512";
        let mechanism = SASL_MECHANISMS[0].to_owned();
        let mechanism = location.parsed("sasl-mechanism", expected, mechanism, is_mechanism)?;
        let credentials = location.credentials()?;
        config.set(
            "security.protocol",
            match (is_tls, &credentials) {
                (false, None) => "plaintext",
                (false, Some(_)) => "sasl_plaintext",
                (true, None) => "ssl",
                (true, Some(_)) => "sasl_ssl",
            },
        );
        if let Some(credentials) = credentials {
            config
                .set("sasl.mechanism", mechanism)
                .set("sasl.username", credentials.user)
                .set("sasl.password", credentials.password);
        }
        Ok(Self { config })
    }
}

impl Protocol for Kafka {
    fn batching(&self) -> Batching {
        Batching {
            max_len: 100,
            max_wait: Duration::ZERO,
        }
    }

    fn connect(&self) -> LocalFuture<'_, Result<Box<dyn Connection>, String>> {
        Box::pin(async {
            let (sender, problem) = watch::channel(Problem::None);
            let producer: KafkaProducer = self
                .config
                .create_with_context(Problems(sender))
                .map_err(|error| error.to_string())?;
            // The producer itself connects in the background.
            let listed = spawn_blocking({
                let producer = producer.clone();
                move || {
                    producer
                        .client()
                        .fetch_metadata(None, MAX_LISTING)
                        .map(drop)
                }
            });
            let listed = listed.await.map_err(|error| error.to_string())?;
            if let Err(error) = listed {
                // What librdkafka has reported before says more.
                return Err(problem.borrow().text().unwrap_or_else(|| error.to_string()));
            }
            let connection: Box<dyn Connection> = Box::new(KafkaConnection { producer, problem });
            Ok(connection)
        })
    }
}

type KafkaProducer = FutureProducer<Problems>;

/// The last problem of the connections to the brokers.
#[derive(Clone, Debug)]
enum Problem {
    None,
    /// One connection failed; librdkafka connects again.
    OfBroker(String),
    /// No broker is available, or none accepts the user.
    OfCluster(String),
}

impl Problem {
    fn text(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::OfBroker(text) | Self::OfCluster(text) => Some(text.clone()),
        }
    }
}

/// Receives the problems that librdkafka reports.
struct Problems(watch::Sender<Problem>);

impl ClientContext for Problems {
    fn error(&self, error: KafkaError, reason: &str) {
        let reason = reason.to_owned();
        self.0.send_modify(|problem| {
            *problem = match error.rdkafka_error_code() {
                // The connection that failed before is the reason.
                Some(RDKafkaErrorCode::AllBrokersDown) => {
                    Problem::OfCluster(problem.text().unwrap_or(reason))
                }
                Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::Fatal) => {
                    Problem::OfCluster(reason)
                }
                _ => Problem::OfBroker(reason),
            };
        });
    }
}

struct KafkaConnection {
    producer: KafkaProducer,
    problem: watch::Receiver<Problem>,
}

impl KafkaConnection {
    async fn send(&mut self, messages: &[Message]) -> Result<(), SendError> {
        let send = |message: &Message| {
            let record = FutureRecord::to(&message.topic)
                .key(&message.key)
                .payload(&message.payload);
            let queued = self.producer.send_result(record);
            queued.map_err(|(error, _)| send_error(&error))
        };
        let queued = messages.iter().map(send).collect::<Result<Vec<_>, _>>()?;
        let delivered = queued.into_iter().map(|delivery| async {
            match delivery.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err((error, _))) => Err(send_error(&error)),
                Err(_) => Err(SendError::Lost("the producer has ended".to_owned())),
            }
        });
        tokio::select! {
            delivered = try_join_all(delivered) => delivered.map(drop),
            reason = lost(&mut self.problem) => Err(SendError::Lost(reason)),
        }
    }
}

/// Waits until no broker is available.
async fn lost(problem: &mut watch::Receiver<Problem>) -> String {
    let is_lost = |problem: &Problem| matches!(problem, Problem::OfCluster(_));
    let problem = problem.wait_for(is_lost).await;
    let problem = problem.ok().and_then(|problem| problem.text());
    problem.unwrap_or_else(|| "the producer has ended".to_owned())
}

fn send_error(error: &KafkaError) -> SendError {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidTopic
            | RDKafkaErrorCode::MessageSizeTooLarge,
        ) => SendError::Rejected(error.to_string()),
        _ => SendError::Lost(error.to_string()),
    }
}

impl Connection for KafkaConnection {
    fn send<'a>(&'a mut self, messages: &'a [Message]) -> LocalFuture<'a, Result<(), SendError>> {
        Box::pin(self.send(messages))
    }

    fn lost(&mut self) -> LocalFuture<'_, String> {
        Box::pin(lost(&mut self.problem))
    }
}

#[cfg(test)]
mod tests;

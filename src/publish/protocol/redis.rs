// SPDX-License-Identifier: MPL-2.0

//! Redis streams: each message is an entry of the stream whose key is the topic.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::StreamMaxlen;
use redis::{AsyncConnectionConfig, Client, ClientTlsConfig, RedisError, TlsCertificates};
use tokio::time::sleep;
use url::Url;

use super::{Connection, Entry, LocalFuture, Protocol, SendError, chain};
use crate::backlog::Batching;
use crate::error::LocationError;
use crate::location::Location;
use crate::message::Message;

pub(super) const ENTRY: Entry = Entry {
    schemes: &["redis", "rediss"],
    options: &["max-len"],
    secrets: &["password"],
    default_topic: "gst-attitude",
    forbidden: &[],
    create: |location| Ok(Box::new(Redis::new(location)?)),
};

/// Name of the field that contains the record.
const FIELD: &str = "record";
/// Default of the approximate maximum number of entries of a stream.
const MAX_LEN: usize = 100_000;
/// Time between checks of a connection without messages.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum time for a reply.
const MAX_REPLY: Duration = Duration::from_secs(10);

struct Redis {
    client: Client,
    /// Approximate maximum number of entries of a stream; 0 = no limit.
    max_len: usize,
}

impl Redis {
    fn new(location: &Location) -> Result<Self, LocationError> {
        let url = url(location)?;
        let unusable = |error: RedisError| LocationError::Unusable(format!("{location}: {error}"));
        let client = match location.scheme() {
            "rediss" => Client::build_with_tls(url.as_str(), certificates(location)?),
            _ => Client::open(url.as_str()),
        };
        Ok(Self {
            client: client.map_err(unusable)?,
            max_len: location.parsed("max-len", "a number of entries", MAX_LEN, |_| true)?,
        })
    }
}

/// Returns the URI with user and password, and without options.
fn url(location: &Location) -> Result<Url, LocationError> {
    let host = match location.host() {
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let (scheme, port, path) = (location.scheme(), location.port_or(6379), location.path());
    let url = Url::parse(&format!("{scheme}://{host}:{port}/{path}"));
    let mut url = url.map_err(LocationError::NotAUri)?;
    if let Some(credentials) = location.credentials()? {
        // Both succeed for a URI with a host.
        let _ = url.set_username(&credentials.user);
        let _ = url.set_password(Some(&credentials.password));
    }
    Ok(url)
}

fn certificates(location: &Location) -> Result<TlsCertificates, LocationError> {
    // Describes what is wrong better than the client does.
    crate::tls::client_config(location)?;
    let identity = (
        location.read_file("certificate-file")?,
        location.read_file("key-file")?,
    );
    let client_tls = match identity {
        (Some(client_cert), Some(client_key)) => Some(ClientTlsConfig {
            client_cert,
            client_key,
        }),
        _ => None,
    };
    Ok(TlsCertificates {
        client_tls,
        root_cert: location.read_file("ca-file")?,
    })
}

impl Protocol for Redis {
    fn batching(&self) -> Batching {
        Batching {
            max_len: 100,
            max_wait: Duration::ZERO,
        }
    }

    fn connect(&self) -> LocalFuture<'_, Result<Box<dyn Connection>, String>> {
        Box::pin(async {
            let config = AsyncConnectionConfig::new().set_response_timeout(Some(MAX_REPLY));
            let connection = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map_err(|error| chain(&error))?;
            let connection: Box<dyn Connection> = Box::new(RedisConnection {
                connection,
                max_len: self.max_len,
            });
            Ok(connection)
        })
    }
}

struct RedisConnection {
    connection: MultiplexedConnection,
    max_len: usize,
}

impl Connection for RedisConnection {
    fn send<'a>(&'a mut self, messages: &'a [Message]) -> LocalFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let mut pipeline = redis::pipe();
            for Message { topic, payload, .. } in messages {
                let entry = [(FIELD, payload.as_slice())];
                match self.max_len {
                    0 => pipeline.xadd(topic, "*", &entry),
                    max_len => {
                        pipeline.xadd_maxlen(topic, StreamMaxlen::Approx(max_len), "*", &entry)
                    }
                };
            }
            let sent = pipeline
                .query_async::<Vec<String>>(&mut self.connection)
                .await;
            sent.map(drop)
                .map_err(|error| SendError::Lost(chain(&error)))
        })
    }

    fn lost(&mut self) -> LocalFuture<'_, String> {
        Box::pin(async {
            loop {
                sleep(PING_INTERVAL).await;
                let ping = redis::cmd("PING");
                if let Err(error) = ping.query_async::<()>(&mut self.connection).await {
                    return chain(&error);
                }
            }
        })
    }
}

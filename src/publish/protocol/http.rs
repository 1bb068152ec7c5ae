// SPDX-License-Identifier: MPL-2.0

//! Webhooks: posts JSON arrays of records. Requests are signed as the specification Standard
//! Webhooks (<https://www.standardwebhooks.com>) defines.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, redirect};
use sha2::{Digest, Sha256};
use url::Url;

use super::{Connection, Entry, LocalFuture, Protocol, SendError, chain};
use crate::backlog::Batching;
use crate::error::LocationError;
use crate::location::{Credentials, Location};
use crate::message::Message;
use crate::tls;

pub(super) const ENTRY: Entry = Entry {
    schemes: &["http", "https"],
    options: &["batch", "batch-ms"],
    secrets: &["password", "token", "secret"],
    // Not sent.
    default_topic: "gst-attitude",
    forbidden: &[],
    create: |location| Ok(Box::new(Http::new(location)?)),
};

/// Default of the maximum number of records of a request.
const MAX_BATCH: usize = 100;
/// Default of the maximum time that a record waits for others, in milliseconds.
const MAX_BATCH_MS: u64 = 200;
/// Prefix of a secret in base64, as Standard Webhooks defines it.
const SECRET_PREFIX: &str = "whsec_";

#[derive(Clone)]
struct Http {
    client: Client,
    url: Url,
    credentials: Option<Credentials>,
    /// Bearer token.
    token: Option<String>,
    /// Key of the signature.
    key: Option<Vec<u8>>,
    batching: Batching,
}

impl Http {
    fn new(location: &Location) -> Result<Self, LocationError> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_config(location)?)
            // A redirection would send the records to another server.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("gst-attitude/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| LocationError::Tls(chain(&error)))?;
        let max_len = location.parsed("batch", "1 to 10000", MAX_BATCH, |batch| {
            (1..=10_000).contains(batch)
        })?;
        let max_wait =
            location.parsed("batch-ms", "0 to 60000", MAX_BATCH_MS, |ms| *ms <= 60_000)?;
        let key = location.secret("secret")?.map(|secret| key(&secret));
        Ok(Self {
            client,
            url: location.http_url(),
            credentials: location.credentials()?,
            token: location.secret("token")?,
            key: key.transpose()?,
            batching: Batching {
                max_len,
                max_wait: Duration::from_millis(max_wait),
            },
        })
    }

    async fn post(&self, messages: &[Message]) -> Result<(), SendError> {
        let body = array(messages);
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json");
        if let Some(Credentials { user, password }) = &self.credentials {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        // The same for the same records, so that a server can ignore what it has already.
        let id = id(&body);
        request = request.header("webhook-id", &id);
        if let Some(key) = &self.key {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let timestamp = now.unwrap_or_default().as_secs();
            request = request
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", signature(key, &id, timestamp, &body));
        }
        let response = request.body(body).send().await;
        // Its URL may contain a token.
        let response = response.map_err(|error| SendError::Lost(chain(&error.without_url())))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status @ (StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY) => Err(SendError::Rejected(status.to_string())),
            status => Err(SendError::Lost(format!("the server returned {status}"))),
        }
    }
}

/// Decodes a secret with prefix; all other secrets are used as they are.
fn key(secret: &str) -> Result<Vec<u8>, LocationError> {
    match secret.strip_prefix(SECRET_PREFIX) {
        Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(|_| {
            LocationError::Unusable(format!(
                "the secret begins with {SECRET_PREFIX}, but the rest is not base64"
            ))
        }),
        None if secret.is_empty() => Err(LocationError::Unusable("the secret is empty".to_owned())),
        None => Ok(secret.as_bytes().to_vec()),
    }
}

/// Returns the JSON array of the records.
fn array(messages: &[Message]) -> Vec<u8> {
    let mut body = vec![b'['];
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend(&message.payload);
    }
    body.push(b']');
    body
}

/// Returns an identifier of a body.
fn id(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let hex = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("msg_{}", hex.collect::<String>())
}

/// Returns the value of the header `webhook-signature`.
fn signature(key: &[u8], id: &str, timestamp: u64, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key);
    let mut mac = mac.expect("HMAC accepts keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

impl Protocol for Http {
    fn batching(&self) -> Batching {
        self.batching
    }

    /// Does nothing: the client connects with the first request.
    fn connect(&self) -> LocalFuture<'_, Result<Box<dyn Connection>, String>> {
        let connection: Box<dyn Connection> = Box::new(self.clone());
        Box::pin(std::future::ready(Ok(connection)))
    }
}

impl Connection for Http {
    fn send<'a>(&'a mut self, messages: &'a [Message]) -> LocalFuture<'a, Result<(), SendError>> {
        Box::pin(self.post(messages))
    }

    fn lost(&mut self) -> LocalFuture<'_, String> {
        Box::pin(std::future::pending())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        // The example of the specification's reference implementations.
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn wrong_secrets_are_refused() {
        assert!(key("whsec_!").is_err());
        assert!(key("").is_err());
        assert_eq!(key("plain").unwrap(), b"plain");
    }

    #[test]
    fn bodies_are_arrays_with_an_identifier_of_their_own() {
        let messages = [1, 2].map(|number| Message {
            topic: String::new(),
            key: String::new(),
            payload: format!("{{\"frame\":{number}}}").into_bytes(),
            published_at: None,
        });
        let body = array(&messages);
        assert_eq!(body, br#"[{"frame":1},{"frame":2}]"#);
        assert_eq!(id(&body), id(&array(&messages)));
        assert_ne!(id(&body), id(&array(&messages[..1])));
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The WebSocket connection to Janus, and a session on it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::super::JoinError;
use super::Secrets;
use super::message::{Message, Refusal};
use super::request;

/// Maximum time for the server to respond.
const MAX_RESPONSE: Duration = Duration::from_secs(10);
/// Maximum size of a message of the server.
const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// WebSocket protocol of Janus.
const PROTOCOL: &str = "janus-protocol";

/// A connection with a session.
pub(super) struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    server: String,
    secrets: Secrets,
    session: Option<u64>,
    /// Number of requests so far, which identifies each.
    requests: u64,
}

impl Connection {
    /// Connects and creates a session.
    pub(super) async fn open(
        url: &str,
        connector: Connector,
        secrets: &Secrets,
    ) -> Result<Self, JoinError> {
        let failed = |reason: String| JoinError::Connect {
            server: url.to_owned(),
            reason,
        };
        let request = url.into_client_request();
        let mut request = request.map_err(|error| failed(error.to_string()))?;
        let protocol = HeaderValue::from_static(PROTOCOL);
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let connected = connect_async_tls_with_config(request, Some(config), true, Some(connector));
        let socket = match timeout(MAX_RESPONSE, connected).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(error)) => return Err(not_connected(url, &error)),
            Err(_) => return Err(failed("no response".to_owned())),
        };
        let mut connection = Self {
            socket,
            server: url.to_owned(),
            secrets: secrets.clone(),
            session: None,
            requests: 0,
        };
        connection.session = Some(connection.create(request::create()).await?);
        Ok(connection)
    }

    /// Attaches another handle to VideoRoom.
    pub(super) async fn attach(&mut self) -> Result<u64, JoinError> {
        self.create(request::attach()).await
    }

    /// Sends a request that creates something, and returns its id.
    async fn create(&mut self, request: Value) -> Result<u64, JoinError> {
        let response = self.ask(request).await?;
        let created = response.data.map(|created| created.id);
        created.ok_or_else(|| self.protocol("no id in the response"))
    }

    /// Sends a request and waits for its response. Other messages until then are ignored.
    pub(super) async fn ask(&mut self, request: Value) -> Result<Message, JoinError> {
        let lost = |server: &str, reason| JoinError::Connect {
            server: server.to_owned(),
            reason,
        };
        let transaction = match self.send(request).await {
            Ok(transaction) => transaction,
            Err(error) => return Err(lost(&self.server, error.to_string())),
        };
        let response = async {
            loop {
                let message = self.next().await?;
                let is_response = message.transaction.as_ref() == Some(&transaction);
                // An acknowledgement precedes a response that takes longer.
                if is_response && message.janus != "ack" {
                    return Ok(message);
                }
            }
        };
        let response = match timeout(MAX_RESPONSE, response).await {
            Ok(Ok(response)) => response,
            Ok(Err(reason)) => return Err(lost(&self.server, reason)),
            Err(_) => return Err(self.protocol("no response to a request")),
        };
        match response.refusal() {
            Some(refusal) => Err(self.refused(refusal)),
            None => Ok(response),
        }
    }

    /// Sends a request and returns its transaction, which its response contains.
    pub(super) async fn send(&mut self, mut request: Value) -> Result<String, Error> {
        self.requests += 1;
        let transaction = self.requests.to_string();
        request["transaction"] = transaction.as_str().into();
        if let Some(session) = self.session {
            request["session_id"] = session.into();
        }
        if let Some(secret) = &self.secrets.api_secret {
            request["apisecret"] = secret.as_str().into();
        }
        if let Some(token) = &self.secrets.token {
            request["token"] = token.as_str().into();
        }
        let sent = self.socket.send(Frame::text(request.to_string()));
        match timeout(MAX_RESPONSE, sent).await {
            Ok(sent) => sent.map(|()| transaction),
            Err(_) => Err(Error::ConnectionClosed),
        }
    }

    /// Waits for the next message. If this is cancelled, no message is lost.
    ///
    /// # Errors
    /// Returns the reason if the connection ends.
    pub(super) async fn next(&mut self) -> Result<Message, String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Frame::Text(text))) => match Message::parse(&text) {
                    Some(message) => return Ok(message),
                    None => tracing::debug!("unknown message of the server: {} bytes", text.len()),
                },
                Some(Ok(Frame::Close(_))) | None => {
                    return Err("the server closed the connection".to_owned());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
            }
        }
    }

    /// Ends the session, and waits until the server has received that.
    pub(super) async fn close(mut self) {
        // Fails if the connection is lost; then the server ends the session by itself.
        let _ = self.send(request::destroy()).await;
        let _ = timeout(MAX_RESPONSE, self.socket.close(None)).await;
    }

    fn protocol(&self, reason: &str) -> JoinError {
        JoinError::Protocol {
            server: self.server.clone(),
            reason: reason.to_owned(),
        }
    }

    fn refused(&self, refusal: Refusal) -> JoinError {
        let server = self.server.clone();
        let unauthorized = |secret, reason| JoinError::Unauthorized {
            server: self.server.clone(),
            secret,
            reason,
        };
        match refusal {
            // The member replaces it with the name of the room.
            Refusal::NoRoom => JoinError::NoRoom {
                server,
                room: String::new(),
            },
            Refusal::WrongPin(reason) => unauthorized("PIN of the room", reason),
            Refusal::Unauthorized(reason) => unauthorized("API secret or token", reason),
            Refusal::Other(reason) => JoinError::Refused { server, reason },
        }
    }
}

/// Describes why the server cannot be reached.
fn not_connected(url: &str, error: &Error) -> JoinError {
    let server = url.to_owned();
    let reason = match error {
        Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    let is_untrusted = match error {
        Error::Io(error) => {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
            matches!(cause, Some(rustls::Error::InvalidCertificate(_)))
        }
        _ => false,
    };
    match error {
        _ if is_untrusted => JoinError::Certificate { server, reason },
        Error::Io(_) | Error::Tls(_) | Error::Url(_) => JoinError::Connect { server, reason },
        _ => JoinError::Protocol { server, reason },
    }
}

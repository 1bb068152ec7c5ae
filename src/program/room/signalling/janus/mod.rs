// SPDX-License-Identifier: MPL-2.0

//! Signalling of Janus: the plugin VideoRoom, by the WebSocket transport.
//!
//! The member joins as a publisher that publishes nothing, which is how VideoRoom reports who is in
//! a room. The video of each participant has a handle of its own, so that each has its own
//! connection: a participant whose connection fails or changes does not disturb the others, and none
//! is renegotiated because another one joins.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_tungstenite::Connector;

use super::{JoinError, Membership, Room};
use connection::Connection;
use member::Member;
use message::Id;

mod connection;
mod events;
mod feeds;
mod member;
mod message;
mod request;

/// A room of VideoRoom on a Janus server.
pub(in crate::room) struct JanusRoom {
    /// Address of the WebSocket transport, such as `ws://localhost:8188`.
    pub(in crate::room) url: String,
    /// Id of the room.
    pub(in crate::room) room: String,
    /// The name that other members see.
    pub(in crate::room) display: String,
    pub(in crate::room) secrets: Secrets,
    /// PEM file of the certificates to trust instead of the system's.
    pub(in crate::room) ca_file: Option<PathBuf>,
}

/// What the server and the room may require.
#[derive(Clone, Default)]
pub(in crate::room) struct Secrets {
    /// The room's PIN.
    pub(in crate::room) pin: Option<String>,
    /// The server's API secret.
    pub(in crate::room) api_secret: Option<String>,
    /// The token of a server that uses tokens.
    pub(in crate::room) token: Option<String>,
}

impl Room for JanusRoom {
    async fn join(&self) -> Result<Membership, JoinError> {
        let connector = match self.url.starts_with("wss:") {
            true => connector(self.ca_file.as_deref())?,
            false => Connector::Plain,
        };
        let connection = Connection::open(&self.url, connector, &self.secrets).await?;
        let member = Member::join(connection, self).await?;
        Ok(Membership::start(|events, commands| {
            member.run(events, commands)
        }))
    }

    fn id(&self) -> &str {
        &self.room
    }

    fn server(&self) -> &str {
        &self.url
    }
}

/// Returns TLS that trusts the certificates in `ca_file`, by default the system's.
fn connector(ca_file: Option<&Path>) -> Result<Connector, JoinError> {
    let pem = ca_file.map(std::fs::read).transpose();
    let pem = pem.map_err(JoinError::CaFile)?;
    let config = attitude_publish::tls_client_config(pem.as_deref()).map_err(JoinError::Tls)?;
    Ok(Connector::Rustls(Arc::new(config)))
}

impl JanusRoom {
    /// Returns the id of the room as the server expects it: a number if it is one, unless it is in
    /// quotation marks.
    fn janus_id(&self) -> Id {
        match self.room.parse() {
            Ok(number) => Id::Number(number),
            Err(_) => Id::Text(self.room.trim_matches('"').to_owned()),
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Signalling: how a server reports who is in a room, and connects its members.
//!
//! A back end joins a room and runs a task, which reports [`RoomEvent`]s and carries out
//! [`Command`]s. It knows nothing of media beside their session descriptions.

use std::fmt;
use std::io;

use tokio::sync::mpsc;

use attitude_publish::LocationError;

pub(super) mod janus;

/// Number of events or commands that may wait.
const QUEUE: usize = 64;

/// Identifies a participant within a room.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ParticipantId(pub(super) String);

impl fmt::Display for ParticipantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A participant who sends video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Participant {
    pub(super) id: ParticipantId,
    /// The name that the participant chose; empty if none.
    pub(super) name: String,
}

/// What happens in the room.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RoomEvent {
    /// The server offers the video of a participant; expects [`Command::Answer`]. Replaces the
    /// connection of an earlier offer if `is_new`, otherwise changes it.
    Offer {
        participant: Participant,
        sdp: String,
        is_new: bool,
    },
    /// The server has found another address of its own for the video of a participant.
    Candidate {
        id: ParticipantId,
        media_index: u32,
        candidate: String,
    },
    /// The participant left, or no longer sends video.
    Left(ParticipantId),
    /// The server answers [`Command::Publish`].
    Answer(String),
    /// The server refuses [`Command::Publish`].
    PublishRefused(String),
    /// The membership has ended. This is the last event.
    Ended(RoomEnd),
}

/// Why a membership ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RoomEnd {
    /// The connection to the server was lost; joining again may help.
    Lost(String),
    /// The room was closed.
    Closed,
    /// A moderator removed this member.
    Kicked,
}

/// What a member does in the room.
#[derive(Debug)]
pub(super) enum Command {
    /// Answers the offer of a participant's video.
    Answer { id: ParticipantId, sdp: String },
    /// Asks for another offer of a participant's video: the connection has failed.
    Restart(ParticipantId),
    /// Offers the member's own data channel.
    Publish(String),
    /// Leaves the room.
    Leave,
}

/// Membership of a room.
pub(super) struct Membership {
    pub(super) events: mpsc::Receiver<RoomEvent>,
    pub(super) commands: mpsc::Sender<Command>,
    task: tokio::task::JoinHandle<()>,
}

impl Membership {
    /// Starts the task of a back end.
    fn start<F>(task: impl FnOnce(mpsc::Sender<RoomEvent>, mpsc::Receiver<Command>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (event_sender, events) = mpsc::channel(QUEUE);
        let (commands, command_receiver) = mpsc::channel(QUEUE);
        Self {
            events,
            commands,
            task: tokio::spawn(task(event_sender, command_receiver)),
        }
    }

    /// Leaves the room, and waits until the server knows.
    pub(super) async fn leave(mut self) {
        // Fails if the task has ended.
        let _ = self.commands.send(Command::Leave).await;
        // The task may wait for room for an event.
        self.events.close();
        let _ = self.task.await;
    }
}

/// A room on a server.
pub(super) trait Room {
    /// Joins the room.
    async fn join(&self) -> Result<Membership, JoinError>;

    /// Returns the id of the room, for messages.
    fn id(&self) -> &str;

    /// Returns the address of the server, for messages.
    fn server(&self) -> &str;
}

/// A room cannot be joined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("cannot connect to {server}: {reason}; check the address, and that the server runs")]
    Connect { server: String, reason: String },
    #[error(
        "cannot connect to {server}: {reason}; check the address, or set --ca-file to the certificate of the \
         authority that signed the server's"
    )]
    Certificate { server: String, reason: String },
    #[error(
        "{server} does not respond like a Janus server: {reason}; check the address and the port"
    )]
    Protocol { server: String, reason: String },
    #[error("there is no room {room} on {server}; check --room")]
    NoRoom { server: String, room: String },
    #[error(
        "{server} refuses the {secret}: {reason}; check the file or environment variable with it"
    )]
    Unauthorized {
        server: String,
        secret: &'static str,
        reason: String,
    },
    #[error("{server} refuses: {reason}")]
    Refused { server: String, reason: String },
    #[error("cannot use TLS")]
    Tls(#[source] LocationError),
    #[error("cannot read the certificates in --ca-file")]
    CaFile(#[source] io::Error),
}

impl JoinError {
    /// Returns true if trying again may help.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Protocol { .. } | Self::NoRoom { .. } => true,
            Self::Unauthorized { .. } | Self::Refused { .. } => false,
            Self::Certificate { .. } | Self::Tls(_) | Self::CaFile(_) => false,
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude room`: analyzes the participants of a meeting.
//!
//! ```text
//! signalling <-> meeting -> connection (per participant) -> streams -> output, publishing, data channel
//! ```

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attitude_publish::Backoff;

pub(crate) use arguments::Arguments;
use arguments::ServerKind;
use data_channel::DataChannel;
use meeting::{Context, Meeting};
use signalling::janus::JanusRoom;
use signalling::{JoinError, Room, RoomEnd};

mod arguments;
mod secrets;

mod signalling;

mod attendee;
mod connection;
mod data_channel;
mod meeting;

use crate::console;
use crate::exit::Status;
use crate::playback::{self, InitError};
use crate::secrets::SecretError;
use crate::streams::{Host, HostError};

/// Maximum time for the program to end after a signal.
const MAX_END: Duration = Duration::from_secs(10);
/// Maximum time for tasks to end.
const MAX_SHUTDOWN: Duration = Duration::from_secs(2);
/// Time between checks for signals.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// Time in a room after which it counts as joined: the next attempt is early again.
const JOINED: Duration = Duration::from_secs(10);

/// The room cannot be attended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RoomError {
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("cannot start threads")]
    Runtime(#[source] io::Error),
    #[error("{0}; to wait for it, use --retry")]
    Absent(JoinError),
    #[error(transparent)]
    Join(JoinError),
    #[error("a moderator removed this member from the room")]
    Kicked,
}

/// Attends the room until it is closed, or until Ctrl-C or SIGTERM.
pub(crate) fn run(arguments: Arguments) -> Result<Status, RoomError> {
    playback::init()?;
    let secrets = arguments.secrets.read()?;
    let data_channel = arguments.data_channel.then(Arc::<DataChannel>::default);
    let records = data_channel.iter().map(|channel| channel.clone() as _);
    let host = Host::start(&arguments.host, records.collect(), MAX_END)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(RoomError::Runtime)?;
    let context = Context {
        room: arguments.room.clone(),
        tags: arguments.host.tags(),
        stall_timeout: arguments.host.stall.timeout(),
        analysis: arguments.host.analysis,
        max_participants: arguments.max_participants.into(),
        data_channel,
        host,
    };
    let room = match arguments.kind {
        ServerKind::Janus => JanusRoom {
            url: arguments.url,
            room: arguments.room,
            display: arguments.name,
            secrets,
            ca_file: arguments.ca_file,
        },
    };
    let attended = runtime.block_on(attend(&room, &context, arguments.retry));
    runtime.shutdown_timeout(MAX_SHUTDOWN);
    context.host.finish()?;
    attended.map(|()| Status::Success)
}

/// Joins the room, and again if the connection is lost.
async fn attend(room: &impl Room, context: &Context, retry: bool) -> Result<(), RoomError> {
    let mut backoff = Backoff::default();
    let mut has_joined = false;
    let (id, server) = (room.id(), room.server());
    loop {
        let joined = tokio::select! {
            joined = room.join() => joined,
            () = must_end(&context.host) => return Ok(()),
        };
        match joined {
            Ok(membership) => {
                has_joined = true;
                tracing::info!("joined room {id} on {server}");
                let joined_at = Instant::now();
                match Meeting::attend(context, membership).await {
                    None => return Ok(()),
                    Some(RoomEnd::Kicked) => return Err(RoomError::Kicked),
                    Some(RoomEnd::Closed) => {
                        tracing::info!("room {id} was closed");
                        if !retry {
                            return Ok(());
                        }
                    }
                    Some(RoomEnd::Lost(reason)) => {
                        tracing::warn!("lost the connection to {server}: {reason}; joining again");
                    }
                }
                if joined_at.elapsed() > JOINED {
                    backoff.reset();
                }
            }
            Err(error) if error.is_temporary() && (has_joined || retry) => {
                tracing::warn!("{}; trying again", console::chain(&error));
            }
            Err(error) if error.is_temporary() => return Err(RoomError::Absent(error)),
            Err(error) => return Err(RoomError::Join(error)),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_wait()) => {}
            () = must_end(&context.host) => return Ok(()),
        }
    }
}

/// Waits until the program must end.
async fn must_end(host: &Host) {
    while !host.must_end() {
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

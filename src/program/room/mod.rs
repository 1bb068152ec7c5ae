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
use secrets::SecretError;
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
use crate::exit::{Interrupt, SignalError, Status};
use crate::playback::{self, InitError};
use crate::publishing::PublishError;
use crate::shutdown::{self, EndInTimeError};
use crate::streams::{
    LoadedNetworks, Monitor, MonitorError, NetworksError, OutputError, RecordConsumer, Registry,
};

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
    Networks(#[from] NetworksError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    #[error(transparent)]
    Signal(#[from] SignalError),
    #[error(transparent)]
    End(#[from] EndInTimeError),
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
    let networks = LoadedNetworks::load(&arguments.analysis)?;
    let tags = arguments.publish.tags();
    let publishing = arguments
        .publish
        .start(|text| tracing::warn!("publishing: {text}"))?
        .map(Arc::new);
    let output = arguments.output.start()?;
    let streams = Registry::default();
    let monitor = arguments.listen.map(|address| {
        let provider = networks.provider();
        Monitor::start(address, streams.clone(), publishing.clone(), provider)
    });
    let monitor = monitor.transpose()?;
    if let Some(monitor) = &monitor {
        tracing::info!("metrics: http://{}/metrics", monitor.address);
    }
    let data_channel = arguments.data_channel.then(Arc::<DataChannel>::default);
    let consumers = [
        output.clone().map(|one| one as Arc<dyn RecordConsumer>),
        publishing.clone().map(|one| one as _),
        data_channel.clone().map(|one| one as _),
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(RoomError::Runtime)?;
    let interrupt = Interrupt::watch()?;
    shutdown::end_in_time(MAX_END, "some connections did not stop in time")?;
    if let Some(output) = output.clone() {
        // Without its reader, the program has nothing to do.
        let interrupt = interrupt.clone();
        runtime.spawn(async move {
            while !output.is_broken() {
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
            interrupt.stop();
        });
    }
    let context = Context {
        room: arguments.room.clone(),
        tags,
        analysis: arguments.analysis,
        max_participants: arguments.max_participants.into(),
        stall_timeout: arguments.stall.timeout(),
        consumers: consumers.into_iter().flatten().collect(),
        streams,
        data_channel,
        interrupt,
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
    drop(monitor);
    if let Some(unpublished) = publishing.and_then(|publishing| publishing.finish()) {
        console::warn(unpublished);
    }
    if let Some(output) = output {
        output.finish()?;
    }
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
            () = interrupted(&context.interrupt) => return Ok(()),
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
            () = interrupted(&context.interrupt) => return Ok(()),
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn interrupted(interrupt: &Interrupt) {
    while !interrupt.is_set() {
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

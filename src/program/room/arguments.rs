// SPDX-License-Identifier: MPL-2.0

//! Command line of `room`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};

use super::secrets::SecretArguments;
use crate::parsing::ValueError;
use crate::streams::HostArguments;

/// Joins a meeting as a silent member, and analyzes the video of each participant
///
/// The server is one that forwards media, such as Janus with its plugin VideoRoom. Each participant
/// is analyzed separately: the records contain the name as source, and the tags room and
/// participant. No video is stored or encoded again. Ctrl-C leaves the meeting.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  # Who changes when, as text
  gst-attitude room janus ws://localhost:8188 --room 42 --format text

  # Records to a broker, and metrics; waits until the room exists
  gst-attitude room janus wss://meet.example.com/ws --room 42 --pin-file pin.txt --retry \\
      --format none --publish mqtt://localhost --listen 127.0.0.1:9100")]
pub(crate) struct Arguments {
    /// Kind of server
    #[arg(value_enum, value_name = "KIND")]
    pub(super) kind: ServerKind,

    /// Address of the server's WebSocket transport, such as ws://localhost:8188
    #[arg(value_name = "URL", value_parser = websocket_url)]
    pub(super) url: String,

    /// Id of the room; a number in quotation marks, as in '"42"', is text for the server
    #[arg(long, value_name = "ID")]
    pub(super) room: String,

    /// Name that the other members see
    #[arg(long, value_name = "NAME", default_value = "gst-attitude")]
    pub(super) name: String,

    #[command(flatten)]
    pub(super) secrets: SecretArguments,

    /// PEM file of the certificates to trust for wss://; by default the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,

    /// Keep trying if the server or the room is not there at the start, and after the room was
    /// closed; a connection that is lost later is always tried again
    #[arg(long)]
    pub(super) retry: bool,

    /// Also send each record into the room, on a data channel that members can subscribe to
    #[arg(long)]
    pub(super) data_channel: bool,

    /// Maximum number of participants that are analyzed; further ones wait until another one leaves
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = value_parser!(u16).range(1..=1000))]
    pub(super) max_participants: u16,

    #[command(flatten)]
    pub(super) host: HostArguments,
}

/// Kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ServerKind {
    /// Janus with its plugin VideoRoom
    Janus,
}

fn websocket_url(text: &str) -> Result<String, ValueError> {
    let is_websocket = |url: &url::Url| matches!(url.scheme(), "ws" | "wss") && url.has_host();
    let has_no_password = |url: &url::Url| url.username().is_empty() && url.password().is_none();
    match text.parse::<url::Url>() {
        Ok(url) if is_websocket(&url) && has_no_password(&url) => Ok(text.to_owned()),
        _ => Err(ValueError(
            "a WebSocket address without user and password, such as ws://localhost:8188 or \
             wss://meet.example.com/ws",
        )),
    }
}

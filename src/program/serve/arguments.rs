// SPDX-License-Identifier: MPL-2.0

//! Command line of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, value_parser};

use crate::options::StallArguments;
use crate::parsing::ValueError;
use crate::publishing::PublishArguments;
use crate::streams::AnalysisArguments;
use crate::web_server::socket_address;

/// Shows the attitudes of faces live in a browser, over the video and as a timeline
///
/// Without SOURCE, visitors send their own camera by WebRTC and see its analysis. With SOURCE, all
/// visitors see the same video, from a camera, a stream or a file; it is analyzed while there are
/// visitors. Nothing is stored on the server; each page offers its own session for download.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  # Try it with your own camera: open http://127.0.0.1:8080
  gst-attitude serve

  # A camera of this machine, a stream, a recording in real time
  gst-attitude serve /dev/video0
  gst-attitude serve rtsp://camera/stream
  gst-attitude serve interview.mp4

  # What OBS or another WHIP client sends to http://127.0.0.1:8080/whip
  gst-attitude serve --whip

  # For other machines; browsers allow the camera only on https://
  gst-attitude serve --listen 0.0.0.0:8443 --tls-certificate server.pem --tls-key server.key")]
pub(crate) struct Arguments {
    /// Video to show: a file, an address such as rtsp://camera/stream, or a camera such as
    /// /dev/video0
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<String>,

    /// Show the video that a WHIP client, such as OBS, sends to /whip, with the server's token or that
    /// of --whip-token-file as its bearer token
    #[arg(long, conflicts_with = "source")]
    pub(crate) whip: bool,

    /// File with a token for WHIP clients only, who then cannot see the page; without it, the
    /// environment variable GST_ATTITUDE_WHIP_TOKEN
    #[arg(long, value_name = "FILE", requires = "whip")]
    pub(crate) whip_token_file: Option<PathBuf>,

    /// IP address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = socket_address)]
    pub(crate) listen: SocketAddr,

    /// Token that the page's address must contain, as ?token=TOKEN; by default a random one if
    /// --listen allows other machines to connect, else none
    #[arg(
        long,
        value_name = "TOKEN",
        env = "GST_ATTITUDE_TOKEN",
        hide_env_values = true,
        value_parser = parse_token
    )]
    pub(crate) token: Option<String>,

    /// PEM file of the certificate chain, for https://
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,

    /// PEM file of the certificate's private key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Maximum number of visitors
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) max_sessions: u16,

    /// Maximum size of a visitor's video, in pixels
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720", value_parser = frame_size)]
    pub(crate) max_size: (u32, u32),

    /// Maximum frame rate that the page requests of a visitor's camera
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = value_parser!(u32).range(1..=120))]
    pub(crate) max_frames_per_second: u32,

    /// Maximum bitrate of a visitor's video, and of SOURCE if it has to be encoded, in kbit/s
    #[arg(long, value_name = "KBITS", default_value_t = 2000, value_parser = value_parser!(u32).range(50..=100_000))]
    pub(crate) max_bitrate: u32,

    #[command(flatten)]
    pub(crate) stall: StallArguments,

    #[command(flatten)]
    pub(crate) analysis: AnalysisArguments,

    #[command(flatten)]
    pub(crate) publish: PublishArguments,
}

/// Minimum length of a token; shorter ones can be guessed.
const MIN_TOKEN: usize = 16;

/// Parses a token, which may be part of an address.
pub(super) fn parse_token(text: &str) -> Result<String, ValueError> {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-._~".contains(&letter);
    match text.len() >= MIN_TOKEN && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err(ValueError(
            "at least 16 characters, only letters, digits and - . _ ~",
        )),
    }
}

fn frame_size(text: &str) -> Result<(u32, u32), ValueError> {
    let size = text.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| {
            let side = text.parse().ok();
            side.filter(|side| (16..=8192).contains(side))
        };
        Some((side(width)?, side(height)?))
    });
    size.ok_or(ValueError(
        "width and height of 16 to 8192 pixels, such as 1280x720",
    ))
}

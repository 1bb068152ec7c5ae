// SPDX-License-Identifier: MPL-2.0

//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, value_parser};

use crate::networks::{
    ClassifierArguments, NetworkArguments, SamplingArguments, TrackingArguments,
};

/// Shows the live view in a browser: the faces' attitudes over the video, and their history
///
/// Without SOURCE visitors send their own camera by WebRTC and see what the server makes of it. With
/// SOURCE all see the same video, from a camera, a stream or a file. It is analysed while somebody
/// looks. Nothing is stored on the server; each page offers its own session for download.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  # Try it with your own camera: open http://127.0.0.1:8080
  gst-attitude serve

  # A camera of this machine, a stream, a recording in its own time
  gst-attitude serve /dev/video0
  gst-attitude serve rtsp://camera/stream
  gst-attitude serve interview.mp4

  # For others in the network; browsers give a camera to https:// only
  gst-attitude serve --listen 0.0.0.0:8443 --tls-certificate server.pem --tls-key server.key")]
pub struct Arguments {
    /// Video to show: a file, an address such as rtsp://camera/stream, or a camera such as /dev/video0
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,

    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// What must be in the page's address, as ?token=TOKEN; where others than this machine can connect,
    /// one is made up if this is left out
    #[arg(
        long,
        value_name = "TOKEN",
        env = "GST_ATTITUDE_TOKEN",
        hide_env_values = true,
        value_parser = token
    )]
    pub token: Option<String>,

    /// PEM file of the certificate and those that vouch for it, for https://
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,

    /// PEM file of the certificate's private key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,

    /// Most visitors at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u16).range(1..=1000))]
    pub max_sessions: u16,

    /// Largest video that a visitor may send, in pixels
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720", value_parser = size)]
    pub max_size: (u32, u32),

    /// Most frames that a visitor's camera is asked for in a second
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = value_parser!(u32).range(1..=120))]
    pub max_frames_per_second: u32,

    /// Highest bitrate of a visitor's video, and of SOURCE where it has to be encoded, in kbit/s
    #[arg(long, value_name = "KBITS", default_value_t = 2000, value_parser = value_parser!(u32).range(50..=100_000))]
    pub max_bitrate: u32,

    #[command(flatten)]
    pub sampling: SamplingArguments,

    #[command(flatten)]
    pub tracking: TrackingArguments,

    #[command(flatten)]
    pub classifier: ClassifierArguments,

    #[command(flatten)]
    pub networks: NetworkArguments,
}

/// What is too short could be tried out.
const MIN_TOKEN: usize = 16;

fn token(text: &str) -> Result<String, String> {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-._~".contains(&letter);
    if text.len() < MIN_TOKEN {
        return Err(format!("it must have {MIN_TOKEN} letters at least"));
    }
    match text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("it must be of letters, digits and - . _ ~ alone".to_owned()),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let size = text.split_once('x').and_then(|(width, height)| {
        let side = |text: &str| {
            let side = text.parse().ok();
            side.filter(|side| (16..=8192).contains(side))
        };
        Some((side(width)?, side(height)?))
    });
    size.ok_or_else(|| "write width and height of 16 to 8192, such as 1280x720".to_owned())
}

// SPDX-License-Identifier: MPL-2.0

//! Command line of `watch`.

use std::path::PathBuf;

use clap::Args;

use crate::parsing::ValueError;
use crate::streams::HostArguments;

/// Analyzes live streams and cameras, and writes or publishes the attitudes of their faces
///
/// Each source is analyzed separately, and connected again whenever it fails, ends or stalls. Names
/// of sources are in their records. No video is stored.
#[derive(Args)]
#[command(
    // Options of the command line replace those of the file.
    args_override_self = true,
    after_long_help = "\
Examples:
  # One camera; one line per change
  gst-attitude watch rtsp://camera/stream --format text

  # Two named sources, published to a broker, with metrics for Prometheus
  gst-attitude watch --source door=rtsp://camera/stream --source hall=/dev/video0 \\
      --publish mqtt://localhost --topic 'faces/{source}' --format none --listen 127.0.0.1:9090

  # A service; SIGHUP reads the sources again
  gst-attitude watch --config /etc/gst-attitude/watch.toml"
)]
pub(crate) struct Arguments {
    /// Source: an address (rtsp, rtp, udp, srt, rtmp, http), a file, or a camera such as /dev/video0
    #[arg(value_name = "URI")]
    pub(super) uris: Vec<String>,

    /// Source with a name for its records; can be repeated
    #[arg(long = "source", value_name = "NAME=URI", value_parser = named_uri)]
    pub(super) sources: Vec<(String, String)>,

    /// TOML file with sources, which SIGHUP reads again, and options
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    #[command(flatten)]
    pub(super) host: HostArguments,
}

fn named_uri(text: &str) -> Result<(String, String), ValueError> {
    let pair = text.split_once('=');
    let pair = pair.filter(|(name, uri)| !name.is_empty() && !uri.is_empty());
    // `rtsp://camera/?a=b` has no name.
    let pair = pair.filter(|(name, _)| !name.contains("://"));
    pair.map(|(name, uri)| (name.to_owned(), uri.to_owned()))
        .ok_or(ValueError(
            "a name and an address, such as door=rtsp://camera/stream",
        ))
}

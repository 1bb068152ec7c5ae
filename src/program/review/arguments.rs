// SPDX-License-Identifier: MPL-2.0

//! Command line of `review`.

use std::path::PathBuf;

use clap::Args;

/// Corrects the results of analyze in a browser
///
/// Serves the reports of analyzed recordings on this machine only, at an address with a random
/// token. On a report, persons are named, merged, split or excluded, attitudes are corrected, and
/// events and notes are added. Each change is saved at once in corrections.toml in the recording's
/// folder; records stay as they are. The tables and pages are computed again when a report is
/// loaded, and at the end.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  gst-attitude analyze interviews -o results
  gst-attitude review results

  # One recording
  gst-attitude review results/monday")]
pub(crate) struct Arguments {
    /// Folder that analyze wrote, or the folder of one recording in it
    #[arg(value_name = "RESULTS")]
    pub(crate) results: PathBuf,

    /// Port of the page on 127.0.0.1; 0 = any free port
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    pub(crate) port: u16,
}

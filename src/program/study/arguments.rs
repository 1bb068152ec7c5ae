// SPDX-License-Identifier: MPL-2.0

//! Arguments of `gst-attitude study`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use crate::parsing;

/// Analyzes a study: recordings of several participants in several conditions, with events
///
/// Reads the results of gst-attitude analyze, and analyzes recordings that have none with its
/// default options. Writes tables of epochs, participants, averages over time, means of conditions and
/// comparisons as CSV and Parquet, their codebook, and study.html with figures and a paragraph about
/// the methods.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  # A study with its settings
  gst-attitude study study.toml -o results

  # A table with the columns participant, recording, condition and, for events, start and event
  gst-attitude study recordings.csv -o results

A study file:
  title = \"Praise\"
  before = \"5s\"
  after = \"20s\"

  [[recording]]
  file = \"recordings/p01.mp4\"
  participant = \"p01\"
  condition = \"praised\"
  events = [{ name = \"feedback\", start = \"1:30\" }]")]
pub(crate) struct Arguments {
    /// TOML file of the study, or CSV file with one row per recording or event
    #[arg(value_name = "STUDY.toml|STUDY.csv")]
    pub study: PathBuf,

    /// Folder for the tables and study.html; created if it does not exist
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,

    /// Folder with the results of gst-attitude analyze [default: that of the study file, else the
    /// output folder]
    #[arg(long, value_name = "FOLDER")]
    pub results: Option<PathBuf>,

    /// Number of recordings read at the same time [default: number of cores, at most 8]
    #[arg(long, value_name = "N", value_parser = parsing::parse_positive)]
    pub jobs: Option<NonZeroUsize>,
}

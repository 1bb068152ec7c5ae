// SPDX-License-Identifier: MPL-2.0

//! What can be said on the command line.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use attitude::analyzer::Params;
use attitude::mapping::Mapping;
use attitude::timeline::rules::Rules;
use attitude_inference::model::Source;
use clap::{Args, ValueEnum, value_parser};

use crate::networks::NetworkArguments;
use crate::times::parse_time_s;

const SPREADING: &str = "For programs that spread recordings over machines";

/// Analyses recordings: who is seen when, with which attitude, as tables and a summary of each
///
/// Each recording gets a folder in DIR:
///
///   records.jsonl   each sampled frame with its faces, as JSON lines
///   faces.csv       the same as a table, a row a face
///   faces.parquet   the same table for pandas, DuckDB, R, ...
///   attitude.vtt    subtitles for a player
///   annotated.mp4   the video with boxes and labels, where --annotate asks for it
///   summary.json    the recording, how it was analysed, and its persons over time
///   report.html     the same to look at, beside the recording
///
/// and DIR gets summary.csv, a row a recording, also for those that failed, and index.html, which
/// leads to the reports.
///
/// A folder appears when it is whole. The same command again goes on where it was stopped: what is
/// done and has not changed is left alone.
#[derive(Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "\
A recording that breaks off in the middle keeps what could be read; its summary.json and summary.csv \
name the damage. A recording that cannot be read at all is named with the reason, and the others go on.

Subtitles, summaries and stream_time_ns tell positions in the recording, also with --from.

Examples:
  # All recordings in a folder and its folders
  gst-attitude analyze interviews -o results

  # Ten minutes of one, with a video to look at
  gst-attitude analyze talk.mkv -o results --from 5:00 --to 15:00 --annotate

  # Every frame, with unrecognisable faces
  gst-attitude analyze 'day?/*.mp4' -o results --blur

  # For a program that watches
  gst-attitude analyze interviews -o results --json --quiet

The exit status is 0 if all went well, 1 if something was lost or damaged, 2 if these arguments are \
wrong, and 130 if it was stopped by Ctrl-C or SIGTERM; a second Ctrl-C stops at once."
)]
pub struct Arguments {
    /// Recordings: files, folders, patterns such as 'day?/*.mp4', http:// or https:// addresses
    ///
    /// Folders are searched with all that is in them, but for what is hidden and DIR, for files that
    /// GStreamer takes for video or whose names say so.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    /// Folder for the results; made where there is none
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,

    /// Frames of a second that are analysed; 0 = every frame [default: 5, with --blur 0]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub samples_per_second: Option<f64>,

    /// Most faces of a frame that are followed
    #[arg(long, value_name = "N", default_value_t = Params::default().max_faces, value_parser = value_parser!(u32).range(1..=512))]
    pub faces: u32,

    /// From this time of each recording on, such as 90, 1:30 or 1:02:03.5
    #[arg(long, value_name = "TIME", value_parser = time_ns)]
    pub from: Option<u64>,

    /// Up to this time of each recording
    #[arg(long, value_name = "TIME", value_parser = time_ns)]
    pub to: Option<u64>,

    /// Writes the video with boxes, labels and histories too: H.264 and AAC
    #[arg(long)]
    pub annotate: bool,

    /// Makes faces unrecognisable in the annotated video; implies --annotate, analyses every frame
    ///
    /// Hides the faces that are found, where they are found. One that is missed stays visible, and a
    /// voice or a name tag tell who it is anyway: look at the video before you pass it on.
    #[arg(long, conflicts_with = "samples_per_second")]
    pub blur: bool,

    /// Files to write beside summary.json and report.html, separated by commas
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "records.jsonl,faces.csv,faces.parquet,attitude.vtt",
        hide_possible_values = true
    )]
    pub formats: Vec<Format>,

    /// How long a person may be out of sight and still be the same one in the summary, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Rules::default().join_gap_ns as f64 / 1e9, value_parser = seconds)]
    pub join_gap: f64,

    /// Analyses all anew, also what is done
    #[arg(long)]
    pub force: bool,

    /// Recordings that are analysed at a time [default: number of cores, at most 8]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Tells of errors only
    #[arg(short, long)]
    pub quiet: bool,

    /// Tells also which files were passed over, and what GStreamer warns of
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Writes what happens to standard output, one JSON object a line
    #[arg(long)]
    pub json: bool,

    /// Analyses nothing: tells of each recording, one JSON object a line, what is to be done
    ///
    /// `name` of its folder, `input` as summary.csv has it, `uri`, `fingerprint` of the results that it
    /// is to have, and whether it is `done`.
    #[arg(long, help_heading = SPREADING, conflicts_with_all = ["name", "collect"])]
    pub plan: bool,

    /// What the folder of the recording is called; for one recording
    #[arg(long, value_name = "NAME", help_heading = SPREADING, conflicts_with = "collect", value_parser = folder_name)]
    pub name: Option<String>,

    /// The folder that the recording's folder will be moved to, for the links in its page
    #[arg(long, value_name = "DIR", help_heading = SPREADING, requires = "name")]
    pub destination: Option<PathBuf>,

    /// Analyses nothing: writes summary.csv and index.html, of the recordings that FILE tells of
    ///
    /// A JSON object a line, with the `uri` of the plan and, where there are no results, the `reason`.
    #[arg(long, value_name = "FILE", help_heading = SPREADING)]
    pub collect: Option<PathBuf>,

    /// What is in FOLDER is a copy of what is at URI, such as s3://bucket/, and told of as that
    #[arg(long, num_args = 2, value_names = ["FOLDER", "URI"], help_heading = SPREADING)]
    pub origin: Option<Vec<String>>,

    /// ONNX file of the attitude or emotion classifier, instead of the embedded one
    #[arg(long, value_name = "FILE")]
    pub attitude_model: Option<PathBuf>,

    /// Which emotions count to which attitude, instead of as the model says; all others are negative
    ///
    /// Such as 'positive=happiness,surprise; neutral=neutral'.
    #[arg(long)]
    pub mapping: Option<Mapping>,

    /// Smoothed score under which an attitude is 'unknown'
    #[arg(long, value_name = "SCORE", default_value_t = Params::default().min_confidence, value_parser = share)]
    pub min_confidence: f32,

    #[command(flatten)]
    pub networks: NetworkArguments,
}

/// What a recording's results can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Format {
    #[value(name = "records.jsonl")]
    JsonLines,
    #[value(name = "faces.csv")]
    Csv,
    #[value(name = "faces.parquet")]
    Parquet,
    #[value(name = "attitude.vtt")]
    WebVtt,
}

impl Format {
    /// The name of its file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::JsonLines => "records.jsonl",
            Self::Csv => "faces.csv",
            Self::Parquet => "faces.parquet",
            Self::WebVtt => "attitude.vtt",
        }
    }
}

impl Arguments {
    /// The attitude classifier.
    pub fn classifier(&self) -> Source {
        match &self.attitude_model {
            Some(path) => Source::File(path.clone()),
            None => Source::ATTITUDE,
        }
    }

    /// The folder in which the results are to be in the end.
    pub fn destination(&self) -> &Path {
        self.destination.as_deref().unwrap_or(&self.output)
    }

    /// Checks what clap does not.
    pub fn check(&self) -> Result<(), String> {
        match (self.from.unwrap_or(0), self.to) {
            (from, Some(to)) if to <= from => Err("--to must be after --from".to_owned()),
            _ => Ok(()),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    number(text, "0, or 0.001 to 1000", |rate| {
        rate == 0.0 || (0.001..=1000.0).contains(&rate)
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    number(text, "0 to 1000000", |seconds| {
        (0.0..=1e6).contains(&seconds)
    })
}

fn share(text: &str) -> Result<f32, String> {
    number(text, "0 to 1", |score| (0.0..=1.0).contains(&score)).map(|score| score as f32)
}

fn number(text: &str, range: &str, is_in_range: fn(f64) -> bool) -> Result<f64, String> {
    let number = text.parse().ok().filter(|&number| is_in_range(number));
    number.ok_or_else(|| format!("it must be a number of {range}"))
}

/// A name that does not lead elsewhere, and is not hidden.
fn folder_name(text: &str) -> Result<String, String> {
    match text.is_empty() || text.starts_with('.') || text.contains('/') {
        true => Err("it must be the name of a folder that is not hidden".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn time_ns(text: &str) -> Result<u64, String> {
    match parse_time_s(text) {
        Some(time_s) if time_s < 1e9 => Ok((time_s * 1e9).round() as u64),
        _ => Err("write seconds, MM:SS or HH:MM:SS, such as 90, 1:30 or 1:02:03.5".to_owned()),
    }
}

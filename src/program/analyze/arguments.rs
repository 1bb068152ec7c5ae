// SPDX-License-Identifier: MPL-2.0

//! Arguments of `gst-attitude analyze`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attitude::clock;
use attitude::settings::MIN_CONFIDENCE;
use attitude::timeline::TimelineParams;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::baseline::{self, BaselineOption};
use super::names;
use super::settings::optional_files;
use crate::options::{
    ClassifierArguments, NetworkArguments, RecordingFaceArguments, SamplingArguments,
    StallArguments,
};
use crate::parsing::{self, ValueError};
use crate::publishing::PublishArguments;

const DISTRIBUTION: &str = "For programs that distribute recordings over machines";

const ABOUT: &str = "Analyzes recordings: which persons are visible when, and with which attitude";

/// File names of the formats that are written by default, separated by commas.
static DEFAULT_FORMATS: LazyLock<String> = LazyLock::new(|| {
    let files = optional_files().filter(|(file, _)| file.is_default);
    files
        .map(|(file, _)| file.name)
        .collect::<Vec<_>>()
        .join(",")
});

fn long_about() -> String {
    let files = optional_files().map(|(file, description)| (file.name, description));
    let files = files.chain([
        (
            "annotated.mp4",
            "the video with boxes and labels, with --annotate",
        ),
        (
            "summary.json",
            "the recording, how it was analyzed, and its persons over time",
        ),
        ("report.html", "the same as a page, with the recording"),
    ]);
    let lines: String = files
        .map(|(name, description)| format!("  {name:18}{description}\n"))
        .collect();
    format!(
        "{ABOUT}

Writes a folder per recording in FOLDER, with the files of --formats among these:

{lines}
and in FOLDER summary.csv, one row per recording, including those that failed, and index.html,
which links to the reports.

A folder appears when it is complete. If a run is stopped, the same command continues it:
recordings whose results are up to date are skipped."
    )
}

/// Arguments of `gst-attitude analyze`.
#[derive(Args)]
#[command(
    about = ABOUT,
    long_about = long_about(),
    after_long_help = "\
If a recording is damaged, the part before the damage is analyzed, and summary.json and summary.csv name \
the damage. If a recording cannot be read, the reason is reported, and the others are analyzed.

Times in subtitles and summaries, and stream_time_ns, are positions in the recording, also with --from.

Examples:
  # All recordings in a folder and its subfolders
  gst-attitude analyze interviews -o results

  # Ten minutes of one recording, with an annotated video
  gst-attitude analyze talk.mkv -o results --from 5:00 --to 15:00 --annotate

  # Every frame, with pixelated faces
  gst-attitude analyze 'day?/*.mp4' -o results --blur

  # With events for another program
  gst-attitude analyze interviews -o results --json --quiet

The exit status is 0 on success, 1 if a recording failed or is damaged, 2 if the arguments are wrong, and \
130 after Ctrl-C or SIGTERM; a second Ctrl-C stops at once."
)]
pub(crate) struct Arguments {
    /// Recordings: files, folders, patterns such as 'day?/*.mp4', http:// or https:// addresses
    ///
    /// Folders are searched recursively for files that GStreamer detects as video or that have the
    /// extension of a video; hidden files and folders, FOLDER, and folders with results are ignored.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,

    /// Folder for the results; created if it does not exist
    #[arg(short, long, value_name = "FOLDER")]
    pub output: PathBuf,

    #[command(flatten)]
    pub sampling: SamplingArguments,

    #[command(flatten)]
    pub faces: RecordingFaceArguments,

    /// Start of the part of each recording to analyze, such as 90, 1:30 or 1:02:03.5
    #[arg(long, value_name = "TIME", value_parser = parsing::parse_time_ns)]
    pub from: Option<u64>,

    /// End of the part of each recording to analyze
    #[arg(long, value_name = "TIME", value_parser = parsing::parse_time_ns)]
    pub to: Option<u64>,

    /// Also write the video with boxes, labels and histories, as H.264 and AAC
    #[arg(long)]
    pub annotate: bool,

    /// Pixelate faces in the annotated video; implies --annotate, analyzes every frame
    ///
    /// The recording is played twice, with a larger --detector-size. A face is also hidden in the
    /// second before it is found, and while a person is lost; a note counts these frames. A face
    /// that is never found stays visible, and a voice or a name tag may identify a person too: check
    /// the video before you share it.
    #[arg(long, conflicts_with_all = ["sample_interval", "samples_per_second"])]
    pub blur: bool,

    /// Files to write besides summary.json and report.html, separated by commas
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = DEFAULT_FORMATS.as_str(),
        value_parser = PossibleValuesParser::new(optional_files().map(|(file, _)| file.name)),
        hide_possible_values = true
    )]
    pub formats: Vec<String>,

    /// Maximum time that a person may be out of sight and still count as the same one, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = TimelineParams::default().join_gap_ns as f64 / 1e9, value_parser = seconds)]
    pub join_gap: f64,

    /// Baseline of each person, with which the valence is compared: off, auto (the person's median
    /// over the recording), a part such as 0:00-0:20, or another recording of the same person
    ///
    /// Adds the attitudes against the baseline to summary.json, summary.csv, the exports and the
    /// report; records stay as they are. The baseline of another recording is that of the person who
    /// is seen longest in it, and applies to the person who is seen longest.
    #[arg(long, value_name = "off|auto|FROM-TO|FILE", default_value = "off", value_parser = baseline::parse)]
    pub baseline: BaselineOption,

    /// Analyze all recordings again, instead of skipping those whose results are up to date
    #[arg(long)]
    pub force: bool,

    /// Maximum number of recordings to analyze at the same time [default: number of cores, at most
    /// 8]
    #[arg(long, value_name = "N", value_parser = parsing::parse_positive)]
    pub jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub stall: StallArguments,

    /// Report errors only
    #[arg(short, long)]
    pub quiet: bool,

    /// Also report which files are ignored, which recordings are skipped, and warnings of GStreamer
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Write events to standard output, one JSON object per line
    #[arg(long)]
    pub json: bool,

    /// Analyze nothing; print one JSON object per recording and line
    ///
    /// The fields are the `name` of its folder, `input` as in summary.csv, `uri`, the `fingerprint`
    /// that its results will have, and `done`, which is true if they are up to date.
    #[arg(long, help_heading = DISTRIBUTION, conflicts_with_all = ["name", "collect"])]
    pub plan: bool,

    /// Name of the recording's folder; for one recording
    #[arg(long, value_name = "NAME", help_heading = DISTRIBUTION, conflicts_with = "collect", value_parser = folder_name)]
    pub name: Option<String>,

    /// Folder that the recording's folder will be moved to, for the links in its page
    #[arg(long, value_name = "FOLDER", help_heading = DISTRIBUTION, requires = "name")]
    pub destination: Option<PathBuf>,

    /// Analyze nothing; write summary.csv and index.html of the recordings in FILE
    ///
    /// FILE has one JSON object per recording and line: the `uri` of the plan and, if there are no
    /// results, the `reason` and the `code` of the event `failed`.
    #[arg(long, value_name = "FILE", help_heading = DISTRIBUTION)]
    pub collect: Option<PathBuf>,

    /// Refer to files in FOLDER, which are copies, by the URI of the originals, such as
    /// s3://bucket/
    #[arg(long, num_args = 2, value_names = ["FOLDER", "URI"], help_heading = DISTRIBUTION)]
    pub origin: Option<Vec<String>>,

    #[command(flatten)]
    pub classifier: ClassifierArguments,

    #[arg(
        long = MIN_CONFIDENCE.name,
        value_name = "SCORE",
        help = MIN_CONFIDENCE.blurb,
        default_value_t = MIN_CONFIDENCE.default,
        value_parser = score
    )]
    pub min_confidence: f32,

    #[command(flatten)]
    pub networks: NetworkArguments,

    #[command(flatten)]
    pub publish: PublishArguments,
}

impl Arguments {
    /// Returns the folder that the results will be in.
    pub(super) fn destination(&self) -> &Path {
        self.destination.as_deref().unwrap_or(&self.output)
    }

    /// Checks what clap cannot check.
    ///
    /// # Errors
    /// Returns an error if `--to` is not after `--from`.
    pub(super) fn check(&self) -> Result<(), ArgumentError> {
        let from_ns = self.from.unwrap_or(0);
        match self.to {
            Some(to_ns) if to_ns <= from_ns => Err(ArgumentError::Range { from_ns, to_ns }),
            _ => Ok(()),
        }
    }
}

/// Arguments that do not fit together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArgumentError {
    #[error(
        "--to {} is not after --from {}",
        clock::position(*.to_ns),
        clock::position(*.from_ns)
    )]
    Range { from_ns: u64, to_ns: u64 },
    #[error("--name is for one recording, but the inputs have {found}")]
    Name { found: usize },
}

fn seconds(text: &str) -> Result<f64, ValueError> {
    parsing::parse_number(text, "a number from 0 to 1000000", |seconds| {
        (0.0..=1e6).contains(seconds)
    })
}

fn score(text: &str) -> Result<f32, ValueError> {
    parsing::parse_number(text, "a number from 0 to 1", |score| {
        MIN_CONFIDENCE.range().contains(score)
    })
}

/// Parses a name that is in the folder for the results, not hidden, and not that of a file of the
/// run.
fn folder_name(text: &str) -> Result<String, ValueError> {
    let is_run_file = names::is_run_file(text);
    match text.is_empty() || text.starts_with('.') || text.contains('/') || is_run_file {
        true => Err(ValueError(
            "the name of a folder that is not hidden, and not that of a file of the run",
        )),
        false => Ok(text.to_owned()),
    }
}

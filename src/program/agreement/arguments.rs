// SPDX-License-Identifier: MPL-2.0

//! Arguments of `gst-attitude agreement`.

use std::path::PathBuf;

use attitude::mapping::Mapping;
use clap::Args;

use crate::options::DurationArgument;

/// Compares the attitudes that gst-attitude found with those that people annotated
///
/// Prints the agreement, Cohen's kappa and Krippendorff's alpha of each two coders, and of all. With
/// --output, also writes confusion matrices, a list of disagreements, and a page whose list links to
/// the report of the recording at that time.
#[derive(Args)]
#[command(after_long_help = "\
Annotations are files of
  ELAN   .eaf; each tier with attitudes is a coder
  BORIS  .csv, 'Export aggregated events'; each observation is a coder
  others .csv with the columns start, end and label (or attitude), and optionally coder; times are \
seconds or HH:MM:SS.fff

Labels are attitudes (positive, neutral, negative) or well-known emotions; --mapping maps others. Time \
without a label does not count.

Examples:
  gst-attitude agreement results/talk --annotations talk.eaf --tier Ann --tier Ben -o agreement")]
pub(crate) struct Arguments {
    /// Folder with the results of a recording, which gst-attitude analyze wrote
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,

    /// File of annotations of the recording; can be repeated
    #[arg(long, value_name = "FILE", required = true)]
    pub annotations: Vec<PathBuf>,

    /// Tier of ELAN, observation of BORIS, or coder to use, in any of the files; can be repeated [default: all]
    #[arg(long = "tier", value_name = "NAME")]
    pub tiers: Vec<String>,

    /// Number of the annotated person in the recording's report [default: the one seen longest]
    #[arg(long, value_name = "N")]
    pub person: Option<u32>,

    /// Duration of the units that are compared, by the label in the middle of each
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pub unit: DurationArgument,

    /// Emotions that count as positive or neutral, such as 'positive=happiness,surprise;
    /// neutral=neutral'; all others count as negative
    #[arg(long, value_name = "MAPPING")]
    pub mapping: Option<Mapping>,

    /// Folder for the tables and agreement.html; created if it does not exist
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
}

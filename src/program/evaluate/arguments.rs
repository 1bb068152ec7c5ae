// SPDX-License-Identifier: MPL-2.0

//! Arguments of `gst-attitude evaluate`.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use attitude::mapping::Mapping;
use attitude_inference::model::ModelSource;
use clap::{Args, value_parser};

use crate::options::{FaceArguments, NetworkArguments, SamplingArguments, StallArguments};
use crate::parsing::{self, ValueError};

/// Measures attitude models on labeled faces
///
/// Classifies labeled faces in the same way as the element, compares the predictions with the
/// labels, and prints a report in Markdown: accuracy, Matthews' correlation, Cohen's kappa, macro
/// F1 and calibration error with 95% intervals, figures per attitude, the confusion matrix, and the
/// accuracy without uncertain predictions. Several models are compared on the same faces.
#[derive(Args)]
#[command(after_long_help = "\
Labels are attitudes (positive, neutral, negative) or emotions. Happiness, happy and joy count as \
positive; neutral and calm as neutral; anger, disgust, fear, sadness, surprise, contempt and their \
adjectives as negative. All other names need --mapping.

Examples:
  # Pictures in faces/happy, faces/sad, ...
  gst-attitude evaluate faces

  # Your own model compared with the embedded one; results in files
  gst-attitude evaluate faces.csv --attitude-model default --attitude-model mine.onnx -o result

  # Predictions of a face service for the same pictures
  gst-attitude evaluate faces.csv --predictions service=predictions.csv

  # Pictures of FER2013, which are crops already
  gst-attitude evaluate fer2013/test --no-detector

  # Labeled segments of recordings
  gst-attitude evaluate segments.csv

The exit status is 0 on success, 1 if a picture cannot be read, a video cannot be played or no face could \
be compared, and 2 if the arguments are wrong.")]
pub(crate) struct Arguments {
    /// Labeled faces: a folder, a .csv or a .jsonl file
    ///
    /// A folder must have one folder per label, each with pictures (bmp, gif, jpg, pgm, png, ppm, tif, webp).
    ///
    /// A .csv file must have a header with the columns file and label (or attitude). Optional
    /// columns are x, y, width and height, the box of the face in pixels of the picture (without a
    /// box, the largest face is used), and group, for example the person: faces of a group are not
    /// independent, and the intervals account for that.
    ///
    /// With a box, the detected face that overlaps it is used. If there is none, the box itself is
    /// cropped, and the report states the number of such faces. Landmarks replace those of the
    /// detector.
    ///
    /// A .jsonl file has the same fields, one face per line: {"file": "a.jpg", "label": "happy",
    /// "box": [x, y, width, height], "landmarks": [[x, y], ...], "group": "p7"}; the five landmarks
    /// are eyes, nose and corners of the mouth, those on the left of the picture first.
    ///
    /// A .csv file with the columns file, start, end and attitude (or label) labels segments of
    /// videos. Times are seconds or HH:MM:SS.fff. In each sampled frame, the largest face that can
    /// be classified is used. The segments of a file are one group, unless there is a column group.
    ///
    /// Paths in a file are relative to its folder.
    #[arg(required = true, value_name = "DATA")]
    pub data: Vec<PathBuf>,

    /// Attitude of each emotion; all others are negative
    ///
    /// For example 'positive=happiness,happy,joy; neutral=neutral,calm'. The mapping applies to the
    /// labels of the data, to the emotions of models, whose own mapping it replaces, and to the
    /// columns and labels of --predictions.
    #[arg(long)]
    pub mapping: Option<Mapping>,

    /// ONNX file of a model to evaluate, or 'default' for the embedded one; may be repeated
    #[arg(long = "attitude-model", value_name = "FILE", value_parser = source)]
    pub attitude_models: Vec<ModelSource>,

    /// Predictions of another program for the same faces; may be repeated
    ///
    /// A CSV file with the columns file and label, or file and one column of scores per emotion or
    /// attitude, of any scale: the scores of a face are divided by their sum. `file` must be the
    /// same as in the data; for a folder it is LABEL/NAME. Faces without a prediction are left out
    /// for all models. The predictions.csv of an earlier --output can be used, if it has one model.
    #[arg(long, value_name = "NAME=FILE.csv", value_parser = named_file)]
    pub predictions: Vec<(String, PathBuf)>,

    /// Do not detect faces: crop by the landmarks or boxes in the data, else use the whole picture
    #[arg(long)]
    pub no_detector: bool,

    /// Folder for evaluation.md, evaluation.json, predictions.csv and left-out.csv; created if it
    /// does not exist
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,

    /// Number of threads for pictures; the results are the same for any number [default: number of
    /// cores]
    #[arg(long, value_name = "N", value_parser = parsing::parse_positive)]
    pub jobs: Option<NonZeroUsize>,

    /// Number of bootstrap resamples for the intervals; at least 100
    #[arg(long, value_name = "N", default_value = "1000", value_parser = value_parser!(u32).range(100..))]
    pub resamples: u32,

    #[command(flatten)]
    pub sampling: SamplingArguments,

    #[command(flatten)]
    pub faces: FaceArguments,

    #[command(flatten)]
    pub stall: StallArguments,

    /// Earlier name of --sample-interval, in milliseconds.
    #[arg(long, hide = true, conflicts_with_all = ["sample_interval", "samples_per_second"])]
    sample_interval_ms: Option<u64>,

    #[command(flatten)]
    pub networks: NetworkArguments,
}

impl Arguments {
    /// Returns the time between samples of a video in nanoseconds; 0 = every frame.
    pub(crate) fn sample_interval_ns(&self) -> u64 {
        match self.sample_interval_ms {
            Some(ms) => ms.saturating_mul(1_000_000),
            None => self.sampling.interval_ns(),
        }
    }
}

fn source(text: &str) -> Result<ModelSource, Infallible> {
    Ok(match text {
        "default" => ModelSource::ATTITUDE,
        path => ModelSource::File(path.into()),
    })
}

fn named_file(text: &str) -> Result<(String, PathBuf), ValueError> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), path.into()))
        }
        _ => Err(ValueError("NAME=FILE.csv")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(options: &[&str]) -> Result<Arguments, clap::Error> {
        let words = [&["evaluate", "faces"], options].concat();
        Options::try_parse_from(words).map(|options| options.arguments)
    }

    #[test]
    fn the_earlier_name_of_the_sample_interval_is_accepted() {
        let arguments = parse(&["--sample-interval-ms", "40"]).unwrap();
        assert_eq!(arguments.sample_interval_ns(), 40_000_000);
        let both = ["--sample-interval-ms=40", "--sample-interval=40ms"];
        assert!(parse(&both).is_err());
    }

    #[test]
    fn options_that_subcommands_share_have_the_same_names() {
        let arguments = parse(&["--max-faces", "3", "-o", "out"]).unwrap();
        assert_eq!(arguments.faces.max_faces, 3);
        assert_eq!(arguments.output, Some("out".into()));
    }
}

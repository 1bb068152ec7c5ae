// SPDX-License-Identifier: MPL-2.0

//! What can be said on the command line.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use attitude::mapping::Mapping;
use attitude_inference::model::Source;
use clap::{Args, value_parser};

use crate::networks::NetworkArguments;

/// Tells how good attitude models are, by faces that people have labelled
///
/// Judges labelled faces as the element does, compares what the models say with the labels, and
/// prints a report in Markdown: accuracy, Matthews' correlation, Cohen's kappa, macro F1 and
/// calibration error with 95% intervals, per attitude, confusion, and what it brings to leave
/// unsure answers out. Several models are compared on the same faces.
#[derive(Args)]
#[command(after_long_help = "\
Labels are attitudes (positive, neutral, negative) or emotions. Of emotions, happiness, happy and joy \
count as positive, neutral and calm as neutral, anger, disgust, fear, sadness, surprise, contempt and \
their adjectives as negative. Any other name needs --mapping.

Examples:
  # Pictures in faces/happy, faces/sad, ...
  gst-attitude evaluate faces

  # A model of your own against the embedded one; files to keep
  gst-attitude evaluate faces.csv --attitude-model default --attitude-model mine.onnx --output result

  # What a face service answered for the same pictures
  gst-attitude evaluate faces.csv --predictions service=answers.csv

  # FER2013's pictures, which are crops already
  gst-attitude evaluate fer2013/test --no-detector

  # Labelled parts of recordings
  gst-attitude evaluate segments.csv

The exit status is 0, 1 where an error kept something from being judged (a picture cannot be read, a \
video does not play) or nothing at all could be, and 2 where these arguments are wrong.")]
pub struct Arguments {
    /// Labelled faces: a folder, a .csv or a .jsonl file
    ///
    /// A folder holds one folder per label, each with pictures (png, jpg, webp, bmp).
    ///
    /// A .csv file has a header with the columns file and label (or attitude). Optional are x, y,
    /// width and height (the face's box in pixels of the picture; without one the largest face
    /// counts) and group (such as the person: faces of a group are not independent, and intervals
    /// take that into account).
    ///
    /// Of a box the detected face that overlaps it counts; where none does, what is in the box is
    /// judged as it is, and the report says of how many faces. Landmarks are taken in place of the
    /// detector's.
    ///
    /// A .jsonl file has the same, a face a line: {"file": "a.jpg", "label": "happy", "box":
    /// [x, y, width, height], "landmarks": [[x, y], ...], "group": "p7"}; the five landmarks are
    /// eyes, nose and corners of the mouth, those at the left of the picture first.
    ///
    /// A .csv file with the columns file, start, end and attitude (or label) labels parts of videos.
    /// Times are seconds or HH:MM:SS.fff. In each sampled frame the largest face that can be judged
    /// counts. What is of one file is a group, unless there is a column group.
    ///
    /// Paths in a file are relative to its folder.
    #[arg(required = true, value_name = "DATA")]
    pub data: Vec<PathBuf>,

    /// Which emotions count to which attitude; all others are negative
    ///
    /// Such as 'positive=happiness,happy,joy; neutral=neutral,calm'. It holds for the labels of
    /// the data, for the emotions of models, whose own mapping it replaces, and for the columns and
    /// labels of --predictions.
    #[arg(long)]
    pub mapping: Option<Mapping>,

    /// ONNX file of a model to evaluate, or 'default' for the embedded one; may be repeated
    #[arg(long = "attitude-model", value_name = "FILE", value_parser = source)]
    pub attitude_models: Vec<Source>,

    /// Answers of something else about the same faces; may be repeated
    ///
    /// A CSV file with the columns file and label, or file and one column of scores per emotion or
    /// attitude, of any scale: a face's scores are divided by their sum. `file` is written as in the
    /// data; in a folder it is LABEL/NAME. Faces without an answer are left out for all. The
    /// predictions.csv of an --output is read too, if it holds one model.
    #[arg(long, value_name = "NAME=FILE.csv", value_parser = named_file)]
    pub predictions: Vec<(String, PathBuf)>,

    /// Take pictures as crops: by given landmarks or boxes, else as a whole
    #[arg(long)]
    pub no_detector: bool,

    /// Folder for evaluation.md, evaluation.json, predictions.csv and left-out.csv
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,

    /// Pictures judged at a time; the results are the same for any number [default: number of cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Resamples of the bootstrap that gives the intervals; at least 100
    #[arg(long, value_name = "N", default_value = "1000", value_parser = value_parser!(u32).range(100..))]
    pub resamples: u32,

    /// Time between the frames of a video that are judged
    #[arg(long, value_name = "MS", default_value_t = 200)]
    pub sample_interval_ms: u64,

    #[command(flatten)]
    pub networks: NetworkArguments,
}

fn source(text: &str) -> Result<Source, Infallible> {
    Ok(match text {
        "default" => Source::ATTITUDE,
        path => Source::File(path.into()),
    })
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), path.into()))
        }
        _ => Err("it must be NAME=FILE.csv".to_owned()),
    }
}

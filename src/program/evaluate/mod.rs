// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude evaluate`: measures models on labelled faces.
//!
//! ```text
//! data -> faces | videos -> results (with predictions) -> report -> output
//! ```

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use attitude::InferenceError;
use attitude::analyzer::Params;
use attitude::evaluation::Bootstrap;
use attitude::mapping::Mapping;
use attitude::settings;
use attitude_inference::model::{ModelError, Source};
use attitude_inference::networks::{LoadError, Networks};
use attitude_inference::provider::Provider;
use indicatif::{ProgressBar, ProgressStyle};
use tracing::info;

pub(crate) use arguments::Arguments;
use data::{Data, Labels, Segment};
use faces::{FaceOutcome, PictureClassifier};
use output::{Output, OutputError};
use predictions::{PredictionError, Predictions};
use report::{ModelFile, NetworkFile, Report, Setup};
use results::{EvaluatedFace, Results};
use table::DataError;
use videos::{Player, SegmentError, Video};

use crate::console::{self, PrintError};
use crate::exit::Status;
use crate::playback::{self, InitError};

mod arguments;

mod data;
mod table;

mod faces;
mod videos;

mod predictions;
mod results;

mod output;
mod report;

mod warnings;

/// Maximum number of faces of a picture among which the labelled face is searched for.
const MAX_FACES: u32 = settings::MAX_FACES.max;

/// Why an evaluation ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Prediction(#[from] PredictionError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("two models or predictions have the name '{0}'")]
    SameName(String),
    #[error(transparent)]
    Init(#[from] InitError),
    #[error(transparent)]
    Inference(#[from] InferenceError),
    #[error("no face could be compared: {0}")]
    NothingCompared(String),
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Evaluates the models and prints the report.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, EvaluateError> {
    let labels = Labels(arguments.mapping.as_ref());
    let data = Data::read(&arguments.data, labels)?;
    let (faces, segments) = (data.faces.len(), data.segments.len());
    info!(faces, segments, skipped = data.skipped, "read the data");
    let others = arguments.predictions.iter();
    let others: Vec<Predictions> = others
        .map(|(name, path)| predictions::read(name, path, labels))
        .collect::<Result<_, _>>()?;
    if !others.is_empty() {
        predictions::require_one_face_per_file(&data.faces)?;
    }
    for other in &others {
        if let Some(warning) = predictions::check_files(other, &data)? {
            console::warn(warning);
        }
    }
    let models = match &arguments.attitude_models[..] {
        [] => vec![Source::ATTITUDE],
        models => models.to_vec(),
    };
    // What can fail at once is done before the long work.
    let output = arguments.output.as_deref().map(Output::open).transpose()?;
    let networks = load(arguments, &models)?;
    let names = names(&models, &networks, &others)?;
    for warning in warnings::warnings(arguments, &data, &others, &networks, &names) {
        console::warn(warning);
    }

    let setup = setup(arguments, &data, &models, &names, networks[0].provider)?;

    let mut faces = evaluate_pictures(arguments, &data, &models, networks)?;
    let (of_videos, failures) = evaluate_videos(arguments, &data.segments, &models)?;
    faces.extend(of_videos);
    for EvaluatedFace { file, outcome, .. } in &faces {
        if let FaceOutcome::Unreadable(reason) = outcome {
            console::error(format_args!("{file}: {reason}"));
        }
    }

    let results = Results::new(names, &faces, &others);
    let bootstrap = Bootstrap {
        resamples: arguments.resamples as usize,
        ..Bootstrap::default()
    };
    let report = Report::new(setup, &results, &bootstrap, data.skipped, failures);
    if results.compared.is_empty() {
        let counts = report.data.left_out();
        return Err(EvaluateError::NothingCompared(counts.join(", ")));
    }
    for limitation in report.data.limitations() {
        console::warn(limitation);
    }
    // Files are written first, so that they are not lost if printing fails.
    if let Some(output) = &output {
        output.write(&report, &results)?;
    }
    console::print(&report.to_markdown())?;
    Ok(Status::of(report.data.unreadable == 0 && failures == 0))
}

/// Describes the evaluation for the report. `names` are those of `models`, which run on `provider`.
fn setup(
    arguments: &Arguments,
    data: &Data,
    models: &[Source],
    names: &[String],
    provider: Provider,
) -> Result<Setup, ModelError> {
    let uses_detector = !arguments.no_detector || !data.segments.is_empty();
    let detector = uses_detector.then(|| arguments.networks.detector());
    let models = names.iter().zip(models).map(|(name, source)| {
        Ok(ModelFile {
            name: name.clone(),
            file: NetworkFile::of(source, provider)?,
        })
    });
    Ok(Setup {
        data: arguments
            .data
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
        mapping: arguments.mapping.as_ref().map(Mapping::to_string),
        detector: detector
            .map(|source| NetworkFile::of(&source, provider))
            .transpose()?,
        detector_size: uses_detector.then_some(arguments.networks.detector_size),
        models: models.collect::<Result<_, ModelError>>()?,
    })
}

/// Loads the networks of each model.
fn load(arguments: &Arguments, models: &[Source]) -> Result<Vec<Networks>, LoadError> {
    let load = |model: &Source| {
        let mapping = arguments.mapping.as_ref();
        Networks::load(&arguments.networks.config(model, mapping))
    };
    models.iter().map(load).collect()
}

/// Returns the names of the models, with their files if two have the same name.
fn names(
    models: &[Source],
    networks: &[Networks],
    others: &[Predictions],
) -> Result<Vec<String>, EvaluateError> {
    let own = |networks: &Networks| networks.classifier.model_name().to_owned();
    let own: Vec<String> = networks.iter().map(own).collect();
    let name = |(model, name): (&Source, &String)| {
        let is_unique = own.iter().filter(|other| *other == name).count() == 1;
        match is_unique {
            true => name.clone(),
            false => format!("{name} ({})", model.name()),
        }
    };
    let names: Vec<String> = models.iter().zip(&own).map(name).collect();
    let mut seen = HashSet::new();
    let others = others.iter().map(|other| &other.name);
    match names.iter().chain(others).find(|name| !seen.insert(*name)) {
        None => Ok(names),
        Some(name) => Err(EvaluateError::SameName(name.clone())),
    }
}

fn evaluate_pictures(
    arguments: &Arguments,
    data: &Data,
    models: &[Source],
    networks: Vec<Networks>,
) -> Result<Vec<EvaluatedFace>, EvaluateError> {
    let params = Params {
        detector_size: arguments.networks.detector_size,
        min_face_size: arguments.networks.min_face_size,
        max_faces: MAX_FACES,
        ..Params::default()
    };
    let classifier = |networks| PictureClassifier::new(networks, params, !arguments.no_detector);
    let jobs = arguments
        .jobs
        .or_else(|| std::thread::available_parallelism().ok());
    let jobs = jobs
        .map_or(1, NonZeroUsize::get)
        .min(faces::batches(&data.faces));
    let mut classifiers = vec![classifier(networks)];
    for _ in 1..jobs {
        classifiers.push(classifier(load(arguments, models)?));
    }
    info!(pictures = data.faces.len(), jobs, "classifying pictures");
    let progress = progress(data.faces.len(), "pictures");
    let outcomes = faces::classify(&data.faces, &mut classifiers, &progress);
    console::remove_bar(&progress);
    let faces = data
        .faces
        .iter()
        .zip(outcomes?)
        .map(|(face, outcome)| EvaluatedFace {
            file: face.file.clone(),
            group: face.group.clone(),
            label: face.label.clone(),
            outcome,
        });
    Ok(faces.collect())
}

/// Returns the samples in the segments, and the number of segments that failed.
fn evaluate_videos(
    arguments: &Arguments,
    segments: &[Segment],
    models: &[Source],
) -> Result<(Vec<EvaluatedFace>, usize), EvaluateError> {
    if segments.is_empty() {
        return Ok((Vec::new(), 0));
    }
    playback::init()?;
    let player = Player {
        models,
        mapping: arguments.mapping.as_ref(),
        networks: &arguments.networks,
        sample_interval_ns: arguments.sample_interval_ns(),
    };
    let mut paths: Vec<&PathBuf> = Vec::new();
    for segment in segments {
        if !paths.contains(&&segment.path) {
            paths.push(&segment.path);
        }
    }
    let progress = progress(paths.len(), "videos");
    let (mut faces, mut failures) = (Vec::new(), 0);
    for path in paths {
        info!(path = %path.display(), "playing a video");
        let video = player.play(path);
        progress.inc(1);
        if let Err(error) = &video {
            console::error(format_args!(
                "{}: {}",
                path.display(),
                console::chain(error)
            ));
        }
        for segment in segments.iter().filter(|segment| segment.path == *path) {
            match video.as_ref().map(|video| segment_faces(video, segment)) {
                Ok(Ok(samples)) => faces.extend(samples),
                Ok(Err(error)) => {
                    console::error(format_args!("{}: {error}", segment.position));
                    failures += 1;
                }
                Err(_) => failures += 1,
            }
        }
    }
    console::remove_bar(&progress);
    Ok((faces, failures))
}

/// Returns the samples in a segment. The samples of a file are one group, as they show the same persons.
fn segment_faces(video: &Video, segment: &Segment) -> Result<Vec<EvaluatedFace>, SegmentError> {
    let Segment {
        file, path, group, ..
    } = segment;
    let samples = video.samples(segment)?;
    let group = group.clone().unwrap_or_else(|| {
        // The data may write the path of a file in several ways.
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        path.display().to_string()
    });
    let faces = samples.into_iter().map(|sample| EvaluatedFace {
        file: format!("{file}@{:.3}", sample.time_s),
        group: Some(group.clone()),
        label: segment.label.clone(),
        outcome: sample.outcome,
    });
    Ok(faces.collect())
}

/// Shows a progress bar, if standard error is a terminal.
fn progress(len: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left");
    let bar = console::add_bar(ProgressBar::new(len as u64).with_message(what));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

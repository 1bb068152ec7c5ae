// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude evaluate`: measures models on labeled faces.
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
use attitude_inference::model::{ModelError, ModelSource};
use attitude_inference::networks::{Config, LoadError, Networks, UnknownLabels, provider_warnings};
use attitude_inference::provider::Provider;
use indicatif::{ProgressBar, ProgressStyle};
use tracing::info;

pub(crate) use arguments::Arguments;
use data::{Data, LabeledSegment};
use faces::{FaceOutcome, PictureClassifier};
use output::{Output, OutputError};
use predictions::{PredictionError, Predictions};
use report::{ModelFile, NetworkFile, Report, Setup};
use results::{EvaluatedFace, Results};
use videos::{SegmentError, Video};

use crate::console::{self, PrintError};
use crate::data_file::DataError;
use crate::exit::Status;
use crate::labels::Labels;
use crate::worker::Player;
use crate::worker::message::AnalysisSettings;

mod arguments;

pub(crate) mod data;
mod mistake;

mod faces;
mod picture;
mod videos;

pub(crate) mod predictions;
mod results;

mod output;
mod report;

mod warnings;

/// Maximum number of faces of a picture among which the labeled face is searched for.
const MAX_PICTURE_FACES: u32 = settings::MAX_FACES.max;

/// An evaluation ended early.
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
    #[error(
        "two models or predictions have the name '{0}'; list each once, and choose other names for --predictions"
    )]
    SameName(String),
    #[error(transparent)]
    Inference(#[from] InferenceError),
    #[error("no face could be compared; {0}")]
    NothingCompared(String),
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Evaluates the models and prints the report.
///
/// # Errors
/// Returns an error if the arguments or the data are wrong, or no face could be compared.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, EvaluateError> {
    let labels = Labels(arguments.mapping.as_ref());
    let data = Data::read(&arguments.data, labels)?;
    info!(
        faces = data.faces.len(),
        segments = data.segments.len(),
        other_files = data.other_files.len(),
        "read the data"
    );
    let others = read_predictions(arguments, &data, labels)?;
    let models = match &arguments.attitude_models[..] {
        [] => vec![ModelSource::ATTITUDE],
        models => models.to_vec(),
    };
    // Errors that do not depend on the long work are found before it.
    let output = arguments.output.as_deref().map(Output::open).transpose()?;
    let networks = load(arguments, &models)?;
    let names = names(&models, &networks, &others)?;
    for warning in warnings::warnings(arguments, &data, &others, &networks, &names) {
        console::warn(warning);
    }
    let setup = setup(arguments, &data, &models, &names, networks[0].provider)?;
    let mappings: Vec<Option<Mapping>> = networks
        .iter()
        .map(|networks| mapping_for(arguments.mapping.as_ref()?, networks))
        .collect();

    let mut faces = evaluate_pictures(arguments, &data, &models, networks)?;
    let (of_videos, failed_segments) =
        evaluate_videos(arguments, &data.segments, &models, &mappings)?;
    faces.extend(of_videos);
    for face in &faces {
        if let FaceOutcome::Unreadable(reason) = &face.outcome {
            console::error(reason);
        }
    }

    let results = Results::new(names, &faces, &others);
    let bootstrap = Bootstrap {
        resamples: arguments.resamples as usize,
        ..Bootstrap::default()
    };
    let report = Report::new(
        setup,
        &results,
        &bootstrap,
        data.other_files.len(),
        failed_segments,
    );
    publish(&report, &results, output.as_ref())?;
    let is_complete = report.data.unreadable == 0 && failed_segments == 0;
    Ok(Status::of(is_complete))
}

/// Reads the files of `--predictions`, and checks that they fit `data`.
fn read_predictions(
    arguments: &Arguments,
    data: &Data,
    labels: Labels,
) -> Result<Vec<Predictions>, EvaluateError> {
    let files = arguments.predictions.iter();
    let others: Vec<Predictions> = files
        .map(|(name, path)| predictions::read(name, path, labels))
        .collect::<Result<_, _>>()?;
    if !others.is_empty() {
        predictions::require_one_face_per_file(&data.faces)?;
    }
    for other in &others {
        if let Some(warning) = predictions::check_files(other, data)? {
            console::warn(warning);
        }
    }
    Ok(others)
}

/// Writes and prints the report.
///
/// # Errors
/// Returns an error if no face could be compared, or the report cannot be written.
fn publish(
    report: &Report,
    results: &Results,
    output: Option<&Output>,
) -> Result<(), EvaluateError> {
    if results.compared.is_empty() {
        let counts = report.data.left_out().into_iter();
        let counts: Vec<String> = counts
            .filter(|(_, faces)| *faces > 0)
            .map(|(reason, faces)| format!("{reason}: {faces}"))
            .collect();
        return Err(EvaluateError::NothingCompared(counts.join(", ")));
    }
    for limitation in report.data.limitations() {
        console::warn(limitation);
    }
    // Files are written first, so that they are not lost if printing fails.
    if let Some(output) = output {
        output.write(report, results)?;
    }
    Ok(console::print(&report.to_markdown())?)
}

/// Describes the evaluation for the report. `names` are those of `models`, which run on `provider`.
fn setup(
    arguments: &Arguments,
    data: &Data,
    models: &[ModelSource],
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
        detector_size: uses_detector.then_some(arguments.faces.detector_size),
        models: models.collect::<Result<_, ModelError>>()?,
    })
}

/// Loads the networks of each of `models`.
fn load(arguments: &Arguments, models: &[ModelSource]) -> Result<Vec<Networks>, LoadError> {
    let load = |model: &ModelSource| {
        let mapping = arguments.mapping.as_ref();
        Networks::load(&Config {
            // The mapping also lists labels of the data, which the model need not have.
            unknown_labels: UnknownLabels::Ignore,
            ..arguments.networks.config(model, mapping)
        })
    };
    let networks: Vec<Networks> = models.iter().map(load).collect::<Result<_, _>>()?;
    // The providers fail in the same way for all models.
    if let Some(first) = networks.first() {
        for warning in provider_warnings(&first.provider_errors, first.provider) {
            console::warn(warning);
        }
    }
    Ok(networks)
}

/// Returns `mapping` without names that are not labels of the model, which the element refuses;
/// `None` if the model has no emotions.
fn mapping_for(mapping: &Mapping, networks: &Networks) -> Option<Mapping> {
    let labels = networks.classifier.emotion_labels();
    let labels = labels.iter().map(String::as_str);
    (labels.len() > 0).then(|| mapping.for_labels(labels))
}

/// Returns the names of the models, with their files if two have the same name.
fn names(
    models: &[ModelSource],
    networks: &[Networks],
    others: &[Predictions],
) -> Result<Vec<String>, EvaluateError> {
    let own_name = |networks: &Networks| networks.classifier.model_name().to_owned();
    let own_names: Vec<String> = networks.iter().map(own_name).collect();
    let name = |(model, name): (&ModelSource, &String)| {
        let is_unique = own_names.iter().filter(|other| *other == name).count() == 1;
        match is_unique {
            true => name.clone(),
            false => format!("{name} ({})", model.name()),
        }
    };
    let names: Vec<String> = models.iter().zip(&own_names).map(name).collect();
    let mut seen = HashSet::new();
    let others = others.iter().map(|other| &other.name);
    match names.iter().chain(others).find(|name| !seen.insert(*name)) {
        None => Ok(names),
        Some(name) => Err(EvaluateError::SameName(name.clone())),
    }
}

/// Returns the outcomes of the labeled faces in pictures.
fn evaluate_pictures(
    arguments: &Arguments,
    data: &Data,
    models: &[ModelSource],
    networks: Vec<Networks>,
) -> Result<Vec<EvaluatedFace>, EvaluateError> {
    let params = Params {
        detector_size: arguments.faces.detector_size,
        min_face_size: arguments.networks.min_face_size,
        max_faces: MAX_PICTURE_FACES,
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
    let progress = progress_bar(data.faces.len(), "pictures");
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
    segments: &[LabeledSegment],
    models: &[ModelSource],
    mappings: &[Option<Mapping>],
) -> Result<(Vec<EvaluatedFace>, usize), EvaluateError> {
    if segments.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let analyses: Vec<AnalysisSettings> = std::iter::zip(models, mappings)
        .map(|(model, mapping)| AnalysisSettings {
            element: arguments.networks.element_settings(model, mapping.as_ref()),
            sample_interval_ns: arguments.sample_interval_ns(),
            later_interval: None,
            max_faces: arguments.faces.max_faces,
            detector_size: arguments.faces.detector_size,
            detection_interval_ns: settings::DETECTION_INTERVAL_NS.default,
            min_confidence: settings::MIN_CONFIDENCE.default,
            detection_threshold: None,
        })
        .collect();
    let mut player = Player::new(arguments.stall.timeout());
    let mut paths: Vec<&PathBuf> = Vec::new();
    for segment in segments {
        if !paths.contains(&&segment.path) {
            paths.push(&segment.path);
        }
    }
    let progress = progress_bar(paths.len(), "videos");
    let (mut faces, mut failed) = (Vec::new(), 0);
    for path in paths {
        info!(path = %path.display(), "playing a video");
        let segments = segments.iter().filter(|segment| segment.path == *path);
        let video = videos::play(&mut player, path, &analyses);
        progress.inc(1);
        match video {
            Ok(video) => {
                for note in &video.notes {
                    console::line(format_args!("Note: {}: {note}", path.display()));
                }
                for segment in segments {
                    match segment_faces(&video, segment) {
                        Ok(samples) => faces.extend(samples),
                        Err(error) => {
                            console::error(format_args!("{}: {error}", segment.position));
                            failed += 1;
                        }
                    }
                }
            }
            Err(error) => {
                let error = console::chain(&error);
                console::error(format_args!("{}: {error}", path.display()));
                failed += segments.count();
            }
        }
    }
    console::remove_bar(&progress);
    Ok((faces, failed))
}

/// Returns the samples in a segment. The samples of a file are one group, as they show the same
/// persons.
fn segment_faces(
    video: &Video,
    segment: &LabeledSegment,
) -> Result<Vec<EvaluatedFace>, SegmentError> {
    let LabeledSegment {
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
fn progress_bar(len: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}, {eta} left");
    let bar = console::add_bar(ProgressBar::new(len as u64).with_message(what));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

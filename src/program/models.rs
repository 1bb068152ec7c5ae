// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude models`: lists known models, and checks and describes files.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use attitude::Attitude;
use attitude::InferenceError;
use attitude::classification::{AttitudeClassifier, Classification};
use attitude::detection::FaceDetector;
use attitude::preprocessing::{Channels, InputSize, TensorFormat};
use attitude_inference::identification::{DescriptionOrigin, KnownModel, known_models};
use attitude_inference::model::{ModelError, ModelSource, sha256};
use attitude_inference::networks::{InspectedModel, InspectedNetwork, LoadError};
use attitude_inference::provider::Provider;
use attitude_inference::runtime::{self, RuntimeError, RuntimeOptions};
use clap::Args;

use crate::console::{self, PrintError};
use crate::exit::Status;
use crate::options::RuntimeArguments;

/// Lists embedded and known models, or checks and describes files
///
/// Without FILE, lists the models that are embedded in the plugin, and the published models that
/// need no description file, with their addresses and licenses; this needs no ONNX Runtime, but
/// shows more of the embedded models if there is one. With FILE, checks that the element can use
/// it, and shows its input and output, the attitude of each emotion, whether it is the published
/// file, and the time per face.
#[derive(Args)]
pub(crate) struct Arguments {
    /// ONNX files of face detectors, attitude or emotion classifiers
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    runtime: RuntimeArguments,
}

/// Number of timed runs of a model, after one that is not timed.
const RUNS: u32 = 20;

/// Input size of the timed runs of a detector that accepts any size, in pixels.
const DETECTOR_SIZE: (usize, usize) = (320, 192);

/// Brightness of the picture of the timed runs, from 0 to 255.
const GRAY: f32 = 128.0;

/// Models cannot be listed or described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelsError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Embedded(LoadError),
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Prints the list, or the descriptions of files.
///
/// # Errors
/// Returns an error if an embedded model cannot be used, ONNX Runtime is needed and cannot be
/// loaded, or standard output cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, ModelsError> {
    let runtime = arguments.runtime.options();
    let loaded = runtime::load(&runtime);
    let files = &arguments.files;
    if !files.is_empty() {
        loaded?;
        return describe_files(files, &runtime);
    }
    list(loaded.is_ok().then_some(&runtime))?;
    if let Err(error) = loaded {
        console::warn(format_args!(
            "inputs, outputs and times of the embedded models are not shown: {error}"
        ));
    }
    Ok(Status::Success)
}

/// Prints the published and the embedded models. `runtime` is `None` if ONNX Runtime cannot be
/// loaded.
fn list(runtime: Option<&RuntimeOptions>) -> Result<(), ModelsError> {
    console::print("Published models that need no description file\n\n")?;
    for model in known_models() {
        console::print(&format!("{}\n{}\n", model.file, describe_known(model)))?;
    }
    console::print("Embedded models\n\n")?;
    for source in [ModelSource::FACE_DETECTOR, ModelSource::ATTITUDE] {
        let text = match runtime {
            Some(runtime) => describe(runtime, &source),
            None => describe_file(&source, None)
                .map(|lines| lines.0)
                .map_err(|error| LoadError::model(&source, error)),
        };
        let text = text.map_err(ModelsError::Embedded)?;
        console::print(&format!("{}\n{text}\n", source.name()))?;
    }
    Ok(())
}

/// Prints a description of each of `files`, or the reason why it cannot be used.
fn describe_files(files: &[PathBuf], runtime: &RuntimeOptions) -> Result<Status, ModelsError> {
    let mut all_usable = true;
    for file in files {
        match describe(runtime, &ModelSource::File(file.clone())) {
            Ok(text) => console::print(&format!("{}\n{text}\n", file.display()))?,
            Err(error) => {
                console::error(&error);
                all_usable = false;
            }
        }
    }
    Ok(Status::of(all_usable))
}

/// Lines of a description, each with a name and a value.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "  {name:<12} {value}");
    }
}

fn describe_known(model: &KnownModel) -> String {
    let mut lines = Lines::default();
    lines.add("about", &model.about);
    lines.add("address", &model.address);
    lines.add("license", &model.license);
    // There is one per published version.
    for digest in &model.sha256 {
        lines.add("SHA-256", digest);
    }
    lines.0
}

/// Loads the model in `source` and describes it.
fn describe(runtime: &RuntimeOptions, source: &ModelSource) -> Result<String, LoadError> {
    let model = InspectedModel::load(runtime, source)?;
    describe_model(source, model).map_err(|error| LoadError::model(source, error))
}

fn describe_model(source: &ModelSource, model: InspectedModel) -> Result<String, ModelError> {
    let InspectedModel {
        name,
        origin,
        network,
    } = model;
    let mut lines = Lines::default();
    lines.add("name", &name);
    lines.add("description", &description_origin(source, origin));
    match network {
        InspectedNetwork::Detector(mut detector) => {
            describe_detector(detector.as_mut(), &mut lines)?;
        }
        InspectedNetwork::Classifier {
            mut classifier,
            attitudes,
            is_assumed,
        } => {
            describe_classifier(classifier.as_mut(), &attitudes, &mut lines)?;
            if is_assumed {
                lines.add(
                    "mapping",
                    "assumed, as the description has no section [attitude]",
                );
            }
        }
    }
    Ok(lines.0 + &describe_file(source, Some(origin))?.0)
}

/// Describes the file of a model. `origin` is the source of the model's description, if it is
/// known.
fn describe_file(
    source: &ModelSource,
    origin: Option<DescriptionOrigin>,
) -> Result<Lines, ModelError> {
    let bytes = source.read(Provider::Cpu)?;
    let digest = sha256(&bytes);
    let comparison = origin.map_or("", |origin| compare_digest(&digest, origin));
    let mut lines = Lines::default();
    lines.add("size", &format!("{} kB", bytes.len().div_ceil(1000)));
    lines.add("SHA-256", &format!("{digest}{comparison}"));
    Ok(lines)
}

fn description_origin(source: &ModelSource, origin: DescriptionOrigin) -> String {
    match (origin, source) {
        (DescriptionOrigin::File, ModelSource::File(path)) => {
            path.with_extension("toml").display().to_string()
        }
        (DescriptionOrigin::File | DescriptionOrigin::Metadata, _) => {
            "in the metadata of the file".to_owned()
        }
        (DescriptionOrigin::Known(model), _) => format!("that of the published {}", model.file),
    }
}

/// Compares the digest of a file with those of published files.
fn compare_digest(digest: &str, origin: DescriptionOrigin) -> &'static str {
    let published = known_models().iter().flat_map(|model| &model.sha256);
    match origin {
        _ if published.clone().any(|known| known == digest) => ", as published",
        DescriptionOrigin::Known(model) if model.sha256.is_empty() => {
            "; that of the published file is unknown"
        }
        DescriptionOrigin::Known(_) => ", NOT that of the published file",
        _ => "",
    }
}

fn describe_detector(detector: &mut dyn FaceDetector, lines: &mut Lines) -> Result<(), ModelError> {
    let input = detector.input().clone();
    let ((width, height), size) = match input.size {
        InputSize::MultipleOf(multiple) => {
            let size = format!("width and height any multiple of {multiple} px");
            (DETECTOR_SIZE, size)
        }
        InputSize::Fixed { width, height } => ((width, height), format!("{width}x{height} px")),
    };
    lines.add("task", "detects faces");
    lines.add("input", &describe_input(&size, &input.tensor_format));
    let picture = vec![GRAY; input.tensor_format.len(width, height)];
    let mut found = Vec::new();
    let duration = median_time(|| detector.detect(&picture, width, height, 0.5, &mut found))?;
    lines.add(
        "time",
        &format!(
            "{} per picture of {width}x{height} px, on one CPU thread",
            milliseconds(duration)
        ),
    );
    Ok(())
}

fn describe_classifier(
    classifier: &mut dyn AttitudeClassifier,
    attitudes: &[(String, Attitude)],
    lines: &mut Lines,
) -> Result<(), ModelError> {
    let input = classifier.input().clone();
    let (width, height) = (input.width, input.height);
    let size = format!("{width}x{height} px");
    lines.add("task", "classifies attitudes");
    lines.add("input", &describe_input(&size, &input.tensor_format));
    lines.add("output", &describe_labels(attitudes));
    let emotions = classifier.emotion_labels();
    let is_output = |emotion: &String| attitudes.iter().any(|(label, _)| label == emotion);
    if !emotions.iter().all(is_output) {
        lines.add("emotions", &emotions.join(", "));
    }
    let crop = vec![GRAY; input.tensor_format.len(width, height)];
    let mut found = Vec::new();
    let duration = median_time(|| classifier.classify(&crop, 1, &mut found))?;
    lines.add(
        "time",
        &format!("{} per face, on one CPU thread", milliseconds(duration)),
    );
    if !found.iter().all(Classification::is_valid) {
        lines.add("WARNING", "for a gray crop, the output is not a score");
    }
    Ok(())
}

/// Describes the labels of an output: attitudes, or emotions like the property `mapping`.
fn describe_labels(labels: &[(String, Attitude)]) -> String {
    let mut pairs = labels.iter();
    if pairs.all(|(label, attitude)| label == attitude.name()) {
        let names: Vec<&str> = labels.iter().map(|(label, _)| label.as_str()).collect();
        return names.join(", ");
    }
    let of_attitude = |attitude: Attitude| {
        let labels = labels.iter().filter(|(_, of_label)| *of_label == attitude);
        let labels: Vec<&str> = labels.map(|(label, _)| label.as_str()).collect();
        (!labels.is_empty()).then(|| format!("{}={}", attitude.name(), labels.join(",")))
    };
    let parts: Vec<String> = Attitude::ALL.into_iter().filter_map(of_attitude).collect();
    parts.join("; ")
}

fn describe_input(size: &str, format: &TensorFormat) -> String {
    let channels = match format.channels {
        Channels::Luma => "luma",
        Channels::Rgb => "RGB",
        Channels::Bgr => "BGR",
    };
    format!("{channels}, {size}")
}

/// Returns the median duration of [`RUNS`] runs.
fn median_time(
    mut run: impl FnMut() -> Result<(), InferenceError>,
) -> Result<Duration, InferenceError> {
    run()?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        run()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn milliseconds(duration: Duration) -> String {
    match 1e3 * duration.as_secs_f64() {
        ms if ms < 0.01 => "under 0.01 ms".to_owned(),
        ms => format!("{ms:.2} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emotions_are_listed_by_attitude() {
        let labels = [
            ("fear", Attitude::Negative),
            ("joy", Attitude::Positive),
            ("anger", Attitude::Negative),
        ];
        let labels = labels.map(|(label, attitude)| (label.to_owned(), attitude));
        assert_eq!(
            describe_labels(&labels),
            "positive=joy; negative=fear,anger"
        );
        let attitudes = Attitude::ALL.map(|attitude| (attitude.name().to_owned(), attitude));
        assert_eq!(describe_labels(&attitudes), "positive, neutral, negative");
    }

    #[test]
    fn an_unknown_digest_is_distinguished_from_a_different_one() {
        for model in known_models() {
            let expected = match model.sha256.is_empty() {
                true => "; that of the published file is unknown",
                false => ", NOT that of the published file",
            };
            assert_eq!(
                compare_digest("0", DescriptionOrigin::Known(model)),
                expected
            );
        }
    }
}

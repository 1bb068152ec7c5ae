// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude models`: lists known models, and checks and describes files.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use attitude::Attitude;
use attitude::InferenceError;
use attitude::classification::{AttitudeClassifier, Classification};
use attitude::detection::FaceDetector;
use attitude::preprocessing::{Channels, InputSize, PixelFormat};
use attitude_inference::description::Description;
use attitude_inference::digest;
use attitude_inference::identification::Origin;
use attitude_inference::inspection::{Inspection, Loaded};
use attitude_inference::known::{self, KnownModel};
use attitude_inference::model::{ModelError, Source};
use attitude_inference::provider::Provider;
use attitude_inference::runtime::{self, RuntimeError, Search};
use clap::Args;

use crate::console::{self, PrintError};
use crate::exit::Status;
use crate::networks::RuntimeArguments;

/// Lists embedded and known models, or checks and describes files
///
/// Without FILE: the models that are embedded in the plugin, and the published models that need no
/// description file, with their addresses and licences. With FILE: whether the element can use it, its
/// input and output, the attitude of each emotion, whether it is the published file, and the time per
/// face.
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

/// Input size of the timed runs of a detector that accepts any size.
const DETECTOR_SIZE: (usize, usize) = (320, 192);

/// Why the list ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelsError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error("{name}")]
    Embedded { name: String, source: ModelError },
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Prints the list, or the descriptions of files.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, ModelsError> {
    let is_list = arguments.files.is_empty();
    if is_list {
        console::print("Published models that need no description file\n\n")?;
        for model in known::models() {
            console::print(&format!("{}\n{}\n", model.file, describe_known(model)))?;
        }
        console::print("Embedded models\n\n")?;
    }
    let environment = runtime::environment(&Search {
        requested: arguments.runtime.onnxruntime.clone(),
        plugin_folder: None,
        // Problems with libraries that are not used do not concern the user; failures are errors.
        log: |_| {},
    })?;
    let inspect = |source: &Source| -> Result<String, ModelError> {
        describe(source, Inspection::of(environment, source)?)
    };
    if is_list {
        for source in [Source::FACE_DETECTOR, Source::ATTITUDE] {
            let name = source.name();
            match inspect(&source) {
                Ok(text) => console::print(&format!("{name}\n{text}\n"))?,
                Err(source) => return Err(ModelsError::Embedded { name, source }),
            }
        }
    }
    let mut all_usable = true;
    for file in &arguments.files {
        match inspect(&Source::File(file.clone())) {
            Ok(text) => console::print(&format!("{}\n{text}\n", file.display()))?,
            Err(error) => {
                console::error(format_args!(
                    "{}: {}",
                    file.display(),
                    console::chain(&error)
                ));
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
    lines.add("type", &model.about);
    lines.add("address", &model.address);
    lines.add("licence", &model.licence);
    for digest in &model.sha256 {
        lines.add("SHA-256", digest);
    }
    lines.0
}

/// Describes a model that can be used.
fn describe(source: &Source, inspection: Inspection) -> Result<String, ModelError> {
    let Inspection {
        description,
        origin,
        model,
    } = inspection;
    let bytes = source.read(Provider::Cpu)?;
    let digest = digest::sha256(&bytes);
    let mut lines = Lines::default();
    lines.add("name", &description.name);
    lines.add("description", &description_origin(source, origin));
    let (task, cost) = match model {
        Loaded::Detector(detector) => ("face detection", describe_detector(detector, &mut lines)?),
        Loaded::Classifier(classifier) => (
            "attitude classification",
            describe_classifier(classifier, &description, &mut lines)?,
        ),
    };
    lines.add("task", task);
    lines.add("time", &cost);
    lines.add("size", &format!("{} kB", bytes.len().div_ceil(1000)));
    lines.add(
        "SHA-256",
        &format!("{digest}{}", compare_digest(&digest, origin)),
    );
    Ok(lines.0)
}

fn description_origin(source: &Source, origin: Origin) -> String {
    match (origin, source) {
        (Origin::File, Source::File(path)) => {
            format!("in {}", path.with_extension("toml").display())
        }
        (Origin::File | Origin::Metadata, _) => "in its metadata".to_owned(),
        (Origin::Known(model), _) => format!("that of the published {}", model.file),
    }
}

/// Compares the digest of a file with those of published files.
fn compare_digest(digest: &str, origin: Origin) -> &'static str {
    let published = known::models().iter().flat_map(|model| &model.sha256);
    match origin {
        _ if published.clone().any(|known| known == digest) => ", as published",
        Origin::Known(model) if model.sha256.is_empty() => {
            "; that of the published file is unknown"
        }
        Origin::Known(_) => ", NOT that of the published file",
        _ => "",
    }
}

fn describe_detector(
    mut detector: impl FaceDetector,
    lines: &mut Lines,
) -> Result<String, ModelError> {
    let input = detector.input().clone();
    let ((width, height), size) = match input.size {
        InputSize::MultipleOf(multiple) => (DETECTOR_SIZE, format!("any multiple of {multiple}")),
        InputSize::Fixed { width, height } => ((width, height), format!("{width}x{height}")),
    };
    lines.add("input", &pixels(&size, &input.pixel_format));
    let picture = vec![128.0; input.pixel_format.len(width, height)];
    let mut found = Vec::new();
    let cost = time(|| detector.detect(&picture, width, height, 0.5, &mut found))?;
    Ok(format!(
        "{} per picture of {width}x{height}",
        milliseconds(cost)
    ))
}

fn describe_classifier(
    mut classifier: impl AttitudeClassifier,
    description: &Description,
    lines: &mut Lines,
) -> Result<String, ModelError> {
    let input = classifier.input().clone();
    let (width, height) = (input.width, input.height);
    lines.add(
        "input",
        &pixels(&format!("{width}x{height}"), &input.pixel_format),
    );
    let (output, attitudes) = description.attitudes(None)?;
    for attitude in Attitude::ALL {
        let pairs = output.labels.iter().zip(&attitudes);
        let labels: Vec<&str> = pairs
            .filter(|(_, of_label)| **of_label == attitude)
            .map(|(label, _)| label.as_str())
            .collect();
        lines.add(attitude.name(), &labels.join(", "));
    }
    let emotions = classifier.emotion_labels().join(", ");
    lines.add(
        "emotions",
        if emotions.is_empty() {
            "none"
        } else {
            &emotions
        },
    );
    let crop = vec![128.0; input.pixel_format.len(width, height)];
    let mut found = Vec::new();
    let cost = time(|| classifier.classify(&crop, 1, &mut found))?;
    if !found.iter().all(Classification::is_valid) {
        lines.add("WARNING", "for a grey crop, the output is not a score");
    }
    Ok(format!("{} per face", milliseconds(cost)))
}

fn pixels(size: &str, format: &PixelFormat) -> String {
    let channels = match format.channels {
        Channels::Luma => "luma",
        Channels::Rgb => "RGB",
        Channels::Bgr => "BGR",
    };
    format!("{size} px of {channels}")
}

/// Returns the median time of a run.
fn time(mut run: impl FnMut() -> Result<(), InferenceError>) -> Result<Duration, InferenceError> {
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
    format!("{:.2} ms on one CPU thread", 1e3 * duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_digest_is_distinguished_from_a_different_one() {
        for model in known::models() {
            let expected = match model.sha256.is_empty() {
                true => "; that of the published file is unknown",
                false => ", NOT that of the published file",
            };
            assert_eq!(compare_digest("0", Origin::Known(model)), expected);
        }
    }
}

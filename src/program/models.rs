// SPDX-License-Identifier: MPL-2.0

//! Lists the models that are known, and checks and explains files.

use std::error::Error;
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
use attitude_inference::runtime::{self, Search};
use clap::Args;

use crate::console;
use crate::exit::Status;

/// Lists the models that are embedded and known, or checks and explains files
///
/// Without FILE: what is embedded in the plugin, and the published models that work without a
/// description of their own, with their addresses and licences. With FILE: whether the element takes
/// it, how it is fed and read, which emotion counts to which attitude, whether it is the file that
/// was published, and what a face costs.
#[derive(Args)]
pub struct Arguments {
    /// ONNX files of face detectors, attitude or emotion classifiers
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Path of libonnxruntime.so; else ORT_DYLIB_PATH, the system, and where setup.sh puts it
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
}

/// Times that a model is run to tell what it costs, and once before.
const RUNS: u32 = 20;

/// The input that a detector's cost is told for, if it takes any size.
const DETECTOR_SIZE: (usize, usize) = (320, 192);

/// Prints what was asked for; whether all files serve.
pub fn run(arguments: &Arguments) -> Result<Status, Box<dyn Error>> {
    let is_list = arguments.files.is_empty();
    if is_list {
        console::print("Published models that need no description\n\n")?;
        for model in known::models() {
            console::print(&format!("{}\n{}\n", model.file, announcement(model)))?;
        }
        console::print("Embedded models\n\n")?;
    }
    let environment = runtime::environment(&Search {
        requested: arguments.onnxruntime.clone(),
        plugin_folder: None,
        // What it warns of is no mistake of the user's; what fails is told as an error.
        log: |_| {},
    })?;
    let inspect = |source: &Source| -> Result<String, ModelError> {
        explanation(source, Inspection::of(environment, source)?)
    };
    if is_list {
        for source in [Source::FACE_DETECTOR, Source::ATTITUDE] {
            console::print(&format!("{}\n{}\n", source.name(), inspect(&source)?))?;
        }
    }
    let mut all_serve = true;
    for file in &arguments.files {
        match inspect(&Source::File(file.clone())) {
            Ok(text) => console::print(&format!("{}\n{text}\n", file.display()))?,
            Err(error) => {
                console::error(format!("{}: {error}", file.display()));
                all_serve = false;
            }
        }
    }
    Ok(Status::of(all_serve))
}

/// Lines of what is told, each with what it is about.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, about: &str, told: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "  {about:<12} {told}");
    }
}

fn announcement(model: &KnownModel) -> String {
    let mut lines = Lines::default();
    lines.add("is", &model.about);
    lines.add("address", &model.address);
    lines.add("licence", &model.licence);
    for digest in &model.sha256 {
        lines.add("SHA-256", digest);
    }
    lines.0
}

/// What there is to say of a model that serves.
fn explanation(source: &Source, inspection: Inspection) -> Result<String, ModelError> {
    let Inspection {
        description,
        origin,
        model,
    } = inspection;
    let bytes = source.read(Provider::Cpu)?;
    let digest = digest::sha256(&bytes);
    let mut lines = Lines::default();
    lines.add("name", &description.name);
    lines.add("described", &described(source, origin));
    let (task, cost) = match model {
        Loaded::Detector(detector) => ("finds faces", explain_detector(detector, &mut lines)?),
        Loaded::Classifier(classifier) => (
            "scores attitudes",
            explain_classifier(classifier, &description, &mut lines)?,
        ),
    };
    lines.add("task", task);
    lines.add("cost", &cost);
    lines.add("size", &format!("{} kB", bytes.len().div_ceil(1000)));
    lines.add("SHA-256", &format!("{digest}{}", verdict(&digest, origin)));
    Ok(lines.0)
}

fn described(source: &Source, origin: Origin) -> String {
    match (origin, source) {
        (Origin::File, Source::File(path)) => {
            format!("in {}", path.with_extension("toml").display())
        }
        (Origin::File | Origin::Metadata, _) => "in its metadata".to_owned(),
        (Origin::Known(model), _) => format!("like the published {}", model.file),
    }
}

/// Whether a file is the published one, as far as that is known.
fn verdict(digest: &str, origin: Origin) -> &'static str {
    let published = known::models().iter().flat_map(|model| &model.sha256);
    match origin {
        _ if published.clone().any(|known| known == digest) => ", as published",
        Origin::Known(model) if model.sha256.is_empty() => ", none is known to compare it with",
        Origin::Known(_) => ", NOT that of a published file",
        _ => "",
    }
}

fn explain_detector(
    mut detector: impl FaceDetector,
    lines: &mut Lines,
) -> Result<String, ModelError> {
    let input = detector.input().clone();
    let ((width, height), size) = match input.size {
        InputSize::MultipleOf(multiple) => (DETECTOR_SIZE, format!("any multiples of {multiple}")),
        InputSize::Fixed { width, height } => ((width, height), format!("{width}x{height}")),
    };
    lines.add("takes", &pixels(&size, &input.pixel_format));
    let picture = vec![128.0; input.pixel_format.len(width, height)];
    let mut found = Vec::new();
    let cost = time(|| detector.detect(&picture, width, height, 0.5, &mut found))?;
    Ok(format!(
        "{} a picture of {width}x{height}",
        milliseconds(cost)
    ))
}

fn explain_classifier(
    mut classifier: impl AttitudeClassifier,
    description: &Description,
    lines: &mut Lines,
) -> Result<String, ModelError> {
    let input = classifier.input().clone();
    let (width, height) = (input.width, input.height);
    lines.add(
        "takes",
        &pixels(&format!("{width}x{height}"), &input.pixel_format),
    );
    let (output, attitudes) = description.attitudes(None)?;
    for attitude in Attitude::ALL {
        let counted = output.labels.iter().zip(&attitudes);
        let labels: Vec<&str> = counted
            .filter(|(_, counts_to)| **counts_to == attitude)
            .map(|(label, _)| label.as_str())
            .collect();
        lines.add(attitude.name(), &labels.join(", "));
    }
    let emotions = classifier.emotion_labels().join(", ");
    lines.add(
        "tells",
        if emotions.is_empty() {
            "no emotions"
        } else {
            &emotions
        },
    );
    let crop = vec![128.0; input.pixel_format.len(width, height)];
    let mut found = Vec::new();
    let cost = time(|| classifier.classify(&crop, 1, &mut found))?;
    if !found.iter().all(Classification::is_valid) {
        lines.add("WARNING", "what it answers about a grey crop are no scores");
    }
    Ok(format!("{} a face", milliseconds(cost)))
}

fn pixels(size: &str, format: &PixelFormat) -> String {
    let channels = match format.channels {
        Channels::Luma => "luma",
        Channels::Rgb => "RGB",
        Channels::Bgr => "BGR",
    };
    format!("{size} px of {channels}")
}

/// Median time of a run on one thread.
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
    format!(
        "{:.2} ms on one CPU thread for",
        1e3 * duration.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_model_without_a_digest_is_told_from_one_that_differs() {
        for model in known::models() {
            let expected = match model.sha256.is_empty() {
                true => ", none is known to compare it with",
                false => ", NOT that of a published file",
            };
            assert_eq!(verdict("0", Origin::Known(model)), expected);
        }
    }
}

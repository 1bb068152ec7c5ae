// SPDX-License-Identifier: MPL-2.0

//! Settings and models: everything that the results depend on, except the recording.

use attitude::mapping::Mapping;
use attitude::record::exports::EXPORTS;
use attitude::record::formats::{self, Format, RecordingFile};
use attitude::timeline::TimelineParams;
use attitude_inference::engine::EngineInfo;
use attitude_inference::model::sha256;
use serde::Serialize;

use super::arguments::Arguments;
use super::baseline::BaselineSetting;
use crate::options::Choice;

/// Settings of an analysis.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Settings {
    /// Number of samples per second; 0 = every frame.
    pub samples_per_second: f64,
    #[serde(rename = "faces")]
    pub max_faces: Choice,
    pub from_ns: Option<u64>,
    pub to_ns: Option<u64>,
    pub annotate: bool,
    pub blur: bool,
    /// Names of the files to write, in the order of [`optional_files`].
    formats: Vec<&'static str>,
    pub join_gap_ns: u64,
    mapping: Option<String>,
    pub min_confidence: f32,
    pub detector_size: Choice,
    min_face_size: u32,
    execution_provider: &'static str,
    #[serde(skip_serializing_if = "BaselineSetting::is_off")]
    pub baseline: BaselineSetting,
}

/// Models of an analysis.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Models {
    detector_sha256: String,
    attitude: String,
    attitude_sha256: String,
    /// Hash of the description file beside the model, if there is one.
    attitude_description_sha256: Option<String>,
}

/// Returns the files of a recording that can be requested, and their descriptions.
pub(super) fn optional_files() -> impl Iterator<Item = (&'static RecordingFile, &'static str)> {
    let records = formats::recording_files().map(|(format, file)| (file, format.description));
    let exports = EXPORTS.iter();
    records.chain(exports.map(|export| (&export.file, export.description)))
}

impl Settings {
    /// Returns the settings that `arguments` request.
    pub(super) fn of(arguments: &Arguments, baseline: BaselineSetting) -> Self {
        let formats = optional_files().map(|(file, _)| file.name);
        let is_requested = |name: &&str| arguments.formats.iter().any(|format| format == name);
        Self {
            samples_per_second: match arguments.blur {
                true => 0.0,
                false => arguments.sampling.samples_per_second(),
            },
            max_faces: arguments.faces.max_faces,
            from_ns: arguments.from,
            to_ns: arguments.to,
            annotate: arguments.annotate || arguments.blur,
            blur: arguments.blur,
            formats: formats.filter(is_requested).collect(),
            join_gap_ns: (arguments.join_gap * 1e9).round() as u64,
            mapping: arguments
                .classifier
                .mapping
                .as_ref()
                .map(Mapping::to_string),
            min_confidence: arguments.min_confidence,
            detector_size: arguments.faces.detector_size,
            min_face_size: arguments.networks.min_face_size,
            execution_provider: arguments.networks.execution_provider.name(),
            baseline,
        }
    }

    /// Returns the time between samples in nanoseconds; 0 = every frame.
    pub(super) fn sample_interval_ns(&self) -> u64 {
        match self.samples_per_second {
            0.0 => 0,
            rate => (1e9 / rate).round() as u64,
        }
    }

    /// Returns the formats of records to write and their files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static Format, &'static RecordingFile)> {
        formats::recording_files().filter(|(_, file)| self.formats.contains(&file.name))
    }

    /// Returns `true` if only a part of each recording is analyzed.
    pub(super) fn is_part(&self) -> bool {
        self.from_ns.is_some() || self.to_ns.is_some()
    }

    /// Returns the parameters of the summary's timelines.
    pub(super) fn timeline_params(&self) -> TimelineParams {
        TimelineParams {
            join_gap_ns: self.join_gap_ns,
            baseline: self.baseline.source(),
            ..TimelineParams::default()
        }
    }
}

impl Models {
    /// Returns the models of an engine. `description` is the content of the description file beside
    /// the attitude model; `None` if there is no such file.
    pub(super) fn of(engine: &EngineInfo, description: Option<&[u8]>) -> Self {
        Self {
            detector_sha256: engine.digests.detector.clone(),
            attitude: engine.model_name.clone(),
            attitude_sha256: engine.digests.classifier.clone(),
            attitude_description_sha256: description.map(sha256),
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! What the results depend on, beside the recording.

use attitude::mapping::Mapping;
use attitude::timeline::rules::Rules;
use attitude_inference::digest::sha256;
use attitude_inference::engine::Facts;
use serde::Serialize;

use super::arguments::{Arguments, Format};

/// How recordings are analysed.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// 0 = every frame.
    pub samples_per_second: f64,
    pub faces: u32,
    pub from_ns: Option<u64>,
    pub to_ns: Option<u64>,
    pub annotate: bool,
    pub blur: bool,
    formats: Vec<&'static str>,
    pub join_gap_ns: u64,
    mapping: Option<String>,
    pub min_confidence: f32,
    detector_size: u32,
    min_face_size: u32,
    execution_provider: &'static str,
}

/// Which networks judged.
#[derive(Clone, Debug, Serialize)]
pub struct Models {
    detector_sha256: String,
    attitude: String,
    attitude_sha256: String,
    /// What a file beside the classifier's says of it.
    attitude_description_sha256: Option<String>,
}

impl Settings {
    pub fn of(arguments: &Arguments) -> Self {
        let default_rate = if arguments.blur { 0.0 } else { 5.0 };
        let mut formats = arguments.formats.clone();
        formats.sort_unstable();
        formats.dedup();
        Self {
            samples_per_second: arguments.samples_per_second.unwrap_or(default_rate),
            faces: arguments.faces,
            from_ns: arguments.from,
            to_ns: arguments.to,
            annotate: arguments.annotate || arguments.blur,
            blur: arguments.blur,
            formats: formats.into_iter().map(Format::file).collect(),
            join_gap_ns: (arguments.join_gap * 1e9).round() as u64,
            mapping: arguments.mapping.as_ref().map(Mapping::to_string),
            min_confidence: arguments.min_confidence,
            detector_size: arguments.networks.detector_size,
            min_face_size: arguments.networks.min_face_size,
            execution_provider: arguments.networks.execution_provider.name(),
        }
    }

    /// Time between samples; 0 = every frame.
    pub fn sample_interval_ns(&self) -> u64 {
        match self.samples_per_second {
            0.0 => 0,
            rate => (1e9 / rate).round() as u64,
        }
    }

    pub fn writes(&self, format: Format) -> bool {
        self.formats.contains(&format.file())
    }

    /// How the summary reads the samples.
    pub fn rules(&self) -> Rules {
        Rules {
            join_gap_ns: self.join_gap_ns,
            ..Rules::default()
        }
    }
}

impl Models {
    pub fn of(facts: &Facts, description: Option<&[u8]>) -> Self {
        Self {
            detector_sha256: facts.detector_sha256.clone(),
            attitude: facts.model_name.clone(),
            attitude_sha256: facts.classifier_sha256.clone(),
            attitude_description_sha256: description.map(sha256),
        }
    }
}

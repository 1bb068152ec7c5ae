// SPDX-License-Identifier: MPL-2.0

//! Loads the models that tests use.

use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, LoadError, Networks};
use attitude_inference::provider::Provider;

use crate::files;

/// Returns the configuration of these models on the CPU.
pub fn config(detector: ModelSource, classifier: ModelSource) -> Config {
    Config {
        detector: Some(detector),
        classifier,
        provider: Provider::Cpu.into(),
        falls_back: false,
        ..Config::default()
    }
}

pub fn with_detector(detector: ModelSource) -> Result<Networks, LoadError> {
    Networks::load(&config(detector, ModelSource::ATTITUDE))
}

pub fn with_classifier(classifier: ModelSource) -> Result<Networks, LoadError> {
    Networks::load(&config(ModelSource::FACE_DETECTOR, classifier))
}

pub fn fixture(name: &str) -> ModelSource {
    ModelSource::File(files::fixture("models").join(name))
}

pub fn loaded(result: Result<Networks, LoadError>) -> Networks {
    result.unwrap_or_else(|error| panic!("{error}"))
}

// SPDX-License-Identifier: MPL-2.0

//! Loads a single model of any task, to describe it.

use ort::environment::Environment;

use super::classifier::OnnxClassifier;
use super::description::{Description, Task};
use super::detector::OnnxDetector;
use super::identification::{self, Origin};
use super::model::{ModelError, Source};
use super::provider::Provider;
use super::session::{Network, Placement};

/// A model that was loaded and tried on the CPU.
pub struct Inspection {
    /// Description of its inputs and outputs.
    pub description: Description,
    /// Source of the description.
    pub origin: Origin,
    /// The model.
    pub model: Loaded,
}

/// A model, ready to run.
pub enum Loaded {
    /// A face detector.
    Detector(OnnxDetector),
    /// An attitude classifier.
    Classifier(OnnxClassifier),
}

impl Inspection {
    /// Loads the model in `source`.
    ///
    /// # Errors
    /// If the element would refuse the model, with the same reason.
    pub fn of(environment: &Environment, source: &Source) -> Result<Self, ModelError> {
        let placement = Placement {
            provider: Provider::Cpu,
            device_id: 0,
        };
        let network = Network::load(environment, &source.read(placement.provider)?, placement)
            .map_err(|error| ModelError::NotLoaded(error.message().to_owned()))?;
        let (description, origin) = identification::identify(source, &network)?;
        drop(network);
        let model = match description.task {
            Task::FaceDetection => {
                Loaded::Detector(OnnxDetector::load(environment, source, placement)?)
            }
            Task::Attitude => {
                Loaded::Classifier(OnnxClassifier::load(environment, source, None, placement)?)
            }
        };
        Ok(Self {
            description,
            origin,
            model,
        })
    }
}

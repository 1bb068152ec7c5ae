// SPDX-License-Identifier: MPL-2.0

//! Networks that are loaded once and that all threads of an engine share, for providers that run
//! one inference after the other anyway.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::shared_classifier::{BatchedClassifier, SharedClassifier};
use crate::networks::{LoadError, Networks};
use crate::provider::Provider;
use attitude::InferenceError;
use attitude::detection::{Detection, DetectorInput, FaceDetector};
use attitude::mapping::Mapping;
use attitude::sync::lock;

/// One detector and one classifier.
pub(super) struct SharedNetworks {
    detector: Option<Arc<SharedDetector>>,
    classifier: Arc<SharedClassifier>,
    provider: Provider,
    provider_errors: Vec<LoadError>,
    assumed_mapping: Option<Mapping>,
}

impl SharedNetworks {
    /// Shares `networks` between at most `max_calls` concurrent calls. A batch of faces waits at
    /// most `batch_timeout` for further faces.
    pub(super) fn new(networks: Networks, max_calls: usize, batch_timeout: Duration) -> Self {
        Self {
            detector: networks.detector.map(SharedDetector::new),
            classifier: SharedClassifier::new(networks.classifier, max_calls, batch_timeout),
            provider: networks.provider,
            provider_errors: networks.provider_errors,
            assumed_mapping: networks.assumed_mapping,
        }
    }

    /// Returns handles for the networks of one thread.
    pub(super) fn handles(&self) -> Networks {
        let detector = self.detector.clone().map(DetectorHandle);
        Networks {
            detector: detector.map(|detector| Box::new(detector) as Box<dyn FaceDetector>),
            classifier: Box::new(BatchedClassifier::new(self.classifier.clone())),
            provider: self.provider,
            provider_errors: self.provider_errors.clone(),
            assumed_mapping: self.assumed_mapping.clone(),
        }
    }
}

struct SharedDetector {
    detector: Mutex<Box<dyn FaceDetector>>,
    input: DetectorInput,
}

impl SharedDetector {
    fn new(detector: Box<dyn FaceDetector>) -> Arc<Self> {
        Arc::new(Self {
            input: detector.input().clone(),
            detector: Mutex::new(detector),
        })
    }
}

/// Runs the shared detector after the calls of other handles.
struct DetectorHandle(Arc<SharedDetector>);

impl FaceDetector for DetectorHandle {
    fn input(&self) -> &DetectorInput {
        &self.0.input
    }

    fn detect(
        &mut self,
        picture: &[f32],
        width: usize,
        height: usize,
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        lock(&self.0.detector).detect(picture, width, height, threshold, candidates)
    }
}

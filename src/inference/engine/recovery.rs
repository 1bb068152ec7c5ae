// SPDX-License-Identifier: MPL-2.0

//! Networks that move to the CPU when their device fails, for example because a driver was reset.

use std::sync::{Arc, OnceLock};

use crate::networks::{LoadError, Networks};
use crate::provider::{Provider, ProviderFailure};
use attitude::InferenceError;
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput};
use attitude::detection::{Detection, DetectorInput, FaceDetector};

/// Loads the same networks on the CPU.
type LoadOnCpu = dyn Fn() -> Result<Networks, LoadError> + Send + Sync;

/// The replacement of networks whose device fails.
pub(super) struct Recovery {
    provider: Provider,
    load_on_cpu: Box<LoadOnCpu>,
    failure: Arc<OnceLock<ProviderFailure>>,
}

impl Recovery {
    /// Replaces networks of `provider` with those that `load_on_cpu` returns, and stores the first
    /// failure of the device in `failure`.
    pub(super) fn new(
        provider: Provider,
        load_on_cpu: impl Fn() -> Result<Networks, LoadError> + Send + Sync + 'static,
        failure: Arc<OnceLock<ProviderFailure>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            provider,
            load_on_cpu: Box::new(load_on_cpu),
            failure,
        })
    }

    /// Returns `networks` with this recovery.
    pub(super) fn protect(self: &Arc<Self>, networks: Networks) -> Networks {
        let detector = networks.detector.map(|network| {
            Box::new(Protected {
                network,
                recovery: Some(self.clone()),
            }) as Box<dyn FaceDetector>
        });
        Networks {
            detector,
            classifier: Box::new(Protected {
                network: networks.classifier,
                recovery: Some(self.clone()),
            }),
            ..networks
        }
    }
}

/// A detector or classifier with its recovery.
struct Protected<N: ?Sized> {
    network: Box<N>,
    /// `None` once the network runs on the CPU.
    recovery: Option<Arc<Recovery>>,
}

impl<N: ?Sized> Protected<N> {
    /// Calls `run` with the network. If it fails on the device but not on the CPU, the network of the
    /// CPU, which `part` takes from the loaded ones, replaces it.
    ///
    /// # Errors
    /// Returns the error of the device if the CPU fails as well.
    fn run(
        &mut self,
        part: impl FnOnce(Networks) -> Option<Box<N>>,
        mut run: impl FnMut(&mut N) -> Result<(), InferenceError>,
    ) -> Result<(), InferenceError> {
        let (error, recovery) = match (run(&mut self.network), &self.recovery) {
            (Err(error), Some(recovery)) => (error, recovery),
            (result, _) => return result,
        };
        let on_cpu = (recovery.load_on_cpu)().ok().and_then(part);
        let Some(mut on_cpu) = on_cpu else {
            return Err(error);
        };
        if run(&mut on_cpu).is_err() {
            return Err(error);
        }
        self.network = on_cpu;
        // The other network may have failed before.
        let failure = ProviderFailure::diagnose(recovery.provider, &error.0);
        let _ = recovery.failure.set(failure);
        self.recovery = None;
        Ok(())
    }
}

impl FaceDetector for Protected<dyn FaceDetector> {
    fn input(&self) -> &DetectorInput {
        self.network.input()
    }

    fn detect(
        &mut self,
        picture: &[f32],
        width: usize,
        height: usize,
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        self.run(
            |networks| networks.detector,
            |detector| detector.detect(picture, width, height, threshold, candidates),
        )
    }
}

impl AttitudeClassifier for Protected<dyn AttitudeClassifier> {
    fn input(&self) -> &ClassifierInput {
        self.network.input()
    }

    fn model_name(&self) -> &str {
        self.network.model_name()
    }

    fn emotion_labels(&self) -> &[String] {
        self.network.emotion_labels()
    }

    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        self.run(
            |networks| Some(networks.classifier),
            |classifier| classifier.classify(crops, batch, found),
        )
    }
}

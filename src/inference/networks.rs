// SPDX-License-Identifier: MPL-2.0

//! The networks that an analysis takes, loaded and tried.

use std::time::Duration;

use super::classifier::OnnxClassifier;
use super::detector::OnnxDetector;
use super::model::{ModelError, Source};
use super::provider::Provider;
use super::runtime::{self, RuntimeError, Search};
use super::session::Placement;
use super::settings;
use attitude::InferenceError;
use attitude::analyzer::{Analysis, Analyzer, Sample};
use attitude::classification::AttitudeClassifier;
use attitude::detection::FaceDetector;
use attitude::mapping::Mapping;
use attitude::preprocessing::Channels;

/// The networks to run, and the provider that runs them.
#[derive(Clone, Debug)]
pub struct Config {
    /// Finds faces; `None` where they are always given.
    pub detector: Option<Source>,
    /// Scores attitudes.
    pub classifier: Source,
    /// Mapping of the classifier's emotions to attitudes; `None` for the mapping of the model.
    pub mapping: Option<Mapping>,
    /// Requested execution provider.
    pub provider: Provider,
    /// Number of the GPU.
    pub device_id: i32,
    /// True to use the CPU if the provider cannot run.
    pub falls_back: bool,
    /// How long faces of one frame may wait for those of other streams, to be judged together,
    /// where that helps.
    pub batch_timeout: Duration,
    /// Search for ONNX Runtime.
    pub search: Search,
}

impl Default for Config {
    /// The embedded models, on whatever runs them.
    fn default() -> Self {
        Self {
            detector: Some(Source::FACE_DETECTOR),
            classifier: Source::ATTITUDE,
            mapping: None,
            provider: Provider::Auto,
            device_id: settings::DEVICE_ID.default,
            falls_back: true,
            batch_timeout: Duration::from_nanos(settings::BATCH_TIMEOUT_NS.default),
            search: Search::default(),
        }
    }
}

/// The networks cannot be loaded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no ONNX Runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A model does not serve.
    #[error("{model}: {error}")]
    Model {
        /// Its file, or what the embedded one is called.
        model: String,
        /// The problem.
        error: ModelError,
    },
    /// The provider that was asked for does not run.
    #[error("the execution provider '{provider}' cannot run: {reason}")]
    Provider {
        /// Its name.
        provider: &'static str,
        /// Its error.
        reason: String,
    },
}

impl LoadError {
    /// Returns true if the same models may work on another provider.
    fn may_be_the_providers(&self) -> bool {
        let Self::Model { error, .. } = self else {
            return false;
        };
        matches!(error, ModelError::NotLoaded(_) | ModelError::Trial(_))
    }
}

/// The networks, ready to run.
pub struct Networks {
    /// Finds faces; `None` where they are always given.
    pub detector: Option<Box<dyn FaceDetector>>,
    /// Scores attitudes.
    pub classifier: Box<dyn AttitudeClassifier>,
    /// Execution provider that runs them.
    pub provider: Provider,
    /// The reason why they do not run on the requested provider, if they do not.
    pub refusal: Option<LoadError>,
}

impl Networks {
    /// Loads the networks and tries each once.
    ///
    /// # Errors
    /// If there is no ONNX Runtime, a model does not serve, or the provider cannot run and
    /// there is to be no fallback.
    pub fn load(config: &Config) -> Result<Self, LoadError> {
        runtime::environment(&config.search)?;
        let mut refusal = None;
        for provider in config.provider.attempts() {
            match Self::load_on(config, provider) {
                Err(error) if !provider.is_cpu() && error.may_be_the_providers() => {
                    let refused = LoadError::Provider {
                        provider: provider.name(),
                        reason: error.to_string(),
                    };
                    if config.provider != Provider::Auto && !config.falls_back {
                        return Err(refused);
                    }
                    refusal = Some(refused);
                }
                Ok(networks) => {
                    return Ok(Self {
                        refusal,
                        ..networks
                    });
                }
                Err(error) => return Err(error),
            }
        }
        let networks = Self::load_on(config, Provider::Cpu)?;
        Ok(Self {
            refusal,
            ..networks
        })
    }

    fn load_on(config: &Config, provider: Provider) -> Result<Self, LoadError> {
        let environment = runtime::environment(&config.search)?;
        let placement = Placement {
            provider,
            device_id: config.device_id,
        };
        let failed = |source: &Source| {
            let model = source.name();
            move |error| LoadError::Model { model, error }
        };
        let detector = match &config.detector {
            Some(source) => {
                let loaded = OnnxDetector::load(environment, source, placement);
                Some(loaded.map_err(failed(source))?)
            }
            None => None,
        };
        let classifier = OnnxClassifier::load(
            environment,
            &config.classifier,
            config.mapping.as_ref(),
            placement,
        )
        .map_err(failed(&config.classifier))?;
        Ok(Self {
            detector: detector.map(|detector| Box::new(detector) as Box<dyn FaceDetector>),
            classifier: Box::new(classifier),
            provider,
            refusal: None,
        })
    }

    /// Analyzes `sample` with these networks; see [`Analyzer::analyze`].
    ///
    /// # Errors
    /// Returns the errors of [`Analyzer::analyze`].
    pub fn analyze(
        &mut self,
        analyzer: &mut Analyzer,
        sample: &Sample,
        analysis: &mut Analysis,
    ) -> Result<(), InferenceError> {
        // Shortens the lifetime of the trait object, which `as_deref_mut` leaves at `'static`.
        let detector = self.detector.as_mut().map(|d| d.as_mut() as _);
        analyzer.analyze(sample, detector, self.classifier.as_mut(), analysis)
    }

    /// True if they read only the luma of a frame.
    pub fn take_luma_only(&self) -> bool {
        let detector = self.detector.as_ref();
        let detector = detector.map(|detector| detector.input().pixel_format.channels);
        let classifier = self.classifier.input().pixel_format.channels;
        [detector, Some(classifier)]
            .into_iter()
            .flatten()
            .all(|channels| channels == Channels::Luma)
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Loads the networks of an analysis, or a single model to describe it.

use std::sync::Arc;
use std::time::Duration;

use ort::environment::Environment;

use super::classifier::OnnxClassifier;
use super::description::Task;
pub use super::description::UnknownLabels;
use super::detector::OnnxDetector;
use super::identification::{DescribedNetwork, DescriptionOrigin};
use super::model::{ModelError, ModelSource, TrialInference};
use super::provider::{Provider, ProviderFailure, ProviderRequest, RequestError};
use super::runtime::{self, RuntimeError, RuntimeOptions};
use super::session::Execution;
use super::settings;
use attitude::analyzer::{Analysis, Analyzer, Sample};
use attitude::classification::AttitudeClassifier;
use attitude::detection::FaceDetector;
use attitude::mapping::Mapping;
use attitude::preprocessing::Channels;
use attitude::{Attitude, InferenceError};

/// The networks to run, and the execution provider that runs them.
#[derive(Clone, Debug)]
pub struct Config {
    /// Face detector; `None` if upstream elements detect the faces.
    pub detector: Option<ModelSource>,
    /// Attitude classifier.
    pub classifier: ModelSource,
    /// Mapping of the classifier's emotions to attitudes; `None` for the mapping of the model.
    pub mapping: Option<Mapping>,
    /// Treatment of names in `mapping` that are not labels of the classifier.
    pub unknown_labels: UnknownLabels,
    /// Requested execution provider.
    pub provider: ProviderRequest,
    /// `true` to use the CPU if the execution provider cannot run.
    pub falls_back: bool,
    /// Maximum time that faces wait for faces of other streams, to be classified in one batch, if
    /// the execution provider runs on a GPU.
    pub batch_timeout: Duration,
    /// Time after which a run of a network is stopped.
    pub inference_timeout: Duration,
    /// The ONNX Runtime to load.
    pub runtime: RuntimeOptions,
}

impl Default for Config {
    /// The embedded models on the first provider of [`Provider::Auto`] that runs.
    fn default() -> Self {
        Self {
            detector: Some(ModelSource::FACE_DETECTOR),
            classifier: ModelSource::ATTITUDE,
            mapping: None,
            unknown_labels: UnknownLabels::Refuse,
            provider: Provider::Auto.into(),
            falls_back: true,
            batch_timeout: Duration::from_nanos(settings::BATCH_TIMEOUT_NS.default),
            inference_timeout: Duration::from_nanos(settings::INFERENCE_TIMEOUT_NS.default),
            runtime: RuntimeOptions::default(),
        }
    }
}

impl Config {
    /// Returns `true` if the CPU may run the networks instead of the requested provider.
    pub(crate) fn may_fall_back(&self) -> bool {
        self.falls_back || self.provider.kind == Provider::Auto
    }
}

/// The networks cannot be loaded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// ONNX Runtime cannot be loaded.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A model cannot be used.
    #[error("cannot load {model}: {error}")]
    Model {
        /// Name of the model, or the path of its file.
        model: String,
        /// The reason.
        error: ModelError,
    },
    /// The request for an execution provider contradicts itself or what the provider has.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The execution provider cannot run the models, which the CPU can.
    #[error("the execution provider '{provider}' cannot run: {failure}")]
    Provider {
        /// Name of the execution provider.
        provider: &'static str,
        /// The reason, and the next step.
        failure: ProviderFailure,
    },
}

impl LoadError {
    /// Returns the error of the model in `source`.
    pub fn model(source: &ModelSource, error: ModelError) -> Self {
        Self::Model {
            model: source.name(),
            error,
        }
    }

    fn provider(provider: Provider, failure: ProviderFailure) -> Self {
        Self::Provider {
            provider: provider.name(),
            failure,
        }
    }

    /// Returns the failure of `provider` if the same models may run on another one.
    fn provider_failure(&self, provider: Provider) -> Option<ProviderFailure> {
        let Self::Model { error, .. } = self else {
            return None;
        };
        match error {
            ModelError::Provider(failure) => Some(failure.clone()),
            ModelError::Rejected(reason) | ModelError::Trial(InferenceError(reason)) => {
                Some(ProviderFailure::diagnose(provider, reason))
            }
            _ => None,
        }
    }
}

/// Returns the warnings of the execution providers that were tried before `provider`, which runs the
/// networks.
pub fn provider_warnings(errors: &[LoadError], provider: Provider) -> impl Iterator<Item = String> {
    errors
        .iter()
        .map(move |error| format!("{error}; until then, '{provider}' runs the networks"))
}

/// Loaded networks.
pub struct Networks {
    /// Face detector; `None` if upstream elements detect the faces.
    pub detector: Option<Box<dyn FaceDetector>>,
    /// Attitude classifier.
    pub classifier: Box<dyn AttitudeClassifier>,
    /// Execution provider that runs them.
    pub provider: Provider,
    /// The errors of the execution providers that were tried before the one that runs the networks.
    pub provider_errors: Vec<LoadError>,
    /// Mapping of the classifier's emotions to attitudes that is assumed, because neither the
    /// description of the model nor the user has one; `None` if there is one.
    pub assumed_mapping: Option<Mapping>,
}

impl Networks {
    /// Loads the networks. Runs each once, except those inside the plugin on the CPU.
    ///
    /// # Errors
    /// Returns an error if there is no ONNX Runtime, a model cannot be used, or the execution
    /// provider cannot run and `config` does not allow a fallback.
    pub fn load(config: &Config) -> Result<Self, LoadError> {
        Self::load_with(config, TrialInference::Run)
    }

    /// Loads the same networks again, without running them.
    ///
    /// # Errors
    /// Returns the errors of [`load`](Self::load).
    pub(crate) fn load_again(config: &Config) -> Result<Self, LoadError> {
        Self::load_with(config, TrialInference::Skip)
    }

    fn load_with(config: &Config, trial: TrialInference) -> Result<Self, LoadError> {
        config.provider.check()?;
        let environment = runtime::environment(&config.runtime)?;
        let mut provider_errors = Vec::new();
        for provider in config.provider.kind.accelerators() {
            if config.provider.kind == Provider::Auto
                && let Err(failure) = provider.check_for_auto()
            {
                provider_errors.push(LoadError::provider(provider, failure));
                continue;
            }
            let error = match Self::load_on(environment, config, provider, trial) {
                Ok(networks) => {
                    return Ok(Self {
                        provider_errors,
                        ..networks
                    });
                }
                Err(error) => error,
            };
            match error.provider_failure(provider) {
                Some(failure) => provider_errors.push(LoadError::provider(provider, failure)),
                None => return Err(error),
            }
        }
        // A model that the CPU cannot run either is at fault, not the execution provider.
        let networks = Self::load_on(environment, config, Provider::Cpu, trial)?;
        match provider_errors.pop() {
            Some(error) if !config.may_fall_back() => Err(error),
            last => {
                provider_errors.extend(last);
                Ok(Self {
                    provider_errors,
                    ..networks
                })
            }
        }
    }

    fn load_on(
        environment: &Environment,
        config: &Config,
        provider: Provider,
        trial: TrialInference,
    ) -> Result<Self, LoadError> {
        let execution = Execution {
            provider: Arc::new(config.provider.with_kind(provider)),
            timeout: config.inference_timeout,
        };
        let load = |source: &ModelSource| {
            if !provider.is_cpu() {
                let text = format!("loading and compiling {} for {provider}", source.name());
                (config.runtime.progress)(&text);
            }
            DescribedNetwork::load(environment, source, &execution)
        };
        let trial_of = |source: &ModelSource| match trial {
            TrialInference::Run => source.trial(provider),
            TrialInference::Skip => TrialInference::Skip,
        };
        let detector = config.detector.as_ref().map(|source| {
            load(source)
                .and_then(|model| {
                    OnnxDetector::new(model.network, &model.description, trial_of(source))
                })
                .map(|detector| Box::new(detector) as Box<dyn FaceDetector>)
                .map_err(|error| LoadError::model(source, error))
        });
        let detector = detector.transpose()?;
        let (source, mapping) = (&config.classifier, config.mapping.as_ref());
        let (classifier, assumed_mapping) = load(source)
            .and_then(|model| {
                let description = &model.description;
                let unknown_labels = config.unknown_labels;
                let classifier = OnnxClassifier::new(
                    model.network,
                    description,
                    mapping,
                    unknown_labels,
                    trial_of(source),
                )?;
                let assumed = match mapping {
                    Some(_) => None,
                    None => description.assumed_mapping(),
                };
                Ok((classifier, assumed))
            })
            .map_err(|error| LoadError::model(source, error))?;
        Ok(Self {
            detector,
            classifier: Box::new(classifier),
            provider,
            provider_errors: Vec::new(),
            assumed_mapping,
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

    /// Returns `true` if the networks read only the luma of a frame.
    pub fn read_luma_only(&self) -> bool {
        let detector = self.detector.as_ref();
        let detector = detector.map(|detector| detector.input().tensor_format.channels);
        let classifier = self.classifier.input().tensor_format.channels;
        [detector, Some(classifier)]
            .into_iter()
            .flatten()
            .all(|channels| channels == Channels::Luma)
    }
}

/// A model that was loaded on the CPU to describe it.
pub struct InspectedModel {
    /// Name in metadata.
    pub name: String,
    /// Source of the description.
    pub origin: DescriptionOrigin,
    /// The loaded network.
    pub network: InspectedNetwork,
}

/// A network of either task.
pub enum InspectedNetwork {
    /// A face detector.
    Detector(Box<dyn FaceDetector>),
    /// An attitude classifier.
    Classifier {
        /// The classifier.
        classifier: Box<dyn AttitudeClassifier>,
        /// Labels of the output that is mapped to attitudes, with the attitude of each.
        attitudes: Vec<(String, Attitude)>,
        /// `true` if these attitudes are assumed, because the description has no section
        /// `[attitude]`.
        is_assumed: bool,
    },
}

impl InspectedModel {
    /// Loads a model on the CPU and runs it once.
    ///
    /// # Errors
    /// Returns the errors of [`Networks::load`].
    pub fn load(runtime: &RuntimeOptions, source: &ModelSource) -> Result<Self, LoadError> {
        let environment = runtime::environment(runtime)?;
        Self::load_model(environment, source).map_err(|error| LoadError::model(source, error))
    }

    fn load_model(environment: &Environment, source: &ModelSource) -> Result<Self, ModelError> {
        let execution = Execution {
            provider: Arc::new(Provider::Cpu.into()),
            timeout: Duration::from_nanos(settings::INFERENCE_TIMEOUT_NS.default),
        };
        let DescribedNetwork {
            network,
            description,
            origin,
        } = DescribedNetwork::load(environment, source, &execution)?;
        let network = match description.task {
            Task::FaceDetection => InspectedNetwork::Detector(Box::new(OnnxDetector::new(
                network,
                &description,
                TrialInference::Run,
            )?)),
            Task::Attitude => {
                let (output, attitudes) =
                    description.attitude_output(None, UnknownLabels::Refuse)?;
                let attitudes = output.labels.iter().cloned().zip(attitudes).collect();
                let is_assumed = description.assumed_mapping().is_some();
                let classifier = OnnxClassifier::new(
                    network,
                    &description,
                    None,
                    UnknownLabels::Refuse,
                    TrialInference::Run,
                )?;
                InspectedNetwork::Classifier {
                    classifier: Box::new(classifier),
                    attitudes,
                    is_assumed,
                }
            }
        };
        Ok(Self {
            name: description.name,
            origin,
            network,
        })
    }
}

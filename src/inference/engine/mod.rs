// SPDX-License-Identifier: MPL-2.0

//! Loaded networks and threads that all streams of a process share if they request the same
//! networks.
//!
//! An engine loads no more networks than can run concurrently, and starts no more threads, however
//! many streams there are. [`Engine::acquire`] returns the engine for a configuration; it is freed
//! when its last user drops it.

mod live_stream;
mod pool;
mod recovery;
mod registry;
mod shared_classifier;
mod shared_networks;
mod workers;

use std::sync::{Arc, OnceLock};

use super::networks::{Config, LoadError, Networks};
use super::provider::{ACCELERATOR_FRAMES, Provider, ProviderFailure};
pub use live_stream::{CompletedSample, LiveStream, SampleInFlight};
pub use pool::Lease;
use pool::Pool;
use workers::Workers;

use attitude::InferenceError;
use attitude::mapping::Mapping;

/// Networks and threads for any number of streams.
pub struct Engine {
    info: EngineInfo,
    pool: Arc<Pool>,
    workers: Workers,
    device_failure: Arc<OnceLock<ProviderFailure>>,
}

/// Properties of an engine's networks.
#[derive(Clone, Debug)]
pub struct EngineInfo {
    /// Execution provider that runs them.
    pub provider: Provider,
    /// The errors of the execution providers that were tried before the one that runs the networks.
    pub provider_errors: Vec<LoadError>,
    /// Mapping of the classifier's emotions to attitudes that is assumed, because there is none.
    pub assumed_mapping: Option<Mapping>,
    /// `true` if the networks read only the luma of a frame.
    pub reads_luma_only: bool,
    /// Name of the classifier.
    pub model_name: String,
    /// Labels of the classifier's emotions; empty if it has none.
    pub emotion_labels: Vec<String>,
    /// SHA-256 of the models.
    pub digests: ModelDigests,
}

/// SHA-256 of an engine's models, in lower-case hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelDigests {
    /// Digest of the face detector; empty if there is none.
    pub detector: String,
    /// Digest of the attitude classifier.
    pub classifier: String,
}

/// Limits of an engine's concurrency.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum number of threads that analyze samples of live streams.
    pub workers: usize,
    /// Maximum number of detectors, and of classifiers, that are loaded.
    pub networks: usize,
}

impl Limits {
    /// Returns the limits for `provider`. On a CPU, live streams use half of the cores and leave
    /// the others to decoding. Streams in `sync` mode use all cores, because decoding pauses
    /// meanwhile.
    fn for_provider(provider: Provider) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if provider.is_cpu() {
            Self {
                workers: (cores / 2).max(1),
                networks: cores,
            }
        } else {
            Self {
                workers: ACCELERATOR_FRAMES,
                networks: ACCELERATOR_FRAMES,
            }
        }
    }
}

impl Engine {
    /// Returns the engine for `config`: one that is in use, or a new one, whose networks are loaded.
    ///
    /// # Errors
    /// Returns the errors of [`Networks::load`].
    pub fn acquire(config: &Config) -> Result<Arc<Self>, LoadError> {
        registry::acquire(config)
    }

    /// Creates an engine with `networks`; `load` loads more of the same when several threads need
    /// some.
    pub fn new(
        networks: Networks,
        load: impl Fn() -> Result<Networks, LoadError> + Send + Sync + 'static,
        limits: Limits,
        digests: ModelDigests,
    ) -> Self {
        let info = EngineInfo {
            provider: networks.provider,
            provider_errors: networks.provider_errors.clone(),
            assumed_mapping: networks.assumed_mapping.clone(),
            reads_luma_only: networks.read_luma_only(),
            model_name: networks.classifier.model_name().to_owned(),
            emotion_labels: networks.classifier.emotion_labels().to_vec(),
            digests,
        };
        let pool = Arc::new(Pool::new(networks, load, limits.networks));
        Self {
            info,
            workers: Workers::new(pool.clone(), limits.workers),
            pool,
            device_failure: Arc::default(),
        }
    }

    /// Returns properties of the networks.
    pub fn info(&self) -> &EngineInfo {
        &self.info
    }

    /// Returns the failure of a device that failed while its networks ran, which run on the CPU since
    /// then.
    pub fn device_failure(&self) -> Option<&ProviderFailure> {
        self.device_failure.get()
    }

    /// Lends networks to the calling thread. Waits until some are free; callers are served in the
    /// order of their calls.
    ///
    /// # Errors
    /// Returns an error if the engine has no networks, and none can be loaded.
    pub fn lease(&self) -> Result<Lease<'_>, InferenceError> {
        self.pool.lease()
    }

    /// Opens a stream whose samples the engine's threads analyze.
    ///
    /// # Errors
    /// Returns an error if the system refuses to start a thread.
    pub fn open_stream<C: Send + 'static>(self: &Arc<Self>) -> std::io::Result<LiveStream<C>> {
        self.workers.start()?;
        Ok(LiveStream::new(self.clone()))
    }
}

#[cfg(test)]
mod tests;

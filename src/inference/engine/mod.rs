// SPDX-License-Identifier: MPL-2.0

//! Loaded networks and threads that all streams of a process share if they request the same
//! networks.
//!
//! An engine loads no more networks than can run concurrently, and starts no more threads, however
//! many streams there are. [`Engine::acquire`] returns the engine for a configuration; it is freed
//! when its last user drops it.

mod live_stream;
mod pool;
mod registry;
mod shared_classifier;
mod shared_networks;
mod workers;

use std::sync::Arc;

use super::networks::{Config, LoadError, Networks};
use super::provider::Provider;
pub use live_stream::{CompletedSample, LiveStream, SampleInFlight};
pub use pool::Lease;
use pool::Pool;
use workers::Workers;

use attitude::InferenceError;

/// Networks and threads for any number of streams.
pub struct Engine {
    info: EngineInfo,
    pool: Arc<Pool>,
    workers: Workers,
}

/// Properties of an engine's networks.
#[derive(Clone, Debug)]
pub struct EngineInfo {
    /// Execution provider that runs them.
    pub provider: Provider,
    /// The error of the requested execution provider, if the CPU runs the networks instead.
    pub fallback_reason: Option<LoadError>,
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
        match provider.max_frames() {
            None => Self {
                workers: (cores / 2).max(1),
                networks: cores,
            },
            Some(frames) => Self {
                workers: frames,
                networks: frames,
            },
        }
    }
}

impl Engine {
    /// Returns the engine for `config`: one that is in use, or a new one, whose networks are loaded
    /// and run once.
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
            fallback_reason: networks.fallback_reason.clone(),
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
        }
    }

    /// Returns properties of the networks.
    pub fn info(&self) -> &EngineInfo {
        &self.info
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

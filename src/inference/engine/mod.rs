// SPDX-License-Identifier: MPL-2.0

//! What all streams of a process that ask for the same networks share: the loaded networks, and a
//! few threads that analyse the frames of live streams.
//!
//! However many streams there are, no more networks are loaded than can run side by side, and there
//! are no more threads. [`Engine::acquire`] hands out the engine that there is; with its last user
//! it ends.

mod batch;
mod live;
mod pool;
mod registry;
mod workers;

use std::sync::Arc;

use super::networks::{Config, LoadError, Networks};
use super::provider::Provider;
pub use live::{InFlight, LiveStream, Outcome};
pub use pool::Lease;
use pool::Pool;
use workers::Workers;

use attitude::InferenceError;

/// Networks to run for any number of streams.
pub struct Engine {
    facts: Facts,
    pool: Arc<Pool>,
    workers: Workers,
}

/// Facts about an engine's networks.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Execution provider that runs them.
    pub provider: Provider,
    /// The reason why they do not run on the requested provider, if they do not.
    pub refusal: Option<LoadError>,
    /// True if they read only the luma of a frame.
    pub take_luma_only: bool,
    /// Name of the classifier.
    pub model_name: String,
    /// Names of its emotions; empty if it has none.
    pub emotion_labels: Vec<String>,
    /// SHA-256 of the detector's file, in hexadecimal; empty where there is none.
    pub detector_sha256: String,
    /// SHA-256 of the classifier's file.
    pub classifier_sha256: String,
}

/// Limits of concurrency.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads that analyse the frames of live streams.
    pub workers: usize,
    /// Networks of a kind that are loaded.
    pub networks: usize,
}

impl Limits {
    /// Returns the limits of `provider`. On a CPU, live streams use half of the cores, so that decoding
    /// has the other half. Streams whose frames wait for their results use all cores, because decoding
    /// does not go on meanwhile.
    fn of(provider: Provider) -> Self {
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
    /// The engine for that configuration: the one that others use already, or a new one, whose
    /// networks are loaded and tried once.
    ///
    /// # Errors
    /// If there is no ONNX Runtime, a model does not serve, or the provider cannot run and
    /// there is to be no fallback.
    pub fn acquire(config: &Config) -> Result<Arc<Self>, LoadError> {
        registry::acquire(config)
    }

    /// An engine of `networks`, and what `load` loads more where that helps.
    pub fn new(
        networks: Networks,
        load: impl Fn() -> Result<Networks, LoadError> + Send + Sync + 'static,
        limits: Limits,
        [detector_sha256, classifier_sha256]: [String; 2],
    ) -> Self {
        let facts = Facts {
            provider: networks.provider,
            refusal: networks.refusal.clone(),
            take_luma_only: networks.take_luma_only(),
            model_name: networks.classifier.model_name().to_owned(),
            emotion_labels: networks.classifier.emotion_labels().to_vec(),
            detector_sha256,
            classifier_sha256,
        };
        let pool = Arc::new(Pool::new(networks, load, limits.networks));
        Self {
            facts,
            workers: Workers::new(pool.clone(), limits.workers),
            pool,
        }
    }

    /// Returns facts about its networks.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Networks to run in the calling thread. Waits until some are free, in the order of asking.
    ///
    /// # Errors
    /// If there are none and none can be loaded.
    pub fn lease(&self) -> Result<Lease<'_>, InferenceError> {
        self.pool.lease()
    }

    /// A stream whose frames are analysed in the engine's threads.
    ///
    /// # Errors
    /// If the system provides no thread.
    pub fn open_stream<C: Send + 'static>(self: &Arc<Self>) -> std::io::Result<LiveStream<C>> {
        self.workers.start()?;
        Ok(LiveStream::new(self.clone()))
    }
}

#[cfg(test)]
mod tests;

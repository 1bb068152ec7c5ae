// SPDX-License-Identifier: MPL-2.0

//! The engines of the process, each with the configuration that its users share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use once_cell::sync::Lazy;

use super::recovery::Recovery;
use super::shared_networks::SharedNetworks;
use super::{Engine, Limits, ModelDigests};
use crate::model::{ModelError, ModelSource};
use crate::networks::{Config, LoadError, Networks, UnknownLabels};
use crate::provider::{Provider, ProviderRequest};
use crate::runtime;
use attitude::mapping::Mapping;
use attitude::sync::lock;

/// The part of a configuration that identifies an engine.
#[derive(Clone, PartialEq, Eq, Hash)]
struct EngineKey {
    detector: Option<ModelKey>,
    classifier: ModelKey,
    mapping: Option<Mapping>,
    unknown_labels: UnknownLabels,
    provider: ProviderRequest,
    falls_back: bool,
    batch_timeout: Duration,
    inference_timeout: Duration,
}

/// Everything that a loaded model depends on. The path is not enough, because a file can be
/// replaced.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ModelKey {
    sha256: String,
    /// The description beside the file.
    sidecar: Option<String>,
    /// Known models are recognized by their file names.
    file_name: Option<String>,
}

/// The engine of one key. The lock is held while the engine is loaded, so that only users of the
/// same key wait for it.
type EngineSlot = Arc<Mutex<Weak<Engine>>>;

static ENGINES: Lazy<Mutex<HashMap<EngineKey, EngineSlot>>> = Lazy::new(Mutex::default);

/// See [`Engine::acquire`].
pub(super) fn acquire(config: &Config) -> Result<Arc<Engine>, LoadError> {
    runtime::load(&config.runtime)?;
    let key = EngineKey::new(config)?;
    let slot = {
        let mut engines = lock(&ENGINES);
        // Removes the slots of freed engines, except those in which a caller is about to load one.
        engines.retain(|_, slot| Arc::strong_count(slot) > 1 || has_engine(slot));
        engines.entry(key).or_default().clone()
    };
    let mut engine = lock(&slot);
    if let Some(engine) = engine.upgrade() {
        return Ok(engine);
    }
    let loaded = Arc::new(load(config)?);
    *engine = Arc::downgrade(&loaded);
    Ok(loaded)
}

fn has_engine(slot: &EngineSlot) -> bool {
    lock(slot).strong_count() > 0
}

/// Loads a new engine.
fn load(config: &Config) -> Result<Engine, LoadError> {
    let networks = Networks::load(config)?;
    let limits = Limits::for_provider(networks.provider);
    // All networks of an engine run on the provider of the first ones.
    let same = Config {
        provider: config.provider.with_kind(networks.provider),
        falls_back: false,
        ..config.clone()
    };
    // An embedded model of this provider may differ from that of the requested one.
    let key = EngineKey::new(&same)?;
    let digests = ModelDigests {
        detector: key.detector.map_or(String::new(), |model| model.sha256),
        classifier: key.classifier.sha256,
    };
    if networks.provider.is_cpu() {
        let load = move || Networks::load_again(&same);
        return Ok(Engine::new(networks, load, limits, digests));
    }
    // On a GPU, one inference after the other runs, so that a second session of a model would only
    // take memory.
    let device_failure = Arc::default();
    let networks = if config.may_fall_back() {
        let on_cpu = Config {
            // The same weights, so that the results and the digests stay those of the device.
            classifier: config.classifier.clone().in_float32(),
            provider: Provider::Cpu.into(),
            ..config.clone()
        };
        let load_on_cpu = move || Networks::load(&on_cpu);
        Recovery::new(networks.provider, load_on_cpu, Arc::clone(&device_failure)).protect(networks)
    } else {
        networks
    };
    let shared = SharedNetworks::new(networks, limits.networks, config.batch_timeout);
    let first = shared.handles();
    let load = move || Ok(shared.handles());
    Ok(Engine {
        device_failure,
        ..Engine::new(first, load, limits, digests)
    })
}

impl EngineKey {
    fn new(config: &Config) -> Result<Self, LoadError> {
        let model = |source: &ModelSource| {
            ModelKey::new(source, config.provider.kind)
                .map_err(|error| LoadError::model(source, error))
        };
        Ok(Self {
            detector: config.detector.as_ref().map(model).transpose()?,
            classifier: model(&config.classifier)?,
            mapping: config.mapping.clone(),
            unknown_labels: config.unknown_labels,
            provider: config.provider.clone(),
            falls_back: config.falls_back,
            batch_timeout: config.batch_timeout,
            inference_timeout: config.inference_timeout,
        })
    }
}

impl ModelKey {
    fn new(source: &ModelSource, provider: Provider) -> Result<Self, ModelError> {
        Ok(Self {
            sha256: source.digest(provider)?,
            sidecar: source.sidecar()?.map(|(_, text)| text),
            file_name: source.file_name().map(|name| name.into_owned()),
        })
    }
}

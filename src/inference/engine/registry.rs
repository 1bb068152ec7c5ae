// SPDX-License-Identifier: MPL-2.0

//! The engines of this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use once_cell::sync::Lazy;

use super::batch::Batch;
use super::{Engine, Limits};
use crate::digest::sha256;
use crate::model::{ModelError, Source};
use crate::networks::{Config, LoadError, Networks};
use crate::provider::Provider;
use crate::runtime;
use attitude::mapping::Mapping;
use attitude::sync::lock;

/// Key of an engine: users with equal keys share it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    detector: Option<Model>,
    classifier: Model,
    mapping: Option<Mapping>,
    provider: Provider,
    device_id: i32,
    falls_back: bool,
    batch_timeout: Duration,
}

/// All that a loaded model depends on: a file may be replaced by another one.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Model {
    sha256: String,
    sidecar: Option<String>,
    /// Published models are recognised by it, too.
    file_name: Option<String>,
}

/// One for each key, so that who asks for the same waits until it is loaded, and nobody else.
type Place = Arc<Mutex<Weak<Engine>>>;

static PLACES: Lazy<Mutex<HashMap<Key, Place>>> = Lazy::new(Mutex::default);

/// See [`Engine::acquire`].
pub(super) fn acquire(config: &Config) -> Result<Arc<Engine>, LoadError> {
    runtime::environment(&config.search)?;
    let key = Key::of(config)?;
    let place = {
        let mut places = lock(&PLACES);
        // Removes engines that have ended and that no caller is about to load.
        places.retain(|_, place| Arc::strong_count(place) > 1 || is_used(place));
        places.entry(key.clone()).or_default().clone()
    };
    let mut engine = lock(&place);
    if let Some(engine) = engine.upgrade() {
        return Ok(engine);
    }
    let networks = Networks::load(config)?;
    let limits = Limits::of(networks.provider);
    let same = Config {
        // All networks of an engine run on the provider of the first ones.
        provider: networks.provider,
        falls_back: false,
        ..config.clone()
    };
    // Of what runs there: an embedded model may be another one elsewhere.
    let Key {
        detector,
        classifier,
        ..
    } = Key::of(&same)?;
    let digests = [
        detector.map_or(String::new(), |model| model.sha256),
        classifier.sha256,
    ];
    let loaded = Arc::new(if networks.provider.needs_gpu() {
        let batch = Batch::new(networks.classifier, limits.networks, config.batch_timeout);
        let first = Networks {
            classifier: Box::new(batch.member()),
            detector: networks.detector,
            provider: networks.provider,
            refusal: networks.refusal,
        };
        let load = move || {
            Ok(Networks {
                classifier: Box::new(batch.member()),
                ..Networks::load(&same)?
            })
        };
        Engine::new(first, load, limits, digests)
    } else {
        Engine::new(networks, move || Networks::load(&same), limits, digests)
    });
    *engine = Arc::downgrade(&loaded);
    Ok(loaded)
}

fn is_used(place: &Place) -> bool {
    let engine = lock(place);
    engine.strong_count() > 0
}

impl Key {
    fn of(config: &Config) -> Result<Self, LoadError> {
        let model = |source: &Source| {
            Model::of(source, config.provider).map_err(|error| LoadError::Model {
                model: source.name(),
                error,
            })
        };
        Ok(Self {
            detector: config.detector.as_ref().map(model).transpose()?,
            classifier: model(&config.classifier)?,
            mapping: config.mapping.clone(),
            provider: config.provider,
            device_id: config.device_id,
            falls_back: config.falls_back,
            batch_timeout: config.batch_timeout,
        })
    }
}

impl Model {
    fn of(source: &Source, provider: Provider) -> Result<Self, ModelError> {
        Ok(Self {
            sha256: sha256(&source.read(provider)?),
            sidecar: source.sidecar()?.map(|(_, text)| text),
            file_name: source.file_name().map(|name| name.into_owned()),
        })
    }
}

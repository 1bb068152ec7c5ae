// SPDX-License-Identifier: MPL-2.0

//! The sources that are wanted, and those that are running.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attitude::record::tags::Tags;

use super::arguments::Arguments;
use super::config::ConfigFile;
use super::source::Source;
use crate::console;
use crate::streams::{Consumers, Identity, Location, LocationError, Registry, Stream};

/// Time between checks whether sources have stopped.
const STOP_CHECK: Duration = Duration::from_millis(20);

/// A source as the user describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedSource {
    uri: String,
    tags: Tags,
}

/// The sources cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourcesError {
    #[error(
        "there is nothing to watch; name a source, such as rtsp://camera/stream, or a file with --config"
    )]
    Empty,
    #[error("two sources are named {0}; give them different names with --source NAME=URI")]
    Twice(String),
    #[error("source {name}")]
    Location {
        name: String,
        #[source]
        error: LocationError,
    },
}

/// Returns the sources of the command line and of the file, by name.
///
/// # Errors
/// Returns an error if there are none, if two have the same name, or if an address can never be
/// used. A file or device that does not exist now is not an error.
pub(crate) fn wanted(
    arguments: &Arguments,
    file: Option<&ConfigFile>,
) -> Result<BTreeMap<String, WantedSource>, SourcesError> {
    let named = |(name, uri): &(String, String)| (name.clone(), uri.clone(), Tags::default());
    let unnamed = |uri: &String| (Location::name_of(uri), uri.clone(), Tags::default());
    let in_file = file.iter().flat_map(|file| &file.sources);
    let in_file =
        in_file.map(|(name, source)| (name.clone(), source.uri.clone(), source.tags.clone()));
    let all = arguments.uris.iter().map(unnamed);
    let all = all
        .chain(arguments.sources.iter().map(named))
        .chain(in_file);
    let mut wanted = BTreeMap::new();
    for (name, uri, own_tags) in all {
        if let Err(error) = Location::parse(&uri)
            && error.is_permanent()
        {
            return Err(SourcesError::Location { name, error });
        }
        let mut tags = arguments.host.tags();
        tags.0.extend(own_tags.0);
        let source = WantedSource { uri, tags };
        if wanted.insert(name.clone(), source).is_some() {
            return Err(SourcesError::Twice(name));
        }
    }
    match wanted.is_empty() && file.is_none() {
        true => Err(SourcesError::Empty),
        false => Ok(wanted),
    }
}

/// Returns the names of sources whose passwords are on the command line.
pub(crate) fn passwords_on_command_line(arguments: &Arguments) -> Vec<String> {
    let named = arguments.sources.iter().map(|(_, uri)| uri);
    let locations = arguments
        .uris
        .iter()
        .chain(named)
        .map(|uri| Location::parse(uri));
    locations
        .filter_map(Result::ok)
        .filter(Location::contains_password)
        .map(|location| location.name().to_owned())
        .collect()
}

/// The running sources.
pub(crate) struct Sources {
    arguments: Arc<Arguments>,
    consumers: Consumers,
    registry: Registry,
    running: BTreeMap<String, (WantedSource, Source)>,
    /// Sources that are no longer wanted, until they have stopped.
    stopping: Vec<Source>,
}

impl Sources {
    /// Creates an empty set.
    pub(crate) fn new(
        arguments: &Arc<Arguments>,
        consumers: Consumers,
        registry: Registry,
    ) -> Self {
        Self {
            arguments: arguments.clone(),
            consumers,
            registry,
            running: BTreeMap::new(),
            stopping: Vec::new(),
        }
    }

    /// Starts and stops sources until exactly the `wanted` ones run. Does not touch those that run
    /// already.
    pub(crate) fn set(&mut self, wanted: &BTreeMap<String, WantedSource>) {
        self.stopping.retain(|source| !source.has_stopped());
        let is_wanted = |name: &String, source: &WantedSource| wanted.get(name) == Some(source);
        let unwanted = self
            .running
            .extract_if(.., |name, (source, _)| !is_wanted(name, source));
        for (name, (_, source)) in unwanted {
            tracing::info!("{name}: removed");
            self.registry.remove(&source.stream);
            source.stop();
            self.stopping.push(source);
        }
        for (name, wanted) in wanted {
            if self.running.contains_key(name) {
                continue;
            }
            let identity = Identity {
                stream: name.clone(),
                source: name.clone(),
                tags: wanted.tags.clone(),
            };
            let stream = Arc::new(Stream::new(identity, self.consumers.clone()));
            match Source::start(&self.arguments, &wanted.uri, stream) {
                Ok(source) => {
                    self.registry.add(&source.stream);
                    self.running.insert(name.clone(), (wanted.clone(), source));
                }
                Err(error) => tracing::error!("{name}: {}", console::chain(&error)),
            }
        }
    }

    /// Stops all sources, and waits for them until `deadline`.
    pub(crate) fn stop(&mut self, deadline: Instant) {
        let running = std::mem::take(&mut self.running).into_values();
        self.stopping.extend(running.map(|(_, source)| source));
        self.stopping.iter().for_each(Source::stop);
        while !self.stopping.iter().all(Source::has_stopped) && Instant::now() < deadline {
            std::thread::sleep(STOP_CHECK);
        }
    }
}

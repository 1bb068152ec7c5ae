// SPDX-License-Identifier: MPL-2.0

//! The source: read, analyzed and, if necessary, transcoded once for all viewers.
//!
//! ```text
//! location -> reading (routing) -> viewers -> viewer
//! ```

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use attitude::sync::lock;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use playability::Playability;
use reading::{Reading, ReadingError};
pub(crate) use viewer::Viewer;

mod codec;
mod frame_counts;
mod playability;
mod routing;

mod viewers;

mod reading;

mod viewer;

use super::arguments::Arguments;
use super::metrics::Metrics;
use super::session::{CreateError, Session};
use crate::publishing::{Publishing, SourcePublisher};
use crate::streams::Location;

/// Maximum time for a reading that has ended to release its camera.
const MAX_STOP: Duration = Duration::from_secs(5);

/// A source, which is read while it has viewers.
pub(crate) struct Source {
    arguments: Arc<Arguments>,
    metrics: Arc<Metrics>,
    publisher: Option<SourcePublisher>,
    location: Arc<Location>,
    playability: Arc<Playability>,
    current: Mutex<Current>,
}

/// The reading that new viewers join.
#[derive(Default)]
struct Current {
    reading: Weak<Reading>,
    /// Closed when the latest reading has stopped.
    stopped: Option<watch::Receiver<()>>,
}

impl Source {
    pub(crate) fn new(
        arguments: Arc<Arguments>,
        metrics: Arc<Metrics>,
        publishing: Option<Arc<Publishing>>,
        location: Location,
    ) -> Self {
        let publisher = publishing.map(|publishing| SourcePublisher {
            publishing,
            source: location.name().to_owned(),
        });
        Self {
            arguments,
            metrics,
            publisher,
            location: Arc::new(location),
            playability: Arc::default(),
            current: Mutex::default(),
        }
    }

    /// Returns the name that visitors see.
    pub(crate) fn name(&self) -> &str {
        self.location.name()
    }

    /// Opens a session that shows the source. The viewer must be kept until the session has ended.
    pub(crate) async fn session(&self, number: u64) -> Result<(Session, Arc<Viewer>), SourceError> {
        let was_transcoded = self.playability.is_transcoded();
        let mut reading = self.reading()?;
        let mut codec = reading.codec().await;
        if codec.is_err() && self.playability.is_transcoded() && !was_transcoded {
            reading = self.reading()?;
            codec = reading.codec().await;
        }
        let codec = codec?;
        let listening = self.arguments.listen.ip();
        let create = move || viewer::session(number, listening, &reading, codec);
        let created = spawn_blocking(create).await;
        Ok(created.map_err(|_| SourceError::Lost)??)
    }

    /// Opens a source that is a file once, to report problems before there is a viewer. Other
    /// sources are not checked: a camera or stream may be unavailable when the server starts.
    ///
    /// # Errors
    ///
    /// Returns the error that a viewer would receive.
    pub(crate) async fn check_file(&self) -> Result<(), SourceError> {
        if !self.location.is_file() {
            return Ok(());
        }
        let reading = self.reading()?;
        let codec = reading.codec().await;
        drop(reading);
        self.stopped().await;
        codec.map(drop).map_err(SourceError::from)
    }

    /// Waits until the source is no longer read.
    pub(crate) async fn stopped(&self) {
        let stopped = self.current().stopped.clone();
        if let Some(stopped) = stopped {
            wait_for_stop(stopped).await;
        }
    }

    /// Returns the current reading, or starts a new one.
    fn reading(&self) -> Result<Arc<Reading>, glib::BoolError> {
        let mut current = self.current();
        if let Some(reading) = current
            .reading
            .upgrade()
            .filter(|reading| !reading.is_over())
        {
            return Ok(reading);
        }
        let reading = Reading::new(
            &self.arguments,
            &self.metrics,
            self.publisher.clone(),
            &self.location,
            &self.playability,
        )?;
        current.reading = Arc::downgrade(&reading);
        let previous = current.stopped.replace(reading.stopped());
        tokio::spawn(reading::end_if_stalled(Arc::downgrade(&reading)));
        tokio::spawn({
            let reading = reading.clone();
            async move {
                // A camera has one reader at a time.
                if let Some(previous) = previous {
                    wait_for_stop(previous).await;
                }
                let _ = spawn_blocking(move || reading.open()).await;
            }
        });
        Ok(reading)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        lock(&self.current)
    }
}

/// The source cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("the source cannot be read")]
    Pipeline(#[from] glib::BoolError),
    #[error(transparent)]
    Session(#[from] CreateError),
    #[error(transparent)]
    Reading(#[from] ReadingError),
    #[error("the session was lost while it was opened")]
    Lost,
}

impl SourceError {
    /// Returns true if the source cannot be shown later, either.
    pub(crate) fn is_permanent(&self) -> bool {
        matches!(self, Self::Reading(error) if error.is_permanent())
    }
}

async fn wait_for_stop(mut stopped: watch::Receiver<()>) {
    // Nothing is sent: the channel closes with its sender.
    let _ = timeout(MAX_STOP, stopped.changed()).await;
}

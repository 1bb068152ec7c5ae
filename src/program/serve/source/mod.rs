// SPDX-License-Identifier: MPL-2.0

//! SOURCE: read, analysed and, where need be, encoded once, for all viewers.
//!
//! ```text
//! input -> reading (video) -> viewers -> viewer
//! ```

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub use input::Input;
use reading::Reading;
pub use viewer::Viewer;

mod input;

mod codec;
mod video;

mod viewers;

mod reading;

mod viewer;

use super::arguments::Arguments;
use super::metrics::Metrics;
use super::session::Session;
use attitude::sync::lock;

/// How long a reading that has ended may take to let go of a camera.
const MAX_STOP: Duration = Duration::from_secs(5);

/// What is shown; it is read while somebody looks.
pub struct Source {
    arguments: Arc<Arguments>,
    metrics: Arc<Metrics>,
    input: Arc<Input>,
    current: Mutex<Current>,
}

/// The reading that new viewers join.
#[derive(Default)]
struct Current {
    reading: Weak<Reading>,
    /// Is closed when all of it is gone.
    stopped: Option<watch::Receiver<()>>,
}

impl Source {
    pub fn new(arguments: Arc<Arguments>, metrics: Arc<Metrics>, input: Input) -> Self {
        Self {
            arguments,
            metrics,
            input: Arc::new(input),
            current: Mutex::default(),
        }
    }

    /// What visitors may know of it.
    pub fn name(&self) -> &str {
        self.input.name()
    }

    /// Opens a session that shows it; the viewer is to be kept until the session has ended.
    pub async fn session(&self) -> Result<(Session, Arc<Viewer>), String> {
        let was_decoded = self.input.is_decoded();
        let mut reading = self.reading().map_err(|error| error.to_string())?;
        let mut codec = reading.codec().await;
        if codec.is_err() && self.input.is_decoded() && !was_decoded {
            reading = self.reading().map_err(|error| error.to_string())?;
            codec = reading.codec().await;
        }
        let codec = codec?;
        let made = spawn_blocking(move || viewer::session(&reading, codec)).await;
        let made = made.map_err(|error| error.to_string())?;
        made.map_err(|error| error.to_string())
    }

    /// Waits until nothing is read any more.
    pub async fn stopped(&self) {
        let stopped = self.current().stopped.clone();
        if let Some(stopped) = stopped {
            wait_for_stop(stopped).await;
        }
    }

    /// The reading that is under way, or a new one.
    fn reading(&self) -> Result<Arc<Reading>, glib::BoolError> {
        let mut current = self.current();
        if let Some(reading) = current
            .reading
            .upgrade()
            .filter(|reading| !reading.is_over())
        {
            return Ok(reading);
        }
        let reading = Reading::new(&self.arguments, &self.metrics, &self.input)?;
        current.reading = Arc::downgrade(&reading);
        let previous = current.stopped.replace(reading.stopped());
        tokio::spawn({
            let reading = reading.clone();
            async move {
                // A camera can be read once at a time.
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

async fn wait_for_stop(mut stopped: watch::Receiver<()>) {
    // Nothing is ever sent: it ends with its sender.
    let _ = timeout(MAX_STOP, stopped.changed()).await;
}

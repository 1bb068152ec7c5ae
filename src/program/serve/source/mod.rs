// SPDX-License-Identifier: MPL-2.0

//! The source: read, analyzed and, if necessary, transcoded once for all viewers.
//!
//! ```text
//! origin (location | client) -> reading (routing) -> viewers -> viewer
//! ```

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use attitude::sync::lock;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub(crate) use client::Client;
pub(crate) use origin::Origin;
use playability::Playability;
use reading::{Reading, ReadingError};
pub(crate) use viewer::Viewer;

mod ingest;
mod origin;

mod codec;
mod frame_counts;
mod playability;
mod routing;

mod viewers;

mod reading;

mod client;
mod viewer;

use super::arguments::Arguments;
use super::metrics::Metrics;
use super::session::{CreateError, Session};
use super::whip::Offer;
use crate::publishing::{Publishing, SourcePublisher};
use crate::web_server::access::{RandomError, random_id};
use crate::webrtc::peer::PeerError;

/// Maximum time for a reading that has ended to release its camera.
const MAX_STOP: Duration = Duration::from_secs(5);

/// A source, which is read while it has viewers.
pub(crate) struct Source {
    arguments: Arc<Arguments>,
    metrics: Arc<Metrics>,
    publisher: Option<SourcePublisher>,
    origin: Arc<Origin>,
    playability: Arc<Playability>,
    current: Mutex<Current>,
    client: Arc<Mutex<Option<ClientSession>>>,
}

/// The session of a WHIP client, and its id.
struct ClientSession {
    id: String,
    client: Arc<Client>,
}

/// The reading that new viewers join.
#[derive(Default)]
struct Current {
    reading: Weak<Reading>,
    /// Closed when the latest reading has stopped.
    stopped: Option<watch::Receiver<()>>,
}

impl Current {
    /// Returns the reading unless it is over.
    fn running(&self) -> Option<Arc<Reading>> {
        let reading = self.reading.upgrade();
        reading.filter(|reading| !reading.is_over())
    }
}

impl Source {
    pub(crate) fn new(
        arguments: Arc<Arguments>,
        metrics: Arc<Metrics>,
        publishing: Option<Arc<Publishing>>,
        origin: Origin,
    ) -> Self {
        let publisher = publishing.map(|publishing| SourcePublisher {
            publishing,
            source: origin.name().to_owned(),
        });
        Self {
            arguments,
            metrics,
            publisher,
            origin: Arc::new(origin),
            playability: Arc::default(),
            current: Mutex::default(),
            client: Arc::default(),
        }
    }

    /// Returns the name that visitors see.
    pub(crate) fn name(&self) -> &str {
        self.origin.name()
    }

    /// Returns true if the source is a recording, which has an end and can be watched again.
    pub(crate) fn is_recording(&self) -> bool {
        self.origin.is_file()
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
        if !self.origin.is_file() {
            return Ok(());
        }
        let reading = self.reading()?;
        let codec = reading.codec().await;
        drop(reading);
        self.stopped().await;
        codec.map(drop).map_err(SourceError::from)
    }

    /// Receives the source from a WHIP client until it is dismissed. Returns the id of its session
    /// and the SDP answer.
    ///
    /// # Errors
    /// Returns an error if there is another client, or the connection cannot be prepared.
    pub(crate) async fn receive(&self, offer: &Offer) -> Result<(String, String), ReceiveError> {
        let id = random_id()?;
        let reading = {
            let mut current = self.current();
            if current.running().is_some() {
                return Err(ReceiveError::Busy);
            }
            self.create(&mut current)?.0
        };
        let connected = Client::connect(reading, offer, self.arguments.max_bitrate).await;
        let (client, answer) = connected?;
        let ended = client.ended();
        *lock(&self.client) = Some(ClientSession {
            id: id.clone(),
            client: Arc::new(client),
        });
        tokio::spawn({
            let (slot, id) = (self.client.clone(), id.clone());
            async move {
                ended.await;
                lock(&slot).take_if(|session| session.id == id)
            }
        });
        Ok((id, answer))
    }

    /// Returns the WHIP client with this session.
    pub(crate) fn client(&self, id: &str) -> Option<Arc<Client>> {
        let session = lock(&self.client);
        let session = session.as_ref().filter(|session| session.id == id);
        session.map(|session| session.client.clone())
    }

    /// Ends the session of a WHIP client. Returns false if it does not exist.
    pub(crate) fn dismiss(&self, id: &str) -> bool {
        let session = lock(&self.client).take_if(|session| session.id == id);
        session.is_some()
    }

    /// Dismisses a WHIP client, and waits until the source is no longer read.
    pub(crate) async fn stopped(&self) {
        drop(lock(&self.client).take());
        let stopped = self.current().stopped.clone();
        if let Some(stopped) = stopped {
            wait_for_stop(stopped).await;
        }
    }

    /// Returns the current reading, or starts a new one.
    fn reading(&self) -> Result<Arc<Reading>, SourceError> {
        let mut current = self.current();
        if let Some(reading) = current.running() {
            return Ok(reading);
        }
        if matches!(*self.origin, Origin::Whip) {
            return Err(SourceError::NoClient);
        }
        let (reading, previous) = self.create(&mut current)?;
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

    /// Creates a reading. Returns it, and the channel that closes when the previous one has stopped.
    fn create(
        &self,
        current: &mut Current,
    ) -> Result<(Arc<Reading>, Option<watch::Receiver<()>>), glib::BoolError> {
        let reading = Reading::new(
            &self.arguments,
            &self.metrics,
            self.publisher.clone(),
            &self.origin,
            &self.playability,
        )?;
        current.reading = Arc::downgrade(&reading);
        let previous = current.stopped.replace(reading.stopped());
        tokio::spawn(reading::end_if_stalled(Arc::downgrade(&reading)));
        Ok((reading, previous))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        lock(&self.current)
    }
}

/// A WHIP client cannot send the source.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error("another WHIP client is sending; try again later")]
    Busy,
    #[error("the source cannot be received")]
    Pipeline(#[from] glib::BoolError),
    #[error("the source cannot be received")]
    Peer(#[from] PeerError),
    #[error("the source cannot be received")]
    Random(#[from] RandomError),
}

/// The source cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("no WHIP client is sending video yet; it is shown as soon as one does")]
    NoClient,
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

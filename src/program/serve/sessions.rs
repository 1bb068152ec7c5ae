// SPDX-License-Identifier: MPL-2.0

//! All sessions: opens them up to the limit, keeps them until they end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use attitude::sync::lock;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::access::{RandomError, random_id};
use super::arguments::Arguments;
use super::camera;
use super::end::Reason;
use super::metrics::{Metrics, Watch};
use super::session::{CreateError, Session, SessionError};
use super::source::{Source, SourceError, Viewer};
use crate::console;
use crate::publishing::{Publishing, SourcePublisher};

/// Maximum time for sessions to end when the server does.
const MAX_SHUTDOWN: Duration = Duration::from_secs(5);
/// Time without a session after which unused memory is returned to the system.
const MEMORY_TRIM_DELAY: Duration = Duration::from_secs(1);

/// The sessions, by id.
pub(crate) struct Sessions {
    arguments: Arc<Arguments>,
    source: Option<Source>,
    metrics: Arc<Metrics>,
    publishing: Option<Arc<Publishing>>,
    permits: Arc<Semaphore>,
    opened: AtomicU64,
    table: Mutex<HashMap<String, Arc<Session>>>,
}

/// A session that waits for the page's SDP answer.
#[derive(Debug, Serialize)]
pub(crate) struct Opened {
    pub(crate) id: String,
    /// The SDP offer.
    pub(crate) offer: String,
}

/// A value that must live as long as its session.
enum Kept {
    Watch(#[expect(dead_code, reason = "It counts until it is dropped.")] Watch),
    Viewer(
        #[expect(
            dead_code,
            reason = "The source is read until all viewers are dropped."
        )]
        Arc<Viewer>,
    ),
}

/// A session cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("the server is full: the maximum number of visitors is connected; try again later")]
    Full,
    #[error(transparent)]
    Source(SourceError),
    #[error("the session cannot be opened")]
    Session(#[from] SessionError),
    #[error("the session cannot be opened")]
    Create(#[from] CreateError),
    #[error("the session cannot be opened")]
    Random(#[from] RandomError),
    #[error("the session was lost while it was opened")]
    Lost,
}

impl Sessions {
    pub(crate) fn new(
        arguments: Arc<Arguments>,
        metrics: Arc<Metrics>,
        publishing: Option<Arc<Publishing>>,
        source: Option<Source>,
    ) -> Self {
        Self {
            metrics,
            publishing,
            permits: Arc::new(Semaphore::new(arguments.max_sessions.into())),
            arguments,
            source,
            opened: AtomicU64::new(0),
            table: Mutex::default(),
        }
    }

    /// Checks that the source, if it is a file, can be played.
    ///
    /// # Errors
    /// Returns an error if it cannot.
    pub(crate) async fn check_file(&self) -> Result<(), SourceError> {
        match &self.source {
            Some(source) => source.check_file().await,
            None => Ok(()),
        }
    }

    /// Opens a session. It ends at once if the caller no longer waits for it.
    pub(crate) async fn open(self: &Arc<Self>) -> Result<Opened, OpenError> {
        let permit = self.permits.clone().try_acquire_owned();
        let permit = permit.map_err(|_| {
            self.metrics.session_refused();
            OpenError::Full
        })?;
        let (sender, opened) = oneshot::channel();
        let sessions = self.clone();
        // A task of its own: a visitor who leaves must not stop it halfway.
        tokio::spawn(async move {
            let opened = sessions.begin(permit).await;
            if let Err(Ok(Opened { id, .. })) = sender.send(opened)
                && let Some(session) = sessions.get(&id)
            {
                session.end.end(Reason::Left, "the visitor left");
            }
        });
        opened.await.unwrap_or(Err(OpenError::Lost))
    }

    async fn begin(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Result<Opened, OpenError> {
        let id = random_id()?;
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let (session, kept) = self.session(number).await?;
        let session = Arc::new(session);
        self.table().insert(id.clone(), session.clone());
        self.metrics.session_opened();
        tracing::info!(session = number, "session opened");
        tokio::spawn(self.clone().run(id.clone(), session.clone(), kept, permit));
        match session.offer(self.arguments.max_bitrate).await {
            Ok(offer) => Ok(Opened { id, offer }),
            Err(error) => {
                session.end.end(Reason::Failed, console::chain(&error));
                Err(error.into())
            }
        }
    }

    async fn session(&self, number: u64) -> Result<(Session, Kept), OpenError> {
        if let Some(source) = &self.source {
            let opened = source.session(number).await.map_err(OpenError::Source);
            return opened.map(|(session, viewer)| (session, Kept::Viewer(viewer)));
        }
        let (arguments, metrics) = (self.arguments.clone(), self.metrics.clone());
        let publishing = self.publishing.clone();
        let publisher = publishing.map(|publishing| SourcePublisher {
            publishing,
            source: format!("session-{number}"),
        });
        let create = move || camera::session(number, &arguments, &metrics, publisher);
        let created = tokio::task::spawn_blocking(create).await;
        let (session, watch) = created.map_err(|_| OpenError::Lost)??;
        Ok((session, Kept::Watch(watch)))
    }

    /// Returns the source's name without secrets, if the server has a source.
    pub(crate) fn source_name(&self) -> Option<&str> {
        self.source.as_ref().map(Source::name)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.table().get(id).cloned()
    }

    /// Ends all sessions and waits for them, within a limit.
    pub(crate) async fn shut_down(&self) {
        self.permits.close();
        let ended = async {
            while self.permits.available_permits() < usize::from(self.arguments.max_sessions) {
                // Repeated, for sessions that are just being opened.
                for session in self.table().values() {
                    session.end.end(Reason::Shutdown, "the server shuts down");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(MAX_SHUTDOWN, ended).await.is_err() {
            tracing::warn!("some sessions did not end in time");
        }
        if let Some(source) = &self.source {
            source.stopped().await;
        }
    }

    /// Keeps a session until it ends. Its permit is free again when all of it is gone.
    async fn run(
        self: Arc<Self>,
        id: String,
        session: Arc<Session>,
        kept: Kept,
        permit: OwnedSemaphorePermit,
    ) {
        let begun = Instant::now();
        let number = session.number;
        let ending = session.run().await;
        self.table().remove(&id);
        drop(session);
        drop(kept);
        self.metrics.session_ended(ending.reason);
        drop(permit);
        let seconds = begun.elapsed().as_secs();
        let (reason, problem) = (ending.reason.name(), &ending.problem);
        tracing::info!(
            session = number,
            reason,
            seconds,
            "session ended: {problem}"
        );
        // The source may still be stopping.
        tokio::time::sleep(MEMORY_TRIM_DELAY).await;
        if self.table().is_empty() {
            let _ = tokio::task::spawn_blocking(trim_memory).await;
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        lock(&self.table)
    }
}

/// Returns unused memory to the system. Each session has about twenty threads, whose freed memory
/// glibc keeps: 133 MB were resident after 72 sessions, and 87 MB after this call.
fn trim_memory() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: It may be called at any time from any thread, and touches only free memory.
        unsafe {
            malloc_trim(0);
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! All viewers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::arguments::Arguments;
use super::camera;
use super::ending::Reason;
use super::memory;
use super::metrics::{Metrics, Watch};
use super::secret::secret;
use super::session::Session;
use super::source::{Source, Viewer};
use attitude::sync::lock;

/// How long sessions may take to end when the server does.
const MAX_SHUTDOWN: Duration = Duration::from_secs(5);
/// How long nobody must be there until memory is given back.
const REST: Duration = Duration::from_secs(1);

/// The sessions, by their ids.
pub struct Sessions {
    arguments: Arc<Arguments>,
    source: Option<Source>,
    metrics: Arc<Metrics>,
    permits: Arc<Semaphore>,
    table: Mutex<HashMap<String, Arc<Session>>>,
}

/// A session that waits for its answer.
#[derive(Debug, Serialize)]
pub struct Opened {
    pub id: String,
    pub offer: String,
}

/// What is kept for a session until it has ended.
enum Kept {
    Watch(#[expect(dead_code, reason = "It counts until it is dropped.")] Watch),
    Viewer(#[expect(dead_code, reason = "The source is read until all are dropped.")] Arc<Viewer>),
}

/// Why there is no session.
#[derive(Debug)]
pub enum NotOpened {
    /// There are as many as may be.
    Full,
    /// What is wrong with the source.
    NoSource(String),
    /// What went wrong.
    Failed(String),
}

impl Sessions {
    pub fn new(arguments: Arc<Arguments>, metrics: Arc<Metrics>, source: Option<Source>) -> Self {
        Self {
            metrics,
            permits: Arc::new(Semaphore::new(arguments.max_sessions.into())),
            arguments,
            source,
            table: Mutex::default(),
        }
    }

    /// Opens a session; one that nobody waits for any more ends at once.
    pub async fn open(self: &Arc<Self>) -> Result<Opened, NotOpened> {
        let permit = self.permits.clone().try_acquire_owned();
        let permit = permit.map_err(|_| {
            self.metrics.session_refused();
            NotOpened::Full
        })?;
        let (sender, opened) = oneshot::channel();
        let sessions = self.clone();
        // What has begun is not left halfway when the visitor leaves.
        tokio::spawn(async move {
            let opened = sessions.begin(permit).await;
            if let Err(Ok(Opened { id, .. })) = sender.send(opened)
                && let Some(session) = sessions.get(&id)
            {
                session.end.end(Reason::Left, "the visitor has left");
            }
        });
        let failed = |_| Err(NotOpened::Failed("the session was lost".to_owned()));
        opened.await.unwrap_or_else(failed)
    }

    async fn begin(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Result<Opened, NotOpened> {
        let id = secret().map_err(NotOpened::Failed)?;
        let (session, kept) = self.session().await?;
        let session = Arc::new(session);
        self.table().insert(id.clone(), session.clone());
        self.metrics.session_opened();
        tokio::spawn(self.clone().live(id.clone(), session.clone(), kept, permit));
        match session.offer(self.arguments.max_bitrate).await {
            Ok(offer) => Ok(Opened { id, offer }),
            Err(problem) => {
                session.end.end(Reason::Failed, &*problem);
                Err(NotOpened::Failed(problem))
            }
        }
    }

    async fn session(&self) -> Result<(Session, Kept), NotOpened> {
        if let Some(source) = &self.source {
            let made = source.session().await.map_err(NotOpened::NoSource);
            return made.map(|(session, viewer)| (session, Kept::Viewer(viewer)));
        }
        let (arguments, metrics) = (self.arguments.clone(), self.metrics.clone());
        let made = tokio::task::spawn_blocking(move || camera::session(&arguments, &metrics)).await;
        let (session, watch) = made
            .map_err(|error| NotOpened::Failed(error.to_string()))?
            .map_err(|error| NotOpened::Failed(error.to_string()))?;
        Ok((session, Kept::Watch(watch)))
    }

    /// What visitors may know of the source.
    pub fn source_name(&self) -> Option<&str> {
        self.source.as_ref().map(Source::name)
    }

    /// The session of this id.
    pub fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.table().get(id).cloned()
    }

    /// Ends all sessions, and waits for them.
    pub async fn shut_down(&self) {
        self.permits.close();
        let ended = async {
            while self.permits.available_permits() < usize::from(self.arguments.max_sessions) {
                // Those, too, that were just being opened.
                for session in self.table().values() {
                    session
                        .end
                        .end(Reason::Shutdown, "the server has been shut down");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = timeout(MAX_SHUTDOWN, ended).await;
        if let Some(source) = &self.source {
            source.stopped().await;
        }
    }

    /// Keeps a session until it ends; its place is free when all of it is gone.
    async fn live(
        self: Arc<Self>,
        id: String,
        session: Arc<Session>,
        kept: Kept,
        permit: OwnedSemaphorePermit,
    ) {
        let ending = session.live().await;
        self.table().remove(&id);
        drop(session);
        drop(kept);
        self.metrics.session_ended(ending.reason);
        drop(permit);
        // A source may still be ending.
        tokio::time::sleep(REST).await;
        if self.table().is_empty() {
            let _ = tokio::task::spawn_blocking(memory::give_back).await;
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        lock(&self.table)
    }
}

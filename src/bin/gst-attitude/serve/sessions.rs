// SPDX-License-Identifier: MPL-2.0

//! All viewers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::arguments::Arguments;
use super::camera;
use super::ending::Reason;
use super::session::Session;
use super::source::{Source, Viewer};

/// How long sessions may take to end when the server does.
const MAX_SHUTDOWN: Duration = Duration::from_secs(5);

/// The sessions, by their ids.
pub struct Sessions {
    arguments: Arc<Arguments>,
    source: Option<Source>,
    permits: Arc<Semaphore>,
    table: Mutex<HashMap<String, Arc<Session>>>,
}

/// A session that waits for its answer.
#[derive(Debug, Serialize)]
pub struct Opened {
    pub id: String,
    pub offer: String,
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
    pub fn new(arguments: Arc<Arguments>, source: Option<Source>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(arguments.max_sessions.into())),
            arguments,
            source,
            table: Mutex::default(),
        }
    }

    /// Opens a session.
    pub async fn open(self: &Arc<Self>) -> Result<Opened, NotOpened> {
        let permit = self.permits.clone().try_acquire_owned();
        let permit = permit.map_err(|_| NotOpened::Full)?;
        let (session, viewer) = self.session().await?;
        let id = glib::uuid_string_random().to_string();
        let session = Arc::new(session);
        self.table().insert(id.clone(), session.clone());
        tokio::spawn(
            self.clone()
                .live(id.clone(), session.clone(), viewer, permit),
        );
        match session.offer(self.arguments.max_bitrate).await {
            Ok(offer) => Ok(Opened { id, offer }),
            Err(problem) => {
                session.end.end(Reason::Failed, &*problem);
                Err(NotOpened::Failed(problem))
            }
        }
    }

    async fn session(&self) -> Result<(Session, Option<Arc<Viewer>>), NotOpened> {
        if let Some(source) = &self.source {
            let made = source.session().await.map_err(NotOpened::NoSource);
            return made.map(|(session, viewer)| (session, Some(viewer)));
        }
        let arguments = self.arguments.clone();
        let made = tokio::task::spawn_blocking(move || camera::session(&arguments)).await;
        let (session, _) = made
            .map_err(|error| NotOpened::Failed(error.to_string()))?
            .map_err(|error| NotOpened::Failed(error.to_string()))?;
        Ok((session, None))
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
        let all: Vec<_> = self.table().values().cloned().collect();
        for session in all {
            session
                .end
                .end(Reason::Shutdown, "the server has been shut down");
        }
        let ended = async {
            while !self.table().is_empty() {
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
        viewer: Option<Arc<Viewer>>,
        permit: OwnedSemaphorePermit,
    ) {
        session.live().await;
        self.table().remove(&id);
        drop(session);
        drop(viewer);
        drop(permit);
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// SPDX-License-Identifier: MPL-2.0

//! All sessions: opens them up to the limit, keeps them until they end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use attitude::sync::lock;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::arguments::Arguments;
use super::camera;
use super::end::{End, Reason};
use super::metrics::{Metrics, Watch};
use super::session::{CreateError, Session};
use super::source::{Source, SourceError, Viewer};
use crate::console;
use crate::publishing::{Publishing, SourcePublisher};
use crate::web_server::access::{RandomError, random_id};
use crate::webrtc::peer::PeerError;

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

/// Ends a session when it is dropped, unless the visitor has been told of the session before. As the
/// result of a task, it is dropped even if the visitor leaves between the end of the task and the
/// next time that the visitor's request runs.
struct Unclaimed(Option<End>);

impl Unclaimed {
    /// Leaves the session to its visitor.
    fn claim(mut self) {
        self.0 = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(end) = &self.0 {
            end.end(Reason::Left, "the visitor left");
        }
    }
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
    Peer(#[from] PeerError),
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
        // A task of its own: a visitor who leaves must not stop it halfway.
        let begun = tokio::spawn(self.clone().begin(permit)).await;
        let (opened, unclaimed) = begun.map_err(|_| OpenError::Lost)??;
        unclaimed.claim();
        Ok(opened)
    }

    async fn begin(
        self: Arc<Self>,
        permit: OwnedSemaphorePermit,
    ) -> Result<(Opened, Unclaimed), OpenError> {
        let id = random_id()?;
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let (session, kept) = self.session(number).await?;
        let session = Arc::new(session);
        let unclaimed = Unclaimed(Some(session.end.clone()));
        self.table().insert(id.clone(), session.clone());
        self.metrics.session_opened();
        tracing::info!(session = number, "session opened");
        tokio::spawn(self.clone().run(id.clone(), session.clone(), kept, permit));
        match session.offer(self.arguments.max_bitrate).await {
            Ok(offer) => Ok((Opened { id, offer }, unclaimed)),
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

    /// Returns the source, if the server has one.
    pub(crate) fn source(&self) -> Option<&Source> {
        self.source.as_ref()
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use gst::prelude::*;
    use gst_webrtc::WebRTCSessionDescription;

    use super::*;
    use crate::{Command, Program, playback};

    fn sessions() -> Arc<Sessions> {
        let program = Program::try_parse_from(["gst-attitude", "serve"]).unwrap();
        let Command::Serve(arguments) = program.command else {
            unreachable!("the command is `serve`");
        };
        let metrics = Metrics::new(arguments.max_sessions, String::new());
        let (arguments, metrics) = (Arc::new(arguments), Arc::new(metrics));
        Arc::new(Sessions::new(arguments, metrics, None, None))
    }

    /// Waits until `condition` holds, for less than the time-out of unanswered sessions.
    async fn holds_soon(mut condition: impl FnMut() -> bool) -> bool {
        let begin = Instant::now();
        while !condition() && begin.elapsed() < Duration::from_secs(25) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        condition()
    }

    #[test]
    fn a_visitor_that_leaves_when_the_offer_is_ready_leaves_no_session_behind() {
        playback::init().unwrap();
        if gst::ElementFactory::find("webrtcbin").is_none()
            || gst::ElementFactory::find("nicesrc").is_none()
        {
            println!("skipped: GStreamer's webrtcbin or nicesrc is missing");
            return;
        }
        let sessions = sessions();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut open = Box::pin(sessions.open());
            // The visitor's request is sent, and does not run again.
            assert!(timeout(Duration::ZERO, &mut open).await.is_err());
            let tasks = tokio::runtime::Handle::current().metrics();
            let is_ready = || {
                let has_offer = sessions.table().values().any(|session| {
                    let offer = session
                        .webrtc
                        .property::<Option<WebRTCSessionDescription>>("local-description");
                    offer.is_some()
                });
                // Only the task that keeps the session is left.
                has_offer && tasks.num_alive_tasks() == 1
            };
            assert!(holds_soon(is_ready).await);
            drop(open);
            assert!(holds_soon(|| sessions.table().is_empty()).await);
            let ended = "gst_attitude_sessions_ended_total{reason=\"left\"} 1";
            assert!(holds_soon(|| sessions.metrics.text().unwrap().contains(ended)).await);
        });
    }
}

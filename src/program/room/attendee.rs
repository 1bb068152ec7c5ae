// SPDX-License-Identifier: MPL-2.0

//! A participant of a meeting whose video is analyzed.

use std::sync::Arc;
use std::time::Instant;

use super::connection::Connection;
use super::meeting::{CHECK_INTERVAL, Context};
use super::signalling::Participant;
use crate::playback::StallDetector;
use crate::streams::{Identity, Registry, Stream};

/// A participant whose video is analyzed.
pub(super) struct Attendee {
    pub(super) stream: Arc<Stream>,
    pub(super) connection: Option<Connection>,
    /// Number of the connection, so that the failure of an earlier one is ignored.
    pub(super) number: u64,
    stall_detector: StallDetector<u64>,
    is_stalled: bool,
}

impl Attendee {
    pub(super) fn new(context: &Context, participant: &Participant) -> Self {
        let mut tags = context.tags.clone();
        let own = [("room", &context.room), ("participant", &participant.id.0)];
        tags.0
            .extend(own.map(|(name, value)| (name.to_owned(), value.clone())));
        let identity = Identity {
            stream: format!("{}/{}", context.room, participant.id),
            source: source(participant).to_owned(),
            tags,
        };
        let stream = Arc::new(Stream::new(identity, context.host.consumers.clone()));
        context.host.registry.add(&stream);
        Self {
            stream,
            connection: None,
            number: 0,
            stall_detector: StallDetector::new(
                context.stall_timeout,
                CHECK_INTERVAL,
                0,
                Instant::now(),
            )
            .of_process(std::process::id()),
            is_stalled: false,
        }
    }

    /// Stops the connection, and removes the stream from `streams`.
    pub(super) async fn end(self, streams: Registry) {
        streams.remove(&self.stream);
        if let Some(connection) = self.connection {
            connection.stop().await;
        }
    }

    /// Finds out whether the participant still sends frames. Called every [`CHECK_INTERVAL`].
    pub(super) fn check(&mut self, now: Instant) {
        let is_stalled = self.stall_detector.is_stalled(self.stream.frames(), now);
        if is_stalled && !self.is_stalled && self.connection.is_some() {
            let problem = "sends no video, or it is frozen";
            self.stream.set_down(problem);
            tracing::warn!("{} {problem}", self.stream.source());
        }
        self.is_stalled = is_stalled;
    }
}

/// Returns the name of a participant or, without one, the id.
pub(super) fn source(participant: &Participant) -> &str {
    match participant.name.as_str() {
        "" => &participant.id.0,
        name => name,
    }
}

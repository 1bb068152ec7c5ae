// SPDX-License-Identifier: MPL-2.0

//! A meeting from joining to leaving: its participants, and what becomes of their connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attitude::record::tags::Tags;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::interval;

use super::attendee::{Attendee, source};
use super::connection::Connection;
use super::data_channel::{DataChannel, Publication};
use super::signalling::{Command, Membership, Participant, ParticipantId, RoomEnd, RoomEvent};
use crate::console;
use crate::streams::{AnalysisArguments, Host};

/// Time between checks of signals and participants.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// What all meetings have in common.
pub(super) struct Context {
    /// Name of the room.
    pub(super) room: String,
    /// Tags of all records.
    pub(super) tags: Tags,
    pub(super) analysis: AnalysisArguments,
    pub(super) max_participants: usize,
    pub(super) stall_timeout: Option<Duration>,
    pub(super) data_channel: Option<Arc<DataChannel>>,
    pub(super) host: Host,
}

/// A connection failed.
struct Failure {
    /// The participant; `None` for the member's own data channel.
    id: Option<ParticipantId>,
    /// Number of the connection.
    number: u64,
    reason: String,
}

/// A meeting.
pub(super) struct Meeting<'a> {
    context: &'a Context,
    commands: Sender<Command>,
    attendees: HashMap<ParticipantId, Attendee>,
    /// Participants beyond the limit.
    waiting: Vec<ParticipantId>,
    publication: Option<Publication>,
    failures: UnboundedSender<Failure>,
    /// Number of connections so far.
    connections: u64,
}

impl<'a> Meeting<'a> {
    /// Attends a meeting until it ends, then leaves it. Returns the reason; `None` after a signal.
    pub(super) async fn attend(
        context: &'a Context,
        mut membership: Membership,
    ) -> Option<RoomEnd> {
        let (failures, failed) = unbounded_channel();
        let mut meeting = Self {
            context,
            commands: membership.commands.clone(),
            attendees: HashMap::new(),
            waiting: Vec::new(),
            publication: None,
            failures,
            connections: 0,
        };
        meeting.publish();
        let end = meeting.run(&mut membership.events, failed).await;
        membership.leave().await;
        meeting.end().await;
        end
    }

    async fn run(
        &mut self,
        events: &mut Receiver<RoomEvent>,
        mut failures: UnboundedReceiver<Failure>,
    ) -> Option<RoomEnd> {
        let mut check = interval(CHECK_INTERVAL);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(RoomEvent::Ended(end)) => return Some(end),
                    Some(event) => self.handle(event).await,
                    None => return Some(RoomEnd::Lost("the signalling has ended".to_owned())),
                },
                Some(failure) = failures.recv() => self.handle_failure(failure).await,
                _ = check.tick() => {
                    if self.context.host.must_end() {
                        return None;
                    }
                    self.check();
                }
            }
        }
    }

    async fn handle(&mut self, event: RoomEvent) {
        match event {
            RoomEvent::Offer {
                participant,
                sdp,
                is_new,
            } => self.receive(participant, sdp, is_new).await,
            RoomEvent::Candidate {
                id,
                media_index,
                candidate,
            } => {
                let attendee = self.attendees.get(&id);
                if let Some(connection) = attendee.and_then(|one| one.connection.as_ref()) {
                    connection.add_candidate(media_index, &candidate);
                }
            }
            RoomEvent::Left(id) => self.remove(&id).await,
            RoomEvent::Answer(sdp) => {
                if let Some(publication) = &self.publication
                    && let Err(error) = publication.accept(&sdp).await
                {
                    tracing::warn!("no data channel: {}", console::chain(&error));
                }
            }
            RoomEvent::PublishRefused(reason) => {
                tracing::warn!("no data channel: the server refuses it: {reason}");
                self.stop_publication().await;
            }
            // The caller handles it.
            RoomEvent::Ended(_) => (),
        }
    }

    /// Receives the video of a participant.
    async fn receive(&mut self, participant: Participant, sdp: String, is_new: bool) {
        let id = participant.id.clone();
        let is_full = self.attendees.len() >= self.context.max_participants;
        if is_full && !self.attendees.contains_key(&id) {
            let limit = self.context.max_participants;
            let name = source(&participant);
            tracing::warn!("{name} is not analyzed: --max-participants is {limit}");
            self.waiting.retain(|waiting| *waiting != id);
            self.waiting.push(id);
            return;
        }
        let attendee = self.attendees.entry(id.clone()).or_insert_with(|| {
            tracing::info!("{} joined", source(&participant));
            Attendee::new(self.context, &participant)
        });
        if is_new || attendee.connection.is_none() {
            let earlier = attendee.connection.take();
            self.connections += 1;
            let number = self.connections;
            attendee.number = number;
            let fail = failure_reporter(&self.failures, Some(id.clone()), number);
            attendee.stream.begin_connection();
            let created = Connection::receiving(&self.context.analysis, &attendee.stream, fail);
            match created {
                Ok(connection) => attendee.connection = Some(connection),
                Err(error) => {
                    tracing::error!("{}: {}", source(&participant), console::chain(&error));
                    attendee.stream.set_down(error.to_string());
                }
            }
            if let Some(earlier) = earlier {
                earlier.stop().await;
            }
        }
        let Some(connection) = &attendee.connection else {
            return;
        };
        let answer = connection.answer(&sdp);
        let commands = self.commands.clone();
        let fail = failure_reporter(&self.failures, Some(id.clone()), attendee.number);
        tokio::spawn(async move {
            match answer.await {
                // Fails if the meeting has ended.
                Ok(sdp) => drop(commands.send(Command::Answer { id, sdp }).await),
                Err(error) if is_new => fail(console::chain(&error)),
                // The participant pauses the video or leaves; the connection stays as it is.
                Err(error) => tracing::debug!("change of participant {id}: {error}"),
            }
        });
    }

    /// Handles the failure of a connection: asks the server for another one.
    async fn handle_failure(&mut self, failure: Failure) {
        let Some(id) = failure.id else {
            tracing::warn!("the data channel failed: {}", failure.reason);
            self.stop_publication().await;
            return;
        };
        let attendee = self.attendees.get_mut(&id);
        let Some(attendee) = attendee.filter(|one| one.number == failure.number) else {
            return;
        };
        let Some(connection) = attendee.connection.take() else {
            return;
        };
        let name = attendee.stream.source();
        tracing::warn!("{name}: {}; connecting again", failure.reason);
        attendee.stream.set_down(failure.reason);
        connection.stop().await;
        self.command(Command::Restart(id));
    }

    async fn remove(&mut self, id: &ParticipantId) {
        self.waiting.retain(|waiting| waiting != id);
        let Some(attendee) = self.attendees.remove(id) else {
            return;
        };
        tracing::info!("{} left", attendee.stream.source());
        attendee.end(self.context.host.registry.clone()).await;
        if !self.waiting.is_empty() {
            let next = self.waiting.remove(0);
            self.command(Command::Restart(next));
        }
    }

    /// Finds out which participants no longer send frames.
    fn check(&mut self) {
        let now = Instant::now();
        for attendee in self.attendees.values_mut() {
            attendee.check(now);
        }
    }

    /// Publishes the data channel, if it is wanted.
    fn publish(&mut self) {
        let Some(channel) = &self.context.data_channel else {
            return;
        };
        let fail = failure_reporter(&self.failures, None, 0);
        match Publication::new(channel, fail) {
            Ok(publication) => {
                let offer = publication.offer();
                self.publication = Some(publication);
                let commands = self.commands.clone();
                let fail = failure_reporter(&self.failures, None, 0);
                tokio::spawn(async move {
                    match offer.await {
                        Ok(sdp) => drop(commands.send(Command::Publish(sdp)).await),
                        Err(error) => fail(console::chain(&error)),
                    }
                });
            }
            Err(error) => tracing::warn!("no data channel: {}", console::chain(&error)),
        }
    }

    async fn stop_publication(&mut self) {
        if let Some(publication) = self.publication.take() {
            publication.stop().await;
        }
    }

    /// Sends a command without waiting: the task of the signalling may wait for this one.
    fn command(&self, command: Command) {
        let commands = self.commands.clone();
        tokio::spawn(async move { commands.send(command).await });
    }

    /// Stops all connections.
    async fn end(mut self) {
        self.stop_publication().await;
        let ends = self.attendees.drain().map(|(_, attendee)| {
            let streams = self.context.host.registry.clone();
            tokio::spawn(attendee.end(streams))
        });
        for end in ends.collect::<Vec<_>>() {
            let _ = end.await;
        }
    }
}

/// Returns a function that reports that a connection failed. It never blocks.
fn failure_reporter(
    failures: &UnboundedSender<Failure>,
    id: Option<ParticipantId>,
    number: u64,
) -> impl Fn(String) + Send + Sync + use<> {
    let failures = failures.clone();
    move |reason| {
        let id = id.clone();
        // Fails if the meeting has ended.
        let _ = failures.send(Failure { id, number, reason });
    }
}

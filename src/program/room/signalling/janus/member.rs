// SPDX-License-Identifier: MPL-2.0

//! A member of a room of VideoRoom: reports who publishes, and subscribes to the videos.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::interval;

use super::super::{Command, JoinError, ParticipantId, RoomEnd, RoomEvent};
use super::JanusRoom;
use super::connection::Connection;
use super::events::{Events, Stop};
use super::feeds::{Feed, Feeds, Subscription};
use super::message::{Id, Message, Publisher, VideoRoom, describe_refusal};
use super::request::{self, RoomKey};

/// Time between checks of what is due.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// Time between messages that keep the session alive; Janus ends one after 60 s without any.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum time without a message of the server, which responds to those that keep the session alive.
const MAX_SILENCE: Duration = Duration::from_secs(15);
/// Time for the server to remove a member: Janus 1.1 may crash if the session ends meanwhile.
const REMOVAL: Duration = Duration::from_millis(500);

/// The member.
pub(super) struct Member {
    connection: Connection,
    /// The handle of the member itself.
    handle: u64,
    room: RoomKey,
    /// Proof for subscriptions that they are of this member.
    private_id: Option<u64>,
    feeds: Feeds,
    /// Requests without a response, by their transaction.
    pending: HashMap<String, Pending>,
    /// Participants that publish when the member joins.
    publishers: Vec<Publisher>,
}

/// What a response is of.
enum Pending {
    Attach(ParticipantId),
    Subscribe(ParticipantId),
    Start(ParticipantId),
    Publish,
}

impl Member {
    /// Joins a room on an open connection.
    pub(super) async fn join(
        mut connection: Connection,
        room: &JanusRoom,
    ) -> Result<Self, JoinError> {
        let handle = connection.attach().await?;
        let key = RoomKey {
            id: room.janus_id(),
            pin: room.secrets.pin.clone(),
        };
        let joined = connection
            .ask(request::join(handle, &key, &room.display))
            .await;
        let joined = joined.map_err(|error| match error {
            JoinError::NoRoom { server, .. } => JoinError::NoRoom {
                server,
                room: room.room.clone(),
            },
            error => error,
        })?;
        let joined = joined.plugindata.map(|plugin| plugin.data);
        let joined = joined.unwrap_or_default();
        Ok(Self {
            connection,
            handle,
            room: key,
            private_id: joined.private_id,
            feeds: Feeds::default(),
            pending: HashMap::new(),
            publishers: joined.publishers,
        })
    }

    /// Reports events and carries out commands until the membership ends.
    pub(super) async fn run(mut self, events: Sender<RoomEvent>, commands: Receiver<Command>) {
        let events = Events(events);
        if let Err(Stop::Ended(end)) = self.attend(&events, commands).await {
            let is_removal = matches!(end, RoomEnd::Closed | RoomEnd::Kicked);
            let _ = events.report(RoomEvent::Ended(end)).await;
            if is_removal {
                tokio::time::sleep(REMOVAL).await;
            }
        }
        self.connection.close().await;
    }

    async fn attend(
        &mut self,
        events: &Events,
        mut commands: Receiver<Command>,
    ) -> Result<(), Stop> {
        let publishers = std::mem::take(&mut self.publishers);
        self.update(publishers, events).await?;
        let mut check = interval(CHECK_INTERVAL);
        let (mut heard_at, mut kept_at) = (Instant::now(), Instant::now());
        loop {
            tokio::select! {
                message = self.connection.next() => {
                    heard_at = Instant::now();
                    let message = message.map_err(|reason| Stop::Ended(RoomEnd::Lost(reason)))?;
                    self.receive(message, events).await?;
                }
                command = commands.recv() => match command {
                    Some(Command::Leave) | None => return Err(Stop::Left),
                    Some(command) => self.carry_out(command).await?,
                },
                _ = check.tick() => {
                    if heard_at.elapsed() > MAX_SILENCE {
                        let reason = "the server no longer responds".to_owned();
                        return Err(Stop::Ended(RoomEnd::Lost(reason)));
                    }
                    if kept_at.elapsed() > KEEPALIVE_INTERVAL {
                        kept_at = Instant::now();
                        self.connection.send(request::keepalive()).await?;
                    }
                    for id in self.feeds.take_due(Instant::now()) {
                        self.send(request::attach(), Pending::Attach(id)).await?;
                    }
                }
            }
        }
    }

    async fn send(&mut self, request: Value, pending: Pending) -> Result<(), Stop> {
        let transaction = self.connection.send(request).await?;
        self.pending.insert(transaction, pending);
        Ok(())
    }

    async fn receive(&mut self, message: Message, events: &Events) -> Result<(), Stop> {
        if message.janus == "ack" {
            return Ok(());
        }
        let transaction = message.transaction.as_ref();
        if let Some(pending) = transaction.and_then(|id| self.pending.remove(id)) {
            return self.respond(pending, message, events).await;
        }
        let is_own = message.sender == Some(self.handle);
        match message.janus.as_str() {
            "timeout" => {
                let reason = "the server ended the session".to_owned();
                Err(Stop::Ended(RoomEnd::Lost(reason)))
            }
            "event" if is_own => {
                let event = message.plugindata.map(|plugin| plugin.data);
                self.observe(event.unwrap_or_default(), events).await
            }
            "event" => self.change(message, events).await,
            "hangup" if !is_own => {
                let handle = message.sender.unwrap_or_default();
                let reason = message.reason.unwrap_or_default();
                let feed = self.feeds.with_handle(handle);
                let id = feed.map(|feed| feed.participant.id.clone());
                match id {
                    Some(id) => self.restart(&id, &reason).await,
                    None => Ok(()),
                }
            }
            "trickle" => {
                let feed = message
                    .sender
                    .and_then(|handle| self.feeds.with_handle(handle));
                match (feed, message.candidate) {
                    (Some(feed), Some(found)) if !found.candidate.is_empty() => {
                        let event = RoomEvent::Candidate {
                            id: feed.participant.id.clone(),
                            media_index: found.media_index,
                            candidate: found.candidate,
                        };
                        events.report(event).await
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Handles an event of the room.
    async fn observe(&mut self, event: VideoRoom, events: &Events) -> Result<(), Stop> {
        self.update(event.publishers, events).await?;
        if event.videoroom == "destroyed" {
            return Err(Stop::Ended(RoomEnd::Closed));
        }
        let is_self = |id: &Id| matches!(id, Id::Text(text) if text == "ok");
        if event.leaving.as_ref().is_some_and(is_self) {
            let is_kicked = event.reason.as_deref() == Some("kicked");
            return Err(Stop::Ended(match is_kicked {
                true => RoomEnd::Kicked,
                false => RoomEnd::Closed,
            }));
        }
        let gone = [event.leaving, event.unpublished, event.kicked];
        for id in gone.iter().flatten().filter(|id| !is_self(id)) {
            if let Some(feed) = self.feeds.remove(&id.into()) {
                self.end(feed, events).await?;
            }
        }
        Ok(())
    }

    /// Updates what participants send.
    async fn update(&mut self, publishers: Vec<Publisher>, events: &Events) -> Result<(), Stop> {
        for publisher in publishers {
            if let Some(feed) = self.feeds.update(publisher, Instant::now()) {
                self.end(feed, events).await?;
            }
        }
        Ok(())
    }

    /// Handles a response.
    async fn respond(
        &mut self,
        pending: Pending,
        message: Message,
        events: &Events,
    ) -> Result<(), Stop> {
        let refusal = message.refusal();
        let id = match pending {
            Pending::Publish => {
                let event = match (refusal, message.jsep) {
                    (None, Some(answer)) => RoomEvent::Answer(answer.sdp),
                    (refusal, _) => RoomEvent::PublishRefused(describe_refusal(refusal)),
                };
                return events.report(event).await;
            }
            Pending::Attach(ref id) | Pending::Subscribe(ref id) | Pending::Start(ref id) => {
                id.clone()
            }
        };
        let is_outdated = |feed: &mut Feed| feed.handle() != message.sender;
        let is_attach = matches!(pending, Pending::Attach(_));
        if !is_attach && self.feeds.get_mut(&id).is_none_or(is_outdated) {
            // The participant has left, or has another subscription meanwhile.
            return Ok(());
        }
        if refusal.is_some() {
            return self.restart(&id, &describe_refusal(refusal)).await;
        }
        match (pending, message.data, message.jsep) {
            (Pending::Attach(_), Some(created), _) => self.subscribe(&id, created.id).await,
            (Pending::Subscribe(_), _, Some(offer)) if offer.kind == "offer" => {
                let Some(feed) = self.feeds.get_mut(&id) else {
                    return Ok(());
                };
                let event = RoomEvent::Offer {
                    participant: feed.participant.clone(),
                    sdp: offer.sdp,
                    is_new: true,
                };
                events.report(event).await
            }
            (Pending::Subscribe(_), ..) => self.restart(&id, "no offer").await,
            _ => Ok(()),
        }
    }

    /// Subscribes to a participant with a handle that was created for it.
    async fn subscribe(&mut self, id: &ParticipantId, handle: u64) -> Result<(), Stop> {
        let Some(feed) = self.feeds.get_mut(id) else {
            // The participant has left meanwhile.
            return self.detach(handle).await;
        };
        feed.subscription = Subscription::Attached(handle);
        let video = (&feed.id, feed.mid.as_str());
        let subscribe = request::subscribe(handle, &self.room, self.private_id, video);
        self.send(subscribe, Pending::Subscribe(id.clone())).await
    }

    /// Handles an event of a subscription: another offer of its video.
    async fn change(&mut self, message: Message, events: &Events) -> Result<(), Stop> {
        let feed = message
            .sender
            .and_then(|handle| self.feeds.with_handle(handle));
        match (feed, message.jsep) {
            (Some(feed), Some(offer)) if offer.kind == "offer" => {
                let event = RoomEvent::Offer {
                    participant: feed.participant.clone(),
                    sdp: offer.sdp,
                    is_new: false,
                };
                events.report(event).await
            }
            _ => Ok(()),
        }
    }

    async fn carry_out(&mut self, command: Command) -> Result<(), Stop> {
        match command {
            Command::Answer { id, sdp } => {
                let feed = self.feeds.get_mut(&id);
                let Some(handle) = feed.and_then(|feed| feed.handle()) else {
                    return Ok(());
                };
                let start = request::start(handle, &sdp);
                self.send(start, Pending::Start(id)).await
            }
            Command::Restart(id) => self.restart(&id, "the connection failed").await,
            Command::Publish(sdp) => {
                let publish = request::publish(self.handle, &sdp);
                self.send(publish, Pending::Publish).await
            }
            Command::Leave => Err(Stop::Left),
        }
    }

    /// Subscribes to a participant again, later.
    async fn restart(&mut self, id: &ParticipantId, reason: &str) -> Result<(), Stop> {
        let Some(feed) = self.feeds.get_mut(id) else {
            return Ok(());
        };
        tracing::debug!("video of participant {id}: {reason}; trying again");
        match feed.restart(Instant::now()) {
            Some(handle) => self.detach(handle).await,
            None => Ok(()),
        }
    }

    /// Reports the end of a feed.
    async fn end(&mut self, feed: Feed, events: &Events) -> Result<(), Stop> {
        if let Some(handle) = feed.handle() {
            self.detach(handle).await?;
        }
        events.report(RoomEvent::Left(feed.participant.id)).await
    }

    async fn detach(&mut self, handle: u64) -> Result<(), Stop> {
        self.connection.send(request::detach(handle)).await?;
        Ok(())
    }
}

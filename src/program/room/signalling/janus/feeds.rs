// SPDX-License-Identifier: MPL-2.0

//! The participants whose video this member receives, and the state of each subscription.

use std::collections::HashMap;
use std::time::Instant;

use attitude_publish::Backoff;

use super::super::{Participant, ParticipantId};
use super::message::{Id, Publisher};

/// The video of a participant.
pub(super) struct Feed {
    pub(super) id: Id,
    pub(super) participant: Participant,
    /// Identifies the video among the participant's media.
    pub(super) mid: String,
    pub(super) subscription: Subscription,
    backoff: Backoff,
}

/// State of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subscription {
    /// To be requested at this time.
    Due(Instant),
    /// A handle is requested.
    Requested,
    /// It has this handle.
    Attached(u64),
}

impl Feed {
    /// Ends the subscription, and lets another one begin after a time that grows with each failure.
    /// Returns the handle, if there is one.
    pub(super) fn restart(&mut self, now: Instant) -> Option<u64> {
        let handle = self.handle();
        self.subscription = Subscription::Due(now + self.backoff.next_wait());
        handle
    }

    /// Returns the handle; `None` if there is none yet.
    pub(super) fn handle(&self) -> Option<u64> {
        match self.subscription {
            Subscription::Attached(handle) => Some(handle),
            _ => None,
        }
    }
}

/// The participants that send video.
#[derive(Default)]
pub(super) struct Feeds(HashMap<ParticipantId, Feed>);

impl Feeds {
    /// Updates what a participant sends. Returns the feed that this ends.
    pub(super) fn update(&mut self, publisher: Publisher, now: Instant) -> Option<Feed> {
        let id = ParticipantId::from(&publisher.id);
        let mid = publisher.video().map(str::to_owned);
        let is_same = |feed: &Feed| mid.as_ref() == Some(&feed.mid);
        if self.0.get(&id).is_some_and(is_same) {
            return None;
        }
        let ended = self.0.remove(&id);
        if let Some(mid) = mid {
            let feed = Feed {
                id: publisher.id,
                participant: Participant {
                    id: id.clone(),
                    name: publisher.display,
                },
                mid,
                subscription: Subscription::Due(now),
                backoff: Backoff::default(),
            };
            self.0.insert(id, feed);
        }
        ended
    }

    pub(super) fn remove(&mut self, id: &ParticipantId) -> Option<Feed> {
        self.0.remove(id)
    }

    pub(super) fn get_mut(&mut self, id: &ParticipantId) -> Option<&mut Feed> {
        self.0.get_mut(id)
    }

    /// Returns the feed whose subscription has this handle.
    pub(super) fn with_handle(&mut self, handle: u64) -> Option<&mut Feed> {
        let mut feeds = self.0.values_mut();
        feeds.find(|feed| feed.handle() == Some(handle))
    }

    /// Returns the participants whose subscription is to be requested by now, as requested.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<ParticipantId> {
        let is_due =
            |feed: &&mut Feed| matches!(feed.subscription, Subscription::Due(at) if at <= now);
        let due = self.0.values_mut().filter(is_due);
        due.map(|feed| {
            feed.subscription = Subscription::Requested;
            feed.participant.id.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn publisher(streams: &str) -> Publisher {
        let text = format!(r#"{{"id":3,"display":"alice","streams":[{streams}]}}"#);
        serde_json::from_str(&text).unwrap()
    }

    const VIDEO: &str = r#"{"type":"video","mid":"1"}"#;

    #[test]
    fn a_participant_is_subscribed_to_once() {
        let (mut feeds, now) = (Feeds::default(), Instant::now());
        assert!(feeds.update(publisher(VIDEO), now).is_none());
        assert_eq!(feeds.take_due(now).len(), 1);
        assert!(feeds.update(publisher(VIDEO), now).is_none());
        assert!(feeds.take_due(now).is_empty());
    }

    #[test]
    fn a_participant_without_video_is_no_feed_any_more() {
        let (mut feeds, now) = (Feeds::default(), Instant::now());
        assert!(
            feeds
                .update(publisher(r#"{"type":"audio"}"#), now)
                .is_none()
        );
        assert!(feeds.take_due(now).is_empty());
        feeds.update(publisher(VIDEO), now);
        assert!(feeds.update(publisher(""), now).is_some());
        assert!(feeds.take_due(now).is_empty());
    }

    #[test]
    fn a_failed_subscription_is_due_again_later() {
        let (mut feeds, now) = (Feeds::default(), Instant::now());
        feeds.update(publisher(VIDEO), now);
        let id = feeds.take_due(now).remove(0);
        let feed = feeds.get_mut(&id).unwrap();
        feed.subscription = Subscription::Attached(7);
        assert!(feeds.with_handle(8).is_none());
        assert_eq!(feeds.with_handle(7).unwrap().restart(now), Some(7));
        assert!(feeds.take_due(now).is_empty());
        assert_eq!(feeds.take_due(now + Duration::from_secs(1)), [id]);
    }
}

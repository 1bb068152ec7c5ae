// SPDX-License-Identifier: MPL-2.0

//! Settings and properties of `attitudepublish`.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use attitude::record::tags::{Tags, TagsError};
use attitude_publish::{
    DeliveryPolicy, FLUSH_TIMEOUT_NS, Location, MAX_QUEUE, MAX_SPOOL_BYTES, StartError, TopicError,
};

use super::Delivery;
use crate::properties::{Mutable, Property, SOURCE, TAGS, field, text};
use crate::records::FrameSelection;

/// Name of the property whose value contains secrets.
pub(super) const LOCATION: &str = "location";

/// Values of all [`PROPERTIES`].
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub location: Option<String>,
    pub topic: Option<String>,
    pub source: Option<String>,
    pub tags: Option<String>,
    pub interval: FrameSelection,
    pub max_queue: u32,
    pub delivery: Delivery,
    pub spool_location: Option<PathBuf>,
    pub max_spool_bytes: u64,
    pub flush_timeout_ns: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            location: None,
            topic: None,
            source: None,
            tags: None,
            interval: FrameSelection::default(),
            max_queue: MAX_QUEUE.default,
            delivery: Delivery::default(),
            spool_location: None,
            max_spool_bytes: MAX_SPOOL_BYTES.default,
            flush_timeout_ns: FLUSH_TIMEOUT_NS.default,
        }
    }
}

/// The settings are wrong, or publishing cannot start.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("no location is set; set the property location, for example to mqtt://localhost")]
    NoLocation,
    #[error("delivery=buffered needs a file; set the property spool-location")]
    NoSpool,
    #[error("invalid value of the property tags: {0}")]
    Tags(#[from] TagsError),
    #[error(transparent)]
    Topic(#[from] TopicError),
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Settings {
    /// Returns the location without secrets.
    pub fn public_location(&self) -> Option<String> {
        let location = self.location.as_ref()?.parse::<Location>();
        Some(location.map_or_else(|_| "(invalid)".to_owned(), |location| location.to_string()))
    }

    pub fn flush_timeout(&self) -> Duration {
        Duration::from_nanos(self.flush_timeout_ns)
    }

    pub fn tags(&self) -> Result<Tags, TagsError> {
        self.tags.as_deref().unwrap_or_default().parse()
    }

    /// Returns the settings of the publisher.
    pub fn to_publisher(&self) -> Result<attitude_publish::Settings, SettingsError> {
        let location = self.location.clone().ok_or(SettingsError::NoLocation)?;
        Ok(attitude_publish::Settings {
            topic: self.topic.clone(),
            max_queue: self.max_queue,
            policy: match self.delivery {
                Delivery::Latest => DeliveryPolicy::Latest,
                Delivery::Buffered => DeliveryPolicy::Buffered {
                    spool: self.spool_location.clone().ok_or(SettingsError::NoSpool)?,
                    max_bytes: self.max_spool_bytes,
                },
            },
            flush_timeout: self.flush_timeout(),
            ..attitude_publish::Settings::new(location)
        })
    }
}

/// The properties, in the order of their ids.
pub(super) static PROPERTIES: LazyLock<Vec<Property<Settings>>> = LazyLock::new(|| {
    vec![
        Property::text(
            &text(
                LOCATION,
                "Location",
                "URI of the broker or webhook, for example mqtt://localhost; reading it returns the URI without \
                 password and options",
            ),
            Mutable::Ready,
            field!(location),
        ),
        Property::text(
            &text(
                "topic",
                "Topic",
                "Topic, subject or key of the messages, with the placeholders {stream}, {source} and {track} \
                 (null = by protocol)",
            ),
            Mutable::Ready,
            field!(topic),
        ),
        Property::text(&SOURCE, Mutable::Ready, field!(source)),
        Property::text(&TAGS, Mutable::Ready, field!(tags)),
        Property::choice(
            &text("interval", "Interval", "Frames whose faces are published"),
            Mutable::Playing,
            field!(interval),
        ),
        Property::number(&MAX_QUEUE, Mutable::Ready, field!(max_queue)),
        Property::choice(
            &text(
                "delivery",
                "Delivery",
                "Messages that are lost if the broker is slow or unavailable",
            ),
            Mutable::Ready,
            field!(delivery),
        ),
        Property::path(
            &text(
                "spool-location",
                "Spool location",
                "Path of the file that keeps messages until they are delivered, with delivery=buffered; not \
                 shared with other elements",
            ),
            Mutable::Ready,
            field!(spool_location),
        ),
        Property::number(&MAX_SPOOL_BYTES, Mutable::Ready, field!(max_spool_bytes)),
        Property::time(&FLUSH_TIMEOUT_NS, Mutable::Ready, field!(flush_timeout_ns)),
    ]
});

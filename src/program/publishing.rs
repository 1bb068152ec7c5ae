// SPDX-License-Identifier: MPL-2.0

//! The option `--publish`, which several subcommands share: publishes records to a broker.

use std::path::PathBuf;
use std::time::Duration;

use attitude::record::Record;
use attitude::record::tags::Tags;
use attitude_publish::{
    DeliveryPolicy, Event, FLUSH_TIMEOUT_NS, MAX_SPOOL_BYTES, Publisher, Settings, StartError,
};
use clap::Args;

use crate::numbers::count;

const HEADING: &str = "Publishing";

/// Time between checks whether there is room for another message.
const ROOM_CHECK: Duration = Duration::from_millis(5);

/// Options of publishing records that have no tags of their own.
#[derive(Args)]
pub(crate) struct PublishArguments {
    #[command(flatten)]
    broker: BrokerArguments,

    /// Tags of the published records, such as room=42,floor=3
    #[arg(long, value_name = "TAGS", help_heading = HEADING, requires = "publish")]
    tags: Option<Tags>,
}

/// Options of where records are published.
#[derive(Args)]
pub(crate) struct BrokerArguments {
    /// Also publish each sample to a message broker or webhook, such as mqtt://localhost
    ///
    /// The protocols are MQTT (mqtt, mqtts), Redis streams (redis, rediss), NATS (nats, natss) and
    /// webhooks (http, https). A password is not part of the URI on the command line, where other
    /// users can read it: name a file with ?password-file=FILE, or set the environment variable.
    #[arg(
        long,
        value_name = "URI",
        env = "GST_ATTITUDE_PUBLISH",
        hide_env_values = true,
        help_heading = HEADING
    )]
    publish: Option<String>,

    /// Topic, subject or key of the messages, with the placeholders {stream}, {source} and {track}
    #[arg(long, value_name = "TOPIC", help_heading = HEADING, requires = "publish")]
    topic: Option<String>,

    /// File that keeps messages until they are delivered; by default, messages that cannot be
    /// delivered are dropped
    #[arg(long, value_name = "FILE", help_heading = HEADING, requires = "publish")]
    spool_location: Option<PathBuf>,
}

/// Records cannot be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error(
        "the command line contains the password of --publish, where other users can read it; use \
         ?password-file=FILE, or set the environment variable GST_ATTITUDE_PUBLISH instead of the option"
    )]
    Password,
    #[error("cannot publish to --publish: {0}")]
    Start(#[from] StartError),
}

impl PublishArguments {
    /// Starts to publish; `None` if the user does not want it. `warn` is called with what is lost.
    ///
    /// # Errors
    /// Returns an error if the options are wrong, but not if the broker is unavailable.
    pub(crate) fn start(
        &self,
        warn: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Option<Publishing>, PublishError> {
        let publishing = self.broker.start(warn)?;
        Ok(publishing.map(|publishing| Publishing {
            tags: self.tags.clone().unwrap_or_default(),
            ..publishing
        }))
    }
}

impl BrokerArguments {
    /// Starts to publish; `None` if the user does not want it. `warn` is called with what is lost.
    ///
    /// # Errors
    /// Returns an error if the options are wrong, but not if the broker is unavailable.
    pub(crate) fn start(
        &self,
        warn: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Option<Publishing>, PublishError> {
        let Some(location) = &self.publish else {
            return Ok(None);
        };
        let is_on_command_line = || {
            let mut arguments = std::env::args_os();
            arguments.any(|argument| argument.to_string_lossy().contains(location))
        };
        let parsed = location.parse::<attitude_publish::Location>();
        if parsed.is_ok_and(|location| location.contains_password()) && is_on_command_line() {
            return Err(PublishError::Password);
        }
        let spool = self.spool_location.clone();
        let settings = Settings {
            topic: self.topic.clone(),
            policy: spool.map_or(DeliveryPolicy::Latest, |spool| DeliveryPolicy::Buffered {
                spool,
                max_bytes: MAX_SPOOL_BYTES.default,
            }),
            ..Settings::new(location)
        };
        let publisher = Publisher::start(&settings, move |event| match event {
            Event::Warning(text) => warn(&text),
            Event::Connected => tracing::info!("publishing: connected"),
        });
        Ok(Some(Publishing {
            publisher: publisher?,
            tags: Tags::default(),
        }))
    }
}

/// Publishes records.
pub(crate) struct Publishing {
    publisher: Publisher,
    tags: Tags,
}

impl Publishing {
    /// Publishes a record of this source. Never blocks.
    pub(crate) fn publish(&self, record: &Record, source: &str) {
        self.publisher.publish(&Record {
            source: Some(source.to_owned()),
            tags: self.tags.clone(),
            ..record.clone()
        });
    }

    /// Publishes a record that already has its source and tags. Never blocks.
    #[cfg(feature = "serve")]
    pub(crate) fn publish_as_is(&self, record: &Record) {
        self.publisher.publish(record);
    }

    /// Returns the counters.
    #[cfg(feature = "serve")]
    pub(crate) fn stats(&self) -> attitude_publish::Stats {
        self.publisher.stats()
    }

    /// Waits while a broker that is available is slower than the caller, which is not live.
    pub(crate) fn wait_for_room(&self, is_interrupted: impl Fn() -> bool) {
        while self.publisher.is_behind() && !is_interrupted() {
            std::thread::sleep(ROOM_CHECK);
        }
    }

    /// Waits, for a limited time, until all messages are delivered. Returns what was not.
    pub(crate) fn finish(&self) -> Option<String> {
        self.publisher
            .flush(Duration::from_nanos(FLUSH_TIMEOUT_NS.default));
        let stats = self.publisher.stats();
        let lost = stats.published - stats.delivered;
        let place = match stats.spool_bytes {
            0 => "",
            _ => "; those in the spool will be delivered by the next run with it",
        };
        (lost > 0).then(|| format!("{} could not be published{place}", count(lost, "record")))
    }
}

/// Publishes the records of a live source.
#[cfg(feature = "serve")]
#[derive(Clone)]
pub(crate) struct SourcePublisher {
    pub(crate) publishing: std::sync::Arc<Publishing>,
    pub(crate) source: String,
}

#[cfg(feature = "serve")]
impl SourcePublisher {
    /// Publishes a record in JSON, as `attitudeexport` wrote it.
    pub(crate) fn publish_json(&self, record: &str) {
        match serde_json::from_str(record) {
            Ok(record) => self.publishing.publish(&record, &self.source),
            Err(error) => tracing::warn!("publishing: {error}"),
        }
    }
}

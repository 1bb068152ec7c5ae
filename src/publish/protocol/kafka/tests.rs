// SPDX-License-Identifier: MPL-2.0

//! Publishing to librdkafka's own cluster for tests, which speaks Kafka's protocol on the loopback
//! interface.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use attitude::record::Record;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::{DeliveryPolicy, Event, Publisher, Settings};

const PATIENCE: Duration = Duration::from_secs(60);
const TOPIC: &str = "gst-attitude";

fn cluster() -> MockCluster<'static, DefaultProducerContext> {
    MockCluster::new(1).unwrap()
}

fn settings(cluster: &MockCluster<DefaultProducerContext>) -> Settings {
    Settings::new(format!("kafka://{}", cluster.bootstrap_servers()))
}

/// Publishes records of two streams in turns.
fn publish(publisher: &Publisher, frames: std::ops::Range<u64>) {
    for frame in frames {
        for stream in ["a", "b"] {
            publisher.publish(&Record {
                stream: stream.to_owned(),
                frame,
                ..Record::default()
            });
        }
    }
}

/// Reads messages until those of both streams end with this frame. Returns the numbers of the frames
/// of each stream; those that were delivered twice are left out.
fn received(cluster: &MockCluster<DefaultProducerContext>, last: u64) -> [Vec<u64>; 2] {
    let consumer: BaseConsumer = super::ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("group.id", "test")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&[TOPIC]).unwrap();
    let mut frames = [Vec::new(), Vec::new()];
    let end = Instant::now() + PATIENCE;
    while frames.iter().any(|frames| frames.last() != Some(&last)) {
        assert!(Instant::now() < end, "missing: {frames:?}");
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let message = message.unwrap();
        let record: Record = serde_json::from_slice(message.payload().unwrap()).unwrap();
        assert_eq!(message.key(), Some(record.stream.as_bytes()));
        let frames = &mut frames[usize::from(record.stream == "b")];
        if frames.last().is_none_or(|last| *last < record.frame) {
            frames.push(record.frame);
        }
    }
    frames
}

fn assert_complete(cluster: &MockCluster<DefaultProducerContext>, frames: u64) {
    let expected: Vec<u64> = (0..frames).collect();
    assert_eq!(received(cluster, frames - 1), [expected.clone(), expected]);
}

#[test]
fn messages_have_the_stream_as_their_key_and_its_order() {
    let cluster = cluster();
    let publisher = Publisher::start(&settings(&cluster), |_| ()).unwrap();
    publish(&publisher, 0..300);
    assert!(publisher.flush(PATIENCE), "{:?}", publisher.stats());
    assert_eq!(publisher.stats().delivered, 600);
    assert_complete(&cluster, 300);
}

#[test]
fn nothing_is_lost_while_the_broker_is_down() {
    let cluster = cluster();
    let folder = tempfile::tempdir().unwrap();
    let policy = DeliveryPolicy::Buffered {
        spool: folder.path().join("spool"),
        max_bytes: 1 << 20,
    };
    let settings = Settings {
        policy,
        ..settings(&cluster)
    };
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let publisher = Publisher::start(&settings, {
        let warnings = warnings.clone();
        move |event| {
            if let Event::Warning(text) = event {
                warnings.lock().unwrap().push(text);
            }
        }
    });
    let publisher = publisher.unwrap();
    publish(&publisher, 0..100);
    assert!(publisher.flush(PATIENCE));
    cluster.broker_down(1).unwrap();
    publish(&publisher, 100..200);
    let end = Instant::now() + PATIENCE;
    while publisher.stats().is_connected {
        assert!(Instant::now() < end, "still connected");
        std::thread::sleep(Duration::from_millis(20));
    }
    cluster.broker_up(1).unwrap();
    assert!(publisher.flush(PATIENCE), "{:?}", publisher.stats());
    let warnings = warnings.lock().unwrap();
    assert!(
        warnings.iter().any(|text| text.contains("cannot publish")),
        "{warnings:?}"
    );
    assert_eq!(publisher.stats().dropped, 0);
    assert_complete(&cluster, 200);
}

#[test]
fn what_the_broker_rejects_is_dropped() {
    let cluster = cluster();
    let too_large = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    cluster.request_errors(RDKafkaApiKey::Produce, &[too_large]);
    let publisher = Publisher::start(&settings(&cluster), |_| ()).unwrap();
    for expected in [(0, 1), (1, 1)] {
        publisher.publish(&Record::default());
        assert!(publisher.flush(PATIENCE), "{:?}", publisher.stats());
        let stats = publisher.stats();
        assert_eq!((stats.delivered, stats.rejected), expected);
    }
}

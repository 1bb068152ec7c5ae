// SPDX-License-Identifier: MPL-2.0

//! A live stream: who it shows, what arrives, and whether it is up.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use attitude::record::Record;
use attitude::record::tags::Tags;
use attitude::sync::lock;

use super::consumer::Consumers;
use super::numbering::Numbering;

/// Who a stream shows, as in its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Identifier of the stream.
    pub(crate) stream: String,
    /// Name of the source.
    pub(crate) source: String,
    pub(crate) tags: Tags,
}

/// A live stream, from when it is requested to when it is no longer wanted. It may connect several
/// times.
pub(crate) struct Stream {
    identity: Identity,
    consumers: Consumers,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why there is no video; `None` if there is.
    problem: Option<String>,
    connections: u64,
    frames: u64,
    samples: u64,
    last_frame: Option<Instant>,
    numbering: Numbering,
}

/// The condition of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Status {
    pub(crate) source: String,
    /// Why there is no video; `None` if there is.
    pub(crate) problem: Option<String>,
    pub(crate) frames: u64,
    pub(crate) samples: u64,
    /// Number of connections after the first.
    pub(crate) restarts: u64,
    /// Time since the last frame; `None` if there was none.
    pub(crate) frame_age: Option<Duration>,
}

impl Stream {
    /// Creates a stream that has no video yet.
    pub(crate) fn new(identity: Identity, consumers: Consumers) -> Self {
        let state = State {
            problem: Some("no video yet".to_owned()),
            ..State::default()
        };
        Self {
            identity,
            consumers,
            state: Mutex::new(state),
        }
    }

    /// Returns the name of the source.
    pub(crate) fn source(&self) -> &str {
        &self.identity.source
    }

    /// Begins a connection. The stream is up at its first frame.
    pub(crate) fn begin_connection(&self) {
        let mut state = lock(&self.state);
        state.connections += 1;
        state.numbering.begin_connection();
    }

    /// Records that there is no video.
    pub(crate) fn set_down(&self, problem: impl Into<String>) {
        lock(&self.state).problem = Some(problem.into());
    }

    /// Counts a frame, which shows that the stream is up.
    pub(crate) fn count_frame(&self) {
        let was_down = {
            let mut state = lock(&self.state);
            state.frames += 1;
            state.last_frame = Some(Instant::now());
            state.problem.take().is_some()
        };
        if was_down {
            tracing::info!("{}: live", self.identity.source);
        }
    }

    /// Returns the number of frames so far.
    pub(crate) fn frames(&self) -> u64 {
        lock(&self.state).frames
    }

    /// Passes the record of a sample to the consumers.
    pub(crate) fn push(&self, mut record: Record) {
        {
            let mut state = lock(&self.state);
            state.samples += 1;
            state.numbering.renumber(&mut record);
        }
        let Identity {
            stream,
            source,
            tags,
        } = &self.identity;
        record.stream.clone_from(stream);
        record.source = Some(source.clone());
        record.tags.clone_from(tags);
        for consumer in &*self.consumers {
            consumer.push(&record);
        }
    }

    /// Returns the current condition.
    pub(crate) fn status(&self) -> Status {
        let state = lock(&self.state);
        Status {
            source: self.identity.source.clone(),
            problem: state.problem.clone(),
            frames: state.frames,
            samples: state.samples,
            restarts: state.connections.saturating_sub(1),
            frame_age: state.last_frame.map(|at| at.elapsed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::consumer::RecordConsumer;
    use super::*;

    #[derive(Default)]
    struct Records(Mutex<Vec<Record>>);

    impl RecordConsumer for Records {
        fn push(&self, record: &Record) {
            lock(&self.0).push(record.clone());
        }
    }

    #[test]
    fn records_say_who_the_stream_shows() {
        let records = Arc::new(Records::default());
        let identity = Identity {
            stream: "7".to_owned(),
            source: "door".to_owned(),
            tags: "room=42".parse().unwrap(),
        };
        let stream = Stream::new(identity.clone(), Arc::new([records.clone() as _]));
        stream.push(Record::default());
        let record = lock(&records.0).remove(0);
        assert_eq!(
            (record.stream, record.source, record.tags),
            (identity.stream, Some(identity.source), identity.tags)
        );
    }

    #[test]
    fn a_stream_is_up_from_a_frame_to_a_problem() {
        let stream = Stream::new(Identity::default(), Arc::new([]));
        stream.begin_connection();
        assert_eq!(stream.status().problem.as_deref(), Some("no video yet"));
        stream.count_frame();
        assert_eq!(stream.status().problem, None);
        stream.set_down("stalled");
        stream.begin_connection();
        let status = stream.status();
        assert_eq!(status.problem.as_deref(), Some("stalled"));
        assert_eq!((status.frames, status.restarts), (1, 1));
    }
}

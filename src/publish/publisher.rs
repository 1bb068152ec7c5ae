// SPDX-License-Identifier: MPL-2.0

//! The publisher: the caller's end of the queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use attitude::record::{FaceRecord, Record};
use attitude::sync::lock;
use tokio::sync::watch;

use crate::backlog::Backlog;
use crate::delivery::Delivery;
use crate::error::StartError;
use crate::location::Location;
use crate::message::Message;
use crate::progress::{Progress, Stats};
use crate::protocol;
use crate::queue::Queue;
use crate::settings::{DeliveryPolicy, Settings};
use crate::spool::Spool;
use crate::topic::Topic;

/// Maximum time for the publishing thread to release its spool.
const MAX_RELEASE: Duration = Duration::from_secs(2);

/// What happens in the publishing thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The broker accepted a connection.
    Connected,
    /// Messages were lost, or the broker is not available; at most once per second.
    Warning(String),
}

/// Publishes records until it is dropped. Dropping does not block: in the background, the remaining
/// messages are delivered for at most the flush timeout, or stay in the spool.
pub struct Publisher {
    queue: Arc<Queue>,
    progress: Arc<Progress>,
    topic: Topic,
    flush_timeout: Duration,
    deadline: watch::Sender<Option<tokio::time::Instant>>,
    /// Closed when the thread has ended; `None` if there is no spool to wait for.
    ended: Option<Mutex<mpsc::Receiver<()>>>,
}

impl Publisher {
    /// Starts a thread that connects to the broker and delivers messages. `on_event` is called by
    /// this thread and by [`publish`](Self::publish).
    ///
    /// # Errors
    /// Returns an error if the settings are wrong or the spool cannot be used, but not if the broker
    /// is unavailable.
    pub fn start(
        settings: &Settings,
        on_event: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let location: Location = settings.location.parse()?;
        let protocol = protocol::create(&location)?;
        let topic = protocol::topic(&location, settings.topic.as_deref())?;
        let queue = Arc::new(Queue::new(settings.max_queue as usize));
        let progress = Arc::new(Progress::new(location.to_string(), Box::new(on_event)));
        let (deadline, deadline_receiver) = watch::channel(None);
        let delivery = Delivery {
            protocol,
            progress: progress.clone(),
            deadline: deadline_receiver,
        };
        let ended = start_thread(delivery, &queue, &progress, settings.policy.clone())?;
        Ok(Self {
            queue,
            progress,
            topic,
            flush_timeout: settings.flush_timeout,
            deadline,
            ended: (settings.policy != DeliveryPolicy::Latest).then(|| Mutex::new(ended)),
        })
    }

    /// Returns `true` if the topic contains the source of the record.
    pub fn uses_source(&self) -> bool {
        self.topic.has_source()
    }

    /// Publishes a record; if the topic contains the track, one message per face. Never blocks.
    pub fn publish(&self, record: &Record) {
        if !self.topic.has_track() {
            return self.push(record, None);
        }
        for face in &record.faces {
            let record = Record {
                faces: vec![face.clone()],
                ..record.clone()
            };
            self.push(&record, Some(face));
        }
    }

    fn push(&self, record: &Record, face: Option<&FaceRecord>) {
        // Writing a record as JSON does not fail: all its keys are strings.
        let Ok(payload) = serde_json::to_vec(record) else {
            return;
        };
        self.progress.published(1);
        let dropped = self.queue.push(Message {
            topic: self.topic.of(record, face),
            key: record.stream.clone(),
            payload,
            published_at: Some(Instant::now()),
        });
        self.progress.dropped(dropped, "the queue is full");
    }

    /// Returns `true` if the next message would replace an older one although the spool or the
    /// broker will take that one soon. A caller that can wait, may.
    pub fn is_behind(&self) -> bool {
        self.queue.is_full() && (self.fills_spool() || self.progress.is_connected())
    }

    /// Returns `true` if there is a spool, and a thread that moves messages to it.
    fn fills_spool(&self) -> bool {
        let ended = self.ended.as_ref();
        ended.is_some_and(|ended| lock(ended).try_recv() == Err(mpsc::TryRecvError::Empty))
    }

    /// Waits until all messages that were published before are delivered or lost. Returns `false`
    /// after `timeout`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.queue.set_hurried(true);
        let is_settled = self.progress.wait_until_settled(timeout);
        self.queue.set_hurried(false);
        is_settled
    }

    /// Returns the counters.
    pub fn stats(&self) -> Stats {
        self.progress.stats()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.queue.set_hurried(true);
        let deadline = tokio::time::Instant::now() + self.flush_timeout;
        // The thread may have ended by a panic.
        let _ = self.deadline.send(Some(deadline));
        if let Some(ended) = &self.ended {
            // Another publisher may open the spool next. Nothing is sent: the channel closes.
            let _ = lock(ended).recv_timeout(MAX_RELEASE);
        }
    }
}

/// Starts the publishing thread; returns when it has opened the spool. The channel closes when the
/// thread ends.
fn start_thread(
    delivery: Delivery,
    queue: &Arc<Queue>,
    progress: &Arc<Progress>,
    policy: DeliveryPolicy,
) -> Result<mpsc::Receiver<()>, StartError> {
    let (queue, progress) = (queue.clone(), progress.clone());
    let (opened_sender, opened) = mpsc::channel();
    let (ended_sender, ended) = mpsc::channel::<()>();
    let run = move || {
        let _ended_sender = ended_sender;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let spool = match policy {
            DeliveryPolicy::Latest => Ok(None),
            DeliveryPolicy::Buffered { spool, max_bytes } => {
                Spool::open(&spool, max_bytes).map(Some)
            }
        };
        let (runtime, spool) = match (runtime, spool) {
            (Ok(runtime), Ok(spool)) => (runtime, spool),
            (Err(error), _) => return drop(opened_sender.send(Err(StartError::Thread(error)))),
            (_, Err(error)) => return drop(opened_sender.send(Err(error.into()))),
        };
        let backlog = Backlog::new(queue, spool, progress.clone());
        let _ = opened_sender.send(Ok(()));
        let run = || runtime.block_on(delivery.run(backlog));
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            progress.disconnected("a bug in the publisher ended its thread; please report it");
        }
        // Names that are being resolved must not delay the end.
        runtime.shutdown_background();
    };
    std::thread::Builder::new()
        .name("publish".to_owned())
        .spawn(run)
        .map_err(StartError::Thread)?;
    let lost = || StartError::Thread(std::io::ErrorKind::BrokenPipe.into());
    opened.recv().map_err(|_| lost())??;
    Ok(ended)
}

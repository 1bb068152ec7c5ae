// SPDX-License-Identifier: MPL-2.0

//! A reading of the source: one pipeline, from the first viewer to the last.

use std::sync::Arc;
use std::time::Duration;

use gst::prelude::*;
use gst_app::AppSink;
use gst_utils::StreamProducer;
use gst_utils::streamproducer::ProducerSettings;
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::analysis::Analysis;
use super::super::arguments::Arguments;
use super::super::end::{Ending, Reason};
use super::super::metrics::{Metrics, Watch};
use super::codec::Codec;
use super::frame_counts::FrameCounts;
use super::origin::Origin;
use super::playability::Playability;
use super::routing::{Outlets, connect};
use super::viewers::Viewers;
use crate::playback::ElementError;
use crate::publishing::SourcePublisher;
use crate::streams::{bus, is_live};

mod order;
mod stall;

pub(crate) use stall::end_if_stalled;

/// Maximum time until the first frame; RTSP falls back from UDP to TCP after 5 s.
const MAX_OPENING: Duration = Duration::from_secs(15);

/// Progress of a reading.
#[derive(Clone, Debug)]
enum Phase {
    Opening,
    /// Viewers receive this codec.
    Open(Codec),
    Over(Ending),
}

/// The source cannot be read; a sentence for visitors.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.problem)]
pub(crate) struct ReadingError(Ending);

impl ReadingError {
    /// Returns true if the source cannot be read later, either.
    pub(crate) fn is_permanent(&self) -> bool {
        self.0.reason == Reason::Unplayable
    }
}

/// Reads the source until it is dropped.
pub(crate) struct Reading {
    origin: Arc<Origin>,
    playability: Arc<Playability>,
    arguments: Arc<Arguments>,
    pipeline: gst::Pipeline,
    /// Distributes the encoded video to all viewers.
    pub(crate) producer: StreamProducer,
    pub(crate) viewers: Arc<Viewers>,
    analysis: Analysis,
    frames: FrameCounts,
    /// Counts the analysis.
    _watch: Watch,
    phase: watch::Sender<Phase>,
    /// Dropped when the pipeline has stopped.
    running: Option<watch::Sender<()>>,
}

impl Reading {
    /// Creates the pipeline, without starting it.
    pub(crate) fn new(
        arguments: &Arc<Arguments>,
        metrics: &Metrics,
        publisher: Option<SourcePublisher>,
        origin: &Arc<Origin>,
        playability: &Arc<Playability>,
    ) -> Result<Arc<Self>, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let viewers = Arc::new(Viewers::default());
        let is_published = publisher.is_some();
        let analysis = Analysis::new(arguments, &viewers, publisher)?;
        // A WHIP client sends without viewers, too.
        let is_always_wanted = matches!(**origin, Origin::Whip) && is_published;
        viewers.set_valve(&analysis.valve, is_always_wanted);
        let sink = AppSink::builder().async_(false).build();
        let producer = StreamProducer::with(&sink, ProducerSettings { sync: false });
        // Sessions receive the reason of the end instead.
        producer.set_forward_events([]);
        let decode = origin.add_to(&pipeline, playability, arguments)?;
        pipeline.add_many([sink.upcast_ref(), analysis.bin.upcast_ref::<gst::Element>()])?;
        let reading = Arc::new(Self {
            origin: origin.clone(),
            playability: playability.clone(),
            arguments: arguments.clone(),
            pipeline,
            producer,
            viewers,
            _watch: metrics.watch(&analysis.faceattitude),
            analysis,
            frames: FrameCounts::default(),
            phase: watch::Sender::new(Phase::Opening),
            running: Some(watch::Sender::new(())),
        });
        reading.watch_bus();
        reading.watch_order();
        reading.connect_video_of(&decode);
        Ok(reading)
    }

    pub(crate) fn pipeline(&self) -> &gst::Pipeline {
        &self.pipeline
    }

    /// Starts reading; blocks until the device is open.
    pub(crate) fn open(&self) {
        let is_live = match self.pipeline.set_state(gst::State::Paused) {
            Ok(gst::StateChangeSuccess::NoPreroll) => true,
            Ok(_) => false,
            // The bus has the reason.
            Err(_) => return self.fail("it cannot be opened"),
        };
        if is_live {
            self.play();
        }
    }

    /// Starts to play a recording, whose first frame waits for the first viewer.
    pub(crate) fn play(&self) {
        self.pipeline.call_async(|pipeline| {
            // The bus reports failures.
            let _ = pipeline.set_state(gst::State::Playing);
        });
    }

    /// Sets the clock and base time of `pipeline`, which does not play yet, to those of this
    /// pipeline. Before the first frame it keeps its own, which is ahead: all video is late for it
    /// and is sent at once.
    pub(crate) fn synchronize(&self, pipeline: &gst::Pipeline) {
        let base_time = self.pipeline.base_time();
        if let (Some(clock), Some(base_time)) = (self.pipeline.clock(), base_time)
            && !base_time.is_zero()
        {
            pipeline.use_clock(Some(&clock));
            pipeline.set_start_time(gst::ClockTime::NONE);
            pipeline.set_base_time(base_time);
        }
    }

    /// Waits for the codec that viewers receive.
    pub(crate) async fn codec(&self) -> Result<Codec, ReadingError> {
        let mut phase = self.phase.subscribe();
        let opened = phase.wait_for(|phase| !matches!(phase, Phase::Opening));
        if timeout(MAX_OPENING, opened).await.is_err() {
            self.fail(&format!("no video within {} s", MAX_OPENING.as_secs()));
        }
        match &*self.phase.borrow() {
            Phase::Open(codec) => Ok(*codec),
            Phase::Over(ending) => Err(ReadingError(ending.clone())),
            Phase::Opening => {
                let problem = format!("{}: it is not open", self.origin.name());
                Err(ReadingError(Ending::new(Reason::Failed, problem)))
            }
        }
    }

    /// Returns the ending if the reading has ended.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match &*self.phase.borrow() {
            Phase::Over(ending) => Some(ending.clone()),
            _ => None,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.ending().is_some()
    }

    /// Waits until the reading has ended.
    pub(crate) fn over(&self) -> impl Future<Output = ()> + use<> {
        let mut phase = self.phase.subscribe();
        async move {
            let over = phase.wait_for(|phase| matches!(phase, Phase::Over(_)));
            let _ = over.await;
        }
    }

    /// Returns a channel that closes when the pipeline has stopped.
    pub(crate) fn stopped(&self) -> watch::Receiver<()> {
        match &self.running {
            Some(running) => running.subscribe(),
            None => watch::channel(()).1,
        }
    }

    /// Ends all sessions with a problem that a file has each time it is read, but a stream or
    /// camera may not.
    fn fail(&self, problem: &str) {
        self.end_failed(format!("{}: {problem}", self.origin.name()));
    }

    fn end_failed(&self, problem: String) {
        let reason = match self.origin.is_file() {
            true => Reason::Unplayable,
            false => Reason::Failed,
        };
        self.end(Ending::new(reason, problem));
    }

    /// Ends all sessions; the first reason counts.
    pub(crate) fn end(&self, ending: Ending) {
        let is_first = self.phase.send_if_modified(|phase| {
            let is_first = !matches!(phase, Phase::Over(_));
            if is_first {
                *phase = Phase::Over(ending.clone());
            }
            is_first
        });
        if is_first {
            tracing::info!(
                reason = ending.reason.name(),
                "source ended: {}",
                ending.problem
            );
            self.viewers.end(&ending);
        }
    }

    /// Ends the reading when the pipeline fails or ends.
    fn watch_bus(self: &Arc<Self>) {
        let reading = Arc::downgrade(self);
        bus::handle_messages(&self.pipeline, move |message| {
            if let Some(reading) = reading.upgrade() {
                reading.handle(message);
            }
        });
    }

    fn handle(&self, message: &gst::Message) {
        match message.view() {
            gst::MessageView::Error(error) => {
                let debug = error.debug();
                tracing::warn!("source: {}", ElementError::from(error));
                let problem = self.origin.problem(&error.error(), debug.as_deref());
                self.end_failed(problem);
            }
            gst::MessageView::Eos(_) => {
                let problem = format!("{} has ended", self.origin.name());
                self.end(Ending::new(Reason::Ended, problem));
            }
            _ => (),
        }
    }

    /// Connects the first video pad of `decode` at its first frame, when its caps and tags are
    /// known.
    fn connect_video_of(self: &Arc<Self>, decode: &gst::Element) {
        let reading = Arc::downgrade(self);
        decode.connect_pad_added(move |_, pad| {
            let first_frame = gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER;
            let reading = reading.clone();
            pad.add_probe(first_frame, move |pad, _| {
                if let Some(reading) = reading.upgrade() {
                    reading.connect(pad);
                }
                gst::PadProbeReturn::Remove
            });
        });
        let reading = Arc::downgrade(self);
        decode.connect_no_more_pads(move |decode| {
            if let Some(reading) = reading.upgrade()
                && decode.num_src_pads() == 0
            {
                reading.fail("it has no video");
            }
        });
    }

    fn connect(&self, pad: &gst::Pad) {
        let is_connected = !matches!(*self.phase.borrow(), Phase::Opening);
        if is_connected {
            return;
        }
        let outlets = Outlets {
            pipeline: &self.pipeline,
            packets: self.producer.appsink().upcast_ref(),
            analysis: self.analysis.bin.upcast_ref(),
            frames: &self.frames,
        };
        match connect(pad, &outlets, &self.arguments) {
            // The order of the first frames decides.
            Ok(Codec::H264) if is_live(pad) => (),
            Ok(codec) => self.open_as(codec),
            Err(error) => self.fail(&error.message),
        }
    }

    fn open_as(&self, codec: Codec) {
        self.phase.send_if_modified(|phase| {
            let is_opening = matches!(phase, Phase::Opening);
            if is_opening {
                *phase = Phase::Open(codec);
            }
            is_opening
        });
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let running = self.running.take();
        // Not here: stopping waits for the streaming threads, and this may be one.
        self.pipeline.call_async(move |pipeline| {
            bus::stop(pipeline);
            drop(running);
        });
    }
}

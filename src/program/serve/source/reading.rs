// SPDX-License-Identifier: MPL-2.0

//! SOURCE while it is read: one pipeline, from the first viewer to the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use gst::prelude::*;
use gst_app::AppSink;
use gst_utils::StreamProducer;
use gst_utils::streamproducer::ProducerSettings;
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::arguments::Arguments;
use super::super::ending::{Ending, Reason};
use super::super::metrics::{Metrics, Watch};
use super::super::results::Analysis;
use super::codec::Codec;
use super::input::Input;
use super::video::{Outlets, connect, is_live};
use super::viewers::Viewers;

/// How long the first frame may take; RTSP that does not get through by UDP tries TCP after 5 s.
const MAX_OPENING: Duration = Duration::from_secs(15);

/// A live stream shows by so many frames whether they come in order.
const TRIAL: usize = 8;
/// Frames that are further back belong to a stream that begins again.
const MAX_DISORDER: gst::ClockTime = gst::ClockTime::SECOND;

/// How far a reading is.
#[derive(Clone, Debug)]
enum Phase {
    Opening,
    /// Its video is encoded like this.
    Open(Codec),
    Over(Ending),
}

/// Reads from its making to the moment when nobody has it any more.
pub struct Reading {
    input: Arc<Input>,
    arguments: Arc<Arguments>,
    pipeline: gst::Pipeline,
    /// What all viewers are sent.
    pub producer: StreamProducer,
    pub viewers: Arc<Viewers>,
    analysis: Analysis,
    /// Counts the analysis.
    _watch: Watch,
    phase: watch::Sender<Phase>,
    /// Is dropped when all of it is gone.
    running: Option<watch::Sender<()>>,
}

impl Reading {
    /// Reads nothing yet.
    pub fn new(
        arguments: &Arc<Arguments>,
        metrics: &Metrics,
        input: &Arc<Input>,
    ) -> Result<Arc<Self>, glib::BoolError> {
        let pipeline = gst::Pipeline::new();
        let viewers = Arc::new(Viewers::default());
        let analysis = Analysis::new(arguments, &viewers)?;
        viewers.set_valve(&analysis.valve);
        let sink = AppSink::builder().async_(false).build();
        let producer = StreamProducer::with(&sink, ProducerSettings { sync: false });
        // Sessions are told of the end by its reason.
        producer.set_forward_events([]);
        let decode = input.add_to(&pipeline, arguments.max_size)?;
        pipeline.add_many([sink.upcast_ref(), analysis.bin.upcast_ref::<gst::Element>()])?;
        let reading = Arc::new(Self {
            input: input.clone(),
            arguments: arguments.clone(),
            pipeline,
            producer,
            viewers,
            _watch: metrics.watch(&analysis.faceattitude),
            analysis,
            phase: watch::Sender::new(Phase::Opening),
            running: Some(watch::Sender::new(())),
        });
        reading.watch();
        reading.watch_order();
        reading.take_video_of(&decode);
        Ok(reading)
    }

    /// Begins to read; waits for devices.
    pub fn open(&self) {
        let is_live = match self.pipeline.set_state(gst::State::Paused) {
            Ok(gst::StateChangeSuccess::NoPreroll) => true,
            Ok(_) => false,
            // The bus tells why.
            Err(_) => return self.fail("it cannot be opened"),
        };
        if is_live {
            self.play();
        }
    }

    /// Lets a recording begin, if it has not: the first frame waits for somebody to see it.
    pub fn play(&self) {
        self.pipeline.call_async(|pipeline| {
            // The bus tells of failures.
            let _ = pipeline.set_state(gst::State::Playing);
        });
    }

    /// Gives `pipeline`, which does not play yet, the same time. Where nothing has been read yet it keeps its
    /// own, which is ahead: to it all video is late, and is sent at once.
    pub fn share_time(&self, pipeline: &gst::Pipeline) {
        let base_time = self.pipeline.base_time();
        if let (Some(clock), Some(base_time)) = (self.pipeline.clock(), base_time)
            && !base_time.is_zero()
        {
            pipeline.use_clock(Some(&clock));
            pipeline.set_start_time(gst::ClockTime::NONE);
            pipeline.set_base_time(base_time);
        }
    }

    /// How the video is encoded, as soon as that is known.
    pub async fn codec(&self) -> Result<Codec, String> {
        let mut phase = self.phase.subscribe();
        let opened = phase.wait_for(|phase| !matches!(phase, Phase::Opening));
        if timeout(MAX_OPENING, opened).await.is_err() {
            self.fail(&format!("no video has come in {} s", MAX_OPENING.as_secs()));
        }
        match &*self.phase.borrow() {
            Phase::Open(codec) => Ok(*codec),
            Phase::Over(ending) => Err(ending.problem.clone()),
            Phase::Opening => Err(format!("{}: it has not been opened", self.input.name())),
        }
    }

    /// How it has ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        match &*self.phase.borrow() {
            Phase::Over(ending) => Some(ending.clone()),
            _ => None,
        }
    }

    pub fn is_over(&self) -> bool {
        self.ending().is_some()
    }

    /// Is closed when all of it is gone.
    pub fn stopped(&self) -> watch::Receiver<()> {
        match &self.running {
            Some(running) => running.subscribe(),
            None => watch::channel(()).1,
        }
    }

    fn fail(&self, problem: &str) {
        let problem = format!("{}: {problem}", self.input.name());
        self.end(Ending::new(Reason::Failed, problem));
    }

    /// Ends the sessions; the first reason counts.
    fn end(&self, ending: Ending) {
        let is_first = self.phase.send_if_modified(|phase| {
            let is_first = !matches!(phase, Phase::Over(_));
            if is_first {
                *phase = Phase::Over(ending.clone());
            }
            is_first
        });
        if is_first {
            self.viewers.end(&ending);
        }
    }

    /// Ends where the pipeline does.
    fn watch(self: &Arc<Self>) {
        let Some(bus) = self.pipeline.bus() else {
            return;
        };
        let reading = Arc::downgrade(self);
        bus.set_sync_handler(move |_, message| {
            if let Some(reading) = reading.upgrade() {
                reading.hear(message);
            }
            gst::BusSyncReply::Drop
        });
    }

    /// Ends where frames lean on later ones: WebRTC cannot carry them. The next reading decodes them.
    fn watch_order(self: &Arc<Self>) {
        let Some(pad) = self.producer.appsink().static_pad("sink") else {
            return;
        };
        let reading = Arc::downgrade(self);
        let (latest, seen) = (AtomicU64::new(0), AtomicUsize::new(0));
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let Some(pts) = info.buffer().and_then(|buffer| buffer.pts()) else {
                return gst::PadProbeReturn::Ok;
            };
            let latest_ns = latest.swap(pts.nseconds(), Ordering::Relaxed);
            let back_ns = latest_ns.saturating_sub(pts.nseconds());
            let is_in_order = back_ns == 0 || back_ns > MAX_DISORDER.nseconds();
            let seen = seen.fetch_add(1, Ordering::Relaxed) + 1;
            if is_in_order && seen != TRIAL {
                return gst::PadProbeReturn::Ok;
            }
            if let Some(reading) = reading.upgrade() {
                match is_in_order {
                    true => reading.open_as(Codec::H264),
                    false => {
                        reading.input.decode();
                        reading
                            .fail("its frames have to be put in order, which is done from now on");
                    }
                }
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn hear(&self, message: &gst::Message) {
        match message.view() {
            gst::MessageView::Error(error) => {
                let debug = error.debug();
                gst::warning!(gst::CAT_DEFAULT, "{}: {:?}", error.error(), debug);
                let is_silence = error.src().is_some_and(|source| {
                    let element = source.downcast_ref::<gst::Element>();
                    let factory = element.and_then(|element| element.factory());
                    factory.is_some_and(|factory| factory.name() == "watchdog")
                });
                match is_silence {
                    true => self.fail("no video comes any more"),
                    false => {
                        let problem = self.input.problem(&error.error(), debug.as_deref());
                        self.end(Ending::new(Reason::Failed, problem));
                    }
                }
            }
            gst::MessageView::Eos(_) => {
                let problem = format!("{} has come to its end", self.input.name());
                self.end(Ending::new(Reason::Ended, problem));
            }
            gst::MessageView::Latency(_) => self.pipeline.call_async(|pipeline| {
                let _ = pipeline.recalculate_latency();
            }),
            _ => (),
        }
    }

    /// Connects the first video of `decode`, when its first frame comes: then all is known of it.
    fn take_video_of(self: &Arc<Self>, decode: &gst::Element) {
        let reading = Arc::downgrade(self);
        decode.connect_pad_added(move |_, pad| {
            let first_frame = gst::PadProbeType::BLOCK | gst::PadProbeType::BUFFER;
            let reading = reading.clone();
            pad.add_probe(first_frame, move |pad, _| {
                if let Some(reading) = reading.upgrade() {
                    reading.take(pad);
                }
                gst::PadProbeReturn::Remove
            });
        });
        let reading = Arc::downgrade(self);
        decode.connect_no_more_pads(move |decode| {
            if let Some(reading) = reading.upgrade()
                && decode.num_src_pads() == 0
            {
                reading.fail("there is no video in it");
            }
        });
    }

    fn take(&self, pad: &gst::Pad) {
        let is_taken = !matches!(*self.phase.borrow(), Phase::Opening);
        if is_taken {
            return;
        }
        let outlets = Outlets {
            pipeline: &self.pipeline,
            packets: self.producer.appsink().upcast_ref(),
            analysis: self.analysis.bin.upcast_ref(),
        };
        match connect(pad, &outlets, &self.arguments) {
            // Its first frames are still to tell whether they are in order.
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
        // Waits for threads that end, of which this may be one.
        self.pipeline.call_async(move |pipeline| {
            pipeline.bus().inspect(|bus| bus.unset_sync_handler());
            let _ = pipeline.set_state(gst::State::Null);
            drop(running);
        });
    }
}

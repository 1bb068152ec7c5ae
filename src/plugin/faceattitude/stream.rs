// SPDX-License-Identifier: MPL-2.0

//! State of one stream, and the processing of its frames.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::messages::SampleMessages;
use super::settings::FrameSettings;
use super::stats::Stats;
use super::{CAT, Mode};
use crate::clock_time::clock_time;
use crate::drawing::{FaceDrawing, RenderError};
use crate::failures::{FailureAction, Failures, OneWarning, WarningLimit};
use crate::frame_times::FrameTimes;
use crate::meta::{self, CarriedFace, MetaKinds, ModelNames};
use crate::negotiation::OverlayOutput;
use crate::overlay::Overlay;
use crate::video;
use attitude::InferenceError;
use attitude::analyzer::{Analysis, Analyzer, Epoch, Sample};
use attitude::detection::Detection;
use attitude::frame::{Frame, Layout};
use attitude::orientation::Orientation;
use attitude::record::FrameStamp;
use attitude::sampling::Sampler;
use attitude::sync::lock;
use attitude_inference::engine::{Engine, LiveStream};
use attitude_inference::provider::ProviderFailure;

/// State of the element, from READY on.
pub(super) enum StreamState {
    /// The element is in READY.
    Stopped,
    /// The networks are loaded. The mode is selected at the first frame, when upstream knows
    /// whether it is live.
    Loaded(Arc<Engine>),
    /// Frames are being processed.
    Running(Box<Stream>),
    /// The streaming thread uses the stream, or a panic has destroyed it.
    Taken,
}

/// Format of the frames, from the caps.
#[derive(Clone, Debug)]
pub(super) struct Video {
    pub info: gst_video::VideoInfo,
    pub layout: Layout,
}

/// Processing in one of the two modes.
enum Processing {
    /// The streaming thread analyzes the frame in the buffer's memory.
    Sync {
        engine: Arc<Engine>,
        analyzer: Box<Analyzer>,
    },
    /// The engine gets a copy of the frame, and the frame passes at once.
    Live(LiveStream<FrameStamp>),
}

/// The state of one stream, from READY->PAUSED to PAUSED->READY.
pub(super) struct Stream {
    engine: Arc<Engine>,
    processing: Processing,
    stats: Arc<Mutex<Stats>>,
    model: ModelNames,
    /// Type of the regions that upstream attaches to faces; `None` if the detector finds them.
    upstream_type: Option<String>,
    /// Detections that upstream has attached to the current frame.
    upstream: Vec<Detection>,
    /// Stream id of the stream-start event.
    id: String,
    epoch: Epoch,
    sampler: Sampler,
    /// Orientation of the picture in the frames.
    orientation: Orientation,
    /// Number of frames of the stream.
    frames: u64,
    times: FrameTimes,
    /// Result that the frames carry.
    analysis: Analysis,
    /// `true` if a frame has carried `analysis`.
    is_carried: bool,
    /// Age of `analysis` when a frame first carried it.
    delay_ns: u64,
    failures: Failures,
    /// There are more faces than `max-faces`.
    pub more_faces: OneWarning,
    /// Most faces are small in the detector's input.
    pub small_faces: OneWarning,
    /// Frames have no timestamps.
    pub no_timestamps: OneWarning,
    device_failed: OneWarning,
    /// Faces of the current frame.
    drawings: Vec<FaceDrawing<'static>>,
    overlay: Overlay,
    overlay_warnings: WarningLimit,
    messages: SampleMessages,
}

impl Stream {
    /// Creates a stream in `mode`, which is not [`Mode::Auto`]. Its faces are the regions of
    /// `upstream_type` or, without one, those that the detector finds.
    ///
    /// # Errors
    /// Returns an error if the system cannot start a thread.
    pub fn new(
        engine: Arc<Engine>,
        mode: Mode,
        upstream_type: Option<String>,
        id: String,
        stats: Arc<Mutex<Stats>>,
    ) -> std::io::Result<Self> {
        let info = engine.info();
        let model = ModelNames::new(&info.model_name, &info.emotion_labels);
        let processing = match mode {
            Mode::Live => {
                let live = engine.open_stream()?;
                lock(&stats).in_flight = Some(live.in_flight());
                Processing::Live(live)
            }
            Mode::Sync | Mode::Auto => Processing::Sync {
                engine: engine.clone(),
                analyzer: Box::default(),
            },
        };
        Ok(Self {
            engine,
            processing,
            stats,
            model,
            upstream_type,
            upstream: Vec::new(),
            id,
            epoch: Epoch::default(),
            sampler: Sampler::default(),
            orientation: Orientation::default(),
            frames: 0,
            times: FrameTimes::default(),
            analysis: Analysis::default(),
            is_carried: true,
            delay_ns: 0,
            failures: Failures::default(),
            more_faces: OneWarning::default(),
            small_faces: OneWarning::default(),
            no_timestamps: OneWarning::default(),
            device_failed: OneWarning::default(),
            drawings: Vec::new(),
            overlay: Overlay::default(),
            overlay_warnings: WarningLimit::default(),
            messages: SampleMessages::default(),
        })
    }

    /// Begins another stream: discards the state of the last one; track numbers start at 1.
    pub fn begin(&mut self, id: String) {
        self.id = id;
        self.epoch.stream += 1;
        self.frames = 0;
        self.more_faces = OneWarning::default();
        self.small_faces = OneWarning::default();
        self.no_timestamps = OneWarning::default();
        self.messages.begin_stream();
        self.times = FrameTimes::default();
        self.discard_results();
    }

    /// Ends all tracks, as the next frame does not continue the last one; time may start again.
    pub fn reset(&mut self) {
        self.times = FrameTimes::default();
        self.end_tracks();
    }

    /// Sets the orientation of the picture in the frames. Ends all tracks if it changes.
    pub fn set_orientation(&mut self, orientation: Orientation) {
        if orientation != std::mem::replace(&mut self.orientation, orientation) {
            self.end_tracks();
        }
    }

    fn end_tracks(&mut self) {
        self.epoch.part += 1;
        self.discard_results();
    }

    fn discard_results(&mut self) {
        self.sampler.reset();
        self.analysis.faces.clear();
        self.analysis.track_timeout_ns = 0;
        self.is_carried = true;
        self.overlay.clear();
    }

    /// Counts a frame and returns its number and time; see [`FrameTimes::next`]. A step back in
    /// time ends all tracks, and so does a step of more than the track timeout that is marked as a
    /// discontinuity.
    pub fn count_frame(
        &mut self,
        running_time_ns: Option<u64>,
        is_discontinuous: bool,
        video: &Video,
        settings: &FrameSettings,
    ) -> (u64, u64) {
        let frame_ns = video::frame_duration_ns(&video.info);
        let time = self.times.next(running_time_ns, frame_ns);
        let is_far = time
            .since_last_ns
            .is_some_and(|since_last_ns| since_last_ns > settings.params.track_timeout_ns);
        if time.is_back || is_discontinuous && is_far {
            self.end_tracks();
        }
        let number = self.frames;
        self.frames += 1;
        lock(&self.stats).frames += 1;
        (number, time.ns)
    }

    /// Returns `true` if the frame at `time_ns`, which is shown for `duration_ns`, is to be analyzed.
    pub fn is_due(
        &mut self,
        time_ns: u64,
        duration_ns: Option<u64>,
        settings: &FrameSettings,
    ) -> bool {
        self.sampler
            .is_due(time_ns, duration_ns, settings.sample_interval_ns)
    }

    /// Returns `true` if a sampled frame waits for its own result.
    pub fn delays_frames(&self) -> bool {
        matches!(self.processing, Processing::Sync { .. })
    }

    /// Reads the faces that upstream has attached to `buffer`, if upstream detects the faces.
    pub fn read_upstream(&mut self, buffer: &gst::BufferRef) {
        if let Some(upstream_type) = &self.upstream_type {
            meta::read_detections(buffer, upstream_type, &mut self.upstream);
        }
    }

    /// Analyzes `frame` or submits it to the engine. Adds the messages about new results to
    /// `messages`.
    pub fn sample(
        &mut self,
        frame: Frame,
        time_ns: u64,
        stamp: FrameStamp,
        settings: &FrameSettings,
        messages: &mut Vec<gst::Structure>,
    ) -> Result<(), FailureAction> {
        let sample = Sample {
            frame: frame.with_orientation(self.orientation),
            time_ns,
            epoch: self.epoch,
            upstream: self.upstream_type.is_some().then_some(&self.upstream[..]),
            params: &settings.params,
        };
        let started = Instant::now();
        match &mut self.processing {
            Processing::Sync { engine, analyzer } => {
                let networks = engine.lease();
                let analysis = &mut self.analysis;
                match networks.and_then(|mut n| n.analyze(analyzer, &sample, analysis)) {
                    Ok(()) => {
                        self.record(
                            &stamp,
                            settings,
                            (Duration::ZERO, started.elapsed()),
                            messages,
                        );
                        Ok(())
                    }
                    Err(error) => Err(self.fail(error)),
                }
            }
            Processing::Live(live) => {
                if live.submit(&sample, stamp) {
                    lock(&self.stats).skipped += 1;
                    gst::debug!(
                        CAT,
                        "{}: the sample at {} replaces a pending one; the engine has been busy for {:?}",
                        self.id,
                        clock_time(time_ns).display(),
                        live.in_flight().age().unwrap_or_default()
                    );
                }
                Ok(())
            }
        }
    }

    /// Takes the results that the engine has finished, and adds the messages about them to
    /// `messages`.
    pub fn collect(
        &mut self,
        settings: &FrameSettings,
        messages: &mut Vec<gst::Structure>,
    ) -> Result<(), FailureAction> {
        let mut result = Ok(());
        while let Processing::Live(live) = &self.processing
            && let Some(sample) = live.take_completed()
        {
            // A result of an earlier epoch does not apply to later frames.
            if sample.epoch != self.epoch {
                gst::debug!(
                    CAT,
                    "{}: discarding the result of frame {}, which precedes a flush, a gap or another stream",
                    self.id,
                    sample.context.frame
                );
            } else {
                match sample.result {
                    Ok(analysis) => {
                        self.analysis = analysis;
                        let times = (sample.queue_wait, sample.delay);
                        self.record(&sample.context, settings, times, messages);
                    }
                    Err(error) => match self.fail(error) {
                        FailureAction::Ignore => {}
                        action => result = Err(action),
                    },
                }
            }
        }
        result
    }

    /// Returns the failure of the execution provider's device once.
    pub fn take_device_failure(&mut self) -> Option<ProviderFailure> {
        let failure = self.engine.device_failure()?;
        self.device_failed.set_due();
        self.device_failed.take_due().then(|| failure.clone())
    }

    /// Waits until no sample is in flight, at most for `timeout`. Returns `false` if one still is.
    pub fn drain(&self, timeout: Duration) -> bool {
        match &self.processing {
            Processing::Live(live) => live.drain(timeout),
            Processing::Sync { .. } => true,
        }
    }

    /// Counts a frame that could not be analyzed.
    pub fn fail(&mut self, error: InferenceError) -> FailureAction {
        lock(&self.stats).failures += 1;
        self.failures.add(error)
    }

    /// Records a new result: updates the counters and adds the messages about it.
    fn record(
        &mut self,
        stamp: &FrameStamp,
        settings: &FrameSettings,
        (queue_wait, delay): (Duration, Duration),
        messages: &mut Vec<gst::Structure>,
    ) {
        self.failures.reset();
        self.is_carried = false;
        lock(&self.stats).add_sample(&self.analysis, queue_wait, delay);
        if self.analysis.has_more_faces {
            self.more_faces.set_due();
        }
        if self.analysis.has_small_faces {
            self.small_faces.set_due();
        }
        self.messages.add(
            &self.id,
            stamp,
            &self.analysis,
            self.model.emotion_labels(),
            settings,
            messages,
        );
    }

    /// Attaches the last result to `buffer`, whose time is `time_ns`, and draws it to
    /// `overlay_output`, unless that is `None`.
    ///
    /// # Errors
    /// Returns an error if the overlay cannot be drawn and a warning is due. The frame passes
    /// without it.
    pub fn annotate(
        &mut self,
        buffer: &mut gst::BufferRef,
        time_ns: u64,
        video: &Video,
        settings: &FrameSettings,
        overlay_output: Option<OverlayOutput>,
    ) -> Result<(), RenderError> {
        let is_new = !std::mem::replace(&mut self.is_carried, true);
        let analysis = &self.analysis;
        if is_new {
            self.delay_ns = time_ns.saturating_sub(analysis.time_ns);
        }
        // A late result is carried for as long as an immediate one, and until the next result,
        // which is equally late.
        let late_ns = self.delay_ns.saturating_mul(2);
        let timeout_ns = analysis.track_timeout_ns.saturating_add(late_ns);
        let present = analysis
            .faces
            .iter()
            .filter(|face| time_ns.saturating_sub(face.observed_ns) < timeout_ns);
        let carried = present.map(|face| CarriedFace {
            state: face,
            bbox_in_frame: face.bbox_at(time_ns),
            age_ns: time_ns.saturating_sub(face.updated_ns()),
            is_fresh: is_new && face.is_classified_at(analysis.time_ns),
        });
        let kinds = MetaKinds {
            regions: settings.roi_meta,
            analytics: settings.analytics_meta,
        };
        let size = (video.info.width(), video.info.height());
        let upstream_type = self.upstream_type.as_deref();
        meta::attach(
            buffer,
            size,
            carried.clone(),
            &self.model,
            kinds,
            upstream_type,
        );
        if is_new && (kinds.regions || kinds.analytics) {
            meta::mark_sample(buffer, self.delay_ns, analysis.scene_trend);
        }
        self.drawings.clear();
        self.drawings
            .extend(carried.map(|face| FaceDrawing::from(&face)));
        self.overlay.push(time_ns, &self.drawings);
        if let Some(output) = overlay_output {
            let overlay = &mut self.overlay;
            let drawn = overlay.draw(buffer, &video.info, output, &self.drawings);
            if drawn.is_err() && self.overlay_warnings.is_due() {
                return drawn;
            }
        }
        Ok(())
    }
}

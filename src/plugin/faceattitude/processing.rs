// SPDX-License-Identifier: MPL-2.0

//! Processing of frames: takes each one through the stream, and posts messages and failures.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_video::video_frame::VideoFrameRef;

use super::imp::FaceAttitude;
use super::settings::FrameSettings;
use super::stream::{Stream, StreamState, Video};
use super::{CAT, Mode};
use crate::failures::{FailureAction, MAX_FAILURES};
use crate::video;
use attitude::InferenceError;
use attitude::analyzer::DETECTABLE_FACE_PX;
use attitude::record::FrameStamp;
use attitude::sync::lock;
use attitude_inference::provider::Provider;

impl FaceAttitude {
    /// Returns the mode. If the property is `auto`, upstream's latency query selects it.
    fn resolve_mode(&self) -> Mode {
        let mode = lock(&self.settings).mode;
        if mode != Mode::Auto {
            return mode;
        }
        let mut query = gst::query::Latency::new();
        let is_live = self.obj().sink_pad().peer_query(&mut query) && query.result().0;
        let mode = if is_live { Mode::Live } else { Mode::Sync };
        let source = if is_live { "live" } else { "not live" };
        gst::info!(CAT, imp = self, "upstream is {source}: mode {mode:?}");
        mode
    }

    /// Calls `action` with the stream, if there is one. Called by the streaming thread.
    pub(super) fn with_stream(&self, action: impl FnOnce(&mut Stream)) {
        if let StreamState::Running(stream) = &mut *lock(&self.stream) {
            action(stream);
        }
    }

    /// Takes the stream out of its mutex. Creates it at the first frame.
    pub(super) fn take_stream(&self) -> Result<Box<Stream>, gst::FlowError> {
        let state = std::mem::replace(&mut *lock(&self.stream), StreamState::Taken);
        match state {
            StreamState::Running(stream) => Ok(stream),
            StreamState::Loaded(engine) => {
                let id = self.obj().sink_pad().stream_id();
                let id = id.map(String::from).unwrap_or_default();
                let upstream_type = lock(&self.settings).upstream_type();
                let mode = self.resolve_mode();
                let stats = self.stats.clone();
                let stream = Stream::new(engine, mode, upstream_type, id, stats);
                let stream = stream.map_err(|error| {
                    gst::element_imp_error!(
                        self,
                        gst::ResourceError::Failed,
                        ("cannot start a thread for the analysis: {error}")
                    );
                    gst::FlowError::Error
                })?;
                Ok(Box::new(stream))
            }
            StreamState::Stopped => {
                *lock(&self.stream) = StreamState::Stopped;
                Err(gst::FlowError::Flushing)
            }
            // A panic destroyed the stream and was posted as an error.
            StreamState::Taken => Err(gst::FlowError::Error),
        }
    }

    /// Analyzes a frame if it is due, attaches the result and draws the overlay.
    pub(super) fn process(
        &self,
        stream: &mut Stream,
        buffer: &mut gst::BufferRef,
        video: &Video,
        settings: &FrameSettings,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let orientation = settings.orientation.resolve(*lock(&self.orientation_tags));
        stream.set_orientation(orientation);
        let size = (video.info.width(), video.info.height());
        let segment = self.obj().segment();
        let mut stamp = video::stamp(buffer, buffer.pts(), &segment, size);
        let running_time_ns = stamp.running_time_ns;
        let is_discontinuous = buffer.flags().contains(gst::BufferFlags::DISCONT);
        let (number, time_ns) =
            stream.count_frame(running_time_ns, is_discontinuous, video, settings);
        if buffer.pts().is_none() {
            stream.no_timestamps.set_due();
            let pts = video::pts_at(time_ns, &segment);
            stamp = video::stamp(buffer, pts, &segment, size);
        }
        stamp.frame = number;
        let mut messages = Vec::new();
        let mut outcome = stream.collect(settings, &mut messages);
        let duration_ns = buffer.duration().map(gst::ClockTime::nseconds);
        if stream.is_due(time_ns, duration_ns, settings) {
            let started = Instant::now();
            let sampled = sample(
                stream,
                buffer,
                video,
                time_ns,
                stamp,
                settings,
                &mut messages,
            );
            if stream.delays_frames() {
                self.record_delay(started.elapsed());
            }
            outcome = outcome.and(sampled);
        }
        self.post(messages);
        self.post_warnings(stream, settings);
        self.report_failure(outcome)?;
        let overlay_output = settings
            .overlay
            .then(|| self.overlay_negotiation.output(&*self.obj(), *CAT));
        if let Err(error) = stream.annotate(buffer, time_ns, video, settings, overlay_output) {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("cannot draw the overlay of a frame: {error}")
            );
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// Records the maximum delay of a frame, rounded up to a power of two. If it grows, posts a
    /// latency message, upon which the pipeline recalculates its latency.
    fn record_delay(&self, elapsed: Duration) {
        let elapsed_ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX / 4);
        let step_ns = elapsed_ns.next_power_of_two();
        if self.max_delay_ns.fetch_max(step_ns, Ordering::Relaxed) < step_ns {
            let message = gst::message::Latency::builder().src(&*self.obj()).build();
            let _ = self.obj().post_message(message);
        }
    }

    /// Posts warnings about the stream that are due.
    fn post_warnings(&self, stream: &mut Stream, settings: &FrameSettings) {
        if stream.no_timestamps.take_due() {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Format,
                ("frames have no timestamps: their times are assumed from the frame rate; put a \
                     parser in front of the decoder, or set the rate with videorate")
            );
        }
        if let Some(failure) = stream.take_device_failure() {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Failed,
                (
                    "the device of the execution provider failed: {}; the CPU runs the networks until the \
                     pipeline restarts",
                    failure.cause
                )
            );
            lock(&self.stats).set_provider(Provider::Cpu);
            self.set_active_provider(Provider::Cpu);
        }
        if stream.small_faces.take_due() {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("most faces are smaller than {DETECTABLE_FACE_PX} px in the detector's input, and others of \
                     their size may be missing; raise detector-size")
            );
        }
        if stream.more_faces.take_due() {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                (
                    "there are more than {} faces, and the lowest-scoring ones are ignored; raise \
                     max-faces",
                    settings.params.max_faces
                )
            );
        }
    }

    /// Posts structures as element messages.
    fn post(&self, messages: Vec<gst::Structure>) {
        for structure in messages {
            let message = gst::message::Element::builder(structure)
                .src(&*self.obj())
                .build();
            // Fails only without a bus.
            let _ = self.obj().post_message(message);
        }
    }

    /// Posts the warning or error that the failure policy demands.
    ///
    /// # Errors
    /// Returns [`gst::FlowError::Error`] if the stream must end.
    fn report_failure(&self, outcome: Result<(), FailureAction>) -> Result<(), gst::FlowError> {
        match outcome {
            Ok(()) | Err(FailureAction::Ignore) => Ok(()),
            Err(FailureAction::Warn(error)) => {
                gst::element_imp_warning!(
                    self,
                    gst::StreamError::Failed,
                    ("cannot analyze a frame: {error}")
                );
                Ok(())
            }
            Err(FailureAction::Fail(error)) => {
                gst::element_imp_error!(
                    self,
                    gst::StreamError::Failed,
                    ("the analysis of {MAX_FAILURES} samples in a row failed: {error}")
                );
                Err(gst::FlowError::Error)
            }
        }
    }

    /// Waits at the end of the stream for the sample in flight and posts its result.
    pub(super) fn finish(&self) {
        let state = std::mem::replace(&mut *lock(&self.stream), StreamState::Taken);
        if let StreamState::Running(mut stream) = state {
            let (settings, timeout_ns) = {
                let settings = lock(&self.settings);
                (settings.for_frame(), settings.inference_timeout_ns)
            };
            let mut messages = Vec::new();
            let timeout = Duration::from_nanos(timeout_ns);
            if !stream.drain(timeout) {
                gst::element_imp_warning!(
                    self,
                    gst::StreamError::Failed,
                    ("the end of the stream came {timeout:?} before the last results")
                );
            }
            let outcome = stream.collect(&settings, &mut messages);
            *lock(&self.stream) = StreamState::Running(stream);
            self.post(messages);
            // The stream ends in any case, and an error has been posted.
            let _ = self.report_failure(outcome);
        } else {
            *lock(&self.stream) = state;
        }
    }
}

/// Analyzes `buffer` or submits it to the engine. Adds the messages about new results to
/// `messages`.
fn sample(
    stream: &mut Stream,
    buffer: &gst::BufferRef,
    video: &Video,
    time_ns: u64,
    stamp: FrameStamp,
    settings: &FrameSettings,
    messages: &mut Vec<gst::Structure>,
) -> Result<(), FailureAction> {
    let Video { info, layout } = video;
    stream.read_upstream(buffer);
    let Ok(frame) = VideoFrameRef::from_buffer_ref_readable(buffer, info) else {
        let reason = format!(
            "a buffer of {} bytes cannot be mapped as {}x{} {}, which needs {} bytes",
            buffer.size(),
            info.width(),
            info.height(),
            info.name(),
            info.size()
        );
        return Err(stream.fail(InferenceError(reason)));
    };
    match video::view(&frame, info, *layout) {
        Ok(view) => stream.sample(view, time_ns, stamp, settings, messages),
        Err(error) => Err(stream.fail(InferenceError(error.to_string()))),
    }
}

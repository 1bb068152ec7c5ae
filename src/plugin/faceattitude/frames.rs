// SPDX-License-Identifier: MPL-2.0

//! What the streaming thread does with the element's stream: a frame's way from its buffer to its
//! metadata and messages.

use std::sync::atomic::Ordering;
use std::time::Instant;

use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use gst_video::video_frame::VideoFrameRef;

use super::failures::Verdict;
use super::imp::{FaceAttitude, Place};
use super::settings::FrameSettings;
use super::stream::{Stream, Video};
use super::{CAT, Mode};
use crate::message::AttitudeMessage;
use crate::stamp::stamp;
use crate::{composition, video};
use attitude::InferenceError;
use attitude::record::Record;
use attitude::sync::lock;

impl FaceAttitude {
    /// What holds where the mode is left to upstream.
    fn resolve_mode(&self) -> Mode {
        let mode = lock(&self.settings).mode;
        if mode != Mode::Auto {
            return mode;
        }
        let mut query = gst::query::Latency::new();
        let is_live = self.obj().sink_pad().peer_query(&mut query) && query.result().0;
        let mode = if is_live { Mode::Live } else { Mode::Sync };
        gst::info!(CAT, imp = self, "mode is {mode:?}");
        mode
    }

    /// Does something with the stream, if there is one. Called by the streaming thread.
    pub(super) fn with_stream(&self, action: impl FnOnce(&mut Stream)) {
        if let Place::Running(stream) = &mut *lock(&self.stream) {
            action(stream);
        }
    }

    /// Takes the stream out of its place; the first frame makes it.
    pub(super) fn take_stream(&self) -> Result<Box<Stream>, gst::FlowError> {
        let place = std::mem::replace(&mut *lock(&self.stream), Place::Taken);
        match place {
            Place::Running(stream) => Ok(stream),
            Place::Loaded(engine) => {
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
                        ("no thread to analyse in: {error}")
                    );
                    gst::FlowError::Error
                })?;
                Ok(Box::new(stream))
            }
            Place::Stopped => {
                *lock(&self.stream) = Place::Stopped;
                Err(gst::FlowError::Flushing)
            }
            // A panic took it; it was posted as an error then.
            Place::Taken => Err(gst::FlowError::Error),
        }
    }

    pub(super) fn process(
        &self,
        stream: &mut Stream,
        buffer: &mut gst::BufferRef,
        video: &Video,
        settings: &FrameSettings,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let size = (video.info.width(), video.info.height());
        let mut stamp = stamp(buffer, &self.obj().segment(), size);
        let running_time_ns = stamp.running_time_ns;
        let is_discontinuous = buffer.flags().contains(gst::BufferFlags::DISCONT);
        let (number, time_ns) = stream.enter(running_time_ns, is_discontinuous, video, settings);
        stamp.frame = number;
        let mut records = Vec::new();
        let mut learnt = stream.collect(settings, &mut records);
        if stream.is_due(time_ns, settings) {
            let started = Instant::now();
            stream.take_given(buffer);
            let sampled = match VideoFrameRef::from_buffer_ref_readable(buffer, &video.info) {
                Ok(frame) => match video::view(&frame, &video.info, video.layout) {
                    Ok(view) => stream.sample(&view, time_ns, stamp, settings, &mut records),
                    Err(error) => Err(stream.fail(InferenceError(error.to_string()))),
                },
                Err(_) => {
                    let info = &video.info;
                    let reason = format!(
                        "a buffer of {} bytes cannot be mapped as {}x{} {}, which takes {}",
                        buffer.size(),
                        info.width(),
                        info.height(),
                        info.name(),
                        info.size()
                    );
                    Err(stream.fail(InferenceError(reason)))
                }
            };
            if stream.holds_up_frames() {
                self.note_held_up(started.elapsed());
            }
            learnt = learnt.and(sampled);
        }
        self.post(records);
        self.judge(learnt)?;
        let attaches_overlay = settings.overlay && self.attaches_overlay();
        if let Err(error) = stream.annotate(buffer, time_ns, video, settings, attaches_overlay) {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("the overlay of a frame cannot be drawn: {error}")
            );
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// Whether what is downstream draws the overlay; asks it once after each negotiation.
    fn attaches_overlay(&self) -> bool {
        if let Some(attaches) = *lock(&self.attaches_overlay) {
            return attaches;
        }
        let attaches = composition::is_drawn_downstream(self.obj().src_pad());
        gst::info!(CAT, imp = self, "downstream draws the overlay: {attaches}");
        *lock(&self.attaches_overlay) = Some(attaches);
        attaches
    }

    /// Remembers the longest time that a frame was held up, in steps of a power of two, and has
    /// the pipeline's latency calculated anew when it grows.
    fn note_held_up(&self, elapsed: std::time::Duration) {
        let elapsed_ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX / 4);
        let step_ns = elapsed_ns.next_power_of_two();
        if self.held_up_ns.fetch_max(step_ns, Ordering::Relaxed) < step_ns {
            let message = gst::message::Latency::builder().src(&*self.obj()).build();
            let _ = self.obj().post_message(message);
        }
    }

    fn post(&self, records: Vec<Record>) {
        for record in records {
            let structure = gst::Structure::from(AttitudeMessage(record));
            let message = gst::message::Element::builder(structure)
                .src(&*self.obj())
                .build();
            // Without a bus nobody listens.
            let _ = self.obj().post_message(message);
        }
    }

    /// Tells of a failed inference as it deserves.
    fn judge(&self, learnt: Result<(), Verdict>) -> Result<(), gst::FlowError> {
        match learnt {
            Ok(()) | Err(Verdict::Silent) => Ok(()),
            Err(Verdict::Warn(error)) => {
                gst::element_imp_warning!(
                    self,
                    gst::StreamError::Failed,
                    ("a frame cannot be analysed: {error}")
                );
                Ok(())
            }
            Err(Verdict::GiveUp(error)) => {
                gst::element_imp_error!(
                    self,
                    gst::StreamError::Failed,
                    ("the analysis has failed ten times in a row: {error}")
                );
                Err(gst::FlowError::Error)
            }
        }
    }

    /// At the end of the stream: waits for what is in flight and tells what it found.
    pub(super) fn finish(&self) {
        let place = std::mem::replace(&mut *lock(&self.stream), Place::Taken);
        if let Place::Running(mut stream) = place {
            let settings = lock(&self.settings).for_frame();
            let mut records = Vec::new();
            stream.drain();
            let learnt = stream.collect(&settings, &mut records);
            *lock(&self.stream) = Place::Running(stream);
            self.post(records);
            // The stream ends here whatever went wrong; an error has been posted.
            let _ = self.judge(learnt);
        } else {
            *lock(&self.stream) = place;
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Plays the pipeline of a recording until it ends, and handles its messages.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use attitude::record::Record;
use gst::prelude::*;
use tracing::debug;

use super::error::{BeyondEndError, PlayError};
use super::pipeline::Pipeline;
use super::times::PositionScale;
use super::{MissingPlugin, StallDetector, UnplayableError, one_line};
use crate::playback;
use crate::worker::message::{Event, Outcome, Request};

/// Interval of checks for a request to stop.
const POLL_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(100);

/// Interval of reports of the progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Maximum time that the annotated video takes to be completed if the recording has not ended.
const MAX_COMPLETING: Duration = Duration::from_secs(3);

/// Maximum time without data after which a demuxer that has failed is not replaced by another one.
const MAX_REPLACING: Duration = Duration::from_secs(2);

/// Maximum time to wait for the first packets of all streams before a part is played.
const MAX_WAIT_FOR_SCALE: Duration = Duration::from_secs(1);

/// Maximum number of samples that wait for the first packets of all streams.
const MAX_WAITING_SAMPLES: usize = 50;

/// End of playback.
pub(crate) struct Played {
    pub(crate) end: Outcome,
    /// Set if the pipeline is stuck, and goes on in this process.
    pub(crate) is_stuck: bool,
}

/// Plays a recording to its end, or until `is_stopped` returns `true`. Calls `report` with what
/// happens.
pub(crate) fn play(
    request: &Request,
    is_stopped: impl Fn() -> bool,
    report: &mut dyn FnMut(Event),
) -> Played {
    let failed = |error: glib::BoolError| Played {
        end: Outcome::Failed(PlayError::from(error).into()),
        is_stuck: false,
    };
    let recording = match Pipeline::new(request) {
        Ok(recording) => recording,
        Err(error) => return failed(error),
    };
    let Some(bus) = recording.pipeline.bus() else {
        return failed(glib::bool_error!("the pipeline has no bus"));
    };
    let mut playback = Playback {
        recording: &recording,
        request,
        report,
        missing_plugins: Vec::new(),
        samples: VecDeque::new(),
        has_ended: false,
        waits_for_part: None,
        duration_ns: None,
        reported_at: Instant::now(),
    };
    recording.start();
    let end = playback.run(&bus, is_stopped);
    if !matches!(end, Outcome::Stopped) {
        // At its end, more is known.
        playback.update_duration();
    }
    if !playback.has_ended && matches!(end, Outcome::Damaged(_) | Outcome::Stopped) {
        playback.complete_annotated_video(&bus);
    }
    playback.report_samples(recording.scale_so_far());
    for note in recording.notes() {
        (playback.report)(Event::Note(note));
    }
    playback.report_progress();
    let is_stuck = !recording.stop();
    Played { end, is_stuck }
}

/// A pipeline that plays.
struct Playback<'a> {
    recording: &'a Pipeline,
    request: &'a Request,
    report: &'a mut dyn FnMut(Event),
    missing_plugins: Vec<MissingPlugin>,
    /// Samples whose positions are not known yet, with the indices of their analyses.
    samples: VecDeque<(usize, Record)>,
    /// Time since when the part could be played if the scale of positions were known.
    waits_for_part: Option<Instant>,
    duration_ns: Option<u64>,
    /// Set if all streams have ended.
    has_ended: bool,
    /// Time of the latest report of the progress.
    reported_at: Instant,
}

impl Playback<'_> {
    /// Handles messages until playback ends.
    fn run(&mut self, bus: &gst::Bus, is_stopped: impl Fn() -> bool) -> Outcome {
        let mut replacement = None;
        loop {
            let message = bus.timed_pop(POLL_INTERVAL);
            if is_stopped() {
                return Outcome::Stopped;
            }
            if let Some(message) = message {
                if let Some(end) = self.handle(&message) {
                    return end;
                }
            } else if !self.recording.has_video()
                && let Some(message) = self.recording.demuxer_error()
                && let gst::MessageView::Error(error) = message.view()
            {
                let (now, bytes_read) = (Instant::now(), self.recording.bytes_read());
                let replacement = replacement.get_or_insert_with(|| {
                    let interval = Duration::from(POLL_INTERVAL);
                    StallDetector::new(Some(MAX_REPLACING), interval, bytes_read, now)
                        .of_process(std::process::id())
                });
                if replacement.is_stalled(bytes_read, now) {
                    return self.end_by_error(&message, error);
                }
            }
            if let Some(end) = self.continue_part() {
                return end;
            }
            if self.reported_at.elapsed() >= PROGRESS_INTERVAL {
                self.report_progress();
            }
        }
    }

    /// Handles a message; returns the end of playback if it has ended.
    fn handle(&mut self, message: &gst::Message) -> Option<Outcome> {
        match message.view() {
            gst::MessageView::Element(element) => {
                self.missing_plugins.extend(MissingPlugin::of(element));
                let analysis = self.recording.analysis_of(message)?;
                self.handle_sample(analysis, element)
            }
            gst::MessageView::Application(message) if Pipeline::announces_streams(message) => self
                .handle_streams()
                .err()
                .map(|error| Outcome::Failed(error.into())),
            gst::MessageView::Warning(warning) => {
                let text = one_line(warning.error().message());
                debug!(warning = text, debug = ?warning.debug(), "an element posted a warning");
                (self.report)(Event::Warning(text));
                None
            }
            gst::MessageView::Error(error) => {
                debug!(debug = ?error.debug(), "an element posted an error");
                Some(self.end_by_error(message, error))
            }
            gst::MessageView::Eos(_) => {
                self.has_ended = true;
                self.update_duration();
                let part = self.request.part;
                let missing = match part.to_ns {
                    None => self.recording.missing_end(self.duration_ns),
                    Some(_) => None,
                };
                let damage = missing.or_else(|| {
                    let damaged_frames = self.recording.damaged_frames();
                    let damage = damaged_frames.or_else(|| self.recording.damaged_data());
                    damage.filter(|_| part.is_whole())
                });
                Some(damage.map_or(Outcome::EndOfStream, Outcome::Damaged))
            }
            _ => None,
        }
    }

    fn handle_sample(
        &mut self,
        analysis: usize,
        element: &gst::message::Element,
    ) -> Option<Outcome> {
        match playback::sample(element) {
            Ok(Some(record)) => {
                if self.duration_ns.is_none() {
                    self.update_duration();
                    self.report_progress();
                }
                self.samples.push_back((analysis, record));
                // Packets that are further apart in a file are not played at the same time.
                let is_long = self.samples.len() > MAX_WAITING_SAMPLES;
                let scale_so_far = || is_long.then(|| self.recording.scale_so_far());
                if let Some(scale) = self.recording.scale().or_else(scale_so_far) {
                    self.report_samples(scale);
                }
                None
            }
            Ok(None) => None,
            Err(error) => Some(Outcome::Failed(PlayError::from(error).into())),
        }
    }

    /// Reports the samples that are in the requested part, with positions on `scale` as stream
    /// times.
    fn report_samples(&mut self, scale: PositionScale) {
        let part = self.request.part;
        for (analysis, mut record) in self.samples.drain(..) {
            record.stream_time_ns = scale.position_ns(record.pts_ns, record.stream_time_ns);
            // Demuxers play a frame if a part has none.
            if record.stream_time_ns.is_none_or(|ns| part.contains(ns)) {
                (self.report)(Event::Sample { analysis, record });
            }
        }
    }

    fn update_duration(&mut self) {
        let scale = self.recording.scale_so_far();
        let duration_ns = playback::duration_ns(&self.recording.pipeline);
        let duration_ns = duration_ns.map(|duration_ns| scale.duration_ns(duration_ns));
        self.duration_ns = duration_ns.or(self.duration_ns);
    }

    /// Handles the streams when all are known.
    fn handle_streams(&mut self) -> Result<(), PlayError> {
        let has_video = self.recording.has_video();
        debug!(has_video, "all streams are known");
        if !has_video {
            let missing = std::mem::take(&mut self.missing_plugins);
            let missing = missing.into_iter().find(MissingPlugin::is_for_video);
            let error = missing.map_or(UnplayableError::NoVideo, UnplayableError::MissingPlugin);
            return Err(error.into());
        }
        if !self.request.part.is_whole() {
            self.waits_for_part = Some(Instant::now());
        }
        Ok(())
    }

    /// Starts to play the requested part when the scale of positions is known.
    fn continue_part(&mut self) -> Option<Outcome> {
        let since = self.waits_for_part?;
        if self.recording.scale().is_none() && since.elapsed() < MAX_WAIT_FOR_SCALE {
            return None;
        }
        self.waits_for_part = None;
        let error = self.start_part().err()?;
        Some(Outcome::Failed(error.into()))
    }

    /// Starts to play the requested part.
    fn start_part(&self) -> Result<(), PlayError> {
        let (recording, part) = (self.recording, self.request.part);
        if let (Some(from_ns), Some(duration_ns)) = (part.from_ns, recording.duration_ns())
            && from_ns >= duration_ns
        {
            return Err(PlayError::BeyondEnd(BeyondEndError {
                from_ns,
                duration_ns,
            }));
        }
        recording.play_part(part)
    }

    /// Returns the end of playback by `error`, which `message` contains.
    fn end_by_error(&mut self, message: &gst::Message, error: &gst::message::Error) -> Outcome {
        let recording = self.recording;
        if recording.is_decoding(message) {
            if recording.has_video() {
                return Outcome::Damaged(playback::ElementError::from(error).to_string());
            }
            let missing = std::mem::take(&mut self.missing_plugins);
            return Outcome::Failed(PlayError::from(UnplayableError::of(error, missing)).into());
        }
        match recording.is_writing(message) {
            true => Outcome::Unwritable(playback::ElementError::from(error).to_string()),
            false => Outcome::Failed(PlayError::Analysis(error.into()).into()),
        }
    }

    /// Completes the annotated video of what was played; reports the samples of frames that were
    /// on their way.
    fn complete_annotated_video(&mut self, bus: &gst::Bus) {
        if !self.recording.is_annotating() || !self.recording.has_video() {
            return;
        }
        self.recording.end_streams();
        let started = Instant::now();
        while started.elapsed() < MAX_COMPLETING {
            match bus.timed_pop(POLL_INTERVAL) {
                Some(message) if message.type_() == gst::MessageType::Eos => return,
                Some(message) => {
                    self.handle(&message);
                }
                None => {}
            }
        }
    }

    fn report_progress(&mut self) {
        self.reported_at = Instant::now();
        let mut progress = self.recording.progress();
        if self.has_ended && self.request.part.is_whole() {
            // The last frame may be shown for longer than its packet.
            let video_end_ns = self.recording.video_end_ns();
            let limit_ns = self.duration_ns.unwrap_or(u64::MAX);
            progress.end_ns = progress
                .end_ns
                .max(video_end_ns.map(|end_ns| end_ns.min(limit_ns)));
        }
        // Containers round their duration, or state none.
        let duration_ns = self.duration_ns.max(progress.end_ns);
        (self.report)(Event::Progress(playback::Progress {
            duration_ns,
            ..progress
        }));
    }
}

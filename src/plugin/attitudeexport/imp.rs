// SPDX-License-Identifier: MPL-2.0

//! The element's class: pads, properties, states, events and queries.
//!
//! No two locks are held together. The streaming thread holds `state` while it writes, but not while
//! it pushes.

use std::io;
use std::sync::{LazyLock, Mutex};

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::Interval;
use super::format::Format;
use crate::{meta, video};
use attitude::record::Record;
use attitude::record::change::ChangeDetector;
use attitude::record::formats::{Output, TimedRecord, Timing, Writer};
use attitude::sync::lock;
use attitude::timeline::Span;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "attitudeexport",
        gst::DebugColorFlags::empty(),
        Some("Attitudes as text"),
    )
});

#[derive(Clone, Copy, Debug, Default)]
struct Settings {
    format: Format,
    interval: Interval,
}

/// State from READY->PAUSED to PAUSED->READY.
#[derive(Default)]
struct State {
    writer: Option<Box<dyn Writer>>,
    /// Whether the writer has begun.
    has_header: bool,
    /// Text to push.
    output: Output,
    changes: ChangeDetector,
    /// The current frame. Its stream is the id in the stream-start event.
    record: Record,
    segment: gst::Segment,
    /// Whether caps and segment were pushed.
    is_begun: bool,
    /// Width and height in the caps; 0 if they have none.
    size: (u32, u32),
    /// Duration of a frame according to the caps.
    frame_ns: u64,
    frames: u64,
    /// End of the last frame.
    end_ns: u64,
    has_warned_of_stripped: bool,
}

/// See [`super::AttitudeExport`].
pub struct AttitudeExport {
    sink_pad: gst::Pad,
    src_pad: gst::Pad,
    settings: Mutex<Settings>,
    state: Mutex<State>,
}

#[glib::object_subclass]
impl ObjectSubclass for AttitudeExport {
    const NAME: &'static str = "GstAttitudeExport";
    type Type = super::AttitudeExport;
    type ParentType = gst::Element;

    fn with_class(class: &Self::Class) -> Self {
        let template = |name| class.pad_template(name).expect("it is declared below");
        let sink_pad = gst::Pad::builder_from_template(&template("sink"))
            .chain_function(|pad, parent, buffer| {
                Self::catch_panic_pad_function(
                    parent,
                    || Err(gst::FlowError::Error),
                    |this| this.chain(pad, buffer),
                )
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_event(pad, event))
            })
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |this| this.sink_query(pad, query))
            })
            .build();
        let src_pad = gst::Pad::builder_from_template(&template("src"))
            .query_function(|pad, parent, query| {
                Self::catch_panic_pad_function(parent, || false, |this| this.src_query(pad, query))
            })
            .build();
        Self {
            sink_pad,
            src_pad,
            settings: Mutex::default(),
            state: Mutex::default(),
        }
    }
}

impl ObjectImpl for AttitudeExport {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let defaults = Settings::default();
            vec![
                glib::ParamSpecEnum::builder_with_default("format", defaults.format)
                    .nick("Format")
                    .blurb("Format of the text")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("interval", defaults.interval)
                    .nick("Interval")
                    .blurb("Frames whose records are written, in the formats jsonl and csv")
                    .mutable_playing()
                    .build(),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        gst::debug!(CAT, imp = self, "{} = {value:?}", pspec.name());
        let mut settings = lock(&self.settings);
        match pspec.name() {
            "format" => settings.format = Format::from_value(value),
            "interval" => settings.interval = value.get().expect("GObject checked the type"),
            name => unreachable!("no such property: {name}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = lock(&self.settings);
        match pspec.name() {
            "format" => settings.format.to_value(),
            "interval" => settings.interval.to_value(),
            name => unreachable!("no such property: {name}"),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        for pad in [&self.sink_pad, &self.src_pad] {
            self.obj()
                .add_pad(pad)
                .expect("an element without pads takes them");
        }
    }
}

impl GstObjectImpl for AttitudeExport {}

impl ElementImpl for AttitudeExport {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Face attitude export",
                "Filter/Converter/Video/Metadata",
                "Writes the faces in the metadata of faceattitude or another analysis and their \
                 attitudes as JSON lines, CSV, subtitle files or subtitles for a muxer. \
                 Try: ... ! faceattitude ! attitudeexport ! filesink location=faces.jsonl",
                "gst-attitude maintainers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let video = gst::Caps::builder("video/x-raw").any_features().build();
            let mut text = gst::Caps::new_empty();
            for (_, caps) in Format::all() {
                text.merge(caps);
            }
            let template = |name, direction, caps: &gst::Caps| {
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps)
                    .expect("the template's arguments are constant")
            };
            vec![
                template("src", gst::PadDirection::Src, &text),
                template("sink", gst::PadDirection::Sink, &video),
            ]
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            let (format, _) = lock(&self.settings).format.get();
            let writer = (format.writer)(Timing::Frames).map_err(|error| self.fail(&error));
            *lock(&self.state) = State {
                writer: Some(writer.map_err(|_| gst::StateChangeError)?),
                ..State::default()
            };
        }
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            *lock(&self.state) = State::default();
        }
        Ok(success)
    }
}

impl AttitudeExport {
    fn chain(
        &self,
        _pad: &gst::Pad,
        buffer: gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        self.begin();
        let interval = lock(&self.settings).interval;
        let written = lock(&self.state).write(&buffer, interval);
        let gap = written.map_err(|error| self.fail(&error))?;
        let is_stripped = meta::is_stripped(&buffer);
        if is_stripped && !std::mem::replace(&mut lock(&self.state).has_warned_of_stripped, true) {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ["{}", meta::STRIPPED]);
        }
        self.push()?;
        if let Some(span) = gap {
            // So that sinks and muxers do not wait for text of this time.
            self.src_pad.push_event(gap_event(span));
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// Pushes what must come before the first buffer.
    fn begin(&self) {
        let mut state = lock(&self.state);
        if state.is_begun {
            return;
        }
        state.is_begun = true;
        let segment = state.segment.clone();
        drop(state);
        let (_, caps) = lock(&self.settings).format.get();
        self.src_pad.push_event(gst::event::Caps::new(&caps));
        self.src_pad.push_event(gst::event::Segment::new(&segment));
    }

    /// Posts that writing failed.
    fn fail(&self, error: &io::Error) -> gst::FlowError {
        gst::element_imp_error!(self, gst::StreamError::Encode, ["cannot write: {error}"]);
        gst::FlowError::Error
    }

    /// Pushes what was written.
    fn push(&self) -> Result<(), gst::FlowError> {
        let mut output = std::mem::take(&mut lock(&self.state).output);
        let pushed = output.pieces().try_for_each(|(span, text)| {
            let mut buffer = gst::Buffer::from_mut_slice(text.to_vec());
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(gst::ClockTime::from_nseconds(span.start_ns));
                buffer.set_duration(gst::ClockTime::from_nseconds(span.len_ns()));
            }
            self.src_pad.push(buffer).map(|_| ())
        });
        // For reuse of its memory.
        output.clear();
        lock(&self.state).output = output;
        pushed
    }

    /// Writes and pushes what is incomplete.
    fn finish(&self) {
        self.begin();
        let written = lock(&self.state).finish();
        // What follows, such as the end of the stream, is passed on even if this fails.
        let _ = written
            .map_err(|error| self.fail(&error))
            .and_then(|()| self.push());
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        gst::log!(CAT, imp = self, "{event:?}");
        match event.view() {
            gst::EventView::StreamStart(start) => {
                self.end_part();
                let mut state = lock(&self.state);
                state.record.stream = start.stream_id().to_owned();
                state.frames = 0;
                state.changes = ChangeDetector::default();
            }
            gst::EventView::Caps(caps) => {
                let caps = caps.caps();
                let mut state = lock(&self.state);
                let structure = caps.structure(0);
                let side = |name| {
                    let side = structure.and_then(|s| s.get::<i32>(name).ok());
                    side.and_then(|side| u32::try_from(side).ok()).unwrap_or(0)
                };
                state.size = (side("width"), side("height"));
                let info = gst_video::VideoInfo::from_caps(caps);
                state.frame_ns = info.map_or(0, |info| video::frame_duration_ns(&info));
                // The text has caps of its own.
                return true;
            }
            gst::EventView::Segment(segment) => {
                self.end_part();
                let mut state = lock(&self.state);
                state.segment = segment.segment().clone();
                if !state.is_begun {
                    // Caps come first, and they are pushed with the first frame.
                    return true;
                }
            }
            gst::EventView::FlushStop(_) => lock(&self.state).flush(),
            gst::EventView::Gap(_) => {
                self.begin();
                if !lock(&self.state).is_up_to_date() {
                    return true;
                }
            }
            gst::EventView::Eos(_) => self.finish(),
            _ => {}
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    /// Ends the part of the stream before, if there is any.
    fn end_part(&self) {
        if lock(&self.state).is_begun {
            self.finish();
        }
    }

    fn sink_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Caps(caps) => {
                let template = pad.pad_template_caps();
                let result = match caps.filter() {
                    Some(filter) => {
                        filter.intersect_with_mode(&template, gst::CapsIntersectMode::First)
                    }
                    None => template,
                };
                caps.set_result(&result);
                true
            }
            gst::QueryViewMut::AcceptCaps(accept) => {
                let is_video = accept.caps().is_subset(&pad.pad_template_caps());
                accept.set_result(is_video);
                true
            }
            gst::QueryViewMut::Allocation(allocation) => {
                // Memory is never mapped: it may be anything.
                video::propose_any_stride(allocation);
                allocation.add_allocation_meta::<gst_video::VideoOverlayCompositionMeta>(None);
                true
            }
            _ => gst::Pad::query_default(pad, Some(&*self.obj()), query),
        }
    }

    fn src_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        let gst::QueryViewMut::Caps(caps) = query.view_mut() else {
            return gst::Pad::query_default(pad, Some(&*self.obj()), query);
        };
        let (_, own) = lock(&self.settings).format.get();
        let result = match caps.filter() {
            Some(filter) => filter.intersect_with_mode(&own, gst::CapsIntersectMode::First),
            None => own,
        };
        caps.set_result(&result);
        true
    }
}

fn gap_event(span: Span) -> gst::Event {
    gst::event::Gap::builder(gst::ClockTime::from_nseconds(span.start_ns))
        .duration(gst::ClockTime::from_nseconds(span.len_ns()))
        .build()
}

impl State {
    /// Writes a frame. Returns the span of a gap if sinks need not wait for text about it.
    fn write(&mut self, buffer: &gst::BufferRef, interval: Interval) -> io::Result<Option<Span>> {
        let mut stamp = video::stamp(buffer, &self.segment, self.size);
        stamp.frame = self.frames;
        self.frames += 1;
        let start_ns = stamp.pts_ns.unwrap_or(self.end_ns);
        let duration = buffer.duration().map(gst::ClockTime::nseconds);
        let end_ns = start_ns.saturating_add(duration.unwrap_or(self.frame_ns));
        self.end_ns = end_ns;
        let span = Span { start_ns, end_ns };

        self.record.set_stamp(&stamp);
        let faces = &mut self.record.faces;
        meta::read_records(buffer, faces);
        let is_sample = meta::is_sample(buffer) || faces.iter().any(|face| face.fresh);
        let frame = TimedRecord {
            span,
            is_sample,
            is_selected: match interval {
                Interval::Frame => true,
                Interval::Sample => is_sample,
                Interval::Change => self
                    .changes
                    .update(faces.iter().map(|face| (face.track, face.attitude))),
            },
            record: &self.record,
        };
        let Some(writer) = &mut self.writer else {
            return Ok(None);
        };
        let is_first = !std::mem::replace(&mut self.has_header, true);
        if is_first {
            writer.begin(span, &mut self.output)?;
        }
        writer.write(&frame, &mut self.output)?;
        if !self.output.is_empty() {
            Ok(None)
        } else if writer.is_up_to_date() {
            Ok(Some(span))
        } else {
            // A sink prerolls with a gap. Without one, a format without a header would block the
            // other branches of a tee until its first cue ends.
            let end_ns = start_ns;
            Ok(is_first.then_some(Span { start_ns, end_ns }))
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.finish(&mut self.output),
            None => Ok(()),
        }
    }

    fn is_up_to_date(&self) -> bool {
        self.writer
            .as_ref()
            .is_none_or(|writer| writer.is_up_to_date())
    }

    fn flush(&mut self) {
        self.end_ns = 0;
        if let Some(writer) = &mut self.writer {
            writer.reset();
        }
    }
}

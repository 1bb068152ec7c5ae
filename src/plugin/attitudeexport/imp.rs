// SPDX-License-Identifier: MPL-2.0

//! The element's class: pads, properties, states, events and queries.
//!
//! Locks, in the order in which they may be taken together: `state`, `settings`. The streaming thread
//! holds `state` while it writes, but not while it pushes.

use std::sync::{LazyLock, Mutex};

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::exporter::{Chooser, Exporter, Text};
use super::{Format, Interval};
use crate::{meta, stamp::stamp, video};
use attitude::record::Record;
use attitude::record::cue::Span;
use attitude::sync::lock;

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

/// What is kept from READY->PAUSED to PAUSED->READY.
#[derive(Default)]
struct State {
    exporter: Option<Exporter>,
    chooser: Chooser,
    /// As the stream-start event has it.
    stream: String,
    segment: gst::Segment,
    /// Whether the segment that downstream needs was pushed, after the caps.
    is_begun: bool,
    /// By the caps; 0 where they do not tell.
    size: (u32, u32),
    frame_ns: u64,
    frames: u64,
    /// Where the last frame ended.
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
                    .blurb("What the metadata are written as")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("interval", defaults.interval)
                    .nick("Interval")
                    .blurb("Which frames are written about, in the formats jsonl and csv")
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
            "format" => settings.format = value.get().expect("GObject checked the type"),
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
                "Writes what the metadata of faceattitude or another analysis tell of faces as JSON \
                 lines, CSV, WebVTT or subtitles for a muxer. \
                 Try: ... ! faceattitude ! attitudeexport ! filesink location=faces.jsonl",
                "gst-attitude maintainers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let video = gst::Caps::builder("video/x-raw").any_features().build();
            let text = [Format::JsonLines, Format::Csv, Format::WebVtt, Format::Text];
            let text = text.into_iter().flat_map(|format| {
                let structures: Vec<_> = caps_of(format).iter().map(ToOwned::to_owned).collect();
                structures
            });
            let template = |name, direction, caps: &gst::Caps| {
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, caps)
                    .expect("the template's arguments are constant")
            };
            vec![
                template("src", gst::PadDirection::Src, &text.collect()),
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
            let exporter = Exporter::new(lock(&self.settings).format);
            *lock(&self.state) = State {
                exporter: Some(exporter),
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

/// The caps of what comes out in that format.
fn caps_of(format: Format) -> gst::Caps {
    match format {
        Format::JsonLines => gst::Caps::new_empty_simple("application/x-ndjson"),
        Format::Csv => gst::Caps::new_empty_simple("text/csv"),
        Format::WebVtt => gst::Caps::new_empty_simple("application/x-subtitle-vtt"),
        Format::Text => gst::Caps::builder("text/x-raw")
            .field("format", "utf8")
            .build(),
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
        let mut texts = Vec::new();
        let gap = lock(&self.state).note(&buffer, interval, &mut texts);
        let is_stripped = meta::is_stripped(&buffer);
        if is_stripped && !std::mem::replace(&mut lock(&self.state).has_warned_of_stripped, true) {
            gst::element_imp_warning!(self, gst::StreamError::Failed, ["{}", meta::STRIPPED]);
        }
        self.push(texts)?;
        if let Some(span) = gap {
            // Tells sinks and muxers not to wait for text of this time.
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
        let caps = caps_of(lock(&self.settings).format);
        self.src_pad.push_event(gst::event::Caps::new(&caps));
        self.src_pad.push_event(gst::event::Segment::new(&segment));
    }

    fn push(&self, texts: Vec<Text>) -> Result<(), gst::FlowError> {
        for Text { span, bytes } in texts {
            let mut buffer = gst::Buffer::from_mut_slice(bytes);
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(gst::ClockTime::from_nseconds(span.start_ns));
                let duration_ns = span.end_ns.saturating_sub(span.start_ns);
                buffer.set_duration(gst::ClockTime::from_nseconds(duration_ns));
            }
            self.src_pad.push(buffer)?;
        }
        Ok(())
    }

    /// Pushes what is open.
    fn finish(&self) {
        self.begin();
        let texts = lock(&self.state).finish();
        // What follows, such as the end of the stream, comes whatever became of this.
        let _ = self.push(texts);
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        gst::log!(CAT, imp = self, "{event:?}");
        match event.view() {
            gst::EventView::StreamStart(start) => {
                self.end_part();
                let mut state = lock(&self.state);
                state.stream = start.stream_id().to_owned();
                state.frames = 0;
                state.chooser.forget();
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
                // What comes out has caps of its own.
                return true;
            }
            gst::EventView::Segment(segment) => {
                self.end_part();
                let mut state = lock(&self.state);
                state.segment = segment.segment().clone();
                if !state.is_begun {
                    // Caps come first, and those are known when a frame comes.
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

    /// What was open ends, if anything came before.
    fn end_part(&self) {
        if lock(&self.state).is_begun {
            self.finish();
        }
    }

    fn sink_query(&self, pad: &gst::Pad, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Caps(caps) => {
                let template = pad.pad_template_caps();
                let answer = match caps.filter() {
                    Some(filter) => {
                        filter.intersect_with_mode(&template, gst::CapsIntersectMode::First)
                    }
                    None => template,
                };
                caps.set_result(&answer);
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
        let own = caps_of(lock(&self.settings).format);
        let answer = match caps.filter() {
            Some(filter) => filter.intersect_with_mode(&own, gst::CapsIntersectMode::First),
            None => own,
        };
        caps.set_result(&answer);
        true
    }
}

fn gap_event(span: Span) -> gst::Event {
    gst::event::Gap::builder(gst::ClockTime::from_nseconds(span.start_ns))
        .duration(gst::ClockTime::from_nseconds(
            span.end_ns.saturating_sub(span.start_ns),
        ))
        .build()
}

impl State {
    /// Takes a frame; what is to be told is added to `texts`. Returns the frame's time where there is
    /// nothing to tell of it.
    fn note(
        &mut self,
        buffer: &gst::BufferRef,
        interval: Interval,
        texts: &mut Vec<Text>,
    ) -> Option<Span> {
        let mut stamp = stamp(buffer, &self.segment, self.size);
        stamp.frame = self.frames;
        self.frames += 1;
        let start_ns = stamp.pts_ns.unwrap_or(self.end_ns);
        let duration = buffer.duration().map(gst::ClockTime::nseconds);
        let end_ns = start_ns.saturating_add(duration.unwrap_or(self.frame_ns));
        self.end_ns = end_ns;
        let span = Span { start_ns, end_ns };

        let mut faces = Vec::new();
        meta::read_records(buffer, &mut faces);
        let is_sample = meta::is_sample(buffer) || faces.iter().any(|face| face.fresh);
        let is_told = self.chooser.chooses(interval, is_sample, &faces);
        let record = Record::of_frame(&self.stream, &stamp, faces);
        let exporter = self.exporter.as_mut()?;
        exporter.note(&record, span, is_told, is_sample, texts);
        (texts.is_empty() && exporter.is_up_to_date()).then_some(span)
    }

    fn finish(&mut self) -> Vec<Text> {
        let mut texts = Vec::new();
        if let Some(exporter) = &mut self.exporter {
            exporter.finish(&mut texts);
        }
        texts
    }

    fn is_up_to_date(&self) -> bool {
        self.exporter.as_ref().is_none_or(Exporter::is_up_to_date)
    }

    fn flush(&mut self) {
        self.end_ns = 0;
        if let Some(exporter) = &mut self.exporter {
            exporter.forget();
        }
    }
}

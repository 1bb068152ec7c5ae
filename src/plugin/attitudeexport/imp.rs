// SPDX-License-Identifier: MPL-2.0

//! Implementation of `attitudeexport`: pads, properties, states, events and queries.
//!
//! No two locks are held together. The streaming thread holds `stream` while it writes, but not
//! while it pushes.

use std::io;
use std::sync::{LazyLock, Mutex};

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::format::Format;
use super::stream::Stream;
use crate::clock_time::clock_time;
use crate::panics::catch_panic;
use crate::properties::{SOURCE, TAGS, text_from_value};
use crate::records::{FrameRecorder, FrameSelection};
use crate::video;
use attitude::record::formats::Timing;
use attitude::record::tags::{Tags, TagsError};
use attitude::sync::lock;
use attitude::timeline::Span;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "attitudeexport",
        gst::DebugColorFlags::empty(),
        Some("Faces and attitudes as text"),
    )
});

#[derive(Clone, Debug, Default)]
struct Settings {
    format: Format,
    selection: FrameSelection,
    source: Option<String>,
    tags: Option<String>,
}

impl Settings {
    fn tags(&self) -> Result<Tags, TagsError> {
        self.tags.as_deref().unwrap_or_default().parse()
    }
}

/// See [`super::AttitudeExport`].
pub struct AttitudeExport {
    sink_pad: gst::Pad,
    src_pad: gst::Pad,
    settings: Mutex<Settings>,
    stream: Mutex<Stream>,
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
                    |this| {
                        let failed = Err(gst::FlowError::Error);
                        catch_panic(&*this.obj(), failed, || this.chain(pad, buffer))
                    },
                )
            })
            .event_function(|pad, parent, event| {
                Self::catch_panic_pad_function(
                    parent,
                    || false,
                    |this| catch_panic(&*this.obj(), false, || this.sink_event(pad, event)),
                )
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
            stream: Mutex::default(),
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
                    .blurb("Format of the output")
                    .mutable_ready()
                    .build(),
                glib::ParamSpecEnum::builder_with_default("interval", defaults.selection)
                    .nick("Interval")
                    .blurb("Frames whose faces are written, in the formats jsonl and csv")
                    .mutable_playing()
                    .build(),
                glib::ParamSpecString::builder(SOURCE.name)
                    .nick(SOURCE.nick)
                    .blurb(SOURCE.blurb)
                    .mutable_ready()
                    .build(),
                glib::ParamSpecString::builder(TAGS.name)
                    .nick(TAGS.nick)
                    .blurb(TAGS.blurb)
                    .mutable_ready()
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
            "interval" => settings.selection = value.get().expect("GObject checked the type"),
            "source" => settings.source = text_from_value(value),
            "tags" => settings.tags = text_from_value(value),
            name => unreachable!("no such property: {name}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let settings = lock(&self.settings);
        match pspec.name() {
            "format" => settings.format.to_value(),
            "interval" => settings.selection.to_value(),
            "source" => settings.source.to_value(),
            "tags" => settings.tags.to_value(),
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
                "Writes the faces in the metadata of faceattitude or another analysis element, with their \
                 attitudes, as JSON lines, CSV, subtitle files or subtitles for a muxer. \
                 Example: ... ! faceattitude ! attitudeexport ! filesink location=faces.jsonl",
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
            let settings = lock(&self.settings).clone();
            let tags = settings.tags().map_err(|error| {
                gst::element_imp_error!(self, gst::ResourceError::Settings, ("{error}"));
                gst::StateChangeError
            })?;
            let (format, _) = settings.format.get();
            let writer = (format.writer)(Timing::Frames).map_err(|error| self.fail(&error));
            let writer = writer.map_err(|_| gst::StateChangeError)?;
            let frames = FrameRecorder::new(settings.source, tags);
            *lock(&self.stream) = Stream::new(writer, frames);
        }
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            *lock(&self.stream) = Stream::default();
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
        let selection = lock(&self.settings).selection;
        let written = lock(&self.stream).write(&buffer, selection);
        let gap = written.map_err(|error| self.fail(&error))?;
        let mut stripped = std::mem::take(&mut lock(&self.stream).stripped);
        stripped.check(&buffer, &*self.obj());
        lock(&self.stream).stripped = stripped;
        self.push()?;
        if let Some(event) = gap.and_then(gap_event) {
            // So that sinks and muxers do not wait for text of this time.
            self.src_pad.push_event(event);
        }
        Ok(gst::FlowSuccess::Ok)
    }

    /// Pushes caps and segment, which must precede the first buffer.
    fn begin(&self) {
        let mut stream = lock(&self.stream);
        if stream.is_begun {
            return;
        }
        stream.is_begun = true;
        let segment = stream.frames.segment.clone();
        drop(stream);
        let (_, caps) = lock(&self.settings).format.get();
        self.src_pad.push_event(gst::event::Caps::new(&caps));
        self.src_pad.push_event(gst::event::Segment::new(&segment));
    }

    /// Posts an error about failed writing.
    fn fail(&self, error: &io::Error) -> gst::FlowError {
        gst::element_imp_error!(
            self,
            gst::StreamError::Encode,
            ("cannot write the records of the faces: {error}")
        );
        gst::FlowError::Error
    }

    /// Pushes the text that has been written.
    fn push(&self) -> Result<(), gst::FlowError> {
        let mut output = std::mem::take(&mut lock(&self.stream).output);
        let pushed = output.pieces().try_for_each(|(span, text)| {
            let mut buffer = gst::Buffer::from_mut_slice(text.to_vec());
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_pts(clock_time(span.start_ns));
                buffer.set_duration(clock_time(span.len_ns()));
            }
            self.src_pad.push(buffer).map(|_| ())
        });
        // The next frame reuses the memory.
        output.clear();
        lock(&self.stream).output = output;
        pushed
    }

    /// Writes and pushes open cues and the end of the format.
    fn finish(&self) {
        self.begin();
        let written = lock(&self.stream).finish();
        // The event that caused this, such as EOS, is passed on even if writing fails.
        let _ = written
            .map_err(|error| self.fail(&error))
            .and_then(|()| self.push());
    }

    fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        gst::log!(CAT, imp = self, "{event:?}");
        match event.view() {
            gst::EventView::StreamStart(start) => {
                self.end_part();
                lock(&self.stream).frames.begin_stream(start.stream_id());
            }
            gst::EventView::Caps(caps) => {
                lock(&self.stream).frames.set_caps(caps.caps());
                // The output has caps of its own.
                return true;
            }
            gst::EventView::Segment(segment) => {
                self.end_part();
                let mut stream = lock(&self.stream);
                stream.frames.segment = segment.segment().clone();
                if !stream.is_begun {
                    // Caps come first, and they are pushed with the first frame.
                    return true;
                }
            }
            gst::EventView::FlushStop(_) => lock(&self.stream).flush(),
            gst::EventView::Gap(_) => {
                self.begin();
                if !lock(&self.stream).is_up_to_date() {
                    return true;
                }
            }
            gst::EventView::Eos(_) => self.finish(),
            _ => {}
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    /// Finishes the text so far, if frames have come.
    fn end_part(&self) {
        if lock(&self.stream).is_begun {
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
                // Pixels are never read, so any memory layout is accepted.
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

/// Returns the gap event of a span; `None` if the span starts at no time.
fn gap_event(span: Span) -> Option<gst::Event> {
    let gap = gst::event::Gap::builder(clock_time(span.start_ns)?);
    Some(gap.duration(clock_time(span.len_ns())).build())
}

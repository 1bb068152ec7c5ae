// SPDX-License-Identifier: MPL-2.0

//! Implementation of `attitudeoverlay`: pads, properties, caps, events and the processing of
//! frames.
//!
//! Lock order: the streaming thread holds `drawing` while it processes a frame and may take
//! `overlay_negotiation` during that time. No other locks are held together, and no other thread
//! takes `drawing` while frames pass.

use std::sync::{Arc, LazyLock, Mutex};

use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use gst_video::video_frame::VideoFrameRef;
use gst_video::{VideoFormat, VideoInfo};

use super::settings::{PROPERTIES, Settings};
use crate::drawing::{self, FaceDrawing, Pixelator, RenderError};
use crate::failures::WarningLimit;
use crate::frame_times::FrameTimes;
use crate::meta::stripped::StrippedWarning;
use crate::negotiation::{self, OverlayNegotiation, OverlayOutput};
use crate::overlay::Overlay;
use crate::panics::catch_panic;
use crate::{meta, video};
use attitude::detection::Detection;
use attitude::sync::lock;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "attitudeoverlay",
        gst::DebugColorFlags::empty(),
        Some("Drawing and pixelation of faces"),
    )
});

/// State of the streaming thread.
#[derive(Default)]
struct Drawing {
    overlay: Overlay,
    pixelator: Pixelator,
    /// Settings that have been applied to `overlay`.
    settings: Option<Arc<Settings>>,
    /// Classified faces of the current frame.
    drawings: Vec<FaceDrawing<'static>>,
    /// Detections of the current frame.
    detections: Vec<Detection>,
    times: FrameTimes,
    warnings: WarningLimit,
    stripped: StrippedWarning,
}

/// See [`super::AttitudeOverlay`].
#[derive(Default)]
pub struct AttitudeOverlay {
    settings: Mutex<Arc<Settings>>,
    info: Mutex<Option<VideoInfo>>,
    drawing: Mutex<Drawing>,
    overlay_negotiation: OverlayNegotiation,
}

#[glib::object_subclass]
impl ObjectSubclass for AttitudeOverlay {
    const NAME: &'static str = "GstAttitudeOverlay";
    type Type = super::AttitudeOverlay;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for AttitudeOverlay {
    fn properties() -> &'static [glib::ParamSpec] {
        static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            PROPERTIES
                .iter()
                .map(|property| property.spec().clone())
                .collect()
        });
        &SPECS
    }

    fn set_property(&self, id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        gst::debug!(CAT, imp = self, "{} = {value:?}", pspec.name());
        let mut settings = lock(&self.settings);
        PROPERTIES[id - 1].set(Arc::make_mut(&mut settings), value);
    }

    fn property(&self, id: usize, _pspec: &glib::ParamSpec) -> glib::Value {
        PROPERTIES[id - 1].value(&lock(&self.settings))
    }

    fn constructed(&self) {
        self.parent_constructed();
        self.obj().set_passthrough(false);
        self.obj().set_in_place(true);
    }
}

impl GstObjectImpl for AttitudeOverlay {}

impl ElementImpl for AttitudeOverlay {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Face attitude overlay",
                "Filter/Editor/Video",
                "Draws boxes, labels and attitude histories of faces from the metadata of faceattitude or \
                 another analysis element, or pixelates the faces",
                "gst-attitude maintainers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| negotiation::pad_templates(VideoFormat::iter_raw()));
        &TEMPLATES
    }
}

impl BaseTransformImpl for AttitudeOverlay {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        drawing::load_fonts();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.drawing) = Drawing::default();
        *lock(&self.info) = None;
        Ok(())
    }

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        Some(negotiation::transform_caps(direction, caps, filter, true))
    }

    fn fixate_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        othercaps: gst::Caps,
    ) -> gst::Caps {
        self.parent_fixate_caps(direction, caps, negotiation::prefer_composition(othercaps))
    }

    fn set_caps(&self, incaps: &gst::Caps, outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = negotiation::video_info(incaps, *CAT)?;
        self.overlay_negotiation.set_caps(incaps, outcaps);
        *lock(&self.info) = Some(info);
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        if let gst::EventView::StreamStart(_) | gst::EventView::FlushStop(_) = event.view() {
            lock(&self.drawing).clear();
        }
        self.parent_sink_event(event)
    }

    fn propose_allocation(
        &self,
        decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        self.parent_propose_allocation(decide_query, query)?;
        video::propose_any_stride(query);
        Ok(())
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        catch_panic(&*self.obj(), Err(gst::FlowError::Error), || {
            self.draw(buffer)
        })
    }
}

impl AttitudeOverlay {
    /// Hides the faces of a frame if requested, and draws its overlay.
    fn draw(&self, buffer: &mut gst::BufferRef) -> Result<gst::FlowSuccess, gst::FlowError> {
        let info = lock(&self.info)
            .clone()
            .ok_or(gst::FlowError::NotNegotiated)?;
        let settings = lock(&self.settings).clone();
        let mut drawing = lock(&self.drawing);
        drawing.apply_settings(&settings);
        meta::read_drawings(buffer, &mut drawing.drawings);
        drawing.stripped.check(buffer, &*self.obj());
        if settings.blur_faces {
            drawing
                .pixelate(buffer, &info, &settings.face_type)
                .map_err(|error| {
                    // The frame must not pass with a visible face.
                    gst::element_imp_error!(
                        self,
                        gst::StreamError::Failed,
                        ("cannot pixelate the faces of a frame: {error}")
                    );
                    gst::FlowError::Error
                })?;
        }
        let running_time = self
            .obj()
            .segment()
            .downcast_ref::<gst::ClockTime>()
            .and_then(|segment| segment.to_running_time(buffer.pts()));
        let time_ns = drawing.frame_time_ns(running_time.map(gst::ClockTime::nseconds), &info);
        let output = self.overlay_negotiation.output(&*self.obj(), *CAT);
        if let Err(error) = drawing.draw(buffer, time_ns, &info, output)
            && drawing.warnings.is_due()
        {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                ("cannot draw the overlay of a frame: {error}")
            );
        }
        Ok(gst::FlowSuccess::Ok)
    }
}

impl Drawing {
    fn apply_settings(&mut self, settings: &Arc<Settings>) {
        let is_same = |applied: &Arc<Settings>| Arc::ptr_eq(applied, settings);
        if !self.settings.as_ref().is_some_and(is_same) {
            self.overlay.set_style(&settings.style);
            self.settings = Some(settings.clone());
        }
    }

    /// Pixelates all faces of `buffer`.
    fn pixelate(
        &mut self,
        buffer: &mut gst::BufferRef,
        info: &VideoInfo,
        face_type: &str,
    ) -> Result<(), glib::BoolError> {
        meta::read_detections(buffer, face_type, &mut self.detections);
        let detections = self.detections.iter().map(|face| face.bbox);
        let boxes = detections.chain(self.drawings.iter().map(|face| face.bbox_in_frame));
        let mut boxes = boxes.peekable();
        if boxes.peek().is_none() {
            return Ok(());
        }
        let mut frame = VideoFrameRef::from_buffer_ref_writable(buffer, info)?;
        boxes.try_for_each(|bbox| self.pixelator.pixelate(&mut frame, bbox))
    }

    /// Returns the time of a frame; see [`FrameTimes::next`]. Clears the histories if running time
    /// has gone back.
    fn frame_time_ns(&mut self, running_time_ns: Option<u64>, info: &VideoInfo) -> u64 {
        let frame_ns = video::frame_duration_ns(info);
        let time = self.times.next(running_time_ns, frame_ns);
        if time.is_back {
            self.overlay.clear();
        }
        time.ns
    }

    fn draw(
        &mut self,
        buffer: &mut gst::BufferRef,
        time_ns: u64,
        info: &VideoInfo,
        output: OverlayOutput,
    ) -> Result<(), RenderError> {
        self.overlay.push(time_ns, &self.drawings);
        self.overlay.draw(buffer, info, output, &self.drawings)
    }

    fn clear(&mut self) {
        self.overlay.clear();
        self.times = FrameTimes::default();
    }
}

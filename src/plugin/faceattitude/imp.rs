// SPDX-License-Identifier: MPL-2.0

//! The element's class: pads, properties, states, events and queries.
//!
//! Locks, in the order in which they may be taken together: `stream`, `settings`, `video`,
//! `stats`, `attaches_overlay`. Each is held for a copy or a count alone, none over an inference:
//! the streaming thread takes the [`Stream`] out of its place while it works with it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::settings::{self, Settings};
use super::stats::Stats;
use super::stream::{Stream, Video};
use super::{CAT, ExecutionProvider, Fallback};
use crate::{composition, drawing, video};
use attitude::mapping::MappingError;
use attitude::sync::lock;
use attitude_inference::engine::Engine;
use attitude_inference::model::Source;
use attitude_inference::networks::{Config, LoadError};
use attitude_inference::provider::Provider;
use attitude_inference::runtime::{self, Search};

/// What the streaming thread works with.
pub(super) enum Place {
    /// In READY.
    Stopped,
    /// Loaded; the mode is chosen at the first frame, when upstream can tell whether it is live.
    Loaded(Arc<Engine>),
    Running(Box<Stream>),
    /// The streaming thread has it, or lost it to a panic.
    Taken,
}

/// See [`super::FaceAttitude`].
pub struct FaceAttitude {
    pub(super) settings: Mutex<Settings>,
    pub(super) stream: Mutex<Place>,
    pub(super) video: Mutex<Option<Video>>,
    /// The stream counts.
    pub(super) stats: Arc<Mutex<Stats>>,
    active_provider: Mutex<Option<Provider>>,
    /// Whether what is downstream draws the overlay; `None` where it is still to be asked.
    pub(super) attaches_overlay: Mutex<Option<bool>>,
    /// Longest that an analysis has held up a frame.
    pub(super) held_up_ns: AtomicU64,
}

#[glib::object_subclass]
impl ObjectSubclass for FaceAttitude {
    const NAME: &'static str = "GstFaceAttitude";
    type Type = super::FaceAttitude;
    type ParentType = gst_base::BaseTransform;

    fn with_class(_: &Self::Class) -> Self {
        Self {
            settings: Mutex::default(),
            stream: Mutex::new(Place::Stopped),
            video: Mutex::default(),
            stats: Arc::default(),
            active_provider: Mutex::default(),
            attaches_overlay: Mutex::default(),
            held_up_ns: AtomicU64::new(0),
        }
    }
}

impl ObjectImpl for FaceAttitude {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let mut properties = settings::properties();
            properties.push(
                glib::ParamSpecString::builder("active-provider")
                    .nick("Active provider")
                    .blurb("What the networks run on (null before PAUSED)")
                    .read_only()
                    .build(),
            );
            properties.push(
                glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                    .nick("Statistics")
                    .blurb("Counters since READY, quantiles of the times of a sample's parts, what runs on what")
                    .read_only()
                    .build(),
            );
            properties
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        gst::debug!(CAT, imp = self, "{} = {value:?}", pspec.name());
        let mut settings = lock(&self.settings);
        let had_overlay = settings.frame.overlay;
        settings.set(pspec.name(), value);
        let is_overlay_switched = settings.frame.overlay != had_overlay;
        drop(settings);
        if is_overlay_switched {
            // Caps tell downstream whether frames may carry an overlay for it to draw.
            self.obj().reconfigure_src();
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            "active-provider" => lock(&self.active_provider).map(Provider::name).to_value(),
            "stats" => lock(&self.stats).to_structure().to_value(),
            name => lock(&self.settings).get(name),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        // Metadata is added to every frame, so buffers must be writable and none may bypass us.
        self.obj().set_passthrough(false);
        self.obj().set_in_place(true);
    }
}

impl GstObjectImpl for FaceAttitude {}

impl ElementImpl for FaceAttitude {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Face attitude classifier",
                "Filter/Analyzer/Video",
                "Follows the faces in raw video and classifies their attitude (positive, neutral, \
                 negative): attaches it as region-of-interest metadata, posts messages, draws an \
                 overlay. Try: ... ! videoconvert ! faceattitude overlay=true ! videoconvert ! \
                 autovideosink",
                "gst-attitude maintainers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let plain = gst_video::VideoCapsBuilder::new()
                .format_list(video::FORMATS)
                .build();
            let caps = composition::with_composition(plain);
            video::pad_templates(&caps)
        });
        &TEMPLATES
    }
}

impl BaseTransformImpl for FaceAttitude {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        self.held_up_ns.store(0, Ordering::Relaxed);
        let config = self.engine_config().map_err(|error| {
            gst::error_msg!(
                gst::ResourceError::Settings,
                ("the property mapping: {error}")
            )
        })?;
        let engine = Engine::acquire(&config).map_err(|error| match error {
            LoadError::Model { .. } => {
                gst::error_msg!(gst::ResourceError::NotFound, ("{error}"))
            }
            LoadError::Runtime(_) | LoadError::Provider { .. } => {
                gst::error_msg!(gst::LibraryError::Init, ("{error}"))
            }
        })?;
        let facts = engine.facts();
        if let Some(refusal) = &facts.refusal {
            if config.provider == Provider::Auto {
                gst::info!(CAT, imp = self, "{refusal}; using the CPU");
            } else {
                gst::element_imp_warning!(
                    self,
                    gst::LibraryError::Init,
                    ("{refusal}; using the CPU instead. fallback=error makes this an error")
                );
            }
        }
        gst::info!(
            CAT,
            imp = self,
            "running on {} with {:?}",
            facts.provider.name(),
            runtime::loaded_library()
        );
        if lock(&self.settings).frame.overlay {
            drawing::load_fonts();
        }
        *lock(&self.stats) = Stats::new(facts);
        *lock(&self.active_provider) = Some(facts.provider);
        *lock(&self.stream) = Place::Loaded(engine);
        self.obj().notify("active-provider");
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let stopped = std::mem::replace(&mut *lock(&self.stream), Place::Stopped);
        // The last user of an engine waits for an inference in flight: the lock must be free.
        drop(stopped);
        *lock(&self.video) = None;
        *lock(&self.active_provider) = None;
        Ok(())
    }

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        let transformed = if lock(&self.settings).frame.overlay {
            composition::transformed(direction, caps)
        } else {
            caps.clone()
        };
        Some(match filter {
            Some(filter) => filter.intersect_with_mode(&transformed, gst::CapsIntersectMode::First),
            None => transformed,
        })
    }

    fn fixate_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        othercaps: gst::Caps,
    ) -> gst::Caps {
        let othercaps = composition::announced_among(&othercaps).unwrap_or(othercaps);
        self.parent_fixate_caps(direction, caps, othercaps)
    }

    fn set_caps(&self, incaps: &gst::Caps, outcaps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(incaps)
            .map_err(|_| gst::loggable_error!(CAT, "not raw video: {incaps}"))?;
        let layout = video::layout(&info);
        gst::debug!(CAT, imp = self, "{incaps}: {layout:?}");
        *lock(&self.attaches_overlay) = composition::is_attached(incaps, outcaps);
        let size = (info.width(), info.height());
        let before = lock(&self.video).replace(Video { info, layout });
        if before.is_some_and(|before| (before.info.width(), before.info.height()) != size) {
            // Boxes of the old size mean nothing on the new one.
            self.with_stream(Stream::reset);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::StreamStart(start) => {
                let id = start.stream_id().to_owned();
                self.with_stream(|stream| stream.begin(id));
            }
            gst::EventView::FlushStop(_) => self.with_stream(Stream::reset),
            gst::EventView::Eos(_) => self.finish(),
            _ => {}
        }
        self.parent_sink_event(event)
    }

    fn query(&self, direction: gst::PadDirection, query: &mut gst::QueryRef) -> bool {
        if !BaseTransformImplExt::parent_query(self, direction, query) {
            return false;
        }
        if direction == gst::PadDirection::Src
            && let gst::QueryViewMut::Latency(latency) = query.view_mut()
        {
            let held_up = gst::ClockTime::from_nseconds(self.held_up_ns.load(Ordering::Relaxed));
            let (is_live, min, max) = latency.result();
            latency.set(is_live, min + held_up, max.map(|max| max + held_up));
        }
        true
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
        let video = lock(&self.video)
            .clone()
            .ok_or(gst::FlowError::NotNegotiated)?;
        let settings = lock(&self.settings).for_frame();
        let mut stream = self.take_stream()?;
        let result = self.process(&mut stream, buffer, &video, &settings);
        *lock(&self.stream) = Place::Running(stream);
        result
    }
}

impl FaceAttitude {
    fn engine_config(&self) -> Result<Config, MappingError> {
        let settings = lock(&self.settings).clone();
        let source = |path, embedded| match path {
            Some(path) => Source::File(path),
            None => embedded,
        };
        let plugin_folder = gst::Registry::get()
            .find_plugin("attitude")
            .and_then(|plugin| Some(plugin.filename()?.parent()?.to_owned()))
            .filter(|folder| folder != Path::new(""));
        Ok(Config {
            detector: settings
                .detect_faces
                .then(|| source(settings.detector_model, Source::FACE_DETECTOR)),
            classifier: source(settings.attitude_model, Source::ATTITUDE),
            mapping: settings.mapping.as_deref().map(str::parse).transpose()?,
            provider: match settings.execution_provider {
                ExecutionProvider::Auto => Provider::Auto,
                ExecutionProvider::Cpu => Provider::Cpu,
                ExecutionProvider::Cuda => Provider::Cuda,
                ExecutionProvider::TensorRt => Provider::TensorRt,
                ExecutionProvider::OpenVino => Provider::OpenVino,
            },
            device_id: settings.device_id,
            falls_back: settings.fallback == Fallback::Warn,
            batch_timeout: Duration::from_nanos(settings.batch_timeout_ns),
            search: Search {
                requested: settings.onnxruntime,
                plugin_folder,
                log: |text| gst::warning!(CAT, "ONNX Runtime: {text}"),
            },
        })
    }
}

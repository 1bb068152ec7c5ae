// SPDX-License-Identifier: MPL-2.0

//! Implementation of `faceattitude`: pads, properties, states, events and queries. The module
//! [`processing`](super::processing) has the processing of frames.
//!
//! Lock order: `stream`, `settings`, `video`, `orientation_tags`, `stats`, `overlay_negotiation`. Each lock is held
//! only to copy or count, never during an inference: the streaming thread takes the [`Stream`] out
//! of its mutex while it uses it.

use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::orientation::OrientationTags;
use super::settings::{PROPERTIES, Settings};
use super::stats::Stats;
use super::stream::{Stream, StreamState, Video};
use super::{CAT, Fallback};
use crate::negotiation::{self, OverlayNegotiation};
use crate::panics::catch_panic;
use crate::{drawing, video};
use attitude::settings::TextSetting;
use attitude::sync::lock;
use attitude_inference::engine::Engine;
use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, LoadError, UnknownLabels, provider_warnings};
use attitude_inference::provider::{Provider, ProviderRequest};
use attitude_inference::runtime::{self, RuntimeOptions};
use attitude_inference::settings as inference;

/// Action signal: discards the baselines of all faces, and computes them from the next sample on.
const LEARN_BASELINE: &str = "learn-baseline";

/// Read-only properties.
const ACTIVE_PROVIDER: &str = "active-provider";
const STATS: &str = "stats";

/// See [`super::FaceAttitude`].
pub struct FaceAttitude {
    pub(super) settings: Mutex<Settings>,
    pub(super) stream: Mutex<StreamState>,
    video: Mutex<Option<Video>>,
    pub(super) orientation_tags: Mutex<OrientationTags>,
    /// Counters, updated by the stream.
    pub(super) stats: Arc<Mutex<Stats>>,
    active_provider: Mutex<Option<Provider>>,
    pub(super) overlay_negotiation: OverlayNegotiation,
    /// Maximum time that an analysis has delayed a frame, rounded up to a power of two.
    pub(super) max_delay_ns: AtomicU64,
}

#[glib::object_subclass]
impl ObjectSubclass for FaceAttitude {
    const NAME: &'static str = "GstFaceAttitude";
    type Type = super::FaceAttitude;
    type ParentType = gst_base::BaseTransform;

    fn with_class(_: &Self::Class) -> Self {
        Self {
            settings: Mutex::default(),
            stream: Mutex::new(StreamState::Stopped),
            video: Mutex::default(),
            orientation_tags: Mutex::default(),
            stats: Arc::default(),
            active_provider: Mutex::default(),
            overlay_negotiation: OverlayNegotiation::default(),
            max_delay_ns: AtomicU64::new(0),
        }
    }
}

impl ObjectImpl for FaceAttitude {
    fn properties() -> &'static [glib::ParamSpec] {
        static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let settable = PROPERTIES.iter().map(|property| property.spec().clone());
            let read_only = [
                glib::ParamSpecString::builder(ACTIVE_PROVIDER)
                    .nick("Active provider")
                    .blurb("Execution provider that runs the networks (null before PAUSED)")
                    .read_only()
                    .build(),
                glib::ParamSpecBoxed::builder::<gst::Structure>(STATS)
                    .nick("Statistics")
                    .blurb(
                        "Frames and samples since READY, quantiles of the processing times, and the provider and \
                         models in use",
                    )
                    .read_only()
                    .build(),
            ];
            settable.chain(read_only).collect()
        });
        &SPECS
    }

    fn signals() -> &'static [glib::subclass::Signal] {
        static SIGNALS: LazyLock<Vec<glib::subclass::Signal>> = LazyLock::new(|| {
            let signal = glib::subclass::Signal::builder(LEARN_BASELINE)
                .action()
                .class_handler(|arguments| {
                    let element: super::FaceAttitude = arguments[0].get().ok()?;
                    lock(&element.imp().settings).learn_baselines();
                    None
                });
            vec![signal.build()]
        });
        &SIGNALS
    }

    fn set_property(&self, id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        gst::debug!(CAT, imp = self, "{} = {value:?}", pspec.name());
        let mut settings = lock(&self.settings);
        let had_overlay = settings.frame.overlay;
        PROPERTIES[id - 1].set(&mut settings, value);
        let is_overlay_switched = settings.frame.overlay != had_overlay;
        drop(settings);
        if is_overlay_switched {
            // The caps announce whether frames may carry an overlay for downstream to draw.
            self.obj().reconfigure_src();
        }
    }

    fn property(&self, id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            ACTIVE_PROVIDER => lock(&self.active_provider).map(Provider::name).to_value(),
            STATS => lock(&self.stats).to_structure().to_value(),
            _ => PROPERTIES[id - 1].value(&lock(&self.settings)),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        // Metadata is added to every frame, so every buffer must be writable and pass through here.
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
                "Tracks faces and classifies their attitude (positive, neutral, negative); attaches \
                 region-of-interest metadata, posts messages and optionally draws an overlay",
                "gst-attitude maintainers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| negotiation::pad_templates(video::FORMATS));
        &TEMPLATES
    }
}

impl BaseTransformImpl for FaceAttitude {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        self.max_delay_ns.store(0, Ordering::Relaxed);
        let config = self.engine_config()?;
        let engine = Engine::acquire(&config).map_err(|error| match error {
            LoadError::Model { .. } => {
                gst::error_msg!(gst::ResourceError::NotFound, ("{error}"))
            }
            LoadError::Request(_) => {
                gst::error_msg!(gst::ResourceError::Settings, ("{error}"))
            }
            LoadError::Runtime(_) | LoadError::Provider { .. } => {
                gst::error_msg!(gst::LibraryError::Init, ("{error}"))
            }
        })?;
        let info = engine.info();
        for warning in provider_warnings(&info.provider_errors, info.provider) {
            gst::element_imp_warning!(self, gst::LibraryError::Init, ("{warning}"));
        }
        if let Some(mapping) = &info.assumed_mapping {
            let model = &info.model_name;
            gst::warning!(
                CAT,
                imp = self,
                "the description of {model} has no section [attitude]; its emotions count as {mapping}"
            );
        }
        if let Some(library) = runtime::loaded_library() {
            let (provider, library) = (info.provider.name(), library.display());
            gst::info!(CAT, imp = self, "running on {provider} with {library}");
        }
        if lock(&self.settings).frame.overlay {
            drawing::load_fonts();
        }
        let provider = info.provider;
        *lock(&self.stats) = Stats::new(info);
        *lock(&self.stream) = StreamState::Loaded(engine);
        self.set_active_provider(provider);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let stopped = std::mem::replace(&mut *lock(&self.stream), StreamState::Stopped);
        // Dropping the last reference waits for the inference in flight, so the lock must be free.
        drop(stopped);
        *lock(&self.video) = None;
        *lock(&self.orientation_tags) = OrientationTags::default();
        *lock(&self.active_provider) = None;
        Ok(())
    }

    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        let draws = lock(&self.settings).frame.overlay;
        Some(negotiation::transform_caps(direction, caps, filter, draws))
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
        let layout = video::layout(&info);
        gst::debug!(CAT, imp = self, "{incaps}: {layout:?}");
        self.overlay_negotiation.set_caps(incaps, outcaps);
        let size = (info.width(), info.height());
        let before = lock(&self.video).replace(Video { info, layout });
        if before.is_some_and(|before| (before.info.width(), before.info.height()) != size) {
            // Boxes of the old size are invalid in the new one.
            self.with_stream(Stream::reset);
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::StreamStart(start) => {
                let id = start.stream_id().to_owned();
                *lock(&self.orientation_tags) = OrientationTags::default();
                self.with_stream(|stream| stream.begin(id));
            }
            gst::EventView::Tag(tag) => {
                let sink_pad = self.obj().sink_pad().clone();
                lock(&self.orientation_tags).update(tag.tag(), &sink_pad);
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
            let delay = gst::ClockTime::from_nseconds(self.max_delay_ns.load(Ordering::Relaxed));
            let (is_live, min, max) = latency.result();
            let with_delay = |time: gst::ClockTime| time.saturating_add(delay);
            latency.set(is_live, with_delay(min), max.map(with_delay));
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
        catch_panic(&*self.obj(), Err(gst::FlowError::Error), || {
            let result = self.process(&mut stream, buffer, &video, &settings);
            // A panic leaves the stream taken, so that no later frame uses it.
            *lock(&self.stream) = StreamState::Running(stream);
            result
        })
    }
}

impl FaceAttitude {
    /// Sets the execution provider in use, and notifies applications.
    pub(super) fn set_active_provider(&self, provider: Provider) {
        *lock(&self.active_provider) = Some(provider);
        self.obj().notify(ACTIVE_PROVIDER);
    }

    /// Returns the configuration of the engine for the current settings.
    ///
    /// # Errors
    /// Returns an error if the text of a property cannot be parsed.
    fn engine_config(&self) -> Result<Config, gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let plugin_folder = gst::Registry::get()
            .find_plugin("attitude")
            .and_then(|plugin| Some(plugin.filename()?.parent()?.to_owned()))
            .filter(|folder| folder != Path::new(""));
        Ok(Config {
            detector: settings.detect_faces.then(|| {
                let file = settings.detector_model.as_deref();
                ModelSource::file_or(file, ModelSource::FACE_DETECTOR)
            }),
            classifier: ModelSource::file_or(
                settings.attitude_model.as_deref(),
                ModelSource::ATTITUDE,
            ),
            mapping: parse(&inference::MAPPING, settings.mapping.as_deref())?,
            unknown_labels: UnknownLabels::Refuse,
            provider: ProviderRequest {
                kind: settings.execution_provider.into(),
                device_id: settings.device_id,
                device: settings.device,
                gpu_mem_limit: settings.gpu_mem_limit,
                library: settings.provider_library,
                options: parse(
                    &inference::PROVIDER_OPTIONS,
                    settings.provider_options.as_deref(),
                )?
                .unwrap_or_default(),
            },
            falls_back: settings.fallback == Fallback::Warn,
            batch_timeout: Duration::from_nanos(settings.batch_timeout_ns),
            inference_timeout: Duration::from_nanos(settings.inference_timeout_ns),
            runtime: RuntimeOptions {
                library: settings.onnxruntime,
                plugin_folder,
                log: |text| gst::warning!(CAT, "ONNX Runtime: {text}"),
                progress: |text| gst::info!(CAT, "{text}"),
            },
        })
    }
}

/// Parses the text of a property, if it is set.
fn parse<T: FromStr<Err: std::fmt::Display>>(
    property: &TextSetting,
    text: Option<&str>,
) -> Result<Option<T>, gst::ErrorMessage> {
    text.map(str::parse).transpose().map_err(|error| {
        let name = property.name;
        gst::error_msg!(
            gst::ResourceError::Settings,
            ("invalid value of the property {name}: {error}")
        )
    })
}

// SPDX-License-Identifier: MPL-2.0

//! Implementation of `attitudepublish`: properties, states, events and frames.
//!
//! No two locks are held together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::settings::{LOCATION, PROPERTIES, Settings, SettingsError};
use crate::meta::stripped::StrippedWarning;
use crate::panics::catch_panic;
use crate::records::FrameRecorder;
use attitude::sync::lock;
use attitude_publish::{Event, Publisher, Stats, TopicError};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "attitudepublish",
        gst::DebugColorFlags::empty(),
        Some("Faces and attitudes to message brokers"),
    )
});

/// Name of the read-only property with the counters.
const STATS: &str = "stats";
/// Time between checks whether a flush was interrupted.
const FLUSH_CHECK: Duration = Duration::from_millis(50);

/// See [`super::AttitudePublish`].
#[derive(Default)]
pub struct AttitudePublish {
    settings: Mutex<Settings>,
    publisher: Mutex<Option<Arc<Publisher>>>,
    /// Counters of the last publisher.
    last_stats: Mutex<Stats>,
    frames: Mutex<FrameRecorder>,
    stripped: Mutex<StrippedWarning>,
    /// Set while the element leaves PAUSED or is flushed.
    is_interrupted: AtomicBool,
}

#[glib::object_subclass]
impl ObjectSubclass for AttitudePublish {
    const NAME: &'static str = "GstAttitudePublish";
    type Type = super::AttitudePublish;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for AttitudePublish {
    fn properties() -> &'static [glib::ParamSpec] {
        static SPECS: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            let settable = PROPERTIES.iter().map(|property| property.spec().clone());
            let stats = glib::ParamSpecBoxed::builder::<gst::Structure>(STATS)
                .nick("Statistics")
                .blurb("Numbers of messages since READY, and quantiles of the time to deliver them")
                .read_only()
                .build();
            settable.chain([stats]).collect()
        });
        &SPECS
    }

    fn set_property(&self, id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        match pspec.name() {
            // It may contain a password.
            LOCATION => gst::debug!(CAT, imp = self, "{LOCATION} was set"),
            name => gst::debug!(CAT, imp = self, "{name} = {value:?}"),
        }
        PROPERTIES[id - 1].set(&mut lock(&self.settings), value);
    }

    fn property(&self, id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        match pspec.name() {
            STATS => self.stats().to_value(),
            LOCATION => lock(&self.settings).public_location().to_value(),
            _ => PROPERTIES[id - 1].value(&lock(&self.settings)),
        }
    }

    fn constructed(&self) {
        self.parent_constructed();
        self.obj().set_passthrough(true);
    }
}

impl GstObjectImpl for AttitudePublish {}

impl ElementImpl for AttitudePublish {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Face attitude publisher",
                "Filter/Video/Metadata",
                "Publishes the faces in the metadata of faceattitude or another analysis element, with their \
                 attitudes, by MQTT, Redis streams, NATS or webhooks. \
                 Example: ... ! faceattitude ! attitudepublish location=mqtt://localhost ! ...",
                "gst-attitude maintainers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let template = |name, direction| {
                let any = gst::Caps::new_any();
                gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &any)
                    .expect("the template's arguments are constant")
            };
            vec![
                template("src", gst::PadDirection::Src),
                template("sink", gst::PadDirection::Sink),
            ]
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::PausedToReady {
            self.is_interrupted.store(true, Ordering::Relaxed);
        }
        self.parent_change_state(transition)
    }
}

impl BaseTransformImpl for AttitudePublish {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let (publisher, frames) = self
            .publisher(settings)
            .map_err(|error| gst::error_msg!(gst::ResourceError::Settings, ("{error}")))?;
        *lock(&self.frames) = frames;
        *lock(&self.stripped) = StrippedWarning::default();
        *lock(&self.publisher) = Some(Arc::new(publisher));
        self.is_interrupted.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Leaves what is not delivered to the publisher's thread, or in the spool.
    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let publisher = lock(&self.publisher).take();
        if let Some(publisher) = publisher {
            *lock(&self.last_stats) = publisher.stats();
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        gst::log!(CAT, imp = self, "{event:?}");
        match event.view() {
            gst::EventView::StreamStart(start) => {
                lock(&self.frames).begin_stream(start.stream_id());
            }
            gst::EventView::Caps(caps) => lock(&self.frames).set_caps(caps.caps()),
            gst::EventView::Segment(segment) => {
                lock(&self.frames).segment = segment.segment().clone();
            }
            gst::EventView::FlushStart(_) => self.is_interrupted.store(true, Ordering::Relaxed),
            gst::EventView::FlushStop(_) => {
                self.is_interrupted.store(false, Ordering::Relaxed);
                lock(&self.frames).flush();
            }
            gst::EventView::Eos(_) => self.flush(),
            _ => {}
        }
        self.parent_sink_event(event)
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        catch_panic(&*self.obj(), Err(gst::FlowError::Error), || {
            self.publish(buffer);
            Ok(gst::FlowSuccess::Ok)
        })
    }
}

impl AttitudePublish {
    /// Starts a publisher, and creates the recorder of its records.
    fn publisher(&self, settings: Settings) -> Result<(Publisher, FrameRecorder), SettingsError> {
        let element = self.obj().downgrade();
        let tags = settings.tags()?;
        let publisher = Publisher::start(&settings.to_publisher()?, move |event| {
            let Some(element) = element.upgrade() else {
                return;
            };
            match event {
                Event::Connected => gst::info!(CAT, obj = element, "connected"),
                Event::Warning(text) => {
                    gst::element_warning!(element, gst::ResourceError::Write, ("{text}"));
                }
            }
        })?;
        match (publisher.uses_source(), &settings.source) {
            (true, None) => Err(TopicError::NoSource.into()),
            _ => Ok((publisher, FrameRecorder::new(settings.source, tags))),
        }
    }

    fn publish(&self, buffer: &gst::BufferRef) {
        let Some(publisher) = lock(&self.publisher).clone() else {
            return;
        };
        let interval = lock(&self.settings).interval;
        let mut frames = lock(&self.frames);
        let frame = frames.read(buffer, interval);
        if frame.is_selected {
            publisher.publish(frame.record);
        }
        drop(frames);
        let mut stripped = std::mem::take(&mut *lock(&self.stripped));
        stripped.check(buffer, &*self.obj());
        *lock(&self.stripped) = stripped;
    }

    /// Waits until all messages are delivered, for at most the flush timeout.
    fn flush(&self) {
        let Some(publisher) = lock(&self.publisher).clone() else {
            return;
        };
        let deadline = Instant::now() + lock(&self.settings).flush_timeout();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if publisher.flush(left.min(FLUSH_CHECK)) {
                return;
            }
            if left.is_zero() || self.is_interrupted.load(Ordering::Relaxed) {
                let waiting = publisher.stats().waiting;
                gst::info!(CAT, imp = self, "{waiting} messages are not delivered");
                return;
            }
        }
    }

    fn stats(&self) -> gst::Structure {
        let publisher = lock(&self.publisher).clone();
        let stats = match publisher {
            Some(publisher) => publisher.stats(),
            None => lock(&self.last_stats).clone(),
        };
        let mut structure = gst::Structure::builder("attitudepublish-stats")
            .field("published", stats.published)
            .field("delivered", stats.delivered)
            .field("dropped", stats.dropped)
            .field("rejected", stats.rejected)
            .field("waiting", stats.waiting)
            .field("spool-bytes", stats.spool_bytes)
            .field("connected", stats.is_connected)
            .field("connections", stats.connections)
            .build();
        for (name, latency) in ["latency-p50", "latency-p95", "latency-p99"]
            .into_iter()
            .zip(stats.latency)
        {
            // The histogram ends at a minute.
            let ns = u64::try_from(latency.as_nanos()).unwrap_or(0);
            structure.set(name, gst::ClockTime::from_nseconds(ns));
        }
        structure
    }
}

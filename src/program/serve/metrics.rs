// SPDX-License-Identifier: MPL-2.0

//! Metrics for Prometheus.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use attitude::sync::lock;
use gst::meta::CustomMeta;
use gst::prelude::*;
use gstattitude::meta::SAMPLE_META;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, prometheus_text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::end::Reason;

/// Upper bounds of the histogram of delays, in seconds.
const DELAYS_S: [f64; 10] = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0];

type Labels = [(&'static str, String); 1];

/// Counters since the server started.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    sessions: Gauge,
    opened: Counter,
    refused: Counter,
    ended: Family<Labels, Counter>,
    received: Counter,
    delay: Histogram,
    analyses: Arc<Analyses>,
}

impl Metrics {
    /// Creates the metrics of a server for `max_sessions` sessions whose networks run on
    /// `provider`.
    pub(crate) fn new(max_sessions: u16, provider: String) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("gst_attitude"),
            sessions: Gauge::default(),
            opened: Counter::default(),
            refused: Counter::default(),
            ended: Family::default(),
            received: Counter::default(),
            delay: Histogram::new(DELAYS_S),
            analyses: Arc::default(),
        };
        for reason in Reason::ALL {
            // All of them, even if they never happen: sums over missing series fail.
            let _ = metrics.ended.get_or_create(&labels(reason));
        }
        let registry = &mut metrics.registry;
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The program", Info::new(version));
        let provider = [("provider", provider)];
        registry.register(
            "provider",
            "Execution provider that runs the networks",
            Info::new(provider),
        );
        let limit = ConstGauge::new(i64::from(max_sessions));
        registry.register("sessions_limit", "Maximum number of sessions", limit);
        let sessions = metrics.sessions.clone();
        registry.register("sessions", "Open sessions", sessions);
        let opened = metrics.opened.clone();
        registry.register("sessions_opened", "Opened sessions", opened);
        let help = "Sessions that were refused because of the limit";
        registry.register("sessions_refused", help, metrics.refused.clone());
        let help = "Ended sessions, by reason";
        registry.register("sessions_ended", help, metrics.ended.clone());
        let help = "Video received from visitors, as RTP packets";
        let received = metrics.received.clone();
        registry.register_with_unit("received", help, Unit::Bytes, received);
        let help = "Time from an analyzed frame to the first frame with its result";
        let delay = metrics.delay.clone();
        registry.register_with_unit("delay", help, Unit::Seconds, delay);
        registry.register_collector(Box::new(metrics.analyses.clone()));
        metrics
    }

    /// Returns all metrics in Prometheus' text format.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Counts an opened session.
    pub(crate) fn session_opened(&self) {
        self.opened.inc();
        self.sessions.inc();
    }

    /// Counts a session that was refused because of the limit.
    pub(crate) fn session_refused(&self) {
        self.refused.inc();
    }

    /// Counts the end of an opened session.
    pub(crate) fn session_ended(&self, reason: Reason) {
        self.sessions.dec();
        self.ended.get_or_create(&labels(reason)).inc();
    }

    /// Counts the bytes that pass `pad`, a visitor's video.
    pub(crate) fn count_received(&self, pad: &gst::Pad) {
        let received = self.received.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            received.inc_by(info.buffer().map_or(0, |buffer| buffer.size()) as u64);
            gst::PadProbeReturn::Ok
        });
    }

    /// Counts the frames and samples of `faceattitude` until the watch is dropped. The element must
    /// not be restarted before.
    pub(crate) fn watch(&self, faceattitude: &gst::Element) -> Watch {
        if let Some(pad) = faceattitude.static_pad("src") {
            let delay = self.delay.clone();
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                if let Some(age) = info.buffer().and_then(|buffer| age(buffer)) {
                    delay.observe(age.as_secs_f64());
                }
                gst::PadProbeReturn::Ok
            });
        }
        self.analyses.state().live.push(faceattitude.clone());
        Watch {
            analyses: self.analyses.clone(),
            faceattitude: faceattitude.clone(),
        }
    }
}

fn labels(reason: Reason) -> Labels {
    [("reason", reason.name().to_owned())]
}

/// Returns the age of a sample on the first frame with its result; `None` for other frames.
fn age(buffer: &gst::BufferRef) -> Option<Duration> {
    let meta = CustomMeta::from_buffer(buffer, SAMPLE_META).ok()?;
    meta.structure()
        .get("age-ns")
        .ok()
        .map(Duration::from_nanos)
}

/// Counts an element until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    analyses: Arc<Analyses>,
    faceattitude: gst::Element,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.analyses.state();
        let state = &mut *state;
        state.live.retain(|live| live != &self.faceattitude);
        state.past.add(&self.faceattitude);
    }
}

/// The elements that are counted.
#[derive(Debug, Default)]
struct Analyses(Mutex<Elements>);

#[derive(Debug, Default)]
struct Elements {
    live: Vec<gst::Element>,
    /// Sums of the elements that are gone.
    past: StatsSums,
}

impl Analyses {
    fn state(&self) -> MutexGuard<'_, Elements> {
        lock(&self.0)
    }
}

/// Sums of the elements' property `stats`.
#[derive(Clone, Copy, Debug, Default)]
struct StatsSums {
    frames: u64,
    samples: u64,
    skipped: u64,
    failures: u64,
}

impl StatsSums {
    fn add(&mut self, faceattitude: &gst::Element) {
        let Some(stats) = faceattitude.property::<Option<gst::Structure>>("stats") else {
            return;
        };
        let count = |name| stats.get::<u64>(name).unwrap_or(0);
        self.frames += count("frames");
        self.samples += count("samples");
        self.skipped += count("skipped");
        self.failures += count("failures");
    }
}

impl Collector for Analyses {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let counts = {
            let state = self.state();
            let mut counts = state.past;
            state.live.iter().for_each(|live| counts.add(live));
            counts
        };
        // The registry adds a full stop only to metrics that are registered one by one.
        for (name, help, count) in [
            ("frames", "Frames of all videos.", counts.frames),
            ("samples", "Frames that were analyzed.", counts.samples),
            (
                "samples_skipped",
                "Frames that were due for analysis, but were replaced by newer ones.",
                counts.skipped,
            ),
            (
                "samples_failed",
                "Frames whose analysis failed.",
                counts.failures,
            ),
        ] {
            let counter = ConstCounter::new(count);
            let metric_type = counter.metric_type();
            counter.encode(encoder.encode_descriptor(name, help, None, metric_type)?)?;
        }
        Ok(())
    }
}

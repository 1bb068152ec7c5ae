// SPDX-License-Identifier: MPL-2.0

//! Counters of the element, for the property `stats`.

use std::time::Duration;

use hdrhistogram::Histogram;

use attitude::analyzer::Analysis;
use attitude_inference::engine::{EngineInfo, ModelDigests, SampleInFlight};
use attitude_inference::provider::Provider;

/// Longest time that a histogram resolves.
const MAX_US: u64 = 60_000_000;
/// Significant decimal digits of a time.
const DIGITS: u8 = 2;
/// Quantiles that are reported.
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// Counters since the element left READY.
#[derive(Debug)]
pub(super) struct Stats {
    /// Frames that passed.
    pub frames: u64,
    /// Frames that were analyzed.
    pub samples: u64,
    /// Samples in which the whole frame was searched.
    searches: u64,
    /// Due frames that were replaced by a newer one.
    pub skipped: u64,
    /// Analyses that failed.
    pub failures: u64,
    /// Samples with more faces than the maximum.
    over_max_faces: u64,
    /// Number of tracked faces.
    pub faces: u32,
    /// Sample that the engine is analyzing; `None` in `sync` mode.
    pub in_flight: Option<SampleInFlight>,
    /// Properties of the engine in use.
    engine: Option<EngineInfo>,
    times: Times,
}

/// Processing times of the samples.
#[derive(Debug)]
struct Times {
    scaling: Histogram<u32>,
    detection: Histogram<u32>,
    crop: Histogram<u32>,
    classification: Histogram<u32>,
    /// Wait for a worker of the engine.
    queue_wait: Histogram<u32>,
    /// Time from the frame to its result.
    delay: Histogram<u32>,
}

impl Default for Stats {
    fn default() -> Self {
        let empty = || {
            let histogram = Histogram::new_with_max(MAX_US, DIGITS);
            histogram.expect("the constants are valid")
        };
        Self {
            frames: 0,
            samples: 0,
            searches: 0,
            skipped: 0,
            failures: 0,
            over_max_faces: 0,
            faces: 0,
            in_flight: None,
            engine: None,
            times: Times {
                scaling: empty(),
                detection: empty(),
                crop: empty(),
                classification: empty(),
                queue_wait: empty(),
                delay: empty(),
            },
        }
    }
}

impl Stats {
    /// Creates zeroed counters for an engine.
    pub fn new(engine: &EngineInfo) -> Self {
        Self {
            engine: Some(engine.clone()),
            ..Self::default()
        }
    }

    /// Counts a sample with its processing times.
    pub fn add_sample(&mut self, analysis: &Analysis, queue_wait: Duration, delay: Duration) {
        self.samples += 1;
        self.searches += u64::from(analysis.is_search);
        self.over_max_faces += u64::from(analysis.has_more_faces);
        self.faces = analysis.faces.len() as u32;
        let timings = &analysis.timings;
        let times = &mut self.times;
        for (histogram, time) in [
            (&mut times.scaling, timings.scaling),
            (&mut times.detection, timings.detection),
            (&mut times.crop, timings.crop),
            (&mut times.classification, timings.classification),
            (&mut times.queue_wait, queue_wait),
            (&mut times.delay, delay),
        ] {
            let us = u64::try_from(time.as_micros()).unwrap_or(MAX_US);
            histogram.saturating_record(us);
        }
    }

    /// Sets the execution provider in use.
    pub fn set_provider(&mut self, provider: Provider) {
        if let Some(engine) = &mut self.engine {
            engine.provider = provider;
        }
    }

    /// Returns the structure that applications read.
    pub fn to_structure(&self) -> gst::Structure {
        let in_flight = self.in_flight.as_ref().and_then(SampleInFlight::age);
        let engine = self.engine.as_ref();
        let digests = engine.map(|engine| &engine.digests);
        let sha256 =
            |of: fn(&ModelDigests) -> &String| digests.map(of).filter(|sha256| !sha256.is_empty());
        let mut structure = gst::Structure::builder("faceattitude-stats")
            .field("frames", self.frames)
            .field("samples", self.samples)
            .field("searches", self.searches)
            .field("skipped", self.skipped)
            .field("failures", self.failures)
            .field("over-max-faces", self.over_max_faces)
            .field("faces", self.faces)
            .field_if_some("in-flight-age", in_flight.map(clock_time))
            .field_if_some("provider", engine.map(|engine| engine.provider.name()))
            .field_if_some("detector-sha256", sha256(|digests| &digests.detector))
            .field_if_some("attitude-sha256", sha256(|digests| &digests.classifier))
            .build();
        let times = &self.times;
        for (name, histogram) in [
            ("scaling-time", &times.scaling),
            ("detection-time", &times.detection),
            ("crop-time", &times.crop),
            ("classification-time", &times.classification),
            ("queue-wait", &times.queue_wait),
            ("delay", &times.delay),
        ] {
            for (suffix, quantile) in QUANTILES {
                let time = Duration::from_micros(histogram.value_at_quantile(quantile));
                structure.set(format!("{name}-{suffix}"), clock_time(time));
            }
        }
        structure
    }
}

fn clock_time(time: Duration) -> gst::ClockTime {
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1);
    gst::ClockTime::from_nseconds(ns)
}

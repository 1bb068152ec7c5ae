// SPDX-License-Identifier: MPL-2.0

//! Metrics of the streams for Prometheus.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, prometheus_text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry;

use super::registry::Registry;
use super::stream::Status;
use crate::publishing::Publishing;

/// Returns the metrics of `streams`, whose networks run on `provider`, in Prometheus' text format.
pub(crate) fn text(
    streams: &Registry,
    publishing: Option<&Arc<Publishing>>,
    provider: &str,
) -> Result<String, fmt::Error> {
    let mut metrics = registry::Registry::with_prefix("gst_attitude");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    metrics.register("build", "The program", Info::new(version));
    let help = "Execution provider that runs the networks";
    let provider = [("provider", provider.to_owned())];
    metrics.register("provider", help, Info::new(provider));
    metrics.register_collector(Box::new(Sources(streams.statuses())));
    if let Some(publishing) = publishing {
        metrics.register_collector(Box::new(Messages(publishing.clone())));
    }
    let mut text = String::new();
    prometheus_text::encode(&mut text, &metrics)?;
    Ok(text)
}

/// The condition of each source.
#[derive(Debug)]
struct Sources(Vec<Status>);

impl Sources {
    fn encode_each<M: EncodeMetric>(
        &self,
        encoder: &mut DescriptorEncoder,
        (name, help): (&str, &str),
        metric: impl Fn(&Status) -> Option<M>,
    ) -> fmt::Result {
        let metrics = self.0.iter().map(|status| (status, metric(status)));
        let metrics: Vec<_> = metrics
            .filter_map(|(status, metric)| Some((status.source.as_str(), metric?)))
            .collect();
        let Some((_, first)) = metrics.first() else {
            return Ok(());
        };
        let mut family = encoder.encode_descriptor(name, help, None, first.metric_type())?;
        for (source, metric) in &metrics {
            metric.encode(family.encode_family(&[("source", *source)])?)?;
        }
        Ok(())
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let encoder = &mut encoder;
        // The registry adds a full stop only to metrics that are registered one by one.
        self.encode_each(encoder, ("source_up", "1 if the source has video."), |s| {
            Some(ConstGauge::new(i64::from(s.problem.is_none())))
        })?;
        let frames = ("source_frames", "Frames of the source.");
        self.encode_each(encoder, frames, |s| Some(ConstCounter::new(s.frames)))?;
        let samples = ("source_samples", "Frames that were analyzed.");
        self.encode_each(encoder, samples, |s| Some(ConstCounter::new(s.samples)))?;
        let restarts = ("source_restarts", "Connections after the first.");
        self.encode_each(encoder, restarts, |s| Some(ConstCounter::new(s.restarts)))?;
        let age = ("source_frame_age_seconds", "Time since the last frame.");
        self.encode_each(encoder, age, |s| {
            s.frame_age.map(|age| ConstGauge::new(age.as_secs_f64()))
        })
    }
}

/// Counters of the publisher.
struct Messages(Arc<Publishing>);

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Messages").finish_non_exhaustive()
    }
}

impl Collector for Messages {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let stats = self.0.stats();
        for (name, help, count) in [
            ("published", "Messages to the broker.", stats.published),
            (
                "published_delivered",
                "Messages that the broker has acknowledged.",
                stats.delivered,
            ),
            (
                "published_dropped",
                "Messages that were lost because the queue or the spool was full.",
                stats.dropped,
            ),
            (
                "published_rejected",
                "Messages that the broker refused.",
                stats.rejected,
            ),
        ] {
            let counter = ConstCounter::new(count);
            let metric_type = counter.metric_type();
            counter.encode(encoder.encode_descriptor(name, help, None, metric_type)?)?;
        }
        let waiting = i64::try_from(stats.waiting).unwrap_or(i64::MAX);
        for (name, help, value) in [
            ("publishing_waiting", "Messages that wait.", waiting),
            (
                "publishing_connected",
                "1 if there is a connection to the broker.",
                i64::from(stats.is_connected),
            ),
        ] {
            let gauge = ConstGauge::new(value);
            let metric_type = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, None, metric_type)?)?;
        }
        Ok(())
    }
}

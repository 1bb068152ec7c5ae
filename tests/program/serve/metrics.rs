// SPDX-License-Identifier: MPL-2.0

//! The metrics of the server.

use super::peer::Peer;
use super::*;

/// Asserts that `text` is in Prometheus's text format. Returns the names of the samples.
fn names(text: &str) -> Vec<String> {
    let mut kinds = std::collections::HashMap::new();
    let mut names = Vec::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(
                kinds.insert(name.to_owned(), kind.to_owned()).is_none(),
                "{line}"
            );
        } else if let Some(help) = line.strip_prefix("# HELP ") {
            assert!(help.ends_with('.') && !help.ends_with(".."), "{line}");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap();
            let name = series.split('{').next().unwrap();
            let parts = ["_bucket", "_sum", "_count"];
            let family = parts.iter().find_map(|part| name.strip_suffix(part));
            let family = family.unwrap_or(name);
            let kind = kinds
                .get(family)
                .unwrap_or_else(|| panic!("no type: {line}"));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(name.starts_with("gst_attitude_"), "{line}");
            names.push(name.to_owned());
        }
    }
    names
}

#[test]
fn counters_start_at_zero() {
    let server = Server::start(&["--max-sessions", "3"]);
    let response = server.get("/metrics");
    assert_eq!(
        response.header("Content-Type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = response.text();
    let names = names(&text);
    assert!(names.contains(&"gst_attitude_received_bytes_total".to_owned()));
    assert!(text.contains("gst_attitude_provider_info{provider=\"cpu\"} 1"));
    assert!(text.contains(concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1")));
    assert_eq!(server.metric("gst_attitude_sessions_limit"), 3.0);
    for name in [
        "sessions",
        "frames_total",
        "samples_total",
        "delay_seconds_count",
    ] {
        assert_eq!(server.metric(&format!("gst_attitude_{name}")), 0.0);
    }
    for reason in ["left", "ended", "shutdown", "limit", "timeout", "failed"] {
        let ended = format!("gst_attitude_sessions_ended_total{{reason=\"{reason}\"}}");
        assert_eq!(server.metric(&ended), 0.0);
    }
}

#[test]
fn sessions_and_samples_are_counted_and_stay_counted_after_the_end_of_the_session() {
    if !has_webrtc() {
        return;
    }
    let server = Server::start(&["--max-sessions", "1"]);
    let metric = |name: &str| server.metric(&format!("gst_attitude_{name}"));
    let (id, offer) = server.open();
    let (peer, answer) = Peer::answering(&offer);
    assert_eq!(server.answer(&id, &answer).status, 204);
    assert_eq!(server.send(&Request::new("POST", "/sessions")).status, 503);
    assert!(peer.keep_alive_until(|| metric("delay_seconds_count") >= 5.0));
    names(&server.get("/metrics").text());
    assert_eq!(metric("sessions"), 1.0);
    assert_eq!(metric("sessions_opened_total"), 1.0);
    assert_eq!(metric("sessions_refused_total"), 1.0);
    let samples = metric("samples_total");
    assert!(samples >= 5.0);
    assert!(metric("frames_total") >= samples);
    assert!(metric("received_bytes_total") > 1000.0);
    assert_eq!(metric("samples_failed_total"), 0.0);
    let mean_s = metric("delay_seconds_sum") / metric("delay_seconds_count");
    assert!((0.0..10.0).contains(&mean_s), "{mean_s} s");

    assert_eq!(server.close(&id).status, 204);
    assert!(wait_until(|| metric("sessions") == 0.0));
    assert_eq!(metric("sessions_ended_total{reason=\"left\"}"), 1.0);
    assert!(metric("samples_total") >= samples);
    assert!(metric("frames_total") >= samples);
}

// SPDX-License-Identifier: MPL-2.0

//! Reports the progress of one recording.

use std::time::{Duration, Instant};

use attitude::sync::lock;
use indicatif::ProgressBar;
use serde_json::json;

use super::measurement::Measurement;
use super::{RunProgress, bar, size_bytes};
use crate::analyze::RecordingJob;
use crate::analyze::outcome::RecordingOutcome;
use crate::analyze::summary_json::SummaryFile;
use crate::console;
use crate::numbers::count;

/// Interval of events with the progress of a recording.
const EVENT_INTERVAL: Duration = Duration::from_millis(500);

/// Interval of lines with the progress of a recording, which replace bars if there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// Length of the progress bar of a recording.
const STEPS: u64 = 10_000;

/// Reports the progress of one recording.
pub(in crate::analyze) struct RecordingProgress<'a> {
    run: &'a RunProgress,
    job: &'a RecordingJob,
    bar: Option<ProgressBar>,
    measurement: Measurement,
    /// Bytes that were added to the total progress.
    counted_bytes: u64,
    /// Time of the last event or line.
    reported: Instant,
    /// Warnings that were reported.
    warnings: Vec<String>,
}

impl<'a> RecordingProgress<'a> {
    pub(super) fn new(run: &'a RunProgress, job: &'a RecordingJob) -> Self {
        Self {
            run,
            job,
            bar: None,
            measurement: Measurement::default(),
            counted_bytes: 0,
            reported: Instant::now(),
            warnings: Vec::new(),
        }
    }

    /// Starts the analysis of the recording from `from_ns` to `to_ns`; `None` for its start and
    /// end.
    pub(in crate::analyze) fn begin(&mut self, from_ns: Option<u64>, to_ns: Option<u64>) {
        let run = self.run;
        self.measurement = Measurement::new(from_ns.unwrap_or(0), to_ns);
        self.reported = Instant::now();
        if run.has_bars {
            let bar = console::add_bar_above(&run.total, bar(STEPS));
            bar.set_message(self.job.name.clone());
            self.bar = Some(bar);
        }
        run.event(json!({
            "event": "started", "name": self.job.name, "input": self.job.recording.display_name(),
        }));
    }

    /// Sets the position of the analysis and the duration of the recording, if they are known.
    pub(in crate::analyze) fn update(
        &mut self,
        position_ns: Option<u64>,
        duration_ns: Option<u64>,
    ) {
        let Some(position_ns) = position_ns else {
            return;
        };
        self.measurement.update(position_ns, duration_ns);
        self.advance_bars();
        let interval = match self.run.writes_json {
            true => EVENT_INTERVAL,
            false => LINE_INTERVAL,
        };
        if self.reported.elapsed() >= interval {
            self.reported = Instant::now();
            self.report(position_ns, duration_ns);
        }
    }

    fn advance_bars(&mut self) {
        let total = &self.run.total;
        let fraction = self.measurement.fraction();
        let reached_bytes = (fraction * size_bytes(self.job) as f64) as u64;
        total.inc(reached_bytes.saturating_sub(self.counted_bytes));
        self.counted_bytes = self.counted_bytes.max(reached_bytes);
        if let Some(bar) = &self.bar {
            bar.set_position((fraction * STEPS as f64) as u64);
            bar.set_prefix(self.measurement.describe_current());
            total.set_prefix(self.run.describe_remaining());
        }
    }

    /// Writes an event or, without bars, a line.
    fn report(&self, position_ns: u64, duration_ns: Option<u64>) {
        let (run, measurement) = (self.run, &self.measurement);
        if run.writes_json {
            run.event(json!({
                "event": "progress", "name": self.job.name, "position_ns": position_ns,
                "duration_ns": duration_ns, "share": measurement.fraction(),
                "speed": measurement.speed(), "left_seconds": measurement.remaining_s(),
            }));
        } else if !run.has_bars {
            let input = self.job.recording.display_name();
            let percent = 100.0 * measurement.fraction();
            let current = measurement.describe_current();
            run.line(&format!("{input}: {percent:.0}%, {current}"));
        }
    }

    /// Reports a warning of GStreamer, each text once.
    pub(in crate::analyze) fn warn(&mut self, text: &str) {
        if self.run.is_verbose && !self.warnings.iter().any(|known| known == text) {
            let input = self.job.recording.display_name();
            console::warn(format_args!("{input}: {text}"));
            self.warnings.push(text.to_owned());
        }
    }

    /// Reports the outcome; `None` if the run was interrupted.
    pub(in crate::analyze) fn end(mut self, outcome: Option<&RecordingOutcome>) {
        let (run, job) = (self.run, self.job);
        if let Some(bar) = &self.bar {
            console::remove_bar(bar);
        }
        run.total.inc(size_bytes(job) - self.counted_bytes);
        let Some(outcome) = outcome else {
            return;
        };
        if let RecordingOutcome::Done(results) = outcome
            && results.damage.is_none()
        {
            self.measurement.finish();
        }
        let number = self.add_to_totals(outcome);
        let input = job.recording.display_name();
        match outcome {
            RecordingOutcome::Failed(error) => run.fail(&input, &error.reason(), error.code()),
            RecordingOutcome::Ignored(error) => run.ignore(&input, &error.reason()),
            RecordingOutcome::Done(results) => self.report_done(&input, number, results),
            RecordingOutcome::Skipped(results) => self.report_skipped(&input, number, results),
        }
        if let RecordingOutcome::Done(results) = outcome {
            for note in &results.notes {
                run.line(&format!("Note: {input}: {note}"));
            }
        }
        let damage = outcome
            .results()
            .and_then(|results| results.damage.as_ref());
        if let Some(damage) = damage {
            console::error(format_args!(
                "{input}: damaged: {damage}; the part that could be read is kept"
            ));
        }
    }

    /// Adds the outcome to the totals; returns the number of recordings that have ended.
    fn add_to_totals(&self, outcome: &RecordingOutcome) -> usize {
        let mut totals = lock(&self.run.totals);
        totals.ended += 1;
        match outcome {
            RecordingOutcome::Done(_) => totals.analyzed_ns += self.measurement.analyzed_ns(),
            RecordingOutcome::Skipped(_) => totals.skipped_bytes += size_bytes(self.job),
            RecordingOutcome::Failed(_) | RecordingOutcome::Ignored(_) => {}
        }
        totals.ended
    }

    fn report_done(&self, input: &str, number: usize, results: &SummaryFile) {
        let (run, summary) = (self.run, &results.summary);
        self.result_event("done", input, results, Some(self.measurement.elapsed_s()));
        run.line(&format!(
            "[{number}/{}] {input}: {}, {}, {}; {}",
            run.recordings,
            count(summary.samples, "sample"),
            count(summary.faces, "face"),
            count(summary.persons.len(), "person"),
            self.measurement.describe_total()
        ));
    }

    fn report_skipped(&self, input: &str, number: usize, results: &SummaryFile) {
        let run = self.run;
        self.result_event("skipped", input, results, None);
        if run.is_verbose {
            let recordings = run.recordings;
            run.line(&format!(
                "[{number}/{recordings}] {input}: skipped: its results are up to date"
            ));
        }
    }

    fn result_event(
        &self,
        event: &str,
        input: &str,
        results: &SummaryFile,
        elapsed_s: Option<f64>,
    ) {
        let summary = &results.summary;
        self.run.event(json!({
            "event": event, "name": self.job.name, "input": input, "samples": summary.samples,
            "faces": summary.faces, "persons": summary.persons.len(), "damage": results.damage,
            "notes": results.notes,
            "seconds": elapsed_s,
        }));
    }
}

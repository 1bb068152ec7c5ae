// SPDX-License-Identifier: MPL-2.0

//! Reports the progress of a run: bars on a terminal, else lines, and events for programs.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Instant;

use attitude::sync::lock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::RecordingJob;
use super::arguments::Arguments;
use super::outcome::RecordingOutcome;
use crate::console;
use measurement::{describe_speed, format_remaining};
pub(super) use recording::RecordingProgress;

mod measurement;
mod recording;

/// Assumed size of a recording of unknown size. The total progress is in bytes.
const UNKNOWN_BYTES: u64 = 100_000_000;

/// Reports the progress of the run.
pub(super) struct RunProgress {
    total: ProgressBar,
    has_bars: bool,
    /// Set if only errors are reported.
    is_quiet: bool,
    is_verbose: bool,
    writes_json: bool,
    /// Number of recordings.
    recordings: usize,
    totals: Mutex<Totals>,
}

/// Totals over the recordings that have ended.
struct Totals {
    ended: usize,
    /// Sum of the analyzed time of recordings, in nanoseconds.
    analyzed_ns: u64,
    /// Sum of the sizes of recordings that were skipped.
    skipped_bytes: u64,
    started: Instant,
}

/// Numbers of recordings by outcome.
struct Counts {
    done: usize,
    skipped: usize,
    damaged: usize,
    failed: usize,
}

impl RunProgress {
    /// Starts a run over `jobs`.
    pub(super) fn new(arguments: &Arguments, jobs: &[RecordingJob]) -> Self {
        let recordings = jobs.len();
        let has_bars = !arguments.quiet && !arguments.json && std::io::stderr().is_terminal();
        let mut total = bar(jobs.iter().map(size_bytes).sum());
        if has_bars {
            total = console::add_bar(total);
        }
        total.set_message("total");
        let progress = Self {
            total,
            has_bars,
            is_quiet: arguments.quiet,
            is_verbose: arguments.verbose,
            writes_json: arguments.json,
            recordings,
            totals: Mutex::new(Totals {
                ended: 0,
                analyzed_ns: 0,
                skipped_bytes: 0,
                started: Instant::now(),
            }),
        };
        progress.event(json!({
            "event": "run", "recordings": recordings, "output": arguments.output.to_string_lossy(),
        }));
        progress
    }

    /// Reports a file that is not a recording.
    pub(super) fn ignore(&self, input: &str, reason: &str) {
        if self.is_verbose {
            self.line(&describe_ignored(input, reason));
        }
        self.event(json!({"event": "ignored", "input": input, "reason": reason}));
    }

    /// Reports a recording or folder that failed. `code` is the kind of error for programs.
    pub(super) fn fail(&self, input: &str, reason: &str, code: Option<&str>) {
        console::error(format_args!("{input}: {reason}"));
        self.event(json!({"event": "failed", "input": input, "reason": reason, "code": code}));
    }

    /// Returns the progress of a recording.
    pub(super) fn recording<'a>(&'a self, job: &'a RecordingJob) -> RecordingProgress<'a> {
        RecordingProgress::new(self, job)
    }

    /// Reports the end of the run. `failed_inputs` is the number of files and folders that cannot
    /// be read.
    pub(super) fn end(
        &self,
        outcomes: &[Option<RecordingOutcome>],
        failed_inputs: usize,
        is_stopped: bool,
    ) {
        self.total.finish_and_clear();
        let counts = Counts::of(outcomes, failed_inputs);
        let (elapsed_s, analyzed_s) = {
            let totals = lock(&self.totals);
            let analyzed_s = totals.analyzed_ns as f64 / 1e9;
            (totals.started.elapsed().as_secs_f64(), analyzed_s)
        };
        let Counts {
            done,
            skipped,
            damaged,
            failed,
        } = counts;
        self.event(json!({
            "event": "end", "done": done, "skipped": skipped, "damaged": damaged, "failed": failed,
            "stopped": is_stopped, "seconds": elapsed_s, "analysed_seconds": analyzed_s,
        }));
        let stopped = if is_stopped { ", stopped" } else { "" };
        let speed = match done {
            0 => String::new(),
            _ => format!("; {}", describe_speed(analyzed_s, elapsed_s)),
        };
        self.line(&format!("{}{stopped}{speed}", counts.describe()));
    }

    /// Describes the remaining time of the run.
    fn describe_remaining(&self) -> String {
        let skipped_bytes = lock(&self.totals).skipped_bytes;
        let all_bytes = self.total.length().unwrap_or(0);
        let all_bytes = all_bytes.saturating_sub(skipped_bytes);
        let done_bytes = self.total.position().saturating_sub(skipped_bytes);
        let fraction = done_bytes as f64 / all_bytes.max(1) as f64;
        let remaining = format_remaining(self.total.elapsed().as_secs_f64(), fraction);
        format!("{remaining} left")
    }

    fn line(&self, text: &str) {
        if !self.is_quiet {
            console::line(text);
        }
    }

    fn event(&self, event: Value) {
        if self.writes_json {
            print_event(&event);
        }
    }
}

/// Writes an event to standard output. An analysis goes on if nobody reads its events.
pub(super) fn print_event(event: &Value) {
    let _ = console::print(&format!("{event}\n"));
}

impl Counts {
    fn of(outcomes: &[Option<RecordingOutcome>], failed_inputs: usize) -> Self {
        let count = |is_counted: fn(&RecordingOutcome) -> bool| {
            let outcomes = outcomes.iter().flatten();
            outcomes.filter(|outcome| is_counted(outcome)).count()
        };
        Self {
            done: count(|outcome| matches!(outcome, RecordingOutcome::Done(_))),
            skipped: count(|outcome| matches!(outcome, RecordingOutcome::Skipped(_))),
            damaged: count(|outcome| {
                let results = outcome.results();
                results.is_some_and(|results| results.damage.is_some())
            }),
            failed: failed_inputs + count(|outcome| matches!(outcome, RecordingOutcome::Failed(_))),
        }
    }

    /// Formats the counts, without those that are 0 except that of the analyzed recordings.
    fn describe(&self) -> String {
        let others = [
            (self.skipped, "skipped"),
            (self.damaged, "damaged"),
            (self.failed, "failed"),
        ];
        let others = others.into_iter().filter(|(count, _)| *count > 0);
        let counts = [(self.done, "analyzed")].into_iter().chain(others);
        let parts: Vec<String> = counts
            .map(|(count, outcome)| format!("{count} {outcome}"))
            .collect();
        parts.join(", ")
    }
}

/// Formats a line about a file that is not a recording.
pub(super) fn describe_ignored(input: &str, reason: &str) -> String {
    format!("{input}: ignored: {reason}")
}

/// Returns the size of a recording in the total progress.
fn size_bytes(job: &RecordingJob) -> u64 {
    job.recording.identity.size_bytes.unwrap_or(UNKNOWN_BYTES)
}

fn bar(len: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::hidden());
    match ProgressStyle::with_template("{msg:30!} {wide_bar} {percent:>3}% {prefix}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

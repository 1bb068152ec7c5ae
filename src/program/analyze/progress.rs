// SPDX-License-Identifier: MPL-2.0

//! Reports the progress of a run: bars on a terminal, else lines, and events for programs.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use attitude::clock;
use attitude::sync::lock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::Task;
use super::arguments::Arguments;
use super::outcome::RecordingOutcome;
use super::speed::Speed;
use crate::console;

/// Intervals of events and, without a terminal, lines with the progress of a recording.
const EVENT_INTERVAL: Duration = Duration::from_millis(500);
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// Length of the progress bar of a recording.
const STEPS: u64 = 10_000;

/// Assumed size of a recording of unknown size. The total progress is in bytes.
const UNKNOWN_BYTES: u64 = 100_000_000;

/// Reports the progress of the run.
pub(super) struct Progress {
    total: ProgressBar,
    has_bars: bool,
    /// Set if only errors are reported.
    is_quiet: bool,
    is_verbose: bool,
    writes_json: bool,
    count: usize,
    totals: Mutex<Totals>,
}

/// Totals over the recordings that have ended.
struct Totals {
    done: usize,
    /// Sum of the analysed time of recordings.
    analysed_ns: u64,
    /// Bytes of recordings that were skipped.
    skipped: u64,
    started: Instant,
}

impl Progress {
    /// Starts a run over `tasks`.
    pub(super) fn new(arguments: &Arguments, tasks: &[Task]) -> Self {
        let count = tasks.len();
        let has_bars = !arguments.quiet && !arguments.json && std::io::stderr().is_terminal();
        let mut total = bar(tasks.iter().map(weight).sum());
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
            count,
            totals: Mutex::new(Totals {
                done: 0,
                analysed_ns: 0,
                skipped: 0,
                started: Instant::now(),
            }),
        };
        progress.event(json!({
            "event": "run", "recordings": count, "output": arguments.output.to_string_lossy(),
        }));
        progress
    }

    /// Reports a file that is no recording.
    pub(super) fn ignore(&self, input: &str, reason: &str) {
        if self.is_verbose {
            self.line(&format!("{input}: ignored: {reason}"));
        }
        self.event(json!({"event": "passed-over", "input": input, "reason": reason}));
    }

    /// Reports a recording or folder that failed.
    pub(super) fn fail(&self, input: &str, reason: &str) {
        console::error(format_args!("{input}: {reason}"));
        self.event(json!({"event": "failed", "input": input, "reason": reason}));
    }

    /// Returns the progress of a recording.
    pub(super) fn recording<'a>(&'a self, task: &'a Task) -> RecordingProgress<'a> {
        RecordingProgress {
            progress: self,
            task,
            bar: None,
            speed: Speed::default(),
            counted: 0,
            reported: Instant::now(),
            warnings: Vec::new(),
        }
    }

    /// Reports the end of the run.
    pub(super) fn end(
        &self,
        outcomes: &[Option<RecordingOutcome>],
        failures: usize,
        is_stopped: bool,
    ) {
        self.total.finish_and_clear();
        let count =
            |is: fn(&RecordingOutcome) -> bool| outcomes.iter().flatten().filter(|o| is(o)).count();
        let done = count(|outcome| matches!(outcome, RecordingOutcome::Done(_)));
        let skipped = count(|outcome| matches!(outcome, RecordingOutcome::Skipped(_)));
        let damaged = count(|o| o.results().is_some_and(|results| results.damage.is_some()));
        let failed = failures + count(|outcome| matches!(outcome, RecordingOutcome::Failed(_)));
        let (seconds, analysed_s) = {
            let totals = lock(&self.totals);
            let analysed_s = totals.analysed_ns as f64 / 1e9;
            (totals.started.elapsed().as_secs_f64(), analysed_s)
        };
        self.event(json!({
            "event": "end", "done": done, "skipped": skipped, "damaged": damaged, "failed": failed,
            "stopped": is_stopped, "seconds": seconds, "analysed_seconds": analysed_s,
        }));
        let mut parts = vec![format!("{done} analysed")];
        for (count, what) in [
            (skipped, "already done"),
            (damaged, "damaged"),
            (failed, "failed"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        if is_stopped {
            parts.push("stopped".to_owned());
        }
        let times = match done {
            0 => String::new(),
            _ => format!(
                "; {} in {}, {:.0} times real time",
                clock::duration(analysed_s),
                clock::duration(seconds),
                analysed_s / seconds.max(1e-3)
            ),
        };
        self.line(&format!("{}{times}", parts.join(", ")));
    }

    /// Formats the remaining time of the run.
    fn format_left(&self) -> String {
        let skipped = lock(&self.totals).skipped;
        let all = self.total.length().unwrap_or(0).saturating_sub(skipped);
        let done = self.total.position().saturating_sub(skipped);
        let share = done as f64 / all.max(1) as f64;
        format!("{} left", Speed::format_left(self.total.elapsed(), share))
    }

    fn line(&self, text: &str) {
        if !self.is_quiet {
            console::line(text);
        }
    }

    fn event(&self, event: Value) {
        if self.writes_json {
            // An analysis goes on if nobody reads its events.
            let _ = console::print(&format!("{event}\n"));
        }
    }
}

/// Reports the progress of one recording.
pub(super) struct RecordingProgress<'a> {
    progress: &'a Progress,
    task: &'a Task,
    bar: Option<ProgressBar>,
    speed: Speed,
    /// Bytes that were added to the total progress.
    counted: u64,
    /// Time of the last event or line.
    reported: Instant,
    warnings: Vec<String>,
}

impl RecordingProgress<'_> {
    /// Starts the analysis of the recording from `from_ns` to `to_ns`, or to its end.
    pub(super) fn begin(&mut self, from_ns: Option<u64>, to_ns: Option<u64>) {
        let progress = self.progress;
        self.speed = Speed::new(from_ns.unwrap_or(0), to_ns);
        self.reported = Instant::now();
        if progress.has_bars {
            let bar = console::add_bar_above(&progress.total, bar(STEPS));
            bar.set_message(self.task.name.clone());
            self.bar = Some(bar);
        }
        progress.event(json!({
            "event": "started", "name": self.task.name, "input": self.task.recording.display_name(),
        }));
    }

    /// Sets the position of the analysis, and the duration of the recording.
    pub(super) fn update(&mut self, position_ns: Option<u64>, duration_ns: Option<u64>) {
        let Some(position_ns) = position_ns else {
            return;
        };
        self.speed.update(position_ns, duration_ns);
        let progress = self.progress;
        let share = self.speed.share();
        let reached = (share * weight(self.task) as f64) as u64;
        progress.total.inc(reached.saturating_sub(self.counted));
        self.counted = self.counted.max(reached);
        if let Some(bar) = &self.bar {
            bar.set_position((share * STEPS as f64) as u64);
            bar.set_prefix(self.speed.format_current());
            progress.total.set_prefix(progress.format_left());
        }
        let every = match progress.writes_json {
            true => EVENT_INTERVAL,
            false => LINE_INTERVAL,
        };
        if self.reported.elapsed() < every {
            return;
        }
        self.reported = Instant::now();
        if progress.writes_json {
            progress.event(json!({
                "event": "progress", "name": self.task.name, "position_ns": position_ns,
                "duration_ns": duration_ns, "share": self.speed.share(),
                "speed": self.speed.times_real_time(), "left_seconds": self.speed.left_s(),
            }));
        } else if !progress.has_bars {
            let share = 100.0 * self.speed.share();
            let speed = self.speed.format_current();
            let input = self.task.recording.display_name();
            progress.line(&format!("{input}: {share:.0}%, {speed}"));
        }
    }

    /// Reports a warning of GStreamer.
    pub(super) fn warn(&mut self, text: &str) {
        let progress = self.progress;
        // Each text is reported once.
        if progress.is_verbose && !self.warnings.iter().any(|known| known == text) {
            let input = self.task.recording.display_name();
            console::warn(format_args!("{input}: {text}"));
            self.warnings.push(text.to_owned());
        }
    }

    /// Reports the outcome; `None` if the run was interrupted.
    pub(super) fn end(self, outcome: Option<&RecordingOutcome>) {
        let progress = self.progress;
        if let Some(bar) = &self.bar {
            console::remove_bar(bar);
        }
        progress.total.inc(weight(self.task) - self.counted);
        let Some(outcome) = outcome else {
            return;
        };
        let number = {
            let mut totals = lock(&progress.totals);
            totals.done += 1;
            match outcome {
                RecordingOutcome::Done(_) => totals.analysed_ns += self.speed.analysed_ns(),
                RecordingOutcome::Skipped(_) => totals.skipped += weight(self.task),
                RecordingOutcome::Failed(_) | RecordingOutcome::Ignored(_) => {}
            }
            totals.done
        };
        let (task, count) = (self.task, progress.count);
        let input = task.recording.display_name();
        match outcome {
            RecordingOutcome::Failed(reason) => progress.fail(&input, reason),
            RecordingOutcome::Ignored(reason) => progress.ignore(&input, reason),
            RecordingOutcome::Done(results) | RecordingOutcome::Skipped(results) => {
                let is_new = matches!(outcome, RecordingOutcome::Done(_));
                let summary = &results.summary;
                progress.event(json!({
                    "event": if is_new { "done" } else { "skipped" }, "name": task.name, "input": input,
                    "samples": summary.samples, "faces": summary.faces,
                    "persons": summary.persons.len(), "damage": results.damage,
                    "seconds": is_new.then(|| self.speed.elapsed_s()),
                }));
                if is_new {
                    progress.line(&format!(
                        "[{number}/{count}] {input}: {}, {}, {}; {}",
                        counted(summary.samples, "sample"),
                        counted(summary.faces, "face"),
                        counted(summary.persons.len() as u64, "person"),
                        self.speed.format_total()
                    ));
                } else if progress.is_verbose {
                    progress.line(&format!("[{number}/{count}] {input}: already done"));
                }
                if let Some(damage) = &results.damage {
                    console::error(format_args!(
                        "{input}: damaged: {damage}; the part that could be read is kept"
                    ));
                }
            }
        }
    }
}

/// Returns the bytes of a recording in the total progress.
fn weight(task: &Task) -> u64 {
    task.recording.identity.size_bytes.unwrap_or(UNKNOWN_BYTES)
}

/// Formats a number of things, such as `1 person` or `2 persons`.
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn bar(len: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::hidden());
    match ProgressStyle::with_template("{msg:30!} {wide_bar} {percent:>3}% {prefix}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

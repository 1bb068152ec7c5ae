// SPDX-License-Identifier: MPL-2.0

//! What is told while recordings are analysed: bars on a terminal, lines elsewhere, and events for
//! programs.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::Work;
use super::arguments::Arguments;
use super::outcome::Outcome;
use super::speed::{Speed, clock};
use crate::console;
use attitude::sync::lock;

/// How often events and, without a terminal, lines tell how far a recording is.
const EVENT_EVERY: Duration = Duration::from_millis(500);
const LINE_EVERY: Duration = Duration::from_secs(30);

/// A share of a recording is counted in so many steps.
const STEPS: u64 = 10_000;

/// What a recording of unknown size counts in the total, where others count their bytes.
const UNKNOWN_BYTES: u64 = 100_000_000;

/// Tells of the run.
pub struct Progress {
    total: ProgressBar,
    has_bars: bool,
    /// Whether to tell of more than errors.
    tells: bool,
    is_verbose: bool,
    writes_json: bool,
    count: usize,
    state: Mutex<State>,
}

struct State {
    done: usize,
    /// Time of recordings that was analysed.
    analysed_ns: u64,
    /// What of the total took no time.
    skipped: u64,
    started: Instant,
}

impl Progress {
    /// Of a run over `works`.
    pub fn new(arguments: &Arguments, works: &[Work]) -> Self {
        let count = works.len();
        let has_bars = !arguments.quiet && !arguments.json && std::io::stderr().is_terminal();
        let mut total = bar(works.iter().map(weight).sum());
        if has_bars {
            total = console::add_bar(total);
        }
        total.set_message("total");
        let progress = Self {
            total,
            has_bars,
            tells: !arguments.quiet,
            is_verbose: arguments.verbose,
            writes_json: arguments.json,
            count,
            state: Mutex::new(State {
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

    /// Tells of a file that is no recording.
    pub fn pass_over(&self, told: &str, reason: &str) {
        if self.is_verbose {
            self.line(&format!("{told}: passed over: {reason}"));
        }
        self.event(json!({"event": "passed-over", "input": told, "reason": reason}));
    }

    /// Tells of something that is lost.
    pub fn fail(&self, told: &str, reason: &str) {
        console::error(format_args!("{told}: {reason}"));
        self.event(json!({"event": "failed", "input": told, "reason": reason}));
    }

    /// A recording's turn.
    pub fn track<'a>(&'a self, work: &'a Work) -> Track<'a> {
        Track {
            progress: self,
            work,
            bar: None,
            speed: Speed::default(),
            counted: 0,
            told: Instant::now(),
            warnings: Vec::new(),
        }
    }

    /// Tells how the run ended.
    pub fn end(&self, outcomes: &[Option<Outcome>], failures: usize, is_stopped: bool) {
        self.total.finish_and_clear();
        let count = |is: fn(&Outcome) -> bool| outcomes.iter().flatten().filter(|o| is(o)).count();
        let done = count(|outcome| matches!(outcome, Outcome::Done(_)));
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        let damaged = count(|o| {
            o.document()
                .is_some_and(|document| document.damage.is_some())
        });
        let failed = failures + count(|outcome| matches!(outcome, Outcome::Failed(_)));
        let (seconds, analysed_s) = {
            let state = lock(&self.state);
            let analysed_s = state.analysed_ns as f64 / 1e9;
            (state.started.elapsed().as_secs_f64(), analysed_s)
        };
        self.event(json!({
            "event": "end", "done": done, "skipped": skipped, "damaged": damaged, "failed": failed,
            "stopped": is_stopped, "seconds": seconds, "analysed_seconds": analysed_s,
        }));
        let mut parts = vec![format!("{done} analysed")];
        for (count, what) in [
            (skipped, "done before"),
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
                clock(analysed_s),
                clock(seconds),
                analysed_s / seconds.max(1e-3)
            ),
        };
        self.line(&format!("{}{times}", parts.join(", ")));
    }

    /// How long the rest takes, in words.
    fn left(&self) -> String {
        let skipped = lock(&self.state).skipped;
        let all = self.total.length().unwrap_or(0).saturating_sub(skipped);
        let done = self.total.position().saturating_sub(skipped);
        let share = done as f64 / all.max(1) as f64;
        format!("{} left", Speed::left(self.total.elapsed(), share))
    }

    fn line(&self, text: &str) {
        if self.tells {
            console::line(text);
        }
    }

    fn event(&self, event: Value) {
        if self.writes_json {
            // Where nobody reads there is nobody to tell.
            let _ = console::print(&format!("{event}\n"));
        }
    }
}

/// Tells of one recording.
pub struct Track<'a> {
    progress: &'a Progress,
    work: &'a Work,
    bar: Option<ProgressBar>,
    speed: Speed,
    /// What was counted to the total.
    counted: u64,
    told: Instant,
    warnings: Vec<String>,
}

impl Track<'_> {
    /// The analysis begins, at `from_ns` of the recording, up to `to_ns` at most.
    pub fn begin(&mut self, from_ns: Option<u64>, to_ns: Option<u64>) {
        let progress = self.progress;
        self.speed = Speed::new(from_ns.unwrap_or(0), to_ns);
        self.told = Instant::now();
        if progress.has_bars {
            let bar = console::add_bar_above(&progress.total, bar(STEPS));
            bar.set_message(self.work.name.clone());
            self.bar = Some(bar);
        }
        progress.event(json!({
            "event": "started", "name": self.work.name, "input": self.work.input.told(),
        }));
    }

    /// The analysis is at `position_ns` of a recording of `duration_ns`.
    pub fn reach(&mut self, position_ns: Option<u64>, duration_ns: Option<u64>) {
        let Some(position_ns) = position_ns else {
            return;
        };
        self.speed.reach(position_ns, duration_ns);
        let progress = self.progress;
        let share = self.speed.share();
        let reached = (share * weight(self.work) as f64) as u64;
        progress.total.inc(reached.saturating_sub(self.counted));
        self.counted = self.counted.max(reached);
        if let Some(bar) = &self.bar {
            bar.set_position((share * STEPS as f64) as u64);
            bar.set_prefix(self.speed.told());
            progress.total.set_prefix(progress.left());
        }
        let every = match progress.writes_json {
            true => EVENT_EVERY,
            false => LINE_EVERY,
        };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        if progress.writes_json {
            progress.event(json!({
                "event": "progress", "name": self.work.name, "position_ns": position_ns,
                "duration_ns": duration_ns, "share": self.speed.share(),
                "speed": self.speed.times_real_time(), "left_seconds": self.speed.left_s(),
            }));
        } else if !progress.has_bars {
            let share = 100.0 * self.speed.share();
            let told = self.speed.told();
            progress.line(&format!("{}: {share:.0}%, {told}", self.work.input.told()));
        }
    }

    /// GStreamer, or the element, warns of something.
    pub fn warn(&mut self, text: &str) {
        let progress = self.progress;
        // Once is enough.
        if progress.is_verbose && !self.warnings.iter().any(|told| told == text) {
            let told = self.work.input.told();
            console::warn(format_args!("{told}: {text}"));
            self.warnings.push(text.to_owned());
        }
    }

    /// Tells what became of it; `None` where the run ends before.
    pub fn end(self, outcome: Option<&Outcome>) {
        let progress = self.progress;
        if let Some(bar) = &self.bar {
            console::remove_bar(bar);
        }
        progress.total.inc(weight(self.work) - self.counted);
        let Some(outcome) = outcome else {
            return;
        };
        let number = {
            let mut state = lock(&progress.state);
            state.done += 1;
            match outcome {
                Outcome::Done(_) => state.analysed_ns += self.speed.analysed_ns(),
                Outcome::Skipped(_) => state.skipped += weight(self.work),
                Outcome::Failed(_) | Outcome::PassedOver(_) => {}
            }
            state.done
        };
        let (work, count) = (self.work, progress.count);
        let told = work.input.told();
        match outcome {
            Outcome::Failed(reason) => progress.fail(&told, reason),
            Outcome::PassedOver(reason) => progress.pass_over(&told, reason),
            Outcome::Done(document) | Outcome::Skipped(document) => {
                let is_new = matches!(outcome, Outcome::Done(_));
                let summary = &document.summary;
                progress.event(json!({
                    "event": if is_new { "done" } else { "skipped" }, "name": work.name, "input": told,
                    "samples": summary.samples, "faces": summary.faces,
                    "persons": summary.persons.len(), "damage": document.damage,
                    "seconds": is_new.then(|| self.speed.elapsed_s()),
                }));
                if is_new {
                    progress.line(&format!(
                        "[{number}/{count}] {told}: {}, {}, {}; {}",
                        counted(summary.samples, "sample"),
                        counted(summary.faces, "face"),
                        counted(summary.persons.len() as u64, "person"),
                        self.speed.told_at_end()
                    ));
                } else if progress.is_verbose {
                    progress.line(&format!("[{number}/{count}] {told}: done before"));
                }
                if let Some(damage) = &document.damage {
                    console::error(format_args!(
                        "{told}: damaged: {damage}; what could be read is kept"
                    ));
                }
            }
        }
    }
}

/// What a recording counts in the total.
fn weight(work: &Work) -> u64 {
    work.input.identity.size_bytes.unwrap_or(UNKNOWN_BYTES)
}

/// Such as `1 person`, `2 persons`.
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

// SPDX-License-Identifier: MPL-2.0

//! Standard output and standard error: results, messages, progress bars and the log.
//!
//! Everything that the program writes to standard error goes through [`BARS`], which hides the
//! progress bars for the moment of writing.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{LazyLock, OnceLock};

use indicatif::{MultiProgress, ProgressBar};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::parsing::ValueError;

/// All progress bars; they are drawn only if standard error is a terminal.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Writes to standard output. A reader that closes its end early is not an error.
pub(crate) fn print(text: &str) -> Result<(), PrintError> {
    let mut output = io::stdout().lock();
    let written = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(PrintError(error)),
        _ => Ok(()),
    }
}

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub(crate) struct PrintError(#[source] io::Error);

/// Writes a line that starts with `Error:`.
pub(crate) fn error(problem: impl Display) {
    line(format_args!("Error: {problem}"));
}

/// Writes a line that starts with `Warning:`.
pub(crate) fn warn(problem: impl Display) {
    line(format_args!("Warning: {problem}"));
}

/// Writes a line to standard error.
pub(crate) fn line(text: impl Display) {
    BARS.suspend(|| {
        // If standard error is closed, nobody reads it.
        let _ = writeln!(io::stderr(), "{text}");
    });
}

/// Formats an error and its sources in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // An error may contain the text of its source.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// Shows `bar` below the others.
pub(crate) fn add_bar(bar: ProgressBar) -> ProgressBar {
    BARS.add(bar)
}

/// Shows `bar` above `other`.
pub(crate) fn add_bar_above(other: &ProgressBar, bar: ProgressBar) -> ProgressBar {
    BARS.insert_before(other, bar)
}

/// Removes `bar` from the screen.
pub(crate) fn remove_bar(bar: &ProgressBar) {
    bar.finish_and_clear();
    BARS.remove(bar);
}

/// Returns `text` if it is a valid log filter, for the command line.
pub(crate) fn log_filter(text: &str) -> Result<String, ValueError> {
    // `EnvFilter` takes a misspelt level for the name of a module.
    let has_level = |part: &str| part.contains('=') || part.parse::<LevelFilter>().is_ok();
    let is_valid = !text.is_empty() && text.split(',').all(has_level);
    match is_valid && EnvFilter::try_new(text).is_ok() {
        true => Ok(text.to_owned()),
        false => Err(ValueError(
            "error, warn, info, debug, trace, or a filter, such as warn,gst_attitude=debug",
        )),
    }
}

/// The filter of the log.
static LOG_FILTER: OnceLock<String> = OnceLock::new();

/// Returns the filter of the log, which worker processes use too.
pub(crate) fn log_filter_in_use() -> &'static str {
    LOG_FILTER.get().map_or("warn", String::as_str)
}

/// Starts logging to standard error: by `filter`, else by the environment variable `RUST_LOG`, else
/// by `default`. Lines contain their module only if the filter allows the level debug: modules say
/// nothing to users.
pub(crate) fn start_log(filter: Option<&str>, default: &str) {
    let environment = || std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let filter = filter.map(str::to_owned).or_else(environment);
    let filter = filter.filter(|filter| !filter.is_empty());
    let filter = LOG_FILTER.get_or_init(|| filter.unwrap_or_else(|| default.to_owned()));
    let filter = EnvFilter::new(filter);
    let has_details = filter.max_level_hint() > Some(LevelFilter::INFO);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(has_details)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(|| LogWriter)
        .finish();
    // There is no other subscriber: this is called once.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes log lines to standard error, without garbling the progress bars.
struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read a.mp4")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("no such file: {0}")]
    struct Inner(#[source] io::Error);

    #[test]
    fn a_log_filter_is_a_level_or_has_levels() {
        for filter in ["debug", "WARN", "off", "warn,gst_attitude::serve=trace"] {
            assert_eq!(log_filter(filter).as_deref(), Ok(filter));
        }
        for filter in ["", "dbug", "gst_attitude", "gst_attitude=loud"] {
            assert!(log_filter(filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn an_error_shows_each_of_its_sources_once() {
        let error = Outer(Inner(io::Error::other("not found")));
        let expected = "cannot read a.mp4: no such file: not found";
        assert_eq!(chain(&error), expected);
    }
}

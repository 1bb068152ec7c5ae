// SPDX-License-Identifier: MPL-2.0

//! The program `gst-attitude`: analyzes recordings and live video for the attitude of faces.
//!
//! A library only so that the fuzz targets can call its parsers; it has no interface for other
//! programs.

#![warn(unreachable_pub)]

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

mod atomic_file;
mod codebook;
mod console;
mod corrections;
mod data_file;
mod exit;
mod labels;
mod numbers;
mod options;
mod parallel;
mod parsing;
mod playback;
mod publishing;
#[cfg(feature = "serve")]
mod secrets;
#[cfg(feature = "serve")]
mod shutdown;
#[cfg(feature = "serve")]
mod streams;
mod style;
mod table_files;
#[cfg(feature = "serve")]
mod web_server;

mod agreement;
mod analyze;
mod completions;
mod devices;
mod evaluate;
mod man;
mod models;
mod report;
#[cfg(feature = "serve")]
mod review;
#[cfg(feature = "serve")]
mod room;
#[cfg(feature = "serve")]
mod serve;
mod study;
#[cfg(feature = "serve")]
mod watch;
#[cfg(feature = "serve")]
mod webrtc;
mod worker;

#[doc(hidden)]
pub mod fuzzing;

use exit::Status;

#[derive(Parser)]
#[command(
    name = "gst-attitude",
    version,
    about = "Tools for the GStreamer element faceattitude"
)]
struct Program {
    /// Log level (error, warn, info, debug, trace) or filter, such as 'warn,gst_attitude=debug'
    ///
    /// The log is written to standard error. Without this option the environment variable RUST_LOG
    /// applies; without both the level is info for room, serve and watch, and warn for all other commands.
    /// At debug and trace, each line contains the module that wrote it.
    #[arg(
        long,
        global = true,
        value_name = "LEVEL|FILTER",
        value_parser = console::log_filter,
        display_order = 900
    )]
    log: Option<String>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Agreement(agreement::Arguments),
    Analyze(analyze::Arguments),
    Completions(completions::Arguments),
    Devices(devices::Arguments),
    Evaluate(evaluate::Arguments),
    Man(man::Arguments),
    Models(models::Arguments),
    Report(report::Arguments),
    #[cfg(feature = "serve")]
    Review(review::Arguments),
    #[cfg(feature = "serve")]
    Room(room::Arguments),
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    Study(study::Arguments),
    #[cfg(feature = "serve")]
    Watch(watch::Arguments),
    #[command(hide = true)]
    Worker(worker::Arguments),
}

impl Command {
    /// Returns the log level if the user sets none.
    fn default_log_level(&self) -> &'static str {
        match self {
            #[cfg(feature = "serve")]
            Self::Room(_) | Self::Serve(_) | Self::Watch(_) => "info",
            _ => "warn",
        }
    }

    fn run(self) -> Result<Status, Failure> {
        Ok(match self {
            Self::Agreement(arguments) => agreement::run(&arguments)?,
            Self::Analyze(arguments) => analyze::run(&arguments)?,
            Self::Completions(arguments) => completions::run(&arguments, Program::command())?,
            Self::Devices(arguments) => devices::run(&arguments)?,
            Self::Evaluate(arguments) => evaluate::run(&arguments)?,
            Self::Man(arguments) => man::run(&arguments, Program::command())?,
            Self::Models(arguments) => models::run(&arguments)?,
            Self::Report(arguments) => report::run(&arguments)?,
            #[cfg(feature = "serve")]
            Self::Review(arguments) => review::run(&arguments)?,
            #[cfg(feature = "serve")]
            Self::Room(arguments) => room::run(arguments)?,
            #[cfg(feature = "serve")]
            Self::Serve(arguments) => serve::run(arguments)?,
            Self::Study(arguments) => study::run(&arguments)?,
            #[cfg(feature = "serve")]
            Self::Watch(arguments) => watch::run(arguments)?,
            Self::Worker(arguments) => worker::run(&arguments)?,
        })
    }
}

/// Why a subcommand ended early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Agreement(#[from] agreement::AgreementError),
    #[error(transparent)]
    Analyze(#[from] analyze::AnalyzeError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Review(#[from] review::ReviewError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Room(#[from] room::RoomError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    #[error(transparent)]
    Study(#[from] study::StudyError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Watch(#[from] watch::WatchError),
    #[error(transparent)]
    Completions(#[from] completions::CompletionsError),
    #[error(transparent)]
    Devices(#[from] devices::DevicesError),
    #[error(transparent)]
    Evaluate(#[from] evaluate::EvaluateError),
    #[error(transparent)]
    Man(#[from] man::ManError),
    #[error(transparent)]
    Models(#[from] models::ModelsError),
    #[error(transparent)]
    Report(#[from] report::ReportError),
    #[error(transparent)]
    Worker(#[from] worker::ProcessError),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Agreement(error) if error.is_usage() => ExitCode::from(exit::USAGE),
            Self::Analyze(error) if error.is_usage() => ExitCode::from(exit::USAGE),
            Self::Study(error) if error.is_usage() => ExitCode::from(exit::USAGE),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Parses a command line.
fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Program, clap::Error> {
    // Without this, `--join-gap -1` is an unknown option `-1` instead of a value out of range.
    let command = Program::command().mut_subcommands(|subcommand| {
        subcommand.mut_args(|argument| {
            let is_option = argument.get_long().is_some();
            let has_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
            argument.allow_negative_numbers(is_option && has_value)
        })
    });
    let matches = command.try_get_matches_from(arguments)?;
    Program::from_arg_matches(&matches)
}

/// Parses the command line of the process with `options` before those of the subcommand, so that
/// the latter count.
#[cfg(feature = "serve")]
fn parse_with_options(subcommand: &str, options: &[String]) -> Result<Program, clap::Error> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let position = arguments.iter().position(|argument| argument == subcommand);
    let position = position.map_or(arguments.len(), |position| position + 1);
    arguments.splice(position..position, options.iter().map(OsString::from));
    parse(arguments.into_iter())
}

/// Runs the program with the arguments of the process.
#[doc(hidden)]
pub fn main() -> ExitCode {
    let parsed = parse(std::env::args_os());
    let Program { log, command } = parsed.unwrap_or_else(|error| error.exit());
    console::start_log(log.as_deref(), command.default_log_level());
    match command.run() {
        Ok(status) => status.into(),
        Err(failure) => {
            console::error(console::chain(&failure));
            failure.exit_code()
        }
    }
}

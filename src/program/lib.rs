// SPDX-License-Identifier: MPL-2.0

//! The program `gst-attitude`: analyzes recordings and live video for the attitude of faces.
//!
//! A library only so that the fuzz targets can call its parsers; it has no interface for other
//! programs.

#![warn(unreachable_pub)]

use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

mod console;
mod exit;
mod numbers;
mod options;
mod parallel;
mod parsing;
mod playback;
mod publishing;
mod style;

mod analyze;
mod devices;
mod evaluate;
mod models;
mod report;
#[cfg(feature = "serve")]
mod serve;
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
    /// applies; without both the level is info for serve, and warn for all other commands.
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
    Analyze(analyze::Arguments),
    Devices(devices::Arguments),
    Evaluate(evaluate::Arguments),
    Models(models::Arguments),
    Report(report::Arguments),
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    #[command(hide = true)]
    Worker(worker::Arguments),
}

impl Command {
    /// Returns the log level if the user sets none.
    fn default_log_level(&self) -> &'static str {
        match self {
            #[cfg(feature = "serve")]
            Self::Serve(_) => "info",
            _ => "warn",
        }
    }

    fn run(self) -> Result<Status, Failure> {
        Ok(match self {
            Self::Analyze(arguments) => analyze::run(&arguments)?,
            Self::Devices(arguments) => devices::run(&arguments)?,
            Self::Evaluate(arguments) => evaluate::run(&arguments)?,
            Self::Models(arguments) => models::run(&arguments)?,
            Self::Report(arguments) => report::run(&arguments)?,
            #[cfg(feature = "serve")]
            Self::Serve(arguments) => serve::run(arguments)?,
            Self::Worker(arguments) => worker::run(&arguments)?,
        })
    }
}

/// Why a subcommand ended early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Analyze(#[from] analyze::AnalyzeError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    #[error(transparent)]
    Devices(#[from] devices::DevicesError),
    #[error(transparent)]
    Evaluate(#[from] evaluate::EvaluateError),
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
            Self::Analyze(error) if error.is_usage() => ExitCode::from(exit::USAGE),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Parses the command line; exits if it is wrong.
fn parse() -> Program {
    // Without this, `--join-gap -1` is an unknown option `-1` instead of a value out of range.
    let command = Program::command().mut_subcommands(|subcommand| {
        subcommand.mut_args(|argument| {
            let is_option = argument.get_long().is_some();
            let has_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
            argument.allow_negative_numbers(is_option && has_value)
        })
    });
    let matches = command.get_matches();
    Program::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// Runs the program with the arguments of the process.
#[doc(hidden)]
pub fn main() -> ExitCode {
    let Program { log, command } = parse();
    console::start_log(log.as_deref(), command.default_log_level());
    match command.run() {
        Ok(status) => status.into(),
        Err(failure) => {
            console::error(console::chain(&failure));
            failure.exit_code()
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The program `gst-attitude`: what there is to do with attitudes beside pipelines.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod console;
mod interrupt;
mod look;
mod times;

mod networks;

mod decoding;

mod analyze;
mod evaluate;
mod models;
mod report;
#[cfg(feature = "serve")]
mod serve;

#[derive(Parser)]
#[command(
    name = "gst-attitude",
    version,
    about = "Tools for the GStreamer element faceattitude"
)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Analyze(analyze::Arguments),
    Evaluate(evaluate::Arguments),
    Models(models::Arguments),
    Report(report::Arguments),
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
}

fn main() -> ExitCode {
    let Program { command } = Program::parse();
    let status = |went_well| match went_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    };
    let result = match command {
        Command::Analyze(arguments) => analyze::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments).map(status),
        Command::Models(arguments) => models::run(&arguments).map(status),
        Command::Report(arguments) => report::run(&arguments).map(status),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(arguments),
    };
    result.unwrap_or_else(|error| {
        console::error(error);
        ExitCode::FAILURE
    })
}

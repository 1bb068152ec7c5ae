// SPDX-License-Identifier: MPL-2.0

//! The program `gst-attitude`: what there is to do with attitudes beside pipelines.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod console;
mod evaluate;
mod models;
mod report;

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
    Evaluate(evaluate::Arguments),
    Models(models::Arguments),
    Report(report::Arguments),
}

fn main() -> ExitCode {
    let Program { command } = Program::parse();
    let result = match command {
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Models(arguments) => models::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            console::error(error);
            ExitCode::FAILURE
        }
    }
}

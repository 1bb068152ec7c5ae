// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude completions`: prints a script that completes command lines of the program.

use clap::Args;
use clap_complete::Shell;

use crate::console::{self, PrintError};
use crate::exit::Status;

/// Prints a script with which a shell completes subcommands and options
///
/// 'pipelines/setup.sh' installs those of bash and fish.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Shell: bash, elvish, fish, powershell or zsh
    #[arg(value_enum, value_name = "SHELL", hide_possible_values = true)]
    shell: Shell,
}

/// Completions cannot be printed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct CompletionsError(#[from] PrintError);

/// Prints the script for `program`.
///
/// # Errors
/// Returns an error if standard output cannot be written.
pub(crate) fn run(
    arguments: &Arguments,
    mut program: clap::Command,
) -> Result<Status, CompletionsError> {
    let name = program.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, name, &mut script);
    console::print(&String::from_utf8_lossy(&script))?;
    Ok(Status::Success)
}

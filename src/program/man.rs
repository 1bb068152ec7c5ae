// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude man`: writes the manual pages of the program.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::exit::Status;

/// Writes manual pages of the program and of each subcommand into a folder
///
/// 'pipelines/setup.sh' installs them: 'man gst-attitude-analyze'.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder to write the pages into; it is created
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Manual pages cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write manual pages into {}: {source}", folder.display())]
pub(crate) struct ManError {
    folder: PathBuf,
    source: io::Error,
}

/// Writes the pages of `program`, such as `gst-attitude-analyze.1`.
///
/// # Errors
/// Returns an error if the folder cannot be created or a page cannot be written.
pub(crate) fn run(arguments: &Arguments, program: clap::Command) -> Result<Status, ManError> {
    let folder = &arguments.folder;
    let program = program.disable_help_subcommand(true);
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(program, folder))
        .map_err(|source| ManError {
            folder: folder.clone(),
            source,
        })?;
    Ok(Status::Success)
}

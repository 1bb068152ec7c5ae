// SPDX-License-Identifier: MPL-2.0

//! Secrets of the room and the server, from files or environment variables: other users can read
//! the command line.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::signalling::janus::Secrets;

/// Options of the secrets.
#[derive(Args)]
pub(super) struct SecretArguments {
    /// File with the PIN of the room; without it, the environment variable GST_ATTITUDE_ROOM_PIN
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,

    /// File with the API secret of the server; without it, the environment variable
    /// GST_ATTITUDE_ROOM_API_SECRET
    #[arg(long, value_name = "FILE")]
    api_secret_file: Option<PathBuf>,

    /// File with the token for the server; without it, the environment variable
    /// GST_ATTITUDE_ROOM_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0} is empty; expected the secret in its first line")]
    Empty(PathBuf),
}

impl SecretArguments {
    /// Reads the secrets.
    pub(super) fn read(&self) -> Result<Secrets, SecretError> {
        Ok(Secrets {
            pin: read(self.pin_file.as_deref(), "GST_ATTITUDE_ROOM_PIN")?,
            api_secret: read(
                self.api_secret_file.as_deref(),
                "GST_ATTITUDE_ROOM_API_SECRET",
            )?,
            token: read(self.token_file.as_deref(), "GST_ATTITUDE_ROOM_TOKEN")?,
        })
    }
}

/// Returns the first line of the file or, without one, the value of the variable.
fn read(file: Option<&Path>, variable: &str) -> Result<Option<String>, SecretError> {
    let Some(path) = file else {
        let value = std::env::var(variable).ok();
        return Ok(value.filter(|value| !value.is_empty()));
    };
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| SecretError::Read(path.to_owned(), error))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Some(line.to_owned())),
        _ => Err(SecretError::Empty(path.to_owned())),
    }
}

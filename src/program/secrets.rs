// SPDX-License-Identifier: MPL-2.0

//! Secrets from files or environment variables: other users can read the command line.

use std::io;
use std::path::{Path, PathBuf};

/// A secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0} is empty; expected the secret in its first line")]
    Empty(PathBuf),
}

/// Returns the first line of the file or, without one, the value of the environment variable; `None`
/// if there is neither.
///
/// # Errors
/// Returns an error if the file cannot be read or has no first line.
pub(crate) fn read(file: Option<&Path>, variable: &str) -> Result<Option<String>, SecretError> {
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

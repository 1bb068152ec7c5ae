// SPDX-License-Identifier: MPL-2.0

//! Secrets of the room and the server.

use std::path::PathBuf;

use clap::Args;

use super::signalling::janus::Secrets;
use crate::secrets::{SecretError, read};

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

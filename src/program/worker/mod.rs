// SPDX-License-Identifier: MPL-2.0

//! Plays recordings in worker processes, so that a decoder that crashes or hangs fails one
//! recording, not the run.
//!
//! ```text
//! analyze, evaluate -> client <-- message --> process -> playback
//! ```
//!
//! The program is the parent: it has the inputs, the results, the progress and the signals. A worker
//! is the same executable with a hidden subcommand. It plays one recording at a time, and lives until
//! its parent closes the connection, crashes included.

mod client;
pub(crate) mod message;
mod process;

pub(crate) use client::{Observer, PlaybackEnd, Player, WorkerError};
pub(crate) use process::{Arguments, ProcessError, run};

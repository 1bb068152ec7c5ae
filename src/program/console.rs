// SPDX-License-Identifier: MPL-2.0

//! What the user reads.

use std::error::Error;
use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Writes to standard output; that a reader has read enough is no error.
pub fn print(text: &str) -> Result<(), Box<dyn Error>> {
    let mut output = std::io::stdout().lock();
    let written = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Tells of an error.
pub fn error(problem: impl Display) {
    tell(format_args!("Error: {problem}"));
}

/// Warns of what may not be meant.
pub fn warn(problem: impl Display) {
    tell(format_args!("Warning: {problem}"));
}

/// Tells how things go.
pub fn tell(text: impl Display) {
    // Where nobody reads there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

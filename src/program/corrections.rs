// SPDX-License-Identifier: MPL-2.0

//! The file `corrections.toml` in the folder of a recording's results: reading, and writing that
//! neither loses the changes of another writer nor leaves half a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use attitude::record::corrections::{
    AppliedCorrections, CorrectionCounts, CorrectionError, Corrections, FILE,
};
use attitude_inference::model::sha256;

use crate::atomic_file;
use crate::numbers::count;

/// Maximum length of a file.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// Revision if there is no file.
const NO_FILE: &str = "none";

/// A text is not a file of corrections.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParseError {
    #[error("line {line}: {message}")]
    Syntax { line: usize, message: String },
    #[error(transparent)]
    Correction(#[from] CorrectionError),
}

/// The corrections of a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CorrectionsError {
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    #[error("{}: it is longer than {MAX_BYTES} bytes, the maximum", .0.display())]
    TooLong(PathBuf),
    #[error("{}: {source}; correct the file, or remove it", .path.display())]
    Parse { path: PathBuf, source: ParseError },
}

/// The corrections of a recording cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The file has another revision, of another writer.
    #[error(
        "the corrections were changed by another page or program since this page was loaded; load it again"
    )]
    Conflict,
    #[error(transparent)]
    Read(#[from] CorrectionsError),
    #[error("cannot write {}; check its permissions and the free space", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// The corrections of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CorrectionsFile {
    pub(crate) corrections: Corrections,
    /// Content of the file; `None` if there is no file.
    text: Option<String>,
}

impl CorrectionsFile {
    /// Reads the file in the results `folder` of a recording; there need not be one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or is not a file of corrections.
    pub(crate) fn read(folder: &Path) -> Result<Self, CorrectionsError> {
        let path = folder.join(FILE);
        let Some(text) = read_text(&path)? else {
            return Ok(Self::default());
        };
        match parse(&text) {
            Ok(corrections) => Ok(Self {
                corrections,
                text: Some(text),
            }),
            Err(source) => Err(CorrectionsError::Parse { path, source }),
        }
    }

    /// Returns the hash of the content; `None` if there is no file.
    pub(crate) fn sha256(&self) -> Option<String> {
        self.text.as_ref().map(|text| sha256(text.as_bytes()))
    }

    /// Returns the revision, which changes with the content.
    pub(crate) fn revision(&self) -> String {
        self.sha256().unwrap_or_else(|| NO_FILE.to_owned())
    }

    /// Copies the file into another folder, if there is one.
    ///
    /// # Errors
    /// Returns the errors of the file system.
    pub(crate) fn copy_into(&self, folder: &Path) -> io::Result<()> {
        match &self.text {
            Some(text) => atomic_file::replace_with(&folder.join(FILE), text.as_bytes()),
            None => Ok(()),
        }
    }
}

/// Reads a file; returns `None` if there is none.
fn read_text(path: &Path) -> Result<Option<String>, CorrectionsError> {
    let failed = |error| CorrectionsError::Read(path.to_owned(), error);
    match std::fs::metadata(path) {
        // Opening a pipe would wait for its writer.
        Ok(metadata) if !metadata.is_file() => {
            let error = io::Error::other("it is not a file");
            return Err(failed(error));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    let limited = &mut file.take(MAX_BYTES as u64 + 1);
    limited.read_to_string(&mut text).map_err(failed)?;
    match text.len() > MAX_BYTES {
        true => Err(CorrectionsError::TooLong(path.to_owned())),
        false => Ok(Some(text)),
    }
}

/// Parses and checks corrections.
///
/// # Errors
/// Returns an error if `text` is not TOML, has unknown fields, or fails
/// [`Corrections::check`].
pub(crate) fn parse(text: &str) -> Result<Corrections, ParseError> {
    let corrections: Corrections =
        toml::from_str(text).map_err(|error: toml::de::Error| ParseError::Syntax {
            line: error.span().and_then(|span| text.get(..span.start)).map_or(
                1, // The error is about the file as a whole.
                |before| 1 + before.matches('\n').count(),
            ),
            message: error.message().replace('\n', ": "),
        })?;
    corrections.check()?;
    Ok(corrections)
}

/// Returns the revision of the file in the results `folder` of a recording.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub(crate) fn revision(folder: &Path) -> Result<String, CorrectionsError> {
    let text = read_text(&folder.join(FILE))?;
    Ok(text.map_or_else(|| NO_FILE.to_owned(), |text| sha256(text.as_bytes())))
}

/// Replaces the file in the results `folder` of a recording with `text`, if it still has the
/// revision `expected`; returns the new revision. The caller holds the lock of the results, so that
/// no other writer comes between the comparison and the replacement.
///
/// # Errors
/// Returns an error, and leaves the file as it is, if `text` is not a file of corrections, the file
/// has another revision, or it cannot be written.
pub(crate) fn write(folder: &Path, text: &str, expected: &str) -> Result<String, WriteError> {
    parse(text)?;
    if revision(folder)? != expected {
        return Err(WriteError::Conflict);
    }
    let path = folder.join(FILE);
    atomic_file::replace_with(&path, text.as_bytes())
        .map_err(|error| WriteError::Write(path, error))?;
    Ok(sha256(text.as_bytes()))
}

/// Returns a sentence about the corrections in a summary.
pub(crate) fn describe(applied: &AppliedCorrections) -> String {
    let CorrectionCounts {
        persons,
        splits,
        merges,
        exclusions,
        attitudes,
        events,
        notes,
    } = applied.counts;
    let parts = [
        (persons, "named, assigned or excluded person"),
        (splits, "split"),
        (merges, "merge"),
        (exclusions, "excluded time"),
        (attitudes, "corrected attitude"),
        (events, "event"),
        (notes, "note"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, of)| count(number as u64, of)).collect();
    format!("corrections by a person are applied: {}", parts.join(", "))
}

/// Returns a sentence about each correction in the results `name` that had no effect.
pub(crate) fn problems(name: &str, applied: Option<&AppliedCorrections>) -> Vec<String> {
    let problems = applied.iter().flat_map(|applied| &applied.not_applied);
    let sentence = |problem| format!("a correction of {name} has no effect: {problem}");
    problems.map(sentence).collect()
}

#[cfg(test)]
mod tests;

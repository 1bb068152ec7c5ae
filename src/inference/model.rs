// SPDX-License-Identifier: MPL-2.0

//! Sources of models, and errors of models.

use std::path::{Path, PathBuf};

use super::provider::Provider;
use attitude::InferenceError;

/// Largest model that is read: a mistaken path must not fill the memory.
const MAX_MODEL_BYTES: u64 = 1 << 30;

/// Largest description that is read.
const MAX_DESCRIPTION_BYTES: u64 = 1 << 16;

const FACE_DETECTOR: &[u8] = include_bytes!("../../models/face-detector.onnx");

/// Source of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Inside the plugin.
    Embedded {
        /// Name in messages.
        name: &'static str,
        /// The ONNX file.
        bytes: &'static [u8],
        /// The one that a CPU runs in its place.
        bytes_on_cpu: &'static [u8],
    },
    /// A file.
    File(PathBuf),
}

impl Source {
    /// The default face detector.
    pub const FACE_DETECTOR: Source = Source::Embedded {
        name: "embedded face detector",
        bytes: FACE_DETECTOR,
        bytes_on_cpu: FACE_DETECTOR,
    };

    /// The default attitude classifier: on a CPU in eight bits, which halves its time.
    pub const ATTITUDE: Source = Source::Embedded {
        name: "embedded attitude classifier",
        bytes: include_bytes!("../../models/attitude.onnx"),
        bytes_on_cpu: include_bytes!("../../models/attitude-int8.onnx"),
    };

    /// Name in messages.
    pub fn name(&self) -> String {
        match self {
            Source::Embedded { name, .. } => (*name).to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// The name of its file, if it is in one.
    pub(super) fn file_name(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self {
            Source::Embedded { .. } => None,
            Source::File(path) => Some(path.file_name()?.to_string_lossy()),
        }
    }

    /// The bytes of the ONNX file that `provider` is to run.
    ///
    /// # Errors
    /// If the file cannot be read or is too large.
    pub fn read(&self, provider: Provider) -> Result<std::borrow::Cow<'static, [u8]>, ModelError> {
        match self {
            Source::Embedded {
                bytes,
                bytes_on_cpu,
                ..
            } => Ok(match provider.is_cpu() {
                true => *bytes_on_cpu,
                false => *bytes,
            }
            .into()),
            Source::File(path) => Ok(read_at_most(path, "it", MAX_MODEL_BYTES)?.into()),
        }
    }

    /// The description beside the file, `model.toml` for `model.onnx`, with its path, if there is
    /// one.
    pub(super) fn sidecar(&self) -> Result<Option<(PathBuf, String)>, ModelError> {
        let Source::File(path) = self else {
            return Ok(None);
        };
        let path = path.with_extension("toml");
        if !path.exists() {
            return Ok(None);
        }
        let what = format!("the description {}", path.display());
        let bytes = read_at_most(&path, &what, MAX_DESCRIPTION_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| ModelError::Description {
            problem: format!("{} is not UTF-8 text", path.display()),
        })?;
        Ok(Some((path, text)))
    }
}

fn read_at_most(path: &Path, what: &str, max_bytes: u64) -> Result<Vec<u8>, ModelError> {
    let refused = |reason: String| ModelError::Unreadable {
        what: what.to_owned(),
        reason,
    };
    let unreadable = |error: std::io::Error| refused(error.to_string());
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refused("it is not a file".to_owned()));
    }
    if metadata.len() > max_bytes {
        let len = metadata.len();
        return Err(refused(format!(
            "it has {len} bytes, more than {max_bytes}"
        )));
    }
    std::fs::read(path).map_err(unreadable)
}

/// A model cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ModelError {
    /// The file, or the description beside it, cannot be read.
    #[error("{what} cannot be read: {reason}")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        reason: String,
    },
    /// ONNX Runtime does not take it.
    #[error("ONNX Runtime does not load it: {0}")]
    NotLoaded(String),
    /// The description is missing, malformed or contradicts the model.
    #[error("{problem}")]
    Description {
        /// The problem.
        problem: String,
    },
    /// A tensor is not what the description or the architecture says.
    #[error("tensor '{tensor}' is {found} where {expected} was expected")]
    Tensor {
        /// Its name.
        tensor: String,
        /// The value found.
        found: String,
        /// The expected value.
        expected: String,
    },
    /// The trial inference failed.
    #[error("a trial inference failed: {0}")]
    Trial(#[from] InferenceError),
}

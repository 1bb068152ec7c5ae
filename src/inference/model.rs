// SPDX-License-Identifier: MPL-2.0

//! Sources of models, and errors of models.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::description::DescriptionError;
use super::provider::{Provider, ProviderFailure};
use attitude::InferenceError;

/// Maximum size of a model: a mistaken path must not fill the memory.
const MAX_MODEL_BYTES: u64 = 1 << 30;

/// Maximum size of a description.
const MAX_DESCRIPTION_BYTES: u64 = 1 << 16;

const FACE_DETECTOR: EmbeddedFile = EmbeddedFile {
    bytes: include_bytes!("models/face-detector.onnx"),
    sha256: env!("FACE_DETECTOR_SHA256"),
};

const ATTITUDE: EmbeddedFile = EmbeddedFile {
    bytes: include_bytes!("models/attitude.onnx"),
    sha256: env!("ATTITUDE_SHA256"),
};

const ATTITUDE_INT8: EmbeddedFile = EmbeddedFile {
    bytes: include_bytes!("models/attitude-int8.onnx"),
    sha256: env!("ATTITUDE_INT8_SHA256"),
};

/// An ONNX file inside the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct EmbeddedFile {
    bytes: &'static [u8],
    /// SHA-256 of `bytes` in lower-case hexadecimal.
    sha256: &'static str,
}

/// The ONNX files of one model inside the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EmbeddedFiles {
    on_cpu: EmbeddedFile,
    /// The file for all execution providers except the CPU.
    elsewhere: EmbeddedFile,
}

impl EmbeddedFiles {
    const fn same_everywhere(file: EmbeddedFile) -> Self {
        Self {
            on_cpu: file,
            elsewhere: file,
        }
    }

    fn of(&self, provider: Provider) -> EmbeddedFile {
        if provider.is_cpu() {
            self.on_cpu
        } else {
            self.elsewhere
        }
    }
}

/// Source of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ModelSource {
    /// A model inside the plugin.
    Embedded {
        /// Name in messages.
        name: &'static str,
        /// The model's files.
        files: EmbeddedFiles,
    },
    /// An ONNX file.
    File(PathBuf),
}

impl ModelSource {
    /// The default face detector.
    pub const FACE_DETECTOR: Self = Self::Embedded {
        name: "embedded face detector",
        files: EmbeddedFiles::same_everywhere(FACE_DETECTOR),
    };

    /// The default attitude classifier. Its int8 version takes half the time of the float32 one on
    /// a CPU.
    pub const ATTITUDE: Self = Self::Embedded {
        name: "embedded attitude classifier",
        files: EmbeddedFiles {
            on_cpu: ATTITUDE_INT8,
            elsewhere: ATTITUDE,
        },
    };

    /// Returns the same model for the CPU as for other providers.
    pub(crate) fn in_float32(self) -> Self {
        match self {
            Self::Embedded { name, files } => Self::Embedded {
                name,
                files: EmbeddedFiles::same_everywhere(files.elsewhere),
            },
            file @ Self::File(_) => file,
        }
    }

    /// Returns the file at `path`, or `default` if there is no path.
    pub fn file_or(path: Option<&Path>, default: Self) -> Self {
        path.map_or(default, |path| Self::File(path.to_owned()))
    }

    /// Returns the name for messages; that of a file is its path.
    pub fn name(&self) -> String {
        match self {
            Self::Embedded { name, .. } => (*name).to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Returns the name of the file without its folder; `None` if the model is embedded.
    pub(crate) fn file_name(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Embedded { .. } => None,
            Self::File(path) => Some(path.file_name()?.to_string_lossy()),
        }
    }

    /// Returns the contents of the ONNX file that `provider` runs.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or is larger than 1 GiB.
    pub fn read(&self, provider: Provider) -> Result<Cow<'static, [u8]>, ModelError> {
        match self {
            Self::Embedded { files, .. } => Ok(files.of(provider).bytes.into()),
            Self::File(path) => Ok(read_at_most(path, "the file", MAX_MODEL_BYTES)?.into()),
        }
    }

    /// Returns the SHA-256 of the ONNX file that `provider` runs, in lower-case hexadecimal.
    ///
    /// # Errors
    /// Returns the errors of [`read`](Self::read).
    pub fn digest(&self, provider: Provider) -> Result<String, ModelError> {
        match self {
            Self::Embedded { files, .. } => Ok(files.of(provider).sha256.to_owned()),
            Self::File(_) => Ok(sha256(&self.read(provider)?)),
        }
    }

    /// Returns [`TrialInference::Skip`] if a network that `provider` runs needs no trial: the tests run the
    /// models inside the plugin on the CPU.
    pub(crate) fn trial(&self, provider: Provider) -> TrialInference {
        match self {
            Self::Embedded { .. } if provider.is_cpu() => TrialInference::Skip,
            Self::Embedded { .. } | Self::File(_) => TrialInference::Run,
        }
    }

    /// Returns the path and the text of the description beside the file, `model.toml` for
    /// `model.onnx`; `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the description cannot be read, is larger than 64 KiB, or is not UTF-8.
    pub(crate) fn sidecar(&self) -> Result<Option<(PathBuf, String)>, ModelError> {
        let Self::File(path) = self else {
            return Ok(None);
        };
        let path = path.with_extension("toml");
        if !path.exists() {
            return Ok(None);
        }
        let what = format!("the description {}", path.display());
        let bytes = read_at_most(&path, &what, MAX_DESCRIPTION_BYTES)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((path, text))),
            Err(_) => Err(ModelError::Unreadable {
                what,
                reason: "it is not UTF-8 text".to_owned(),
            }),
        }
    }
}

fn read_at_most(path: &Path, what: &str, max_bytes: u64) -> Result<Vec<u8>, ModelError> {
    let unreadable = |reason: String| ModelError::Unreadable {
        what: what.to_owned(),
        reason,
    };
    let failed =
        |error: std::io::Error| unreadable(format!("{error}; check its path and permissions"));
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a regular file".to_owned()));
    }
    if metadata.len() > max_bytes {
        let found = metadata.len();
        return Err(unreadable(format!(
            "it has {found} bytes, the maximum is {max_bytes}"
        )));
    }
    std::fs::read(path).map_err(failed)
}

/// Returns the SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a network runs once, on black images, when it is loaded, so that one that fails or returns
/// something else than its description says is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrialInference {
    /// It runs once.
    Run,
    /// It does not run, because the same network has run before.
    Skip,
}

/// A model cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ModelError {
    /// The file, or the description beside it, cannot be read.
    #[error("cannot read {what}: {reason}")]
    Unreadable {
        /// The file, as messages name it.
        what: String,
        /// The reason.
        reason: String,
    },
    /// ONNX Runtime cannot load the model, or not with the execution provider.
    #[error(
        "ONNX Runtime rejects it: {0}; the file is damaged, is not ONNX, or needs a newer ONNX Runtime"
    )]
    Rejected(String),
    /// The execution provider cannot be used, whatever the model is.
    #[error("the execution provider cannot run: {0}")]
    Provider(#[from] ProviderFailure),
    /// The description is missing or malformed, or contradicts the model or a setting.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// A tensor has another type or shape than the description requires.
    #[error("{tensor} has {found}, expected {expected}; see models/README.md")]
    Tensor {
        /// Direction and name of the tensor.
        tensor: String,
        /// Type or shape of the tensor.
        found: String,
        /// The expected type or shape.
        expected: String,
    },
    /// The first inference, on a black image, failed.
    #[error(
        "a trial inference failed: {0}; compare the model with its description, see models/README.md"
    )]
    Trial(#[from] InferenceError),
    /// A classifier's scores of a black image are not probabilities.
    #[error(
        "the scores of a black crop are {scores:?}, expected probabilities that add up to 1; if the \
         output is logits, set activation = \"softmax\" in the description; see models/README.md"
    )]
    NotProbabilities {
        /// The scores.
        scores: Vec<f32>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_an_embedded_model_is_that_of_its_bytes() {
        for source in [ModelSource::FACE_DETECTOR, ModelSource::ATTITUDE] {
            for source in [source.clone(), source.in_float32()] {
                for provider in [Provider::Cpu, Provider::Cuda] {
                    let digest = source.digest(provider).unwrap();
                    assert_eq!(digest, sha256(&source.read(provider).unwrap()));
                }
            }
        }
    }
}

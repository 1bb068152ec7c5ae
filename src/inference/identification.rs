// SPDX-License-Identifier: MPL-2.0

//! Finds a model's description: in a file beside it, in its metadata, or in the list of
//! known models.

use super::description::{Description, Task};
use super::known::{self, KnownModel};
use super::model::{ModelError, Source};
use super::session::Network;

/// The key of the description in a model's metadata.
const METADATA_KEY: &str = "gst-attitude";

/// Source of a description.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// The file beside the model.
    File,
    /// The model's metadata.
    Metadata,
    /// The list of known models.
    Known(&'static KnownModel),
}

/// Returns the description of `network`, loaded from `source`, and its origin. The file beside the model,
/// which the user can change, precedes the metadata, and that the list of known models.
///
/// # Errors
/// If there is none, or it is malformed.
pub(super) fn identify(
    source: &Source,
    network: &Network,
) -> Result<(Description, Origin), ModelError> {
    if let Some((path, text)) = source.sidecar()? {
        let description = Description::parse(&text).map_err(|error| ModelError::Description {
            problem: format!("{}: {error}", path.display()),
        })?;
        return Ok((description, Origin::File));
    }
    if let Some(text) = network.metadata(METADATA_KEY) {
        return Ok((Description::parse(&text)?, Origin::Metadata));
    }
    match known::recognise(source, network) {
        Some(model) => Ok((model.description.clone(), Origin::Known(model))),
        None => Err(ModelError::Description {
            problem: format!(
                "it has no description: put one beside it as a .toml file, or into its metadata \
                 under '{METADATA_KEY}' (models/README.md)"
            ),
        }),
    }
}

/// Returns the description of `network`, loaded from `source`.
///
/// # Errors
/// Like [`identify`], or if the description is for another task.
pub(super) fn describe(
    source: &Source,
    network: &Network,
    task: Task,
) -> Result<Description, ModelError> {
    let (description, _) = identify(source, network)?;
    if description.task == task {
        Ok(description)
    } else {
        Err(ModelError::Description {
            problem: format!(
                "its task is {:?} where {task:?} was expected",
                description.task
            ),
        })
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Finds a model's description: in a file beside it, in its metadata, or among what is known of
//! published models.

use super::description::{Description, Task};
use super::known::{self, KnownModel};
use super::model::{ModelError, Source};
use super::session::Network;

/// The key of the description in a model's metadata.
const METADATA_KEY: &str = "gst-attitude";

/// Where a description is from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// The file beside the model.
    File,
    /// The model's metadata.
    Metadata,
    /// What is known of a published model.
    Known(&'static KnownModel),
}

/// The description of `network`, loaded from `source`, and where it is from: what lies beside the
/// file, which the user can change, comes before what is inside; then what is known.
///
/// # Errors
/// Where there is none, or it is malformed.
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

/// The description of `network`, loaded from `source`.
///
/// # Errors
/// As [`identify`], and where it is one of another task.
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

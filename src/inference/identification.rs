// SPDX-License-Identifier: MPL-2.0

//! Finds a model's description: in a file beside it, in its metadata, or in the list of known
//! models, `models/known.toml`.

use once_cell::sync::Lazy;
use ort::environment::Environment;
use serde::Deserialize;

use super::description::{Description, DescriptionError, METADATA_KEY};
use super::model::{ModelError, ModelSource};
use super::optimized::OptimizedModel;
use super::session::{Execution, Network};

/// A loaded model with its description.
pub(crate) struct DescribedNetwork {
    pub(crate) network: Network,
    pub(crate) description: Description,
    pub(crate) origin: DescriptionOrigin,
}

/// Source of a description.
#[derive(Clone, Copy, Debug)]
pub enum DescriptionOrigin {
    /// The file beside the model.
    File,
    /// The model's metadata.
    Metadata,
    /// The list of known models.
    Known(&'static KnownModel),
}

impl DescribedNetwork {
    /// Loads the network of `source` and its description. The file beside the model, which the user
    /// can change, takes precedence over the metadata, and the metadata over the list of known
    /// models.
    ///
    /// # Errors
    /// Returns an error if the model cannot be loaded, or its description is missing or malformed.
    pub(crate) fn load(
        environment: &Environment,
        source: &ModelSource,
        execution: &Execution,
    ) -> Result<Self, ModelError> {
        let provider = execution.provider.kind;
        let bytes = source.read(provider)?;
        // Models of users are not stored: they can be large, and consist of several files.
        let optimized = match source {
            ModelSource::Embedded { .. } if provider.is_cpu() => {
                OptimizedModel::of(&source.digest(provider)?)
            }
            ModelSource::Embedded { .. } | ModelSource::File(_) => None,
        };
        let network = Network::load(environment, &bytes, optimized.as_ref(), execution.clone())?;
        let (description, origin) = if let Some((path, text)) = source.sidecar()? {
            let description = Description::parse(&text, &path.display().to_string())?;
            (description, DescriptionOrigin::File)
        } else if let Some(text) = network.metadata(METADATA_KEY) {
            let description = Description::parse(&text, "the description in its metadata")?;
            (description, DescriptionOrigin::Metadata)
        } else {
            let mut known = known_models().iter();
            let model = known
                .find(|model| model.recognized_by.match_model(source, &network))
                .ok_or(DescriptionError::Missing)?;
            (model.description.clone(), DescriptionOrigin::Known(model))
        };
        Ok(Self {
            network,
            description,
            origin,
        })
    }
}

/// A published model that needs no description of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownModel {
    /// Name of the published file.
    pub file: String,
    /// Kind of the model, its authors, and other files that the description fits.
    pub about: String,
    /// URL of the publication.
    pub address: String,
    /// Name of the license.
    pub license: String,
    /// SHA-256 of the published files in lower-case hexadecimal; empty if unknown.
    #[serde(default)]
    pub sha256: Vec<String>,
    recognized_by: Features,
    description: Description,
}

/// Features that identify a known model. All that are set must match.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Features {
    /// Start of the file's name.
    file: Option<String>,
    /// Names of inputs.
    inputs: Vec<String>,
    /// Names of outputs.
    outputs: Vec<String>,
}

impl Features {
    fn match_model(&self, source: &ModelSource, network: &Network) -> bool {
        let matches_file = |start: &String| {
            source
                .file_name()
                .is_some_and(|name| name.starts_with(start.as_str()))
        };
        self.file.as_ref().is_none_or(matches_file)
            && self.inputs.iter().all(|name| network.has_input(name))
            && self.outputs.iter().all(|name| network.has_output(name))
    }
}

#[derive(Deserialize)]
struct KnownModels {
    model: Vec<KnownModel>,
}

static KNOWN_MODELS: Lazy<Vec<KnownModel>> = Lazy::new(|| {
    // The document is a part of the program, and a test parses it.
    toml::from_str(include_str!("models/known.toml"))
        .map_or(Vec::new(), |document: KnownModels| document.model)
});

/// Returns the published models that need no description of their own.
pub fn known_models() -> &'static [KnownModel] {
    &KNOWN_MODELS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::{Task, UnknownLabels};

    #[test]
    fn every_known_model_is_described() {
        let document: KnownModels = toml::from_str(include_str!("models/known.toml")).unwrap();
        assert!(document.model.len() >= 5);
        for model in document.model {
            match model.description.task {
                Task::Attitude => {
                    let output = model
                        .description
                        .attitude_output(None, UnknownLabels::Refuse);
                    assert!(output.is_ok(), "{}: {output:?}", model.file);
                }
                Task::FaceDetection => assert!(model.description.detector.is_some()),
            }
            assert!(model.sha256.iter().all(|digest| digest.len() == 64));
            let features = model.recognized_by;
            assert!(
                features.file.is_some() || !features.outputs.is_empty(),
                "{}",
                model.file
            );
        }
    }
}

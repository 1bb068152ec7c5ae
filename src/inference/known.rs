// SPDX-License-Identifier: MPL-2.0

//! Published models that need no description of their own: `models/known.toml`.

use once_cell::sync::Lazy;
use serde::Deserialize;

use super::description::Description;
use super::model::Source;
use super::session::Network;

/// A published model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownModel {
    /// Name of the published file.
    pub file: String,
    /// The value found.
    pub about: String,
    /// URL of the publication.
    pub address: String,
    /// Under which licence.
    pub licence: String,
    /// Hexadecimal digests of the published files, where they are known.
    #[serde(default)]
    pub sha256: Vec<String>,
    recognised_by: Marks,
    /// Description of its inputs and outputs.
    pub description: Description,
}

/// Features that identify a known model.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Marks {
    /// The beginning of its file's name.
    file: Option<String>,
    /// Names of inputs.
    inputs: Vec<String>,
    /// Names of outputs.
    outputs: Vec<String>,
}

impl Marks {
    fn are_on(&self, source: &Source, network: &Network) -> bool {
        let has_name = |beginning: &String| {
            source
                .file_name()
                .is_some_and(|name| name.starts_with(beginning.as_str()))
        };
        self.file.as_ref().is_none_or(has_name)
            && self.inputs.iter().all(|name| network.has_input(name))
            && self.outputs.iter().all(|name| network.has_output(name))
    }
}

#[derive(Deserialize)]
struct Document {
    model: Vec<KnownModel>,
}

static KNOWN: Lazy<Vec<KnownModel>> = Lazy::new(|| {
    // A test reads the document; it is a part of the program.
    toml::from_str(include_str!("../../models/known.toml"))
        .map_or(Vec::new(), |document: Document| document.model)
});

/// All that are known.
pub fn models() -> &'static [KnownModel] {
    &KNOWN
}

/// The known model that `network`, loaded from `source`, is taken for.
pub(super) fn recognise(source: &Source, network: &Network) -> Option<&'static KnownModel> {
    models()
        .iter()
        .find(|model| model.recognised_by.are_on(source, network))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::Task;

    #[test]
    fn every_known_model_is_described() {
        let document: Document = toml::from_str(include_str!("../../models/known.toml")).unwrap();
        assert!(document.model.len() >= 5);
        for model in document.model {
            match model.description.task {
                Task::Attitude => {
                    let mapping = model.description.attitudes(None);
                    assert!(mapping.is_ok(), "{}: {mapping:?}", model.file);
                }
                Task::FaceDetection => assert!(model.description.detector.is_some()),
            }
            assert!(model.sha256.iter().all(|digest| digest.len() == 64));
            let marks = model.recognised_by;
            assert!(
                marks.file.is_some() || !marks.outputs.is_empty(),
                "{}",
                model.file
            );
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! What was evaluated, so that figures can be told apart and had again.

use attitude_inference::digest::sha256;
use attitude_inference::model::{ModelError, Source};
use attitude_inference::provider::Provider;
use serde::Serialize;

/// What was evaluated, and with what.
#[derive(Serialize)]
pub struct Setup {
    /// As given.
    pub data: Vec<String>,
    pub mapping: Option<String>,
    /// `None` where none was used.
    pub detector: Option<NetworkFile>,
    pub detector_size: Option<u32>,
    pub models: Vec<ModelFile>,
}

#[derive(Serialize)]
pub struct ModelFile {
    pub name: String,
    #[serde(flatten)]
    pub file: NetworkFile,
}

#[derive(Serialize)]
pub struct NetworkFile {
    file: String,
    sha256: String,
}

impl NetworkFile {
    /// As `provider` runs it.
    pub fn of(source: &Source, provider: Provider) -> Result<Self, ModelError> {
        Ok(Self {
            file: source.name(),
            sha256: sha256(&source.read(provider)?),
        })
    }

    fn told(&self) -> String {
        format!("{}, SHA-256 {}", self.file, self.sha256)
    }
}

impl Setup {
    /// In words.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .data
            .iter()
            .map(|path| format!("data: {path}"))
            .collect();
        lines.extend(
            self.mapping
                .iter()
                .map(|mapping| format!("mapping: {mapping}")),
        );
        lines.push(match (&self.detector, self.detector_size) {
            (Some(detector), Some(size)) => {
                format!("detector, of size {size}: {}", detector.told())
            }
            _ => "detector: none".to_owned(),
        });
        let models = self.models.iter();
        lines.extend(models.map(|model| format!("model {}: {}", model.name, model.file.told())));
        lines
    }
}

// SPDX-License-Identifier: MPL-2.0

//! `summary.json`: a recording, how it was analysed, and what it shows.

use attitude::record::summary::Summary;
use attitude_inference::digest::sha256;
use serde::{Deserialize, Serialize};

use super::inputs::{Identity, Input, Place};
use super::settings::{Models, Settings};

/// The version of the fields and their meaning; of those of the summary in it, `schema` is.
pub const VERSION: u32 = 1;

/// The name of its file.
pub const FILE: &str = "summary.json";

/// The whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`VERSION`].
    pub document: u32,
    /// What wrote it.
    pub program: String,
    /// What the results depend on, see [`fingerprint`].
    pub fingerprint: String,
    pub recording: Recording,
    /// What broke the recording off; `None` where nothing did.
    pub damage: Option<String>,
    pub analysis: Analysis,
    #[serde(flatten)]
    pub summary: Summary,
}

/// The recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The name of its folder, which its records have as their stream.
    pub name: String,
    /// Where it was; characters that are not Unicode are replaced.
    pub path: Option<String>,
    /// The same without loss.
    pub uri: String,
    #[serde(flatten)]
    pub identity: Identity,
    #[serde(flatten)]
    pub video: Video,
}

/// What its first video is like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// As its container says.
    pub duration_ns: Option<u64>,
    /// As it was analysed: upright.
    pub width: u32,
    pub height: u32,
    /// `None` where it varies.
    pub frames_per_second: Option<f64>,
    /// Those that were decoded.
    pub frames: u64,
    /// Those whose analysis failed.
    pub failed_samples: u64,
}

/// How it was analysed, for people to read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// What ran the networks.
    pub provider: String,
    pub settings: serde_json::Value,
    pub models: serde_json::Value,
}

impl Document {
    /// What is known before the analysis.
    pub fn begin(
        input: &Input,
        name: &str,
        fingerprint: String,
        settings: &Settings,
        models: &Models,
        provider: &str,
    ) -> Self {
        let path = match &input.place {
            Place::File(_) if input.is_copy => None,
            Place::File(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                Some(path.to_string_lossy().into_owned())
            }
            Place::Url(_) => None,
        };
        Self {
            document: VERSION,
            program: format!("gst-attitude {}", env!("CARGO_PKG_VERSION")),
            fingerprint,
            recording: Recording {
                name: name.to_owned(),
                path,
                uri: input.uri.clone(),
                identity: input.identity.clone(),
                video: Video::default(),
            },
            damage: None,
            analysis: Analysis {
                provider: provider.to_owned(),
                // Plain values, which JSON can hold.
                settings: serde_json::to_value(settings).unwrap_or_default(),
                models: serde_json::to_value(models).unwrap_or_default(),
            },
            summary: Summary::default(),
        }
    }
}

/// Two analyses with the same fingerprint have the same results.
pub fn fingerprint(recording: &Identity, settings: &Settings, models: &Models) -> String {
    let program = (VERSION, env!("CARGO_PKG_VERSION"));
    let all = (program, recording, settings, models);
    // Plain values, which can be written as JSON.
    sha256(&serde_json::to_vec(&all).unwrap_or_default())
}

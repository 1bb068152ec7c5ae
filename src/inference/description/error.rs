// SPDX-License-Identifier: MPL-2.0

//! What can be wrong with a description.

use attitude::classification::MAX_EMOTIONS;

use super::{METADATA_KEY, SCHEMA, Task};

/// A description is missing or malformed, or contradicts the model or a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// The model has no description, and is not a known one.
    #[error(
        "it has no description; write one into a .toml file of the same name beside it, or into its \
         metadata under '{METADATA_KEY}'; see models/README.md"
    )]
    Missing,
    /// The document is not TOML, or has wrong fields.
    #[error("{document} is malformed{}: {message}; see models/README.md", format_line(*line))]
    Malformed {
        /// Path or other name of the document.
        document: String,
        /// Line of the mistake, from 1, if known.
        line: Option<usize>,
        /// The mistake.
        message: String,
    },
    /// The document is for another version.
    #[error("{document} has schema {found}, expected {SCHEMA}; see models/README.md")]
    Schema {
        /// Path or other name of the document.
        document: String,
        /// The value of `schema`.
        found: u32,
    },
    /// The model has another task than the setting requires.
    #[error("it is {found}, expected {expected}; set it as {}", found.setting())]
    Task {
        /// Task of the model.
        found: Task,
        /// Task of models for the setting.
        expected: Task,
    },
    /// The description of a face detector lacks `[detector]`.
    #[error("its description has no section [detector]; see models/README.md")]
    NoDetector,
    /// The description of a classifier lacks an output with labels.
    #[error("its description lists no labels in [output] or [emotions]; see models/README.md")]
    NoLabels,
    /// The model has more emotions than a record can hold.
    #[error("its description lists {0} emotions, the maximum is {MAX_EMOTIONS}")]
    TooManyEmotions(usize),
    /// The labels are not attitudes, and there is no mapping to attitudes.
    #[error(
        "its labels are {}, and its description has no section [attitude] that maps them to attitudes; add \
         one, such as: [attitude] positive = [\"happiness\"] neutral = [\"neutral\"], each setting in a \
         line of its own; see models/README.md",
        .labels.join(", ")
    )]
    Unmapped {
        /// Labels of the model.
        labels: Vec<String>,
    },
    /// A mapping to attitudes lists a name that is not a label of the model.
    #[error("{mapping} lists '{name}', which is not a label of the model; its labels are {}", .labels.join(", "))]
    UnknownLabel {
        /// The mapping, as messages name it.
        mapping: &'static str,
        /// The name.
        name: String,
        /// Labels of the model.
        labels: Vec<String>,
    },
    /// The description's mapping to attitudes lists a label twice.
    #[error("[attitude] in its description lists '{0}' twice")]
    RepeatedLabel(String),
    /// The description names a tensor that the model does not have, or must name one and does not.
    #[error("{problem}; its {direction}s are {}; see models/README.md", .names.join(", "))]
    NoTensor {
        /// The problem.
        problem: String,
        /// `input` or `output`.
        direction: &'static str,
        /// Names of the model's inputs or outputs.
        names: Vec<String>,
    },
}

fn format_line(line: Option<usize>) -> String {
    line.map_or(String::new(), |line| format!(" in line {line}"))
}

pub(super) fn unknown_label(
    mapping: &'static str,
    name: &str,
    labels: &[String],
) -> DescriptionError {
    DescriptionError::UnknownLabel {
        mapping,
        name: name.to_owned(),
        labels: labels.to_vec(),
    }
}

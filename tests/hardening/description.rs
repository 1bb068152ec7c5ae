// SPDX-License-Identifier: MPL-2.0

//! Descriptions of models, which come with files from anywhere.

use attitude_inference::check_description;

/// Parses the text of a description, and maps its labels to attitudes.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(error) = check_description(text, "model.toml") {
        assert!(!error.to_string().is_empty());
    }
}

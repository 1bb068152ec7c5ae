// SPDX-License-Identifier: MPL-2.0

//! Annotations of people, in the formats of several programs.

mod eaf;
mod table;

use std::path::Path;

use attitude::Attitude;
use attitude::agreement::CodedSpan;
use attitude::timeline::Span;

use crate::data_file::{DataError, Position, read_text};
use crate::labels::{LabelError, Labels};

/// The annotations of a coder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coding {
    pub coder: String,
    /// Sorted by start.
    pub spans: Vec<CodedSpan<Attitude>>,
}

/// Annotations as they are in a file.
struct RawCoding {
    coder: String,
    annotations: Vec<RawAnnotation>,
}

/// An annotation as it is in a file.
struct RawAnnotation {
    span: Span,
    label: String,
    /// Position in the file, for messages.
    position: Position,
}

/// A mistake in annotations.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnnotationMistake {
    #[error("annotations must be a .eaf or .csv file")]
    Format,
    #[error("this is not an annotation document of ELAN: {0}")]
    Eaf(String),
    #[error("the annotation ends before it begins; its end must be after its start")]
    EmptySpan,
    #[error("the label {0}")]
    Label(LabelError),
    #[error(
        "these are events of BORIS without durations; export them with 'Export aggregated events' as CSV"
    )]
    Events,
    #[error("there is no tier or coder with labels of attitudes; it has: {0}")]
    NoCoder(String),
    #[error("there is no tier or coder '{name}'; it has: {found}")]
    MissingCoder { name: String, found: String },
}

/// Reads the coders of a file: those named `tiers` or, if there are none, all whose labels are
/// attitudes. Returns the names of those that are not used, too.
///
/// # Errors
/// Returns the first mistake in the file.
pub(super) fn read(
    path: &Path,
    tiers: &[String],
    labels: Labels,
) -> Result<(Vec<Coding>, Vec<String>), DataError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let raw = match extension.to_str() {
        Some("eaf") => eaf::parse(path, &read_text(path)?)?,
        Some("csv") => table::parse(path, &read_text(path)?)?,
        _ => return Err(Position::of_file(path).error(AnnotationMistake::Format)),
    };
    let names = || {
        let names: Vec<&str> = raw.iter().map(|raw| raw.coder.as_str()).collect();
        names.join(", ")
    };
    let is_missing = |name: &&String| raw.iter().all(|raw| raw.coder != **name);
    if let Some(name) = tiers.iter().find(is_missing) {
        return Err(
            Position::of_file(path).error(AnnotationMistake::MissingCoder {
                name: name.clone(),
                found: names(),
            }),
        );
    }
    let (mut codings, mut others) = (Vec::new(), Vec::new());
    let mut first_problem = None;
    for raw in &raw {
        if !tiers.is_empty() && !tiers.contains(&raw.coder) {
            continue;
        }
        match coding(raw, labels) {
            Ok(coding) if !coding.spans.is_empty() => codings.push(coding),
            Ok(_) => others.push(raw.coder.clone()),
            Err(error) if !tiers.is_empty() || raw_is_alone(&raw.coder, path) => return Err(error),
            Err(error) => {
                first_problem.get_or_insert(error);
                others.push(raw.coder.clone());
            }
        }
    }
    match (codings.is_empty(), first_problem) {
        (true, Some(problem)) => Err(problem),
        (true, None) => Err(Position::of_file(path).error(AnnotationMistake::NoCoder(names()))),
        (false, _) => Ok((codings, others)),
    }
}

/// Returns `true` if the coder is that of a table without coders, all of whose labels must be
/// attitudes.
fn raw_is_alone(coder: &str, path: &Path) -> bool {
    coder == default_coder(path)
}

/// Returns the coder of a file that names none: the name of the file.
fn default_coder(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Returns a coding with attitudes. Annotations `unknown` count as none.
fn coding(raw: &RawCoding, labels: Labels) -> Result<Coding, DataError> {
    let mut spans = Vec::new();
    for RawAnnotation {
        span,
        label,
        position,
    } in &raw.annotations
    {
        if label.is_empty() || label == attitude::Label::Unknown.name() {
            continue;
        }
        let attitude = labels.attitude_of(&label.to_lowercase());
        let attitude =
            attitude.map_err(|error| position.clone().error(AnnotationMistake::Label(error)))?;
        spans.push(CodedSpan {
            span: *span,
            label: attitude,
        });
    }
    spans.sort_by_key(|coded| coded.span.start_ns);
    Ok(Coding {
        coder: raw.coder.clone(),
        spans,
    })
}

#[cfg(test)]
mod tests;

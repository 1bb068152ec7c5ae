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
    #[error("there is no tier or coder '{wanted}'; it has: {found}")]
    MissingCoder { wanted: String, found: String },
}

/// The annotations of a file.
#[derive(Debug)]
pub(super) struct Annotations {
    pub codings: Vec<Coding>,
    /// Names of the coders without labels of attitudes, among those that were wanted.
    pub unlabeled: Vec<String>,
}

/// Reads the coders of a file: those of `tiers`, some of which may be in other files, or, if there are
/// none, all whose labels are attitudes.
///
/// # Errors
/// Returns the first mistake in the file.
pub(super) fn read(
    path: &Path,
    tiers: &[String],
    labels: Labels,
) -> Result<Annotations, DataError> {
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
    let is_wanted = |raw: &RawCoding| tiers.is_empty() || tiers.contains(&raw.coder);
    if !raw.is_empty() && !raw.iter().any(is_wanted) {
        return Err(
            Position::of_file(path).error(AnnotationMistake::MissingCoder {
                wanted: tiers.join("' or '"),
                found: names(),
            }),
        );
    }
    let (mut codings, mut unlabeled) = (Vec::new(), Vec::new());
    let mut first_problem = None;
    for raw in raw.iter().filter(|raw| is_wanted(raw)) {
        match coding(raw, labels) {
            Ok(coding) if !coding.spans.is_empty() => codings.push(coding),
            Ok(_) => unlabeled.push(raw.coder.clone()),
            Err(error) if !tiers.is_empty() || raw_is_alone(&raw.coder, path) => return Err(error),
            Err(error) => {
                first_problem.get_or_insert(error);
                unlabeled.push(raw.coder.clone());
            }
        }
    }
    match (codings.is_empty(), first_problem) {
        (true, Some(problem)) => Err(problem),
        (true, None) => Err(Position::of_file(path).error(AnnotationMistake::NoCoder(names()))),
        (false, _) => Ok(Annotations { codings, unlabeled }),
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

// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude agreement`: compares the attitudes of a recording with the annotations of people.
//!
//! ```text
//! annotations, results (of analyze) -> coders -> tables | page
//! ```

use std::io;
use std::path::{Path, PathBuf};

use attitude::agreement::CodedSpan;
use attitude::record::summary::{Person, Summary};

use annotations::{Annotations, Coding};
pub(crate) use arguments::Arguments;
use coders::Coders;

use crate::analyze::summary_json;
use crate::codebook;
use crate::console::{self, PrintError};
use crate::data_file::DataError;
use crate::exit::Status;
use crate::labels::Labels;
use crate::numbers::count;
use crate::table_files::TableFormat;

mod annotations;
mod arguments;

mod coders;

mod page;
mod tables;
pub(crate) use tables::TABLES;

/// Name of the program among the coders.
const PROGRAM: &str = "gst-attitude";

/// File name.
const PAGE: &str = "agreement.html";

/// Minimum duration of a unit, in nanoseconds.
const MIN_UNIT_NS: u64 = 10_000_000;

/// Coders cannot be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgreementError {
    #[error(
        "{0}: there are no results of a recording; name its folder in the results of gst-attitude analyze"
    )]
    NoResults(PathBuf),
    #[error("there is no person {number}; the report of the recording shows {}", count(*.persons, "person"))]
    NoPerson { number: u32, persons: usize },
    #[error("no face was found in the recording")]
    NoFace,
    #[error("--unit must be at least 10ms")]
    Unit,
    #[error(transparent)]
    Annotations(#[from] DataError),
    #[error("no file of annotations has a tier or coder '{0}'; check --tier")]
    NoTier(String),
    #[error("two coders have the name '{0}'; rename one of them, or select others with --tier")]
    SameName(String),
    #[error("cannot create the folder {path}: {source}; choose another --output")]
    CreateFolder { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {path}: {source}; check its permissions and the free space, or choose another --output"
    )]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Print(#[from] PrintError),
}

impl AgreementError {
    /// Returns `true` if the arguments or the annotations are wrong.
    pub(crate) fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::CreateFolder { .. } | Self::Write { .. } | Self::Print(_)
        )
    }
}

/// Compares the coders.
///
/// # Errors
/// Returns an error if the annotations or the results cannot be used, or a file cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, AgreementError> {
    let unit_ns = arguments.unit.ns;
    if unit_ns < MIN_UNIT_NS {
        return Err(AgreementError::Unit);
    }
    let results = &arguments.results;
    let file =
        summary_json::read(results).ok_or_else(|| AgreementError::NoResults(results.clone()))?;
    let person = person(&file.summary, arguments.person)?;
    let mut codings = vec![program(person)];
    let labels = Labels(arguments.mapping.as_ref());
    let mut missing = arguments.tiers.clone();
    for path in &arguments.annotations {
        let Annotations {
            codings: read,
            unlabeled,
        } = annotations::read(path, &arguments.tiers, labels)?;
        let is_in_file =
            |tier: &String| unlabeled.contains(tier) || read.iter().any(|of| of.coder == *tier);
        missing.retain(|tier| !is_in_file(tier));
        if !unlabeled.is_empty() {
            let unlabeled = unlabeled.join(", ");
            console::warn(format_args!(
                "{}: no labels of attitudes in: {unlabeled}",
                path.display()
            ));
        }
        codings.extend(read);
    }
    if let Some(tier) = missing.into_iter().next() {
        return Err(AgreementError::NoTier(tier));
    }
    let mut names = std::collections::HashSet::new();
    if let Some(same) = codings.iter().find(|coding| !names.insert(&coding.coder)) {
        return Err(AgreementError::SameName(same.coder.clone()));
    }
    let coders = Coders::new(&codings, unit_ns);
    if let Some(output) = &arguments.output {
        write(&coders, person, &file.recording.name, results, output)?;
    }
    console::print(&tables::markdown(&coders))?;
    Ok(Status::Success)
}

/// Returns the person of this number, or the one seen longest.
fn person(summary: &Summary, number: Option<u32>) -> Result<&Person, AgreementError> {
    let persons = &summary.persons;
    match number {
        Some(number) => {
            persons
                .iter()
                .find(|person| person.id == number)
                .ok_or(AgreementError::NoPerson {
                    number,
                    persons: persons.len(),
                })
        }
        None => summary.seen_longest().ok_or(AgreementError::NoFace),
    }
}

/// Returns the segments of a person as a coding; an unknown attitude is no label.
fn program(person: &Person) -> Coding {
    let coded = |segment: &attitude::timeline::Segment| {
        Some(CodedSpan {
            span: segment.span,
            label: segment.attitude.attitude()?,
        })
    };
    Coding {
        coder: PROGRAM.to_owned(),
        spans: person.timeline.segments.iter().filter_map(coded).collect(),
    }
}

/// Writes the tables and the page.
fn write(
    coders: &Coders,
    person: &Person,
    recording: &str,
    results: &Path,
    output: &Path,
) -> Result<(), AgreementError> {
    std::fs::create_dir_all(output).map_err(|source| AgreementError::CreateFolder {
        path: output.to_owned(),
        source,
    })?;
    for table in tables::tables(coders).iter().chain(&codebook::tables()) {
        let path = TableFormat::Csv.path(output, table);
        let written = TableFormat::Csv.write(&path, table);
        written.map_err(|source| AgreementError::Write { path, source })?;
    }
    let path = output.join(PAGE);
    let page = page::page(coders, person, recording, results, output);
    std::fs::write(&path, page).map_err(|source| AgreementError::Write { path, source })
}

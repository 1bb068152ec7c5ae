// SPDX-License-Identifier: MPL-2.0

//! Records as `attitudeexport` writes them, read back.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use gstattitude::analysis::timeline::rules::Rules;
use gstattitude::record::summary::{Summarized, SummaryBuilder};
use gstattitude::record::{self, Record};

use super::Failure;

/// What a file of records tells.
pub struct Records {
    /// What was seen.
    pub summarized: Summarized,
    /// Width and height of the last frame in pixels.
    pub size_px: (u32, u32),
    /// What is missing, in a sentence.
    pub damage: Option<String>,
}

/// Reads JSON lines. A last line that is cut short is damage and not an error: so ends a file whose
/// pipeline was killed.
///
/// # Errors
/// Where there is no such file, a line is no record, or there is none.
pub fn read(path: &Path) -> Result<Records, Failure> {
    let told = |problem: String| format!("{}: {problem}", path.display());
    let file = File::open(path).map_err(|error| told(error.to_string()))?;
    let mut reader = BufReader::new(file);
    let mut builder = SummaryBuilder::default();
    let (mut size_px, mut damage) = (None, None);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        if read.map_err(|error| told(error.to_string()))? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Record>(&line) {
            Ok(record) if record.schema == record::SCHEMA => {
                size_px = Some((record.width, record.height));
                builder.add(&record);
            }
            Ok(Record { schema, .. }) => {
                let known = record::SCHEMA;
                let problem =
                    format!("line {number}: schema {schema}, but {known} is what is known here");
                return Err(told(problem).into());
            }
            Err(error) if error.is_eof() && !line.ends_with(b"\n") && size_px.is_some() => {
                damage = Some(format!(
                    "its records end in the middle of line {number}, as if what wrote them had been stopped"
                ));
            }
            Err(error) => {
                let problem = format!(
                    "line {number} is no record as attitudeexport writes them with format=jsonl: {error}"
                );
                return Err(told(problem).into());
            }
        }
    }
    Ok(Records {
        summarized: builder.finish(&Rules::default()),
        size_px: size_px.ok_or_else(|| told("there is no record in it".to_owned()))?,
        damage,
    })
}

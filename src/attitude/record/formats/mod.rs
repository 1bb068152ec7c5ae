// SPDX-License-Identifier: MPL-2.0

//! The formats that records are written in: a file for each, and [`FORMATS`], the list that all users
//! go by. To add a format, add its file, its `mod` line and its entry in the list.

pub mod csv;
pub mod jsonl;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod srt;
pub mod text;
pub mod webvtt;

use std::io;

pub use super::writer::{Output, TimedRecord, Timing, Writer};

/// All formats. `attitudeexport` numbers the values of its property in this order, so a new one goes
/// to the end.
pub static FORMATS: &[&Format] = &[
    &jsonl::FORMAT,
    &csv::FORMAT,
    #[cfg(feature = "parquet")]
    &parquet::FORMAT,
    &webvtt::FORMAT,
    &text::FORMAT,
    &srt::FORMAT,
];

/// A format: its names, its file and its writer.
#[derive(Debug)]
pub struct Format {
    /// Value of the property `format` of `attitudeexport`.
    pub name: &'static str,
    /// A phrase for lists of formats, such as `CSV: one row per face, with a header row`.
    pub description: &'static str,
    /// Caps of the text in a pipeline; `None` if the format is not text that a pipeline can carry.
    pub caps: Option<&'static str>,
    /// The file that `gst-attitude analyze` writes for a recording.
    pub file: Option<RecordingFile>,
    /// Creates a writer. Fails if the format cannot describe its columns.
    pub writer: fn(Timing) -> io::Result<Box<dyn Writer>>,
}

/// A recording's results in one format, as a file.
#[derive(Debug)]
pub struct RecordingFile {
    /// Its name, such as `faces.csv`.
    pub name: &'static str,
    /// Its media type, such as `text/csv; charset=utf-8`.
    pub media_type: &'static str,
    /// True if it is written unless the user asks for other files.
    pub is_default: bool,
}

impl RecordingFile {
    /// Returns the extension of the file's name.
    pub fn extension(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// Returns the formats that have a file for a recording, and their files.
pub fn recording_files() -> impl Iterator<Item = (&'static Format, &'static RecordingFile)> {
    let formats = FORMATS.iter().copied();
    formats.filter_map(|format| Some((format, format.file.as_ref()?)))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::record::Record;
    use crate::timeline::Span;

    /// Writes `records` as samples, 200 ms apart, in `format`.
    pub(crate) fn written(format: &Format, records: &[Record]) -> Vec<u8> {
        let mut output = Output::default();
        let interval_ns = 200_000_000;
        let mut writer = (format.writer)(Timing::Samples { interval_ns }).unwrap();
        writer.begin(Span::default(), &mut output).unwrap();
        for record in records {
            writer
                .write(&TimedRecord::sample(record), &mut output)
                .unwrap();
        }
        writer.finish(&mut output).unwrap();
        output.into_bytes()
    }

    #[test]
    fn names_files_and_extensions_are_unique() {
        let mut names: HashSet<_> = HashSet::new();
        for format in FORMATS {
            assert!(names.insert(format.name), "{}", format.name);
            if let Some(file) = &format.file {
                assert!(names.insert(file.name), "{}", file.name);
                let is_unique = file.extension() == format.name || names.insert(file.extension());
                assert!(is_unique, "{}", file.extension());
            }
        }
    }

    #[test]
    fn every_format_has_a_use_and_a_description_in_one_line() {
        for format in FORMATS {
            assert!(format.caps.is_some() || format.file.is_some());
            assert!(!format.description.contains(['\n', '\0']));
        }
    }
}

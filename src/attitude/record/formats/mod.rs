// SPDX-License-Identifier: MPL-2.0

//! The formats in which records are written, one module per format. To add a format, add its module
//! and its entry in [`FORMATS`].

pub mod csv;
pub mod jsonl;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod srt;
pub mod text;
pub mod webvtt;

use std::io;

pub use super::writer::{Output, TimedRecord, Timing, Writer};

/// All formats. The order is that of the values of the property `format` of `attitudeexport`, so
/// new formats are added at the end.
pub static FORMATS: &[&Format] = &[
    &jsonl::FORMAT,
    &csv::FORMAT,
    #[cfg(feature = "parquet")]
    &parquet::FORMAT,
    &webvtt::FORMAT,
    &text::FORMAT,
    &srt::FORMAT,
];

/// A format of records.
#[derive(Debug)]
pub struct Format {
    /// Name, which is the value of the property `format` of `attitudeexport`.
    pub name: &'static str,
    /// Description as one phrase, such as `CSV: one row per face, with a header row`.
    pub description: &'static str,
    /// Caps of the text in a pipeline; `None` if pipelines do not support the format.
    pub caps: Option<&'static str>,
    /// The file that `gst-attitude analyze` writes for a recording; `None` if it cannot write the
    /// format.
    pub file: Option<RecordingFile>,
    /// Creates a writer.
    ///
    /// # Errors
    /// Returns an error if the header of the file cannot be created.
    pub writer: fn(Timing) -> io::Result<Box<dyn Writer>>,
}

/// The file of a format for the records of a recording.
#[derive(Debug)]
pub struct RecordingFile {
    /// Name, such as `faces.csv`.
    pub name: &'static str,
    /// Media type, such as `text/csv; charset=utf-8`.
    pub media_type: &'static str,
    /// `true` if the file is written by default.
    pub is_default: bool,
}

impl RecordingFile {
    /// Returns the extension of the name, without the dot.
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

    /// Writes `records` as samples with an interval of 200 ms.
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

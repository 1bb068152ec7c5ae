// SPDX-License-Identifier: MPL-2.0

//! The result files of a recording: the records in each format, the summary and the page.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use attitude::record::Record;
use attitude::record::exports::AnalyzedRecording;
use attitude::record::formats::{Format, Output, RecordingFile, TimedRecord, Timing, Writer};
use attitude::record::summary::SummaryBuilder;
use attitude::timeline::{RecordingEnd, Span};

use super::pages;
use super::settings::Settings;
use super::store::{PartialFolder, StoreError, WriteContext};
use super::summary_json::{self, SummaryFile};

/// The files of a recording while they are being written.
pub(super) struct Outputs<'a> {
    folder: &'a PartialFolder,
    settings: &'a Settings,
    files: Vec<RecordFile>,
    summary: SummaryBuilder,
    samples: u64,
}

impl<'a> Outputs<'a> {
    /// Creates the files of the requested formats in `folder`.
    pub(super) fn open(
        folder: &'a PartialFolder,
        settings: &'a Settings,
    ) -> Result<Self, StoreError> {
        let interval_ns = settings.sample_interval_ns();
        let create = |(format, file): (&Format, &RecordingFile)| {
            let path = folder.path(file.name);
            RecordFile::create(path, format, Timing::Samples { interval_ns })
        };
        Ok(Self {
            folder,
            settings,
            files: settings.files().map(create).collect::<Result<_, _>>()?,
            summary: SummaryBuilder::default(),
            samples: 0,
        })
    }

    /// Returns the number of samples.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// Adds the next sample.
    pub(super) fn push(&mut self, record: &Record) -> Result<(), StoreError> {
        self.samples += 1;
        for file in &mut self.files {
            file.push(record)?;
        }
        self.summary.add(record);
        Ok(())
    }

    /// Sets the end, until which the last sample is shown.
    pub(super) fn set_end(&mut self, end: RecordingEnd) {
        for file in &mut self.files {
            file.writer.set_end(end);
        }
        self.summary.set_end(end);
    }

    /// Completes all files, and writes the summary and the page; returns the content of the
    /// summary. The recording's folder will be in the folder `results`.
    pub(super) fn finish(
        self,
        mut file: SummaryFile,
        results: &Path,
    ) -> Result<SummaryFile, StoreError> {
        for file in self.files {
            file.finish()?;
        }
        let summarized = self.summary.finish(&self.settings.timeline_params());
        file.summary = summarized.summary.clone();
        let json = serde_json::to_string_pretty(&file);
        let path = self.folder.path(summary_json::FILE);
        std::fs::write(&path, json.write_context(&path)? + "\n").write_context(&path)?;
        write_exports(self.folder, &file, self.settings, results)?;
        let page = pages::report(&file, &summarized, self.settings, results);
        let path = self.folder.path(pages::REPORT);
        std::fs::write(&path, page).write_context(&path)?;
        Ok(file)
    }
}

/// Writes the requested exports of a recording, whose folder will be in the folder `results`.
fn write_exports(
    folder: &PartialFolder,
    file: &SummaryFile,
    settings: &Settings,
    results: &Path,
) -> Result<(), StoreError> {
    let SummaryFile {
        recording, summary, ..
    } = file;
    let relative_url = pages::address_of(&recording.uri, results);
    let modified_ns = recording.identity.modified_ns;
    let recording = AnalyzedRecording {
        name: &recording.name,
        uri: &recording.uri,
        relative_url: relative_url.as_deref(),
        modified: modified_ns.map(|ns| UNIX_EPOCH + Duration::from_nanos(ns)),
        duration_ns: recording.video.duration_ns,
        summary,
    };
    for export in settings.exports() {
        let path = folder.path(export.file.name);
        let mut output = BufWriter::new(File::create_new(&path).write_context(&path)?);
        (export.write)(&recording, &mut output)
            .and_then(|()| output.flush())
            .write_context(&path)?;
    }
    Ok(())
}

/// A file of records.
struct RecordFile {
    path: PathBuf,
    file: BufWriter<File>,
    writer: Box<dyn Writer>,
    /// For reuse of its memory.
    output: Output,
}

impl RecordFile {
    fn create(path: PathBuf, format: &Format, timing: Timing) -> Result<Self, StoreError> {
        let writer = (format.writer)(timing).write_context(&path)?;
        let file = BufWriter::new(File::create_new(&path).write_context(&path)?);
        let mut file = Self {
            path,
            file,
            writer,
            output: Output::default(),
        };
        let begun = file.writer.begin(Span::default(), &mut file.output);
        begun.write_context(&file.path)?;
        file.write_output()?;
        Ok(file)
    }

    fn push(&mut self, record: &Record) -> Result<(), StoreError> {
        let written = self
            .writer
            .write(&TimedRecord::sample(record), &mut self.output);
        written.write_context(&self.path)?;
        self.write_output()
    }

    fn finish(mut self) -> Result<(), StoreError> {
        self.writer
            .finish(&mut self.output)
            .write_context(&self.path)?;
        self.write_output()?;
        self.file.flush().write_context(&self.path)
    }

    fn write_output(&mut self) -> Result<(), StoreError> {
        self.file
            .write_all(self.output.bytes())
            .write_context(&self.path)?;
        self.output.clear();
        Ok(())
    }
}

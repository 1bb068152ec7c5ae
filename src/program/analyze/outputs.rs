// SPDX-License-Identifier: MPL-2.0

//! The result files of a recording: the records in each format, and those that are computed from
//! them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use attitude::record::Record;
use attitude::record::formats::{Format, Output, RecordingFile, TimedRecord, Timing, Writer};
use attitude::record::summary::SummaryBuilder;
use attitude::timeline::{RecordingEnd, Span};

use super::derived;
use super::settings::Settings;
use super::store::{PartialFolder, StoreError, WriteContext};
use super::summary_json::SummaryFile;
use crate::corrections::CorrectionsFile;

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

    /// Completes all files, and writes those that are computed from all samples, with
    /// `corrections`; returns the content of the summary. The recording's folder will be in the
    /// folder `results`.
    pub(super) fn finish(
        self,
        file: SummaryFile,
        corrections: &CorrectionsFile,
        results: &Path,
    ) -> Result<SummaryFile, StoreError> {
        for file in self.files {
            file.finish()?;
        }
        let folder = self.folder.hidden_path();
        corrections.copy_into(folder).write_context(folder)?;
        let params = self.settings.timeline_params();
        derived::write(folder, file, self.summary, &params, corrections, results)
    }
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

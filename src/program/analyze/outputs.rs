// SPDX-License-Identifier: MPL-2.0

//! What is written of a recording, a sample after the other, and at the end.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use attitude::record::cue::Cue;
use attitude::record::subtitles::Subtitles;
use attitude::record::summary::SummaryBuilder;
use attitude::record::{Record, csv, json, parquet, webvtt};

use super::arguments::Format;
use super::pages;
use super::settings::Settings;
use super::store::{At, Partial, StoreError};
use super::summary_json::{self, SummaryFile};

/// The files of a recording that are being written.
pub struct Outputs<'a> {
    partial: &'a Partial,
    settings: &'a Settings,
    json_lines: Option<TextFile>,
    csv: Option<TextFile>,
    parquet: Option<ParquetFile>,
    subtitles: Option<(TextFile, Subtitles)>,
    summary: SummaryBuilder,
    samples: u64,
}

impl<'a> Outputs<'a> {
    /// Opens those that are asked for, in `partial`.
    pub fn open(partial: &'a Partial, settings: &'a Settings) -> Result<Self, StoreError> {
        let open = |format: Format| {
            let is_asked = settings.writes(format);
            is_asked.then(|| TextFile::create(partial.path(format.file())))
        };
        let mut csv = open(Format::Csv).transpose()?;
        if let Some(csv) = &mut csv {
            csv.append(csv::write_header)?;
        }
        let mut subtitles = open(Format::WebVtt).transpose()?;
        if let Some(file) = &mut subtitles {
            file.append(|bytes| bytes.extend_from_slice(webvtt::HEADER.as_bytes()))?;
        }
        let parquet = settings
            .writes(Format::Parquet)
            .then(|| ParquetFile::create(partial.path(Format::Parquet.file())));
        Ok(Self {
            partial,
            settings,
            json_lines: open(Format::JsonLines).transpose()?,
            csv,
            parquet: parquet.transpose()?,
            subtitles: subtitles.map(|file| (file, Subtitles::new(settings.sample_interval_ns()))),
            summary: SummaryBuilder::default(),
            samples: 0,
        })
    }

    /// Samples that were taken.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Takes the next sample.
    pub fn note(&mut self, record: &Record) -> Result<(), StoreError> {
        self.samples += 1;
        if let Some(file) = &mut self.json_lines {
            file.append(|bytes| json::write_line(record, bytes))?;
        }
        if let Some(file) = &mut self.csv {
            file.append(|bytes| csv::write_rows(record, bytes))?;
        }
        if let Some(file) = &mut self.parquet {
            file.note(record)?;
        }
        if let Some((file, subtitles)) = &mut self.subtitles {
            file.append_cues(subtitles.note(record))?;
        }
        self.summary.add(record);
        Ok(())
    }

    /// Completes all files, and writes the summary and the page; returns the content of the summary. The
    /// recording's folder will be in the folder `results`.
    pub fn finish(self, mut file: SummaryFile, results: &Path) -> Result<SummaryFile, StoreError> {
        for file in [self.json_lines, self.csv].into_iter().flatten() {
            file.finish()?;
        }
        if let Some(file) = self.parquet {
            file.finish()?;
        }
        if let Some((mut file, subtitles)) = self.subtitles {
            file.append_cues(subtitles.finish())?;
            file.finish()?;
        }
        let summarized = self.summary.finish(&self.settings.rules());
        file.summary = summarized.summary.clone();
        let json = serde_json::to_string_pretty(&file);
        let path = self.partial.path(summary_json::FILE);
        std::fs::write(&path, json.at(&path)? + "\n").at(&path)?;
        let page = pages::report(&file, &summarized, self.settings, results);
        let path = self.partial.path(pages::REPORT);
        std::fs::write(&path, page).at(&path)?;
        Ok(file)
    }
}

/// A file of text that grows.
struct TextFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// Used again and again.
    bytes: Vec<u8>,
}

impl TextFile {
    fn create(path: PathBuf) -> Result<Self, StoreError> {
        let file = File::create_new(&path).at(&path)?;
        Ok(Self {
            path,
            file: BufWriter::new(file),
            bytes: Vec::new(),
        })
    }

    /// Writes what `write` appends.
    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), StoreError> {
        self.bytes.clear();
        write(&mut self.bytes);
        self.file.write_all(&self.bytes).at(&self.path)
    }

    fn append_cues(&mut self, cues: impl IntoIterator<Item = Cue>) -> Result<(), StoreError> {
        self.append(|bytes| {
            for cue in cues {
                webvtt::write_cue(&cue, 0, bytes);
            }
        })
    }

    fn finish(mut self) -> Result<(), StoreError> {
        self.file.flush().at(&self.path)
    }
}

struct ParquetFile {
    path: PathBuf,
    writer: parquet::Writer<File>,
}

impl ParquetFile {
    fn create(path: PathBuf) -> Result<Self, StoreError> {
        let file = File::create_new(&path).at(&path)?;
        let writer = parquet::Writer::new(file).at(&path)?;
        Ok(Self { path, writer })
    }

    fn note(&mut self, record: &Record) -> Result<(), StoreError> {
        self.writer.write_rows(record).at(&self.path)
    }

    fn finish(self) -> Result<(), StoreError> {
        self.writer.finish().at(&self.path)?;
        Ok(())
    }
}

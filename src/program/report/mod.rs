// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude report`: HTML pages from the records of a pipeline.
//!
//! ```text
//! records -> page (of timelines: chart, tables) | index -> document
//! ```
//!
//! The markup is written with maud, whose templates are checked at compile time and escape all text.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;

use index::{AnalysisResult, Entry};
use recording::{RecordingFacts, Session};
use records::{Records, RecordsError};

use crate::exit::Status;

pub(crate) mod address;
pub(crate) mod recording;
pub(crate) mod records;

mod axis;
mod chart;
mod strip;
mod text;

mod notes;
mod tables;
mod timeline;
mod trust;

mod document;
pub(crate) mod index;
pub(crate) mod page;

/// A report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error("{videos} --video for {records} RECORDS; give one per RECORDS, or none")]
    VideoCount { videos: usize, records: usize },
    #[error("cannot write several RECORDS to one page, {0}; name a folder with --output")]
    OnePage(PathBuf),
    #[error("{records} and another file would have the same page, {page}; rename one of them")]
    SamePage { records: PathBuf, page: PathBuf },
    #[error("{0}")]
    File(PathBuf, #[source] io::Error),
    #[error("{0}: there is no such file")]
    NoVideo(PathBuf),
    #[error("{0}")]
    Records(PathBuf, #[source] RecordsError),
}

/// Writes an HTML report of the records of a pipeline: who showed which attitude when
///
/// Reads the JSON lines that attitudeexport writes. The pages are single files: timelines of the scene
/// and of each person, which seek the recording; shares, segments, changes and means; and the limits of
/// the figures. They contain no pictures. A session that was downloaded from the page of gst-attitude
/// serve can be read too, with its notes.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  # A pipeline's records, beside its recording
  gst-attitude report interview.jsonl --video interview.mp4 --output interview.html

  # Several recordings, with an index.html that links to them
  gst-attitude report monday.jsonl tuesday.jsonl --video monday.mp4 --video tuesday.mp4 --output reports

A page refers to its recording by a relative path: move both together. Times of the records are \
positions in the recording.")]
pub(crate) struct Arguments {
    /// JSON lines that attitudeexport wrote, or a downloaded session
    #[arg(required = true, value_name = "RECORDS.jsonl")]
    records: Vec<PathBuf>,

    /// Recording to show beside the timelines; for several RECORDS one per RECORDS, in the same order
    #[arg(long = "video", value_name = "FILE")]
    videos: Vec<PathBuf>,

    /// Page to write if the name ends in .html, else a folder for one page per RECORDS and index.html
    #[arg(short, long, value_name = "FILE.html|FOLDER")]
    output: PathBuf,
}

/// Input and output of a page.
struct Job<'a> {
    records: &'a Path,
    video: Option<&'a PathBuf>,
    page: PathBuf,
}

/// Writes the pages.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, ReportError> {
    let Arguments {
        records,
        videos,
        output,
    } = arguments;
    if !videos.is_empty() && videos.len() != records.len() {
        return Err(ReportError::VideoCount {
            videos: videos.len(),
            records: records.len(),
        });
    }
    let is_page = output
        .extension()
        .is_some_and(|extension| extension == "html");
    if is_page && records.len() > 1 {
        return Err(ReportError::OnePage(output.clone()));
    }
    let folder = match is_page {
        true => output.parent().unwrap_or(Path::new("")),
        false => output,
    };
    let page_of = |records: &Path| {
        let name = records.with_extension("html");
        let name = name.file_name().unwrap_or_default();
        if is_page {
            output.clone()
        } else {
            output.join(name)
        }
    };
    let jobs = records.iter().enumerate().map(|(index, records)| Job {
        records,
        video: videos.get(index),
        page: page_of(records),
    });
    let jobs: Vec<Job> = jobs.collect();
    let index_page = (!is_page).then(|| output.join("index.html"));
    refuse_same_pages(&jobs, index_page.as_deref())?;
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(folder).map_err(|error| ReportError::File(folder.into(), error))?;
    }
    let mut written = Vec::new();
    for job in &jobs {
        written.push(write_report(job, folder)?);
    }
    if let Some(path) = index_page {
        let mut rows = Vec::new();
        for ((recording, records), job) in written.iter().zip(&jobs) {
            let address = address::relative(folder, &job.page)
                .map_err(|error| ReportError::File(job.page.clone(), error))?;
            let result = AnalysisResult::Report(&records.summarized.summary, address);
            rows.push((recording, result));
        }
        let entries: Vec<Entry> = rows
            .iter()
            .map(|(recording, result)| Entry { recording, result })
            .collect();
        write(&path, &index::index(&entries))?;
    }
    Ok(Status::Success)
}

/// Refuses jobs that would write the same page.
fn refuse_same_pages(jobs: &[Job], index_page: Option<&Path>) -> Result<(), ReportError> {
    let mut pages: Vec<&Path> = index_page.into_iter().collect();
    for Job { records, page, .. } in jobs {
        if pages.contains(&page.as_path()) {
            return Err(ReportError::SamePage {
                records: records.to_path_buf(),
                page: page.clone(),
            });
        }
        pages.push(page);
    }
    Ok(())
}

/// Writes the page of one recording, in `folder`.
fn write_report(job: &Job, folder: &Path) -> Result<(RecordingFacts, Records), ReportError> {
    let records = read(job.records)?;
    let address_of = |video: &PathBuf| {
        if !video.is_file() {
            return Err(ReportError::NoVideo(video.clone()));
        }
        address::relative(folder, video).map_err(|error| ReportError::File(video.clone(), error))
    };
    let named = job.video.map_or(job.records, PathBuf::as_path);
    let name = named.file_name().unwrap_or_default();
    // Only sessions have notes; beside a video, the page is about the video.
    let is_session = !records.notes.is_empty() && job.video.is_none();
    let recording = RecordingFacts {
        name: name.to_string_lossy().into_owned(),
        address: job.video.map(address_of).transpose()?,
        size_px: Some(records.size_px),
        session: is_session.then(|| Session {
            began: records.began.clone(),
        }),
        notes: records.notes.clone(),
        damage: records.damage.clone(),
        ..RecordingFacts::default()
    };
    write(&job.page, &page::report(&recording, &records.summarized))?;
    Ok((recording, records))
}

fn read(path: &Path) -> Result<Records, ReportError> {
    let file = File::open(path).map_err(|error| ReportError::File(path.into(), error))?;
    let records = records::read(BufReader::new(file));
    records.map_err(|error| ReportError::Records(path.into(), error))
}

fn write(path: &Path, page: &str) -> Result<(), ReportError> {
    std::fs::write(path, page).map_err(|error| ReportError::File(path.into(), error))
}

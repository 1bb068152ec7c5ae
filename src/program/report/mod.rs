// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude report`: HTML pages from the records of a pipeline.
//!
//! ```text
//! records -> page (of timelines: chart, tables) | index -> document
//! ```
//!
//! The markup is written with maud, whose templates are checked at compile time and escape all
//! text.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;

use index::{AnalysisResult, Entry};
use recording::{RecordingFacts, Session};
use records::{Records, RecordsError};

use crate::console;
use crate::exit::Status;
use crate::numbers::count;

pub(crate) mod address;
pub(crate) mod recording;
pub(crate) mod records;

pub(crate) mod axis;
mod baseline;
pub(crate) mod chart;
mod drawn;
mod scripts;
mod strip;
pub(crate) mod text;
mod zoom;

mod editor;
mod notes;
mod participants;
mod player;
mod tables;
mod timeline;
pub(crate) mod trust;
mod turns;

pub(crate) mod document;
pub(crate) mod index;
pub(crate) mod page;

/// A report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error(
        "there are {videos} --video for {}; give one per file of records, or none",
        count(*.records, "file") + " of records"
    )]
    VideoCount { videos: usize, records: usize },
    #[error(
        "several files of records cannot be written to one page, {0}; name a folder with --output"
    )]
    OnePage(PathBuf),
    #[error("{records} and another file would have the same page, {page}; rename one of them")]
    SamePage { records: PathBuf, page: PathBuf },
    #[error("{0}: there is no such file; check the path of --video")]
    NoVideo(PathBuf),
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0}")]
    Records(PathBuf, #[source] RecordsError),
    #[error("cannot find the path from the page to {0}")]
    Address(PathBuf, #[source] io::Error),
    #[error("cannot create the folder {path}: {source}; choose another --output")]
    CreateFolder { path: PathBuf, source: io::Error },
    #[error(
        "cannot write {path}: {source}; check its permissions and the free space, or choose another --output"
    )]
    Write { path: PathBuf, source: io::Error },
}

/// Writes an HTML report of the records of a pipeline: who showed which attitude when
///
/// Reads the JSON lines that attitudeexport writes, or a session that was downloaded from the page
/// of gst-attitude serve, with its notes. Each page is a single file: timelines of the scene and of
/// each person, which seek the recording; shares, segments, changes and means; and the limits of
/// the figures. It contains no pictures.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  # A pipeline's records, beside its recording
  gst-attitude report interview.jsonl --video interview.mp4 -o interview.html

  # Several recordings, with an index.html that links to them
  gst-attitude report monday.jsonl tuesday.jsonl --video monday.mp4 --video tuesday.mp4 -o reports

A page refers to its recording by a relative path: move both together. Times of the records are \
positions in the recording.")]
pub(crate) struct Arguments {
    /// JSON lines that attitudeexport wrote, or a downloaded session
    #[arg(required = true, value_name = "RECORDS.jsonl")]
    records: Vec<PathBuf>,

    /// Recording to show beside the timelines; for several files of records, one per file in the
    /// same order
    #[arg(long = "video", value_name = "FILE")]
    videos: Vec<PathBuf>,

    /// Page to write if the name ends in .html, else a folder for one page per file of records and
    /// index.html; folders that do not exist are created
    #[arg(short, long, value_name = "FILE.html|FOLDER")]
    output: PathBuf,
}

/// Input and output of a page.
struct PageJob<'a> {
    records: &'a Path,
    video: Option<&'a PathBuf>,
    page: PathBuf,
    /// Name of the recording on the pages.
    name: String,
}

/// The files that the run writes.
struct Plan<'a> {
    jobs: Vec<PageJob<'a>>,
    /// Folder of all pages.
    folder: &'a Path,
    /// Page that lists the others; `None` if there is a single page.
    index: Option<PathBuf>,
}

/// Writes the pages.
///
/// # Errors
/// Returns an error if the arguments are wrong, a file of records cannot be read, or a page cannot
/// be written.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, ReportError> {
    let plan = plan(arguments)?;
    let folder = plan.folder;
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(folder).map_err(|source| ReportError::CreateFolder {
            path: folder.to_owned(),
            source,
        })?;
    }
    let mut pages = Vec::new();
    for job in &plan.jobs {
        pages.push(write_page(job, folder)?);
    }
    match (&plan.index, &plan.jobs[..]) {
        (Some(index), jobs) => {
            write_index(index, folder, jobs, &pages)?;
            let pages = count(jobs.len(), "report");
            console::line(format_args!("wrote {pages} and {}", index.display()));
        }
        (None, jobs) => {
            for job in jobs {
                console::line(format_args!("wrote {}", job.page.display()));
            }
        }
    }
    Ok(Status::Success)
}

/// Chooses the files to write.
///
/// # Errors
/// Returns an error if the arguments do not fit together, or two pages would be the same file.
fn plan(arguments: &Arguments) -> Result<Plan<'_>, ReportError> {
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
    let pages: Vec<PathBuf> = records
        .iter()
        .map(|path| path.with_extension("html"))
        .collect();
    let pages = unique_names(&pages, "-");
    let shown = if videos.is_empty() { records } else { videos };
    let names = unique_names(shown, "/");
    let jobs = records.iter().enumerate().map(|(index, records)| PageJob {
        records,
        video: videos.get(index),
        page: match is_page {
            true => output.clone(),
            false => output.join(&pages[index]),
        },
        name: names[index].to_string_lossy().into_owned(),
    });
    let plan = Plan {
        jobs: jobs.collect(),
        folder,
        index: (!is_page).then(|| output.join("index.html")),
    };
    refuse_same_pages(&plan.jobs, plan.index.as_deref())?;
    Ok(plan)
}

/// Returns the file names of `paths`. Those that are not unique, such as those of files in the
/// folders of several recordings, begin with the name of their folder and `separator`.
fn unique_names(paths: &[PathBuf], separator: &str) -> Vec<OsString> {
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_owned();
    let names: Vec<OsString> = paths.iter().map(name).collect();
    let is_unique = |name: &OsString| names.iter().filter(|other| *other == name).count() == 1;
    let unique_name = |(name, path): (&OsString, &PathBuf)| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        match path.parent().and_then(Path::file_name) {
            Some(folder) if !is_unique(name) => {
                [folder, OsStr::new(separator), name].into_iter().collect()
            }
            _ => name.clone(),
        }
    };
    names.iter().zip(paths).map(unique_name).collect()
}

/// Refuses jobs that would write the same page.
fn refuse_same_pages(jobs: &[PageJob], index_page: Option<&Path>) -> Result<(), ReportError> {
    let mut pages: Vec<&Path> = index_page.into_iter().collect();
    for PageJob { records, page, .. } in jobs {
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

/// Writes the page of one recording, in `folder`; returns its content.
fn write_page(job: &PageJob, folder: &Path) -> Result<(RecordingFacts, Records), ReportError> {
    let records = read(job.records)?;
    let address_of = |video: &PathBuf| match video.is_file() {
        true => relative_address(folder, video),
        false => Err(ReportError::NoVideo(video.clone())),
    };
    // Only sessions have notes; beside a video, the page is about the video.
    let is_session = !records.notes.is_empty() && job.video.is_none();
    let recording = RecordingFacts {
        name: job.name.clone(),
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

/// Writes the page that lists `pages`, the content of the pages of `jobs`.
fn write_index(
    path: &Path,
    folder: &Path,
    jobs: &[PageJob],
    pages: &[(RecordingFacts, Records)],
) -> Result<(), ReportError> {
    let mut rows = Vec::new();
    for ((recording, records), job) in pages.iter().zip(jobs) {
        let address = relative_address(folder, &job.page)?;
        let result = AnalysisResult::Report(&records.summarized.summary, address);
        rows.push((recording, result));
    }
    let entries: Vec<Entry> = rows
        .iter()
        .map(|(recording, result)| Entry { recording, result })
        .collect();
    write(path, &index::index(&entries))
}

fn relative_address(folder: &Path, file: &Path) -> Result<String, ReportError> {
    let address = address::relative(folder, file);
    address.map_err(|error| ReportError::Address(file.to_owned(), error))
}

fn read(path: &Path) -> Result<Records, ReportError> {
    let read_error = |error| ReportError::Read(path.to_owned(), error);
    if path.is_dir() {
        return Err(read_error(io::ErrorKind::IsADirectory.into()));
    }
    let file = File::open(path).map_err(read_error)?;
    let records = records::read(BufReader::new(file));
    records.map_err(|error| ReportError::Records(path.to_owned(), error))
}

fn write(path: &Path, page: &str) -> Result<(), ReportError> {
    std::fs::write(path, page).map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude report`: pages that show what a pipeline has recorded.
//!
//! ```text
//! records -> page (of timelines: chart, tables) | index -> document
//! ```
//!
//! The markup is written with maud: its templates are checked and escaped by the compiler where
//! they stand, beside the figures that go into them.

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;

use index::Entry;
use recording::{Recording, Session};
use records::Records;

use crate::exit::Status;

pub mod address;
pub mod recording;
pub mod records;

mod axis;
mod chart;
mod strip;
mod text;

mod notes;
mod tables;
mod timeline;
mod trust;

mod document;
pub mod index;
pub mod page;

type Failure = Box<dyn Error>;

/// Makes a page of what a pipeline has recorded: who showed which attitude when
///
/// Reads the JSON lines that attitudeexport writes, and writes HTML pages that need nothing else:
/// timelines of the scene and of each person, beside the recording, which they lead through; shares,
/// spells, changes, means; and how far to trust them. They hold no picture of anybody. A session that
/// was downloaded from the page of gst-attitude serve is read too, with its notes.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  # A pipeline's records, beside its recording
  gst-attitude report interview.jsonl --video interview.mp4 --output interview.html

  # Several, with an index.html that leads to them
  gst-attitude report monday.jsonl tuesday.jsonl --video monday.mp4 --video tuesday.mp4 --output reports

A page finds its recording by the way from the one file to the other: move both together. Times of \
the records are taken for positions in the recording.")]
pub struct Arguments {
    /// JSON lines, as attitudeexport and examples/record_attitude write them, or of a session
    #[arg(required = true, value_name = "RECORDS.jsonl")]
    records: Vec<PathBuf>,

    /// The recording to play beside; for several RECORDS one each, in the same order
    #[arg(long = "video", value_name = "FILE")]
    videos: Vec<PathBuf>,

    /// The page, where its name ends in .html, else a folder for a page of each RECORDS and index.html
    #[arg(short, long, value_name = "FILE.html|FOLDER")]
    output: PathBuf,
}

/// Where a page comes from and goes to.
struct Job<'a> {
    records: &'a Path,
    video: Option<&'a PathBuf>,
    page: PathBuf,
}

/// Writes the pages.
pub fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let Arguments {
        records,
        videos,
        output,
    } = arguments;
    if !videos.is_empty() && videos.len() != records.len() {
        let (records, videos) = (records.len(), videos.len());
        return Err(format!(
            "{videos} --video for {records} RECORDS: there must be one each, or none"
        )
        .into());
    }
    let is_page = output
        .extension()
        .is_some_and(|extension| extension == "html");
    if is_page && records.len() > 1 {
        let output = output.display();
        return Err(format!(
            "{output}: it is one page, but there are several RECORDS; name a folder"
        )
        .into());
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
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut written = Vec::new();
    for job in &jobs {
        written.push(write_report(job, folder)?);
    }
    if let Some(path) = index_page {
        let entries = written
            .iter()
            .zip(&jobs)
            .map(|((recording, records), job)| {
                let address = address::relative(folder, &job.page)?;
                Ok(Entry {
                    recording,
                    outcome: Ok((&records.summarized.summary, address)),
                })
            });
        let entries: Vec<Entry> = entries.collect::<Result<_, Failure>>()?;
        write(&path, &index::index(&entries))?;
    }
    Ok(Status::Success)
}

/// An error where one page would be written over another.
fn refuse_same_pages(jobs: &[Job], index_page: Option<&Path>) -> Result<(), Failure> {
    let mut pages: Vec<&Path> = index_page.into_iter().collect();
    for Job { records, page, .. } in jobs {
        if pages.contains(&page.as_path()) {
            let (records, page) = (records.display(), page.display());
            return Err(format!(
                "{records}: its page would be {page}, which is another one's; rename it"
            )
            .into());
        }
        pages.push(page);
    }
    Ok(())
}

/// The page of one recording in `folder`.
fn write_report(job: &Job, folder: &Path) -> Result<(Recording, Records), Failure> {
    let records = read(job.records)?;
    let address_of = |video: &PathBuf| {
        let address = match video.is_file() {
            true => address::relative(folder, video).map_err(|error| error.to_string()),
            false => Err("there is no such file".to_owned()),
        };
        address.map_err(|error| format!("{}: {error}", video.display()))
    };
    let named = job.video.map_or(job.records, PathBuf::as_path);
    let name = named.file_name().unwrap_or_default();
    // Nothing else has notes; beside a video that was recorded meanwhile its page is that one's.
    let is_session = !records.notes.is_empty() && job.video.is_none();
    let recording = Recording {
        name: name.to_string_lossy().into_owned(),
        address: job.video.map(address_of).transpose()?,
        size_px: Some(records.size_px),
        session: is_session.then(|| Session {
            began: records.began.clone(),
        }),
        notes: records.notes.clone(),
        damage: records.damage.clone(),
        ..Recording::default()
    };
    write(&job.page, &page::report(&recording, &records.summarized))?;
    Ok((recording, records))
}

fn read(path: &Path) -> Result<Records, Failure> {
    let told = |problem: String| format!("{}: {problem}", path.display());
    let file = File::open(path).map_err(|error| told(error.to_string()))?;
    Ok(records::read(BufReader::new(file)).map_err(told)?)
}

fn write(path: &Path, page: &str) -> Result<(), Failure> {
    Ok(std::fs::write(path, page).map_err(|error| format!("{}: {error}", path.display()))?)
}

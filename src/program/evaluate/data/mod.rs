// SPDX-License-Identifier: MPL-2.0

//! Labelled faces and segments of videos, as users have them in folders and files.

use std::path::{Path, PathBuf};

use attitude::geometry::{Landmarks, Rect};

use super::labels::{Label, Labels};
use super::table::{Failure, Table};

mod faces;
mod folder;
mod segments;

/// A picture with a labelled face.
#[derive(Debug)]
pub struct LabelledFace {
    /// As it is written in the data.
    pub file: String,
    pub path: PathBuf,
    pub label: Label,
    /// In pixels of the picture.
    pub bbox: Option<Rect>,
    /// In pixels of the picture.
    pub landmarks: Option<Landmarks>,
    /// Faces that are not independent of each other.
    pub group: Option<String>,
}

/// A labelled part of a video.
#[derive(Debug)]
pub struct Segment {
    /// As it is written in the data.
    pub file: String,
    pub path: PathBuf,
    pub start_s: f64,
    pub end_s: f64,
    pub label: Label,
    /// Segments that are not independent of each other; `None` = those of the file.
    pub group: Option<String>,
    /// File and line, for messages.
    pub place: String,
}

/// Everything that is labelled.
#[derive(Debug, Default)]
pub struct Data {
    pub faces: Vec<LabelledFace>,
    pub segments: Vec<Segment>,
    /// Files in folders that are no pictures.
    pub skipped: usize,
    /// Folders in a label's folder, which are passed over.
    pub subfolders: Vec<PathBuf>,
}

impl Data {
    /// Reads all of `paths`.
    pub fn read(paths: &[PathBuf], labels: Labels) -> Result<Self, Failure> {
        let mut data = Self::default();
        for path in paths {
            let known = (data.faces.len(), data.segments.len());
            data.add(path, labels)?;
            if paths.len() > 1 {
                // The same name in two data sets need not be the same person.
                let faces = data.faces[known.0..].iter_mut().map(|f| &mut f.group);
                let segments = data.segments[known.1..].iter_mut().map(|s| &mut s.group);
                for group in faces.chain(segments) {
                    let unique = |group| format!("{}:{group}", path.display());
                    *group = group.take().map(unique);
                }
            }
        }
        Ok(data)
    }

    fn add(&mut self, path: &Path, labels: Labels) -> Result<(), Failure> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let known = self.faces.len() + self.segments.len();
        match extension.map(str::to_lowercase).as_deref() {
            _ if path.is_dir() => folder::read(path, labels, self)?,
            _ if !path.exists() => return Err(format!("{}: not there", path.display()).into()),
            Some("csv") => {
                let table = Table::read(path)?;
                if table.has("start") && table.has("end") {
                    segments::read(path, &table, labels, self)?;
                } else {
                    faces::read_table(path, &table, labels, self)?;
                }
            }
            Some("jsonl") => faces::read_lines(path, labels, self)?,
            _ => {
                return Err(format!(
                    "{}: labelled faces are a folder with a folder per label, a .csv or a .jsonl file",
                    path.display()
                )
                .into());
            }
        }
        if self.faces.len() + self.segments.len() > known {
            Ok(())
        } else {
            Err(format!("{}: there are no labelled faces in it", path.display()).into())
        }
    }
}

/// `file` as a path, relative to the folder of the file that names it.
fn beside(list: &Path, file: &str) -> PathBuf {
    list.parent().unwrap_or(Path::new("")).join(file)
}

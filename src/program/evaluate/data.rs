// SPDX-License-Identifier: MPL-2.0

//! Reads labeled faces, and labeled segments of videos, from folders and files.

use std::path::{Path, PathBuf};

use attitude::geometry::{Landmarks, Point, Rect};
use serde::Deserialize;

use super::mistake::Mistake;
use super::picture::is_picture;
use crate::data_file::{DataError, FileMistake, Position, Row, Table, read_text};
use crate::labels::{FaceLabel, Labels};

/// A picture with a labeled face.
#[derive(Debug)]
pub(crate) struct LabeledFace {
    /// Path in the data.
    pub file: String,
    pub path: PathBuf,
    pub label: FaceLabel,
    /// Box in pixels of the picture.
    pub bbox: Option<Rect>,
    /// Landmarks in pixels of the picture.
    pub landmarks: Option<Landmarks>,
    /// Faces of the same group are not independent of each other.
    pub group: Option<String>,
}

/// A labeled segment of a video.
#[derive(Debug)]
pub(crate) struct LabeledSegment {
    /// Path in the data.
    pub file: String,
    pub path: PathBuf,
    /// Start in the video, in seconds.
    pub start_s: f64,
    /// End in the video, in seconds; after `start_s`.
    pub end_s: f64,
    pub label: FaceLabel,
    /// Segments of the same group are not independent of each other; `None` = those of the file.
    pub group: Option<String>,
    /// Position in the data, for messages.
    pub position: Position,
}

/// All labeled faces and segments.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub faces: Vec<LabeledFace>,
    pub segments: Vec<LabeledSegment>,
    /// Files in folders that are not pictures, which are ignored.
    pub other_files: Vec<PathBuf>,
    /// Folders in the folder of a label, which are ignored.
    pub subfolders: Vec<PathBuf>,
}

impl Data {
    /// Reads all of `paths`.
    ///
    /// # Errors
    /// Returns the first mistake in the data.
    pub(super) fn read(paths: &[PathBuf], labels: Labels) -> Result<Self, DataError> {
        let mut data = Self::default();
        for path in paths {
            let (faces_before, segments_before) = (data.faces.len(), data.segments.len());
            data.add(path, labels)?;
            if paths.len() > 1 {
                // The same name in two data sets may belong to different persons.
                let faces = data.faces[faces_before..].iter_mut().map(|f| &mut f.group);
                let segments = data.segments[segments_before..]
                    .iter_mut()
                    .map(|s| &mut s.group);
                for group in faces.chain(segments) {
                    let unique = |group| format!("{}:{group}", path.display());
                    *group = group.take().map(unique);
                }
            }
        }
        Ok(data)
    }

    fn add(&mut self, path: &Path, labels: Labels) -> Result<(), DataError> {
        let mistake = |mistake| Err(Position::of_file(path).error(mistake));
        let extension = path.extension().and_then(|extension| extension.to_str());
        let len_before = self.faces.len() + self.segments.len();
        match extension.map(str::to_lowercase).as_deref() {
            _ if path.is_dir() => self.add_folder(path, labels)?,
            _ if !path.exists() => return Err(Position::of_file(path).error(FileMistake::NotFound)),
            Some("csv") => self.add_csv(path, &read_text(path)?, labels)?,
            Some("jsonl") => self.add_lines(path, &read_text(path)?, labels)?,
            _ => return mistake(Mistake::UnknownFormat),
        }
        match self.faces.len() + self.segments.len() > len_before {
            true => Ok(()),
            false => mistake(Mistake::NoFaces),
        }
    }

    /// Adds the pictures of a folder with one folder per label.
    fn add_folder(&mut self, folder: &Path, labels: Labels) -> Result<(), DataError> {
        for label_folder in entries(folder)? {
            if !label_folder.is_dir() {
                self.other_files.push(label_folder);
                continue;
            }
            let name = file_name(&label_folder);
            let label = labels
                .label(&name)
                .map_err(|error| Position::of_file(&label_folder).error(Mistake::Label(error)))?;
            for path in entries(&label_folder)? {
                if path.is_dir() {
                    self.subfolders.push(path);
                    continue;
                }
                if !is_picture(&path) {
                    self.other_files.push(path);
                    continue;
                }
                self.faces.push(LabeledFace {
                    file: format!("{name}/{}", file_name(&path)),
                    path,
                    label: label.clone(),
                    bbox: None,
                    landmarks: None,
                    group: None,
                });
            }
        }
        Ok(())
    }

    /// Adds the faces or segments in the `text` of the CSV file at `path`.
    pub(crate) fn add_csv(
        &mut self,
        path: &Path,
        text: &str,
        labels: Labels,
    ) -> Result<(), DataError> {
        let table = Table::parse(path, text)?;
        match table.has("start") && table.has("end") {
            true => self.add_segments(path, &table, labels),
            false => self.add_table(path, &table, labels),
        }
    }

    /// Adds the faces of a CSV file.
    fn add_table(&mut self, path: &Path, table: &Table, labels: Labels) -> Result<(), DataError> {
        table.require(&["file"])?;
        let label_column = table.require_label_column()?;
        for row in table.rows() {
            let file = row.require("file")?;
            let label = labels.label(row.require(label_column)?);
            self.faces.push(LabeledFace {
                file: file.to_owned(),
                path: resolve(path, file),
                label: label.map_err(|error| row.error(Mistake::Label(error)))?,
                bbox: bbox(&row)?,
                landmarks: None,
                group: row.get("group").map(str::to_owned),
            });
        }
        Ok(())
    }

    /// Adds the segments of a CSV file.
    fn add_segments(
        &mut self,
        path: &Path,
        table: &Table,
        labels: Labels,
    ) -> Result<(), DataError> {
        table.require(&["file", "start", "end"])?;
        let label_column = table.require_label_column()?;
        for row in table.rows() {
            let file = row.require("file")?;
            let label = labels.label(row.require(label_column)?);
            let (start_s, end_s) = (row.require_time_s("start")?, row.require_time_s("end")?);
            if end_s <= start_s {
                return Err(row.error(Mistake::EmptySegment));
            }
            self.segments.push(LabeledSegment {
                file: file.to_owned(),
                path: resolve(path, file),
                start_s,
                end_s,
                label: label.map_err(|error| row.error(Mistake::Label(error)))?,
                group: row.get("group").map(str::to_owned),
                position: row.position(),
            });
        }
        Ok(())
    }

    /// Adds the faces in the `text` of the file of JSON lines at `path`.
    pub(crate) fn add_lines(
        &mut self,
        path: &Path,
        text: &str,
        labels: Labels,
    ) -> Result<(), DataError> {
        for (index, text) in text.lines().enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let failed = |mistake| Position::of_line(path, index + 1).error(mistake);
            let line: FaceLine =
                serde_json::from_str(text).map_err(|error| failed(Mistake::Json(error)))?;
            let label = labels.label(&line.label);
            let bbox = line
                .bbox
                .map(|[x, y, width, height]| Rect::new(x, y, width, height));
            if bbox.is_some_and(|bbox| !bbox.is_valid()) {
                return Err(failed(Mistake::EmptyBox));
            }
            let landmarks = line.landmarks.map(points);
            if landmarks.is_some_and(|landmarks| !landmarks.iter().all(Point::is_valid)) {
                return Err(failed(Mistake::Landmark));
            }
            self.faces.push(LabeledFace {
                path: resolve(path, &line.file),
                file: line.file,
                label: label.map_err(|error| failed(Mistake::Label(error)))?,
                bbox,
                landmarks,
                group: line.group.map(|group| match group {
                    Group::Text(text) => text,
                    Group::Number(number) => number.to_string(),
                }),
            });
        }
        Ok(())
    }
}

/// Returns the path of `file`, which is relative to the folder of `data_file`.
fn resolve(data_file: &Path, file: &str) -> PathBuf {
    data_file.parent().unwrap_or(Path::new("")).join(file)
}

/// Returns the visible entries of `folder`, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |error| Position::of_file(folder).error(FileMistake::Read(error));
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(failed)?;
    paths.retain(|path| !file_name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Columns of a box.
const BOX_COLUMNS: [&str; 4] = ["x", "y", "width", "height"];

fn bbox(row: &Row) -> Result<Option<Rect>, DataError> {
    let mut values = [None; 4];
    for (value, column) in values.iter_mut().zip(BOX_COLUMNS) {
        *value = row.number(column)?;
    }
    match values {
        [None, None, None, None] => Ok(None),
        [Some(x), Some(y), Some(width), Some(height)] => {
            let bbox = Rect::new(x, y, width, height);
            match bbox.is_valid() {
                true => Ok(Some(bbox)),
                false => Err(row.error(Mistake::EmptyBox)),
            }
        }
        _ => Err(row.error(Mistake::IncompleteBox)),
    }
}

/// A face in a file of JSON lines.
#[derive(Deserialize)]
struct FaceLine {
    file: String,
    label: String,
    #[serde(rename = "box")]
    bbox: Option<[f32; 4]>,
    landmarks: Option<[[f32; 2]; 5]>,
    group: Option<Group>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a group must be a text or an integer")]
enum Group {
    Text(String),
    Number(i64),
}

fn points(landmarks: [[f32; 2]; 5]) -> Landmarks {
    landmarks.map(|[x, y]| Point::new(x, y))
}

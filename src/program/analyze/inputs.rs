// SPDX-License-Identifier: MPL-2.0

//! From what was asked for to recordings.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::media;
use crate::playback::{UriError, file_uri};

/// Something to analyse.
#[derive(Clone, Debug)]
pub struct Input {
    pub place: Place,
    /// Tells it from all others, in ASCII.
    pub uri: String,
    /// Whether it was named; else it was found in a folder.
    pub is_named: bool,
    /// Whether it is a copy of what is at `uri`.
    pub is_copy: bool,
    pub identity: Identity,
}

/// Where it is.
#[derive(Clone, Debug)]
pub enum Place {
    File(PathBuf),
    Url(String),
}

/// What tells that a recording has not changed, wherever it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Of a file.
    pub size_bytes: Option<u64>,
    /// When it was last changed, since 1970.
    pub modified_ns: Option<u64>,
    /// Of what is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Identity {
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
        let modified_ns = modified.unwrap_or_default().as_nanos();
        Ok(Self {
            size_bytes: Some(metadata.len()),
            modified_ns: Some(u64::try_from(modified_ns).unwrap_or(u64::MAX)),
            url: None,
        })
    }
}

impl Input {
    /// How it is told of: in one line, whatever its name.
    pub fn told(&self) -> String {
        match &self.place {
            Place::File(_) if self.is_copy => self.uri.clone(),
            Place::File(path) => told(path),
            Place::Url(url) => url.escape_default().to_string(),
        }
    }

    /// Where it is played from.
    pub fn playable_uri(&self) -> Result<String, UriError> {
        match &self.place {
            Place::File(path) => file_uri(path),
            Place::Url(url) => Ok(url.clone()),
        }
    }

    /// The last part of its name.
    pub fn file_name(&self) -> String {
        match &self.place {
            Place::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
            Place::Url(url) => {
                let path = url.split(['?', '#']).next().unwrap_or(url);
                let path = path.split_once("://").map_or(path, |(_, rest)| rest);
                let name = path.trim_end_matches('/').rsplit('/').next();
                name.unwrap_or(path).to_owned()
            }
        }
    }
}

/// A path in one line, without what a terminal would obey.
pub fn told(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars()
        .map(|c| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        })
        .collect()
}

/// What was found, in the order of asking, within a folder by name.
#[derive(Debug, Default)]
pub struct Inputs {
    pub recordings: Vec<Input>,
    /// Files of a folder that are no recordings, with the reason.
    pub passed_over: Vec<(PathBuf, String)>,
    /// What cannot be looked at, with the reason.
    pub failures: Vec<(PathBuf, String)>,
    /// Real paths of what was found, lest it be analysed twice.
    seen: HashSet<PathBuf>,
    /// Real path of the folder for the results.
    output: Option<PathBuf>,
    /// The address of a folder of copies, and of what they are copies of.
    origin: Option<(String, String)>,
}

impl Inputs {
    /// Finds all that `asked` names, but for what is in `output`. What is in the folder that `origin`
    /// has first is a copy of what is where it has second.
    ///
    /// # Errors
    /// Where something is asked for that cannot be.
    pub fn find(
        asked: &[PathBuf],
        output: &Path,
        origin: Option<&[String]>,
    ) -> Result<Self, String> {
        let origin = match origin {
            Some([folder, uri]) => {
                let folder = file_uri(Path::new(folder)).map_err(|error| error.to_string())?;
                Some((folder, uri.clone()))
            }
            _ => None,
        };
        let mut found = Self {
            output: output.canonicalize().ok(),
            origin,
            ..Self::default()
        };
        for input in asked {
            found.add(input)?;
        }
        Ok(found)
    }

    fn add(&mut self, input: &Path) -> Result<(), String> {
        if let Some(url) = input.to_str().filter(|text| text.contains("://")) {
            return self.add_url(url);
        }
        if input.is_dir() {
            self.add_folder(input);
            return Ok(());
        }
        if input.exists() {
            return self.add_file(input, true);
        }
        let matches = pattern(input)?
            .ok_or_else(|| format!("{}: there is no such file or folder", told(input)))?;
        for path in matches {
            match path.is_dir() {
                true => self.add_folder(&path),
                false => self.add_file(&path, true)?,
            }
        }
        Ok(())
    }

    fn add_url(&mut self, url: &str) -> Result<(), String> {
        let scheme = url.split("://").next().unwrap_or_default().to_lowercase();
        match scheme.as_str() {
            "http" | "https" => {}
            "file" => {
                let (path, _) = glib::filename_from_uri(url)
                    .map_err(|error| format!("{}: {error}", url.escape_default()))?;
                return self.add(&path);
            }
            "rtsp" | "rtsps" | "rtmp" | "rtp" | "udp" | "srt" => {
                return Err(format!(
                    "{}: a live stream has no end and is no recording; record it first, or see \
                     pipelines/streams.py for streams",
                    url.escape_default()
                ));
            }
            _ => {
                return Err(format!(
                    "{}: addresses of recordings begin with http://, https:// or file://",
                    url.escape_default()
                ));
            }
        }
        if self.seen.insert(url.into()) {
            self.recordings.push(Input {
                place: Place::Url(url.to_owned()),
                uri: url.to_owned(),
                is_named: true,
                is_copy: false,
                identity: Identity {
                    url: Some(url.to_owned()),
                    ..Identity::default()
                },
            });
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, is_named: bool) -> Result<(), String> {
        let add = || -> Result<(PathBuf, Input), String> {
            let uri = file_uri(path).map_err(|error| error.to_string())?;
            let original = self.original(&uri);
            let input = Input {
                is_copy: original.is_some(),
                uri: original.unwrap_or(uri),
                place: Place::File(path.to_owned()),
                is_named,
                identity: Identity::of_file(path).map_err(|error| error.to_string())?,
            };
            let real = path.canonicalize().map_err(|error| error.to_string())?;
            Ok((real, input))
        };
        let (real, input) = add().map_err(|reason| format!("{}: {reason}", told(path)))?;
        if self.seen.insert(real) {
            self.recordings.push(input);
        }
        Ok(())
    }

    /// What the file at `uri` is a copy of.
    fn original(&self, uri: &str) -> Option<String> {
        let (copies, originals) = self.origin.as_ref()?;
        let rest = uri.strip_prefix(copies.trim_end_matches('/'))?;
        Some(format!("{originals}{}", rest.strip_prefix('/')?))
    }

    fn add_folder(&mut self, folder: &Path) {
        if self.is_output(folder) {
            return;
        }
        let entries = std::fs::read_dir(folder).and_then(|entries| {
            let mut paths = entries
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<Vec<_>>>()?;
            paths.sort();
            Ok(paths)
        });
        match entries {
            Ok(paths) => paths.iter().for_each(|path| self.add_entry(path)),
            Err(error) => self.failures.push((folder.to_owned(), error.to_string())),
        }
    }

    /// Something in a folder.
    fn add_entry(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut pass_over =
            |reason: &str| self.passed_over.push((path.to_owned(), reason.to_owned()));
        if name.starts_with(b".") {
            pass_over("it is hidden");
        } else if path.is_dir() {
            // A link may lead back to where it is.
            match path.is_symlink() {
                true => pass_over("it is a link to a folder"),
                false => self.add_folder(path),
            }
        } else if !path.is_file() {
            pass_over("it is no file");
        } else {
            match media::no_video(path) {
                Ok(Some(reason)) => pass_over(&reason),
                Ok(None) => {
                    if let Err(reason) = self.add_file(path, false) {
                        self.failures.push((path.to_owned(), reason));
                    }
                }
                Err(error) => self.failures.push((path.to_owned(), error.to_string())),
            }
        }
    }

    fn is_output(&self, folder: &Path) -> bool {
        self.output.is_some() && folder.canonicalize().ok() == self.output
    }
}

/// The paths that match, if `input` is a pattern.
fn pattern(input: &Path) -> Result<Option<Vec<PathBuf>>, String> {
    let Some(text) = input.to_str().filter(|text| text.contains(['*', '?', '['])) else {
        return Ok(None);
    };
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", told(input));
    let paths = glob::glob(text).map_err(|error| failed(&error))?;
    let paths: Vec<PathBuf> = paths
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))?;
    match paths.is_empty() {
        true => Err(failed(&"nothing matches this pattern")),
        false => Ok(Some(paths)),
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Finds the recordings in files, folders, patterns and addresses.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::media_type::reason_to_ignore;
use super::playlists::Pieces;
use super::{pages, summary_json};
use crate::console;
use crate::playback::{UriError, file_uri};

/// A recording to analyze.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub location: Location,
    /// URI in ASCII, unique among all recordings.
    pub uri: String,
    /// Set if the user named it; else it was found in a folder.
    pub is_named: bool,
    /// Set if it is a copy of what is at `uri`.
    pub is_copy: bool,
    pub identity: Identity,
}

/// Location of a recording.
#[derive(Clone, Debug)]
pub(super) enum Location {
    File(PathBuf),
    Url(String),
}

/// Identity of a recording's content: it changes if the recording does, and does not depend on its
/// path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Size of a file.
    pub size_bytes: Option<u64>,
    /// Time of a file's last change, in nanoseconds since 1970.
    pub modified_ns: Option<u64>,
    /// Address, if it is not a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Identity {
    /// Returns the identity of a file.
    pub(super) fn of_file(path: &Path) -> io::Result<Self> {
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

impl Recording {
    /// Returns its path or address in one line, without control characters.
    pub(super) fn display_name(&self) -> String {
        match &self.location {
            Location::File(_) if self.is_copy => self.uri.clone(),
            Location::File(path) => printable(path),
            Location::Url(url) => url.escape_default().to_string(),
        }
    }

    /// Returns the URI that it is played from.
    pub(super) fn playable_uri(&self) -> Result<String, UriError> {
        match &self.location {
            Location::File(path) => file_uri(path),
            Location::Url(url) => Ok(url.clone()),
        }
    }

    /// Returns the last part of its path or address.
    pub(super) fn file_name(&self) -> String {
        match &self.location {
            Location::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
            Location::Url(url) => {
                let path = url.split(['?', '#']).next().unwrap_or(url);
                let path = path.split_once("://").map_or(path, |(_, rest)| rest);
                let name = path.trim_end_matches('/').rsplit('/').next();
                name.unwrap_or(path).to_owned()
            }
        }
    }
}

/// Returns a path in one line, without control characters that a terminal would interpret.
pub(super) fn printable(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars()
        .map(|c| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        })
        .collect()
}

/// An input that is neither a recording nor a folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("{}: there is no such file or folder; check the path", printable(.0))]
    NotFound(PathBuf),
    #[error("cannot read {}", printable(.path))]
    File { path: PathBuf, source: FileError },
    #[error("{}: it is not a valid pattern", printable(.path))]
    Pattern {
        path: PathBuf,
        source: glob::PatternError,
    },
    #[error("{}: cannot search for this pattern", printable(.path))]
    Search {
        path: PathBuf,
        source: glob::GlobError,
    },
    #[error("{}: nothing matches this pattern; check it with ls", printable(.0))]
    NoMatch(PathBuf),
    #[error("{}: it is {kind}, not a file; record it first, or use pipelines/streams.py", printable(.path))]
    NotAFile { path: PathBuf, kind: &'static str },
    #[error(
        "{}: a live stream is not a recording; record it first, or use pipelines/streams.py",
        .0.escape_default()
    )]
    Live(String),
    #[error(
        "{}: addresses of recordings begin with http://, https:// or file://",
        .0.escape_default()
    )]
    Scheme(String),
    #[error("{}: it is not a valid address of a file", .url.escape_default())]
    Address { url: String, source: glib::Error },
    #[error("cannot use the folder of --origin; check its path")]
    Origin(#[source] UriError),
}

/// A file cannot be accessed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Uri(#[from] UriError),
}

/// Recordings and other files in the inputs, in the order of the inputs, sorted by name within a
/// folder.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub recordings: Vec<Recording>,
    /// Files of a folder that are not recordings, with the reason.
    pub ignored: Vec<(PathBuf, String)>,
    /// Files and folders that cannot be read, with the reason.
    pub failures: Vec<(PathBuf, String)>,
    /// Canonical paths of all recordings, so that none is analyzed twice.
    seen: HashSet<PathBuf>,
    /// Files that playlists list.
    pieces: Pieces,
    /// Canonical path of the folder for the results.
    output: Option<PathBuf>,
    /// URI of a folder of copies, and URI of the originals.
    origin: Option<(String, String)>,
}

impl Inputs {
    /// Finds all recordings in `inputs`, except in the folder `output`. Files in the first of
    /// `origin`, a folder, are copies of those at the second, a URI.
    ///
    /// # Errors
    /// Returns an error if an input is neither a recording nor a folder.
    pub(super) fn find(
        inputs: &[PathBuf],
        output: &Path,
        origin: Option<&[String]>,
    ) -> Result<Self, InputError> {
        let origin = match origin {
            Some([folder, uri]) => {
                let folder = file_uri(Path::new(folder)).map_err(InputError::Origin)?;
                Some((folder, uri.clone()))
            }
            _ => None,
        };
        let mut found = Self {
            output: output.canonicalize().ok(),
            origin,
            ..Self::default()
        };
        for input in inputs {
            found.add(input)?;
        }
        Ok(found)
    }

    fn add(&mut self, input: &Path) -> Result<(), InputError> {
        if let Some(url) = input.to_str().filter(|text| text.contains("://")) {
            return self.add_url(url);
        }
        if input.is_dir() {
            self.add_folder(input);
            return Ok(());
        }
        if input.exists() {
            return self.add_named_file(input);
        }
        for path in matches(input)? {
            match path.is_dir() {
                true => self.add_folder(&path),
                false => self.add_named_file(&path)?,
            }
        }
        Ok(())
    }

    fn add_url(&mut self, url: &str) -> Result<(), InputError> {
        let scheme = url.split("://").next().unwrap_or_default().to_lowercase();
        match scheme.as_str() {
            "http" | "https" => {}
            "file" => {
                let (path, _) =
                    glib::filename_from_uri(url).map_err(|source| InputError::Address {
                        url: url.to_owned(),
                        source,
                    })?;
                return self.add(&path);
            }
            "rtsp" | "rtsps" | "rtmp" | "rtp" | "udp" | "srt" => {
                return Err(InputError::Live(url.to_owned()));
            }
            _ => return Err(InputError::Scheme(url.to_owned())),
        }
        if self.seen.insert(url.into()) {
            self.recordings.push(Recording {
                location: Location::Url(url.to_owned()),
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

    fn add_named_file(&mut self, path: &Path) -> Result<(), InputError> {
        if let Some(kind) = special_kind(path) {
            return Err(InputError::NotAFile {
                path: path.to_owned(),
                kind,
            });
        }
        self.add_file(path, true)
            .map_err(|source| InputError::File {
                path: path.to_owned(),
                source,
            })
    }

    fn add_file(&mut self, path: &Path, is_named: bool) -> Result<(), FileError> {
        let uri = file_uri(path)?;
        let original = self.original(&uri);
        let recording = Recording {
            is_copy: original.is_some(),
            uri: original.unwrap_or(uri),
            location: Location::File(path.to_owned()),
            is_named,
            identity: Identity::of_file(path)?,
        };
        if self.seen.insert(path.canonicalize()?) {
            self.recordings.push(recording);
        }
        Ok(())
    }

    /// Returns the URI that the file at `uri` is a copy of.
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
            Ok(paths) => {
                paths.iter().for_each(|path| self.pieces.add(path));
                paths.iter().for_each(|path| self.add_entry(path));
            }
            Err(error) => self.failures.push((folder.to_owned(), error.to_string())),
        }
    }

    /// Adds a file or folder of a folder.
    fn add_entry(&mut self, path: &Path) {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut ignore = |reason: &str| self.ignored.push((path.to_owned(), reason.to_owned()));
        if name.starts_with(b".") {
            ignore("it is hidden");
        } else if path.is_dir() {
            // A link may lead to one of the folders that it is in.
            if path.is_symlink() {
                ignore("it is a link to a folder");
            } else if has_results(path) {
                ignore("it has the results of an earlier run");
            } else {
                self.add_folder(path);
            }
        } else if let Some(kind) = special_kind(path) {
            ignore(&format!("it is {kind}, not a file"));
        } else if let Some(playlist) = self.pieces.playlist_of(path) {
            let playlist = playlist.file_name().unwrap_or_default().to_string_lossy();
            ignore(&format!("it is a piece of {playlist}"));
        } else if self.pieces.is_open(path) {
            ignore("it is a playlist whose files are analyzed");
        } else {
            match reason_to_ignore(path) {
                Ok(Some(reason)) => ignore(&reason),
                Ok(None) => {
                    if let Err(error) = self.add_file(path, false) {
                        self.failures
                            .push((path.to_owned(), console::chain(&error)));
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

/// Returns the kind of something that is neither a file nor a folder, and may have no end; `None` for
/// files and folders.
fn special_kind(path: &Path) -> Option<&'static str> {
    let kind = path.metadata().ok()?.file_type();
    if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_char_device() || kind.is_block_device() {
        Some("a device")
    } else {
        None
    }
}

/// Returns `true` if `folder` has the results of a recording.
fn has_results(folder: &Path) -> bool {
    folder.join(summary_json::FILE).is_file() && folder.join(pages::REPORT).is_file()
}

/// Returns the paths that match the pattern `input`, in order.
fn matches(input: &Path) -> Result<Vec<PathBuf>, InputError> {
    let path = || input.to_owned();
    let Some(text) = input.to_str().filter(|text| text.contains(['*', '?', '['])) else {
        return Err(InputError::NotFound(path()));
    };
    let paths = glob::glob(text).map_err(|source| InputError::Pattern {
        path: path(),
        source,
    })?;
    let paths: Result<Vec<PathBuf>, _> = paths.collect();
    let paths = paths.map_err(|source| InputError::Search {
        path: path(),
        source,
    })?;
    match paths.is_empty() {
        true => Err(InputError::NoMatch(path())),
        false => Ok(paths),
    }
}

// SPDX-License-Identifier: MPL-2.0

//! HLS and DASH in a folder: the playlist is the recording, and the files that it lists are pieces
//! of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use glob::Pattern;
use percent_encoding::percent_decode_str;

/// Maximum size of a playlist; a day of pieces of a second has about 5 MB.
const MAX_BYTES: u64 = 32 << 20;

/// The pieces that playlists list.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// The playlist of each piece.
    playlists: HashMap<PathBuf, PathBuf>,
    /// Patterns of the paths of pieces, and the playlist.
    patterns: Vec<(Pattern, PathBuf)>,
    /// Playlists of streams that have not ended, or of whole recordings.
    open: HashSet<PathBuf>,
}

impl Pieces {
    /// Adds the pieces of `playlist` if it is one of a stream that has ended. Of a stream that goes
    /// on, GStreamer plays the latest pieces only, so each is a recording.
    pub(super) fn add(&mut self, playlist: &Path) {
        let extension = playlist
            .extension()
            .and_then(|extension| extension.to_str());
        let (Some(extension), Some(folder)) = (extension, playlist.parent()) else {
            return;
        };
        let is_small = || {
            let metadata = playlist.metadata();
            metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_BYTES)
        };
        let Some(pieces_of) = parser(extension) else {
            return;
        };
        let text = is_small().then(|| std::fs::read_to_string(playlist).ok());
        let pieces = text.flatten().as_deref().map(pieces_of).unwrap_or_default();
        if pieces.is_empty() {
            self.open.insert(playlist.to_owned());
        }
        let escaped_folder = Pattern::escape(&folder.to_string_lossy());
        for piece in pieces {
            if !piece.contains(['*', '[']) {
                self.playlists
                    .insert(folder.join(piece), playlist.to_owned());
            } else if let Ok(pattern) = Pattern::new(&format!("{escaped_folder}/{piece}")) {
                self.patterns.push((pattern, playlist.to_owned()));
            }
        }
    }

    /// Returns `true` if `path` is a playlist of files that are recordings themselves.
    pub(super) fn is_open(&self, path: &Path) -> bool {
        self.open.contains(path)
    }

    /// Returns the playlist that `path` is a piece of; `None` if it is a piece of none.
    pub(super) fn playlist_of(&self, path: &Path) -> Option<&Path> {
        let matching = || {
            self.patterns
                .iter()
                .find(|(pattern, _)| pattern.matches_path(path))
        };
        let listed = self.playlists.get(path);
        listed
            .or_else(|| Some(&matching()?.1))
            .map(PathBuf::as_path)
    }
}

/// Returns the function that lists the pieces in the text of a playlist; `None` if files with this
/// extension are not playlists.
pub(crate) fn parser(extension: &str) -> Option<fn(&str) -> Vec<String>> {
    match extension.to_ascii_lowercase().as_str() {
        "m3u8" => Some(hls_pieces),
        "mpd" => Some(dash_pieces),
        _ => None,
    }
}

/// Returns patterns of the relative paths in an HLS playlist of a stream that has ended; see RFC 8216. Other
/// lists, such as those of music players, have whole recordings.
fn hls_pieces(playlist: &str) -> Vec<String> {
    let has = |tag| playlist.lines().any(|line| line.starts_with(tag));
    if !has("#EXT-X-ENDLIST") && !has("#EXT-X-STREAM-INF") {
        return Vec::new();
    }
    let lines = playlist.lines().map(str::trim);
    let addresses = lines.filter_map(|line| match line.starts_with('#') {
        true => attribute(line, "URI"),
        false => Some(line),
    });
    let pieces = addresses.map(|address| Pattern::escape(&path_of(address)));
    // An address without a path is the playlist itself.
    pieces.filter(|piece| !piece.is_empty()).collect()
}

/// Returns patterns of the relative paths in a DASH manifest; see ISO/IEC 23009-1. A template such
/// as `chunk-$Number$.m4s` has placeholders.
fn dash_pieces(manifest: &str) -> Vec<String> {
    if manifest.contains(r#"type="dynamic""#) {
        return Vec::new();
    }
    let tags = manifest.split('<');
    let addresses = tags.flat_map(|tag| {
        let attributes = ["media", "initialization", "sourceURL"];
        let named = attributes
            .into_iter()
            .filter_map(|name| attribute(tag, name));
        let base = tag
            .strip_prefix("BaseURL")
            .and_then(|tag| tag.split_once('>'));
        named
            .chain(base.map(|(_, address)| address.trim()))
            .collect::<Vec<_>>()
    });
    let pattern = |address: &str| {
        let parts = address.split('$').enumerate();
        let parts = parts.map(|(index, part)| match index % 2 {
            0 => Pattern::escape(&path_of(part)),
            _ => "*".to_owned(),
        });
        parts.collect::<String>()
    };
    let pieces = addresses.map(pattern);
    pieces.filter(|piece| !piece.is_empty()).collect()
}

/// Returns the value of an attribute in quotation marks.
fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = text.find(&format!("{name}=\""))? + name.len() + 2;
    text[start..].split('"').next()
}

/// Returns the path in an address.
fn path_of(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_an_ended_hls_stream_are_listed() {
        let playlist =
            "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:2,\na%20b.m4s?x=1\n#EXT-X-ENDLIST\n";
        assert_eq!(hls_pieces(playlist), ["init.mp4", "a b.m4s"]);
        let main = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/index.m3u8\n";
        assert_eq!(hls_pieces(main), ["low/index.m3u8"]);
        for other in ["#EXTM3U\n#EXTINF:2,\na.ts\n", "#EXTM3U\nmovie.mp4\n", ""] {
            assert!(hls_pieces(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn addresses_without_a_path_are_no_pieces() {
        let playlist = "#EXTM3U\n#EXTINF:2,\n?x=1\na.ts\n#part\n#EXT-X-ENDLIST\n";
        assert_eq!(hls_pieces(playlist), ["a.ts"]);
        let manifest = r#"<MPD><BaseURL>?x=1</BaseURL><BaseURL>a.mp4</BaseURL></MPD>"#;
        assert_eq!(dash_pieces(manifest), ["a.mp4"]);
    }

    #[test]
    fn pieces_of_a_dash_manifest_are_matched() {
        let folder = tempfile::tempdir().unwrap();
        let playlist = folder.path().join("talk.mpd");
        let manifest = r#"<MPD type="static"><SegmentTemplate
            media="chunk-$RepresentationID$-$Number%05d$.m4s" initialization="init-$RepresentationID$.m4s"/>
            <BaseURL>audio[1].mp4</BaseURL></MPD>"#;
        std::fs::write(&playlist, manifest).unwrap();
        let mut pieces = Pieces::default();
        pieces.add(&playlist);
        for piece in ["chunk-0-00001.m4s", "init-0.m4s", "audio[1].mp4"] {
            let path = folder.path().join(piece);
            assert_eq!(pieces.playlist_of(&path), Some(&*playlist), "{piece}");
        }
        for other in ["talk.mp4", "talk.mpd", "chunk-0.mp4"] {
            assert_eq!(
                pieces.playlist_of(&folder.path().join(other)),
                None,
                "{other}"
            );
        }
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Chooses the names of the recordings' folders: safe for any file name, unique, and the same in
//! every run.

use std::collections::{HashMap, HashSet};

use attitude_inference::model::sha256;

use super::inputs::Recording;
use super::pages;
use super::summary_json::SummaryFile;

/// Maximum length of a name; file systems allow 255 bytes, and a prefix and a suffix may be added.
const MAX_BYTES: usize = 200;

/// Number of hexadecimal digits of the suffix of a name that would not be unique.
const SUFFIX_CHARS: usize = 12;

/// Names of the files of the run, in lower case.
const RUN_FILES: [&str; 4] = [
    "summary.csv",
    "codebook.csv",
    "value-labels.csv",
    pages::INDEX,
];

/// Characters that are replaced, because they have a meaning for file systems or shells.
const RESERVED: [char; 10] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|', '\u{fffd}'];

/// Returns `true` if a file of the run has this name. Some file systems ignore case.
pub(super) fn is_run_file(name: &str) -> bool {
    RUN_FILES.contains(&name.to_lowercase().as_str())
}

/// Returns a name for each of `recordings`. `existing` has all folders by name, with their results;
/// `None` for a folder without results. A recording with results keeps its name. Another recording
/// gets that name only if it is the same file, moved.
pub(super) fn names(
    recordings: &[Recording],
    existing: &HashMap<String, Option<SummaryFile>>,
) -> Vec<String> {
    let mut by_uri: HashMap<&str, &str> = HashMap::new();
    for (name, results) in existing {
        if let Some(results) = results {
            by_uri.insert(&results.recording.uri, name);
        }
    }
    let kept_name = |recording: &Recording| by_uri.get(recording.uri.as_str()).copied();
    // Some file systems ignore case.
    let mut taken: HashSet<String> = recordings
        .iter()
        .filter_map(kept_name)
        .chain(RUN_FILES)
        .map(str::to_lowercase)
        .collect();
    let existing_names: HashSet<String> = existing.keys().map(|name| name.to_lowercase()).collect();
    let mut choose_name = |recording: &Recording| {
        if let Some(name) = kept_name(recording) {
            return name.to_owned();
        }
        let is_free = |name: &String| {
            let is_own = || {
                let results = existing.get(name).and_then(Option::as_ref);
                results.is_some_and(|results| results.recording.identity == recording.identity)
            };
            let lower = name.to_lowercase();
            !taken.contains(&lower) && (!existing_names.contains(&lower) || is_own())
        };
        let file_name = recording.file_name();
        let stem = match file_name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => &file_name,
        };
        let suffix = &sha256(recording.uri.as_bytes())[..SUFFIX_CHARS];
        let name = [safe_name(stem), safe_name(&file_name)]
            .into_iter()
            .find(is_free)
            .unwrap_or_else(|| format!("{}~{suffix}", safe_name(stem)));
        taken.insert(name.to_lowercase());
        name
    };
    recordings.iter().map(&mut choose_name).collect()
}

/// Returns `name` changed so that it has no special characters, is not hidden, does not look like
/// an option and is not too long.
fn safe_name(name: &str) -> String {
    let mut safe: String = name
        .chars()
        .map(|c| match c.is_control() || RESERVED.contains(&c) {
            true => '_',
            false => c,
        })
        .collect();
    safe.truncate(safe.floor_char_boundary(MAX_BYTES));
    safe.truncate(safe.trim_end_matches([' ', '.']).len());
    match safe.chars().next() {
        None => "_".to_owned(),
        Some('-' | '.' | '~' | ' ') => format!("_{}", &safe[1..]),
        Some(_) => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::inputs::{Identity, Location};

    fn recording(path: &str, size_bytes: u64) -> Recording {
        Recording {
            location: Location::File(path.into()),
            uri: format!("file:{path}"),
            is_named: true,
            is_copy: false,
            identity: Identity {
                size_bytes: Some(size_bytes),
                ..Identity::default()
            },
        }
    }

    fn results(recording: &Recording) -> Option<SummaryFile> {
        let mut results = SummaryFile::default();
        results.recording.uri.clone_from(&recording.uri);
        results.recording.identity = recording.identity.clone();
        Some(results)
    }

    #[test]
    fn unsafe_names_are_changed() {
        for (name, expected) in [
            ("-rf", "_rf"),
            ("..", "_"),
            (".hidden", "_hidden"),
            ("two\nlines\u{1b}[2J", "two_lines_[2J"),
            ("a/b\\c:d", "a_b_c_d"),
            ("Ünïcödé 日本", "Ünïcödé 日本"),
            ("ends with dots. .", "ends with dots"),
            ("", "_"),
        ] {
            assert_eq!(safe_name(name), expected, "{name:?}");
        }
        assert_eq!(safe_name(&"日".repeat(100)), "日".repeat(66));
    }

    #[test]
    fn each_recording_has_a_name_of_its_own() {
        let recordings = [
            recording("/a/talk.mp4", 1),
            recording("/a/talk.mkv", 2),
            recording("/b/TALK.mp4", 3),
            recording("/c/talk.mkv", 4),
        ];
        let names = names(&recordings, &HashMap::new());
        assert_eq!(names[..3], ["talk", "talk.mkv", "TALK.mp4"]);
        assert!(names[3].starts_with("talk~"), "{names:?}");
    }

    #[test]
    fn no_recording_has_the_name_of_a_file_of_the_run() {
        let recordings = [
            recording("/a/summary.csv.mp4", 1),
            recording("/a/Index.html.mp4", 2),
            recording("/a/summary.csv", 3),
        ];
        let names = names(&recordings, &HashMap::new());
        assert_eq!(names[..2], ["summary.csv.mp4", "Index.html.mp4"]);
        assert_eq!(names[2], "summary");
    }

    #[test]
    fn a_recording_with_results_keeps_its_name_and_no_other_gets_it() {
        let (one, other) = (recording("/a/talk.mp4", 1), recording("/b/talk.mp4", 2));
        let existing = HashMap::from([
            ("talk.mp4".to_owned(), results(&other)),
            ("talk".to_owned(), None),
        ]);
        let recordings = [one, other];
        let names = names(&recordings, &existing);
        assert!(names[0].starts_with("talk~"), "{names:?}");
        assert_eq!(names[1], "talk.mp4");
    }

    #[test]
    fn a_recording_that_was_moved_keeps_its_name() {
        let existing = HashMap::from([("talk".to_owned(), results(&recording("/a/talk.mp4", 1)))]);
        assert_eq!(names(&[recording("/b/talk.mp4", 1)], &existing), ["talk"]);
        assert_eq!(
            names(&[recording("/b/talk.mp4", 2)], &existing),
            ["talk.mp4"]
        );
    }
}

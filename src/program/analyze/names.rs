// SPDX-License-Identifier: MPL-2.0

//! What the recordings' folders are called: safe whatever the files are called, each another, and
//! the same every time.

use std::collections::{HashMap, HashSet};

use attitude_inference::digest::sha256;

use super::document::Document;
use super::inputs::Input;

/// Longest name, in bytes, so that there is room for what makes it unique.
const MAX_BYTES: usize = 200;

/// What is not taken as it is: what file systems or shells have another use for.
const RESERVED: [char; 10] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|', '\u{fffd}'];

/// A name for each of `inputs`. One that has results already, by name in `known` (where `None` is a
/// folder of something else), keeps its name; no other gets it, unless it is the same recording that
/// was moved.
pub fn names(inputs: &[Input], known: &HashMap<String, Option<Document>>) -> Vec<String> {
    let mut by_uri: HashMap<&str, &str> = HashMap::new();
    for (name, document) in known {
        if let Some(document) = document {
            by_uri.insert(&document.recording.uri, name);
        }
    }
    let kept = |input: &Input| by_uri.get(input.uri.as_str()).copied();
    // File systems that do not tell capitals from small letters are about.
    let mut taken: HashSet<String> = inputs
        .iter()
        .filter_map(kept)
        .map(str::to_lowercase)
        .collect();
    let known_names: HashSet<String> = known.keys().map(|name| name.to_lowercase()).collect();
    let mut choose = |input: &Input| {
        if let Some(name) = kept(input) {
            return name.to_owned();
        }
        let is_free = |name: &String| {
            let is_own = || {
                let document = known.get(name).and_then(Option::as_ref);
                document.is_some_and(|document| document.recording.identity == input.identity)
            };
            let lower = name.to_lowercase();
            !taken.contains(&lower) && (!known_names.contains(&lower) || is_own())
        };
        let file_name = input.file_name();
        let stem = match file_name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => &file_name,
        };
        let by_place = &sha256(input.uri.as_bytes())[..12];
        let name = [safe(stem), safe(&file_name)]
            .into_iter()
            .find(is_free)
            .unwrap_or_else(|| format!("{}~{by_place}", safe(stem)));
        taken.insert(name.to_lowercase());
        name
    };
    inputs.iter().map(&mut choose).collect()
}

/// `name` as one that is no trouble: no control characters, nothing hidden, no option, not too long.
fn safe(name: &str) -> String {
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
    use crate::analyze::inputs::{Identity, Place};

    fn input(path: &str, size_bytes: u64) -> Input {
        Input {
            place: Place::File(path.into()),
            uri: format!("file:{path}"),
            is_named: true,
            is_copy: false,
            identity: Identity {
                size_bytes: Some(size_bytes),
                ..Identity::default()
            },
        }
    }

    fn document(input: &Input) -> Option<Document> {
        let mut document = Document::default();
        document.recording.uri.clone_from(&input.uri);
        document.recording.identity = input.identity.clone();
        Some(document)
    }

    #[test]
    fn hostile_names_become_safe_ones() {
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
            assert_eq!(safe(name), expected, "{name:?}");
        }
        assert_eq!(safe(&"日".repeat(100)), "日".repeat(66));
    }

    #[test]
    fn each_recording_has_its_own_name() {
        let inputs = [
            input("/a/talk.mp4", 1),
            input("/a/talk.mkv", 2),
            input("/b/TALK.mp4", 3),
            input("/c/talk.mkv", 4),
        ];
        let names = names(&inputs, &HashMap::new());
        assert_eq!(names[..3], ["talk", "talk.mkv", "TALK.mp4"]);
        assert!(names[3].starts_with("talk~"), "{names:?}");
    }

    #[test]
    fn what_has_results_keeps_its_name_and_nobody_else_gets_it() {
        let (one, other) = (input("/a/talk.mp4", 1), input("/b/talk.mp4", 2));
        let known = HashMap::from([
            ("talk.mp4".to_owned(), document(&other)),
            ("talk".to_owned(), None),
        ]);
        let inputs = [one, other];
        let names = names(&inputs, &known);
        assert!(names[0].starts_with("talk~"), "{names:?}");
        assert_eq!(names[1], "talk.mp4");
    }

    #[test]
    fn a_recording_that_was_moved_keeps_its_name() {
        let known = HashMap::from([("talk".to_owned(), document(&input("/a/talk.mp4", 1)))]);
        assert_eq!(names(&[input("/b/talk.mp4", 1)], &known), ["talk"]);
        assert_eq!(names(&[input("/b/talk.mp4", 2)], &known), ["talk.mp4"]);
    }
}

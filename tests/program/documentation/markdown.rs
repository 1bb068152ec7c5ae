// SPDX-License-Identifier: MPL-2.0

//! The parts of a Markdown page that can be checked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::support::project;

/// Folders without pages of this repository.
const OTHER_FOLDERS: [&str; 6] = [
    "target",
    "output",
    "node_modules",
    ".git",
    "shared",
    "gpu-kit",
];

/// A Markdown file.
pub struct Page {
    /// Relative to the repository.
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block of code.
pub struct Fence<'a> {
    pub language: &'a str,
    pub lines: Vec<&'a str>,
}

impl Page {
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(project(path)).unwrap();
        let path = path.into();
        Self { path, text }
    }

    /// Returns all pages of the repository.
    pub fn all() -> Vec<Self> {
        let mut pages = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(project(&folder)).unwrap() {
                let entry = entry.unwrap();
                let path = folder.join(entry.file_name());
                let is_other = OTHER_FOLDERS
                    .iter()
                    .any(|other| entry.file_name() == *other);
                if entry.file_type().unwrap().is_dir() && !is_other {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "md") {
                    pages.push(Self::read(path.to_str().unwrap()));
                }
            }
        }
        pages.sort_by(|a, b| a.path.cmp(&b.path));
        pages
    }

    /// Returns the lines outside of fences.
    pub fn prose(&self) -> Vec<&str> {
        let mut is_code = false;
        let is_prose = |line: &&str| {
            let is_border = line.trim_start().starts_with("```");
            is_code ^= is_border;
            !is_code && !is_border
        };
        self.text.lines().filter(is_prose).collect()
    }

    pub fn fences(&self) -> Vec<Fence<'_>> {
        let mut fences: Vec<Fence> = Vec::new();
        let mut is_code = false;
        for line in self.text.lines() {
            match line.trim_start().strip_prefix("```") {
                Some(_) if is_code => is_code = false,
                Some(language) => {
                    is_code = true;
                    let lines = Vec::new();
                    fences.push(Fence { language, lines });
                }
                None if is_code => fences.last_mut().unwrap().lines.push(line),
                None => (),
            }
        }
        fences
    }

    /// Returns the targets of links and pictures.
    pub fn links(&self) -> Vec<String> {
        let text = without_code(&self.prose());
        let targets = text.split("](").skip(1);
        let target = |text: &str| text.split_once(')').unwrap().0.to_owned();
        targets.map(target).collect()
    }

    /// Returns what is marked as code within sentences and tables.
    pub fn code_spans(&self) -> Vec<String> {
        let text = self.prose().join("\n");
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    /// Returns the anchors that a forge makes of the headings.
    pub fn anchors(&self) -> Vec<String> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        let prose = self.prose();
        let headings = prose.iter().filter(|line| line.starts_with('#'));
        let anchor = |heading: &&str| {
            let anchor = anchor(heading.trim_start_matches('#').trim());
            let count = counts.entry(anchor.clone()).or_default();
            *count += 1;
            match *count {
                1 => anchor,
                count => format!("{anchor}-{}", count - 1),
            }
        };
        headings.map(anchor).collect()
    }

    /// Returns the text from a heading to the next one of the same or a higher level, except the
    /// title's, which comments in examples look like.
    pub fn section(&self, heading: &str) -> &str {
        let level = heading.split(' ').next().unwrap().len();
        let begin = self.text.find(&format!("\n{heading}\n"));
        let begin = begin.unwrap_or_else(|| panic!("{}: no {heading}", self.path.display())) + 1;
        let text = &self.text[begin..];
        let ends =
            (2..=level).filter_map(|level| text[1..].find(&format!("\n{} ", "#".repeat(level))));
        ends.min().map_or(text, |end| &text[..end + 1])
    }

    /// Resolves a link to a path relative to the repository.
    pub fn resolve(&self, target: &str) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let mut resolved = PathBuf::new();
        for part in folder.join(target).components() {
            match part {
                std::path::Component::ParentDir => {
                    assert!(resolved.pop(), "{target} leaves the repository")
                }
                std::path::Component::Normal(part) => resolved.push(part),
                _ => (),
            }
        }
        resolved
    }
}

/// Returns the cells of each row of the tables in `text`, without their headers.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<_> = text.lines().collect();
    let is_row = |line: &str| line.starts_with("| ");
    let is_header = |index: usize| {
        lines
            .get(index + 1)
            .is_some_and(|line| line.starts_with("|---"))
    };
    let rows = lines
        .iter()
        .enumerate()
        .filter(|(index, line)| is_row(line) && !is_header(*index));
    rows.map(|(_, line)| cells(line)).collect()
}

/// Splits a row at the bars that are not escaped.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_matches('|').replace("\\|", "\u{0}");
    line.split('|')
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

fn without_code(lines: &[&str]) -> String {
    let text = lines.join("\n");
    let parts: Vec<_> = text.split('`').step_by(2).collect();
    parts.join("")
}

fn anchor(heading: &str) -> String {
    let heading = heading.to_lowercase();
    let kept = heading.chars().filter_map(|letter| match letter {
        ' ' | '-' => Some('-'),
        '_' => Some('_'),
        letter if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    kept.collect()
}

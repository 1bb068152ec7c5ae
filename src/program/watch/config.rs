// SPDX-License-Identifier: MPL-2.0

//! The configuration file: sources, and options of the command line.
//!
//! ```toml
//! sample-interval = "500ms"
//! publish = "mqtt://localhost"
//!
//! [sources.door]
//! uri = "rtsp://camera/stream"
//! tags = { room = "42" }
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use attitude::record::tags::Tags;
use clap::error::ErrorKind;
use clap::{Args, Command};
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::arguments::Arguments;

/// Options that a file cannot contain.
const COMMAND_LINE_ONLY: [&str; 2] = ["config", "source"];

/// The content of a configuration file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) sources: BTreeMap<String, SourceTable>,
    /// Options as arguments, such as `--sample-interval=500ms`.
    pub(crate) options: Vec<String>,
}

/// A source in the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceTable {
    pub(crate) uri: String,
    #[serde(default)]
    pub(crate) tags: Tags,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{}:{line}: {problem}", path.display())]
    Content {
        path: PathBuf,
        line: usize,
        problem: String,
    },
}

/// What is wrong at a position of the text.
struct Problem {
    offset: usize,
    text: String,
}

impl ConfigFile {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// Returns an error if it cannot be read, is not TOML, or has unknown keys or wrong values.
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Read(path.to_owned(), error))?;
        parse(&text).map_err(|(line, problem)| ConfigError::Content {
            path: path.to_owned(),
            line,
            problem,
        })
    }
}

/// Parses the content of a file.
///
/// # Errors
/// Returns the number of the line with the first mistake, from 1, and what is wrong there.
pub(crate) fn parse(text: &str) -> Result<ConfigFile, (usize, String)> {
    parse_tables(text).map_err(|problem| {
        let before = &text.as_bytes()[..problem.offset.min(text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        (line, problem.text)
    })
}

fn parse_tables(text: &str) -> Result<ConfigFile, Problem> {
    #[derive(Deserialize)]
    struct Sources {
        #[serde(default)]
        sources: BTreeMap<String, SourceTable>,
    }
    let problem = |error: toml::de::Error| Problem {
        offset: error.span().map_or(0, |span| span.start),
        text: error.message().replace('\n', ": "),
    };
    let Sources { sources } = toml::from_str(text).map_err(problem)?;
    let table = DeTable::parse(text).map_err(problem)?;
    let mut options = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, offset) = (key.get_ref().as_ref(), key.span().start);
        if name == "sources" {
            continue;
        }
        let option = option(name, value.get_ref()).map_err(|text| Problem { offset, text })?;
        options.push(option);
    }
    Ok(ConfigFile { sources, options })
}

/// Returns an option as an argument.
///
/// # Errors
/// Returns what is wrong if it is unknown, or its value is wrong.
fn option(name: &str, value: &DeValue) -> Result<String, String> {
    let command = Arguments::augment_args(Command::new("watch")).no_binary_name(true);
    let is_known = command
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .any(|long| long == name && !COMMAND_LINE_ONLY.contains(&long));
    if !is_known {
        return Err(format!(
            "unknown key '{name}'; a file has [sources.NAME] and options of 'gst-attitude watch' without --"
        ));
    }
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Table(pairs) => pairs
            .iter()
            .map(|(name, value)| match value.get_ref() {
                DeValue::String(value) => Ok(format!("{}={value}", name.get_ref())),
                _ => Err(format!("{}: expected a string", name.get_ref())),
            })
            .collect::<Result<Vec<_>, _>>()?
            .join(","),
        _ => return Err(format!("{name}: expected a string or a number")),
    };
    let option = format!("--{name}={text}");
    match command.try_get_matches_from([&option]) {
        Err(error) if is_about_value(error.kind()) => Err(one_line(&error)),
        _ => Ok(option),
    }
}

/// Returns `true` if an error concerns the value of one option, and not other options.
fn is_about_value(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidValue | ErrorKind::ValueValidation)
}

/// Returns the first paragraph of an error of the command line.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text.lines().take_while(|line| !line.is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (usize, String) {
        parse(text).unwrap_err()
    }

    #[test]
    fn a_file_has_sources_and_options() {
        let file = parse(
            r#"
            sample-interval = "500ms"
            max-faces = 4
            tags = { site = "north" }
            [sources.door]
            uri = "rtsp://camera/stream"
            tags = { room = "42" }
            [sources."hall 2"]
            uri = "/dev/video0"
            "#,
        );
        let file = file.unwrap();
        let options: std::collections::BTreeSet<_> =
            file.options.iter().map(String::as_str).collect();
        let expected = [
            "--max-faces=4",
            "--sample-interval=500ms",
            "--tags=site=north",
        ];
        assert_eq!(options, expected.into());
        let door = &file.sources["door"];
        assert_eq!(door.uri, "rtsp://camera/stream");
        assert_eq!(door.tags.to_string(), "room=42");
        assert!(file.sources["hall 2"].tags.is_empty());
    }

    #[test]
    fn errors_name_the_line_and_the_problem() {
        for (text, line, expected) in [
            (
                "\nsample-intervall = '1s'",
                2,
                "unknown key 'sample-intervall'",
            ),
            ("config = 'other.toml'", 1, "unknown key 'config'"),
            ("\n\nmax-faces = 0", 3, "invalid value '0'"),
            ("max-faces = []", 1, "expected a string or a number"),
            ("[sources.door]\nurl = 'x'", 2, "unknown field `url`"),
            ("\n[sources.door]", 2, "missing field `uri`"),
            ("[sources.door]\nuri = 7", 2, "invalid type"),
            ("[sources.a]\nuri = 'x'\n[sources.a]", 3, "duplicate"),
            ("what is this", 1, "expected"),
        ] {
            let (found, problem) = problem(text);
            assert!(problem.contains(expected), "{text}: {problem}");
            assert_eq!(found, line, "{text}: {problem}");
            assert!(!problem.contains('\n'), "{problem}");
        }
    }
}

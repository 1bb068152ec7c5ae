// SPDX-License-Identifier: MPL-2.0

//! Checks what the types of the file do not express.

use std::collections::HashSet;

use super::{Corrections, Position, VERSION};
use crate::record::note::MAX_CHARS;

/// Maximum number of corrections in a file.
pub const MAX_ENTRIES: usize = 10_000;

/// Maximum number of characters of a name, a participant, or a reason.
pub const MAX_NAME_CHARS: usize = 100;

/// Maximum number of a person.
const MAX_NUMBER: u32 = 1_000_000;

/// A file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionError {
    /// The file has another version.
    #[error("version is {0}, and this program reads version {VERSION} only")]
    Version(u32),
    /// There are more than [`MAX_ENTRIES`] corrections.
    #[error("there are {0} corrections; the maximum is {MAX_ENTRIES}")]
    TooMany(usize),
    /// A correction is wrong.
    #[error("[[{table}]] no. {number}: {problem}")]
    Entry {
        /// Name of the table.
        table: &'static str,
        /// Number of the entry among those of the table, from 1.
        number: usize,
        /// The problem as a phrase, with the value that was found.
        problem: String,
    },
}

impl Corrections {
    /// Checks the file.
    ///
    /// # Errors
    /// Returns the first problem: another version, too many corrections, a text that is empty, too
    /// long, or has control characters, a number or name that is used twice, or an end that is not
    /// after its start.
    pub fn check(&self) -> Result<(), CorrectionError> {
        if self.version != VERSION {
            return Err(CorrectionError::Version(self.version));
        }
        let merged = self.merges.iter().map(|merge| merge.with.len());
        let total = self.len() + merged.sum::<usize>();
        if total > MAX_ENTRIES {
            return Err(CorrectionError::TooMany(total));
        }
        self.check_persons()?;
        self.check_splits_and_merges()?;
        for (entry, number) in self.exclusions.iter().zip(1..) {
            let check = |result| in_entry("exclude", number, result);
            check(optional_person(entry.person))?;
            check(is_span(entry.start, entry.end))?;
            check(optional_name("reason", entry.reason.as_deref()))?;
        }
        for (entry, number) in self.attitudes.iter().zip(1..) {
            let check = |result| in_entry("attitude", number, result);
            check(optional_person(entry.person))?;
            check(is_span(entry.start, entry.end))?;
        }
        for (entry, number) in self.events.iter().zip(1..) {
            let check = |result| in_entry("event", number, result);
            check(name("name", &entry.name))?;
            check(entry.end.map_or(Ok(()), |end| is_span(entry.time, end)))?;
        }
        for (entry, number) in self.notes.iter().zip(1..) {
            in_entry("note", number, note(&entry.text))?;
        }
        Ok(())
    }

    fn check_persons(&self) -> Result<(), CorrectionError> {
        let (mut numbers, mut names) = (HashSet::new(), HashSet::new());
        for (entry, number) in self.persons.iter().zip(1..) {
            let check = |result| in_entry("person", number, result);
            check(person(entry.number))?;
            if !numbers.insert(entry.number) {
                check(Err(format!("person {} is listed twice", entry.number)))?;
            }
            check(optional_name("name", entry.name.as_deref()))?;
            check(optional_name("participant", entry.participant.as_deref()))?;
            if let Some(name) = &entry.name {
                if is_reserved(name) {
                    check(Err(format!("the name {name:?} has another meaning")))?;
                }
                if !names.insert(name.to_lowercase()) {
                    let problem = format!("another person is called {name:?}; merge them");
                    check(Err(problem))?;
                }
            }
            if let Some(seen) = &entry.seen
                && ![seen.x, seen.y].iter().all(|c| (-1.0..=2.0).contains(c))
            {
                check(Err(format!(
                    "the position {}, {} is not in the frame; x and y are from 0 to 1",
                    seen.x, seen.y
                )))?;
            }
        }
        Ok(())
    }

    fn check_splits_and_merges(&self) -> Result<(), CorrectionError> {
        let mut numbers = HashSet::new();
        for (entry, number) in self.splits.iter().zip(1..) {
            let check = |result| in_entry("split", number, result);
            check(person(entry.person))?;
            check(person(entry.number))?;
            if entry.person == entry.number || !numbers.insert(entry.number) {
                let problem = format!("number {} is used already; choose another", entry.number);
                check(Err(problem))?;
            }
        }
        for (entry, number) in self.merges.iter().zip(1..) {
            let check = |result| in_entry("merge", number, result);
            check(person(entry.person))?;
            if entry.with.is_empty() {
                check(Err("'with' is empty; name at least one person".to_owned()))?;
            }
            for &other in &entry.with {
                check(person(other))?;
                if other == entry.person {
                    check(Err(format!("person {other} is merged with itself")))?;
                }
            }
        }
        Ok(())
    }
}

fn in_entry(
    table: &'static str,
    number: usize,
    result: Result<(), String>,
) -> Result<(), CorrectionError> {
    result.map_err(|problem| CorrectionError::Entry {
        table,
        number,
        problem,
    })
}

/// Returns `true` if the scene, or a person without a name, is called `name`.
fn is_reserved(name: &str) -> bool {
    let name = name.to_lowercase();
    let number = name.strip_prefix("person ");
    name == "scene" || number.is_some_and(|number| number.parse::<u32>().is_ok())
}

fn person(number: u32) -> Result<(), String> {
    match number {
        1..=MAX_NUMBER => Ok(()),
        _ => Err(format!(
            "there is no person {number}; numbers are 1 to {MAX_NUMBER}"
        )),
    }
}

fn optional_person(number: Option<u32>) -> Result<(), String> {
    number.map_or(Ok(()), person)
}

fn is_span(start: Position, end: Position) -> Result<(), String> {
    match start < end {
        true => Ok(()),
        false => Err(format!("its end, {end}, is not after its start, {start}")),
    }
}

fn optional_name(field: &str, value: Option<&str>) -> Result<(), String> {
    value.map_or(Ok(()), |value| name(field, value))
}

fn name(field: &str, value: &str) -> Result<(), String> {
    check_text(field, value, MAX_NAME_CHARS, |c| !is_invisible(c))
}

fn note(text: &str) -> Result<(), String> {
    check_text("text", text, MAX_CHARS, |c| c == '\n' || !is_invisible(c))
}

fn check_text(
    field: &str,
    text: &str,
    max_chars: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), String> {
    let count = text.chars().count();
    if text.trim().is_empty() {
        return Err(format!("{field} is empty"));
    }
    if count > max_chars {
        return Err(format!(
            "{field} has {count} characters; the maximum is {max_chars}"
        ));
    }
    match text.chars().find(|&c| !is_allowed(c)) {
        Some(c) => Err(format!(
            "{field} contains the character U+{:04X}, which cannot be seen; remove it",
            u32::from(c)
        )),
        None => Ok(()),
    }
}

/// Returns `true` for control characters, line breaks, and characters that change the direction of
/// the text around them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

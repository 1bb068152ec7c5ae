// SPDX-License-Identifier: MPL-2.0

//! Reads the records that `attitudeexport` wrote, and the notes of sessions between them.

use std::io::{self, BufRead, Read};
use std::time::{Duration, SystemTime};

use attitude::record::Record;
use attitude::record::formats::jsonl::{self, Line, LineError};
use attitude::record::note::TimedNote;
use attitude::record::summary::{Summarized, SummaryBuilder};
use attitude::timeline::TimelineParams;

use super::text;

/// Maximum length of a line, enough for thousands of faces.
const MAX_LINE_BYTES: u64 = 4 << 20;

/// Maximum number of notes in a file.
const MAX_NOTES: usize = 10_000;

/// A file of records cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordsError {
    #[error("line {number}: {problem}")]
    Line { number: u64, problem: LineProblem },
    #[error("the file contains no record")]
    Empty,
}

/// The reason why a line cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineProblem {
    #[error("cannot read: {0}")]
    Read(io::Error),
    #[error("it is longer than {MAX_LINE_BYTES} bytes, the maximum length of a record")]
    TooLong,
    #[error("there are more than {MAX_NOTES} notes; remove some")]
    TooManyNotes,
    #[error(transparent)]
    Syntax(LineError),
    /// The error of the function that handles the entries.
    #[error(transparent)]
    Write(io::Error),
}

/// The contents of a file of records.
pub(crate) struct Records {
    /// The analysis over time.
    pub(crate) summarized: Summarized,
    /// Width and height of the last frame in pixels.
    pub(crate) size_px: (u32, u32),
    /// Notes, by time.
    pub(crate) notes: Vec<TimedNote>,
    /// Time of day at time 0, if the records contain it.
    pub(crate) began: Option<String>,
    /// A sentence about what is missing, if the file is cut short.
    pub(crate) damage: Option<String>,
}

/// Reads JSON lines to the end.
///
/// # Errors
/// Like [`for_each`].
pub(crate) fn read(lines: impl BufRead) -> Result<Records, RecordsError> {
    let mut builder = SummaryBuilder::default();
    let (mut size_px, mut began) = ((0, 0), None);
    let mut notes = Vec::new();
    let damage = for_each(lines, |entry| {
        match entry {
            Entry::Record(record) => {
                size_px = (record.width, record.height);
                began = began.or_else(|| time_of_start(&record));
                builder.add(&record);
            }
            Entry::Note(note) => notes.push(note),
        }
        Ok(())
    })?;
    notes.sort_by_key(|note| note.time_ns);
    Ok(Records {
        summarized: builder.finish(&TimelineParams::default()),
        size_px,
        notes,
        began: began.map(text::time_of_day),
        damage,
    })
}

/// The contents of a line.
pub(crate) enum Entry {
    Record(Record),
    Note(TimedNote),
}

/// Calls `handle` with the contents of each line. A last line that is cut short is damage, not an
/// error: it is the end of a file whose pipeline was killed. Returns a sentence about the damage.
///
/// # Errors
/// Returns an error if `handle` fails, a line is neither a record nor a note, or there is no
/// record.
pub(crate) fn for_each(
    mut lines: impl BufRead,
    mut handle: impl FnMut(Entry) -> io::Result<()>,
) -> Result<Option<String>, RecordsError> {
    let (mut shift_ns, mut has_record, mut notes) = (0, false, 0);
    let mut line = Vec::new();
    for number in 1_u64.. {
        let error = |problem| RecordsError::Line { number, problem };
        line.clear();
        let mut limited = lines.by_ref().take(MAX_LINE_BYTES + 1);
        let read = limited.read_until(b'\n', &mut line);
        if read.map_err(|cause| error(LineProblem::Read(cause)))? == 0 {
            break;
        }
        if line.len() as u64 > MAX_LINE_BYTES {
            return Err(error(LineProblem::TooLong));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let entry = match jsonl::read_line(&line) {
            Ok(Line::Record(record)) => {
                has_record = true;
                shift_ns = shift(&record).unwrap_or(shift_ns);
                Entry::Record(record)
            }
            Ok(Line::Note(_)) if notes == MAX_NOTES => {
                return Err(error(LineProblem::TooManyNotes));
            }
            Ok(Line::Note(note)) => {
                notes += 1;
                Entry::Note(TimedNote::new(&note, shift_ns))
            }
            Err(LineError::CutShort(_)) if !line.ends_with(b"\n") && has_record => {
                return Ok(Some(format!(
                    "the records end in the middle of line {number}, as if the program that wrote them had been killed"
                )));
            }
            Err(cause) => return Err(error(LineProblem::Syntax(cause))),
        };
        handle(entry).map_err(|cause| error(LineProblem::Write(cause)))?;
    }
    match has_record {
        true => Ok(None),
        false => Err(RecordsError::Empty),
    }
}

/// Returns the difference between the time of a record and its running time.
fn shift(record: &Record) -> Option<i128> {
    let running_time_ns = record.running_time_ns?;
    Some(i128::from(record.time_ns()?) - i128::from(running_time_ns))
}

/// Returns the time of day at the record's time 0.
fn time_of_start(record: &Record) -> Option<SystemTime> {
    let shown = humantime::parse_rfc3339(record.utc.as_deref()?).ok()?;
    let began = shown.checked_sub(Duration::from_nanos(record.time_ns()?))?;
    (began >= SystemTime::UNIX_EPOCH).then_some(began)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn record(time_ns: u64, utc: Option<&str>) -> String {
        let record = Record {
            schema: 1,
            stream_time_ns: Some(time_ns),
            running_time_ns: Some(time_ns.saturating_add(2 * S)),
            utc: utc.map(str::to_owned),
            ..Record::default()
        };
        let mut line = Vec::new();
        jsonl::write_line(&record, &mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    fn note(text: &str, running_time_ns: u64) -> String {
        serde_json::json!({"note": text, "running_time_ns": running_time_ns}).to_string() + "\n"
    }

    #[test]
    fn notes_are_placed_among_the_samples_and_sorted() {
        let lines = [
            record(S, None),
            note("late", 9 * S),
            note("early", 5 * S),
            record(4 * S, Some("2026-11-25T16:30:47.500Z")),
        ];
        let records = read(lines.concat().as_bytes()).unwrap();
        let notes: Vec<_> = records
            .notes
            .iter()
            .map(|n| (n.time_ns, &*n.text))
            .collect();
        assert_eq!(notes, [(3 * S, "early"), (7 * S, "late")]);
        assert_eq!(records.began.as_deref(), Some("2026-11-25 16:30:43 UTC"));
        assert_eq!(records.summarized.summary.samples, 2);
    }

    #[test]
    fn an_impossible_time_of_day_is_ignored() {
        for utc in ["yesterday", "1970-01-01T00:00:00Z", "99999-01-01T00:00:00Z"] {
            let records = read(record(u64::MAX, Some(utc)).as_bytes()).unwrap();
            assert_eq!(records.began, None, "{utc}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        let first = record(S, None);
        for (rest, expected) in [
            ("\n{}\n".to_owned(), "line 3: the line is not a record"),
            (
                note("", S),
                "line 2: the line is not a note of a live session: it is empty",
            ),
            (note(&"x".repeat(1001), S), "it has 1001 characters"),
            (
                note("x", S).repeat(10_001),
                "line 10002: there are more than 10000 notes",
            ),
            (
                "{".repeat(5 << 20),
                "line 2: it is longer than 4194304 bytes",
            ),
        ] {
            let problem = read((first.clone() + &rest).as_bytes())
                .err()
                .unwrap()
                .to_string();
            assert!(problem.contains(expected), "{problem}");
        }
        let alone = note("x", S);
        assert!(
            read(alone.as_bytes())
                .err()
                .unwrap()
                .to_string()
                .contains("contains no record")
        );
        let cut = read((first + r#"{"note":"#).as_bytes()).unwrap();
        assert!(cut.damage.unwrap().contains("middle of line 2"));
    }
}

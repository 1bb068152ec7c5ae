// SPDX-License-Identifier: MPL-2.0

//! Records as `attitudeexport` writes them, and sessions' notes between them, read back.

use std::io::{BufRead, Read};
use std::time::{Duration, SystemTime};

use attitude::record::Record;
use attitude::record::formats::jsonl::{self, Line, LineError};
use attitude::record::note::PlacedNote;
use attitude::record::summary::{Summarized, SummaryBuilder};
use attitude::timeline::Rules;

use super::text;

/// Most bytes of a line: some thousand faces.
const MAX_LINE_BYTES: u64 = 4 << 20;

/// Most notes in a file.
const MAX_NOTES: usize = 10_000;

/// What a file of records tells.
pub struct Records {
    /// What was seen.
    pub summarized: Summarized,
    /// Width and height of the last frame in pixels.
    pub size_px: (u32, u32),
    /// What was noted, by time.
    pub notes: Vec<PlacedNote>,
    /// The time of day at which its times begin; `None` where it does not tell.
    pub began: Option<String>,
    /// What is missing, in a sentence.
    pub damage: Option<String>,
}

/// Reads JSON lines to the end.
///
/// # Errors
/// As [`each`].
pub fn read(lines: impl BufRead) -> Result<Records, String> {
    let mut builder = SummaryBuilder::default();
    let (mut size_px, mut began) = ((0, 0), None);
    let mut notes = Vec::new();
    let damage = each(lines, |entry| {
        match entry {
            Entry::Record(record) => {
                size_px = (record.width, record.height);
                began = began.or_else(|| beginning(&record));
                builder.add(&record);
            }
            Entry::Note(note) => notes.push(note),
        }
        Ok(())
    })?;
    notes.sort_by_key(|note| note.time_ns);
    Ok(Records {
        summarized: builder.finish(&Rules::default()),
        size_px,
        notes,
        began: began.map(text::time_of_day),
        damage,
    })
}

/// A line, taken for what it is.
pub enum Entry {
    /// What was seen.
    Record(Record),
    /// What was noted.
    Note(PlacedNote),
}

/// Calls `take` with what is on each line of JSON lines. A last line that is cut short is damage and
/// not an error: so ends a file whose pipeline was killed. Returns the damage in a sentence.
///
/// # Errors
/// Where `take` has one, a line is neither a record nor a note, or there is no record.
pub fn each(
    mut lines: impl BufRead,
    mut take: impl FnMut(Entry) -> Result<(), String>,
) -> Result<Option<String>, String> {
    let (mut shift_ns, mut has_record, mut notes) = (0, false, 0);
    let mut line = Vec::new();
    for number in 1_u64.. {
        let told = |problem: String| format!("line {number}: {problem}");
        line.clear();
        let mut limited = lines.by_ref().take(MAX_LINE_BYTES + 1);
        let read = limited.read_until(b'\n', &mut line);
        if read.map_err(|error| told(error.to_string()))? == 0 {
            break;
        }
        if line.len() as u64 > MAX_LINE_BYTES {
            let problem = format!("it has more than {MAX_LINE_BYTES} bytes, and no record has");
            return Err(told(problem));
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
                let problem = format!("there are more than {MAX_NOTES} notes; leave some out");
                return Err(told(problem));
            }
            Ok(Line::Note(note)) => {
                notes += 1;
                Entry::Note(PlacedNote::new(&note, shift_ns))
            }
            Err(LineError::CutShort(_)) if !line.ends_with(b"\n") && has_record => {
                return Ok(Some(format!(
                    "its records end in the middle of line {number}, as if what wrote them had been stopped"
                )));
            }
            Err(error) => return Err(told(error.to_string())),
        };
        take(entry).map_err(told)?;
    }
    match has_record {
        true => Ok(None),
        false => Err("there is no record in it".to_owned()),
    }
}

/// How much later the time by which a record is placed is than its running time.
fn shift(record: &Record) -> Option<i128> {
    let running_time_ns = record.running_time_ns?;
    Some(i128::from(record.time_ns()?) - i128::from(running_time_ns))
}

/// The time of day at the record's time 0.
fn beginning(record: &Record) -> Option<SystemTime> {
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
        let told: Vec<_> = records
            .notes
            .iter()
            .map(|n| (n.time_ns, &*n.text))
            .collect();
        assert_eq!(told, [(3 * S, "early"), (7 * S, "late")]);
        assert_eq!(records.began.as_deref(), Some("2026-11-25 16:30:43 UTC"));
        assert_eq!(records.summarized.summary.samples, 2);
    }

    #[test]
    fn a_time_of_day_that_cannot_be_is_none() {
        for utc in ["yesterday", "1970-01-01T00:00:00Z", "99999-01-01T00:00:00Z"] {
            let records = read(record(u64::MAX, Some(utc)).as_bytes()).unwrap();
            assert_eq!(records.began, None, "{utc}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
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
                "line 2: it has more than 4194304 bytes",
            ),
        ] {
            let problem = read((first.clone() + &rest).as_bytes()).err().unwrap();
            assert!(problem.contains(expected), "{problem}");
        }
        let alone = note("x", S);
        assert!(
            read(alone.as_bytes())
                .err()
                .unwrap()
                .contains("no record in it")
        );
        let cut = read((first + r#"{"note":"#).as_bytes()).unwrap();
        assert!(cut.damage.unwrap().contains("middle of line 2"));
    }
}

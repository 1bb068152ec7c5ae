// SPDX-License-Identifier: MPL-2.0

//! The recordings of a study as CSV: one row per recording, or per event of a recording.

use std::collections::HashMap;
use std::path::Path;

use super::{DesignMistake, StudyEvent, StudyRecording, checked_event, checked_name};
use crate::data_file::{DataError, Row, Table};

/// Name of events in tables without names of events.
const EVENT: &str = "event";

/// Parses the text of the file at `path`.
///
/// # Errors
/// Returns the first mistake.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<StudyRecording>, DataError> {
    let table = Table::parse(path, text)?;
    table.require(&["participant", "recording", "condition"])?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut recordings: Vec<StudyRecording> = Vec::new();
    let mut index_of: HashMap<String, usize> = HashMap::new();
    for row in table.rows() {
        let (recording, condition, event) = parsed(&row, folder)?;
        let index = *index_of.entry(recording.file.clone()).or_insert_with(|| {
            recordings.push(recording.clone());
            recordings.len() - 1
        });
        let known = &mut recordings[index];
        let contradiction = [
            (known.participant != recording.participant, "participant"),
            (known.person != recording.person, "person"),
            (known.from_ns != recording.from_ns, "from"),
            (known.to_ns != recording.to_ns, "to"),
        ]
        .into_iter()
        .find(|(is_other, _)| *is_other);
        if let Some((_, what)) = contradiction {
            return Err(row.error(DesignMistake::Contradiction(recording.file, what)));
        }
        // A recording whose events have different conditions has none itself.
        known.condition = known.condition.take().filter(|known| *known == condition);
        known.events.extend(event);
    }
    Ok(recordings)
}

/// Returns the recording of a row without events, the condition, and the event.
fn parsed(
    row: &Row,
    folder: &Path,
) -> Result<(StudyRecording, String, Option<StudyEvent>), DataError> {
    let name = |column| {
        let name = checked_name(row.require(column)?, column);
        name.map_err(|mistake| row.error(mistake))
    };
    let time = |column| row.time_ns(column);
    let (file, condition) = (name("recording")?, name("condition")?);
    let event = match (time("start")?, row.get("event")) {
        (Some(start_ns), event) => Some(StudyEvent {
            name: checked_event(event.unwrap_or(EVENT)).map_err(|mistake| row.error(mistake))?,
            start_ns,
            condition: condition.clone(),
        }),
        (None, Some(_)) => return Err(row.error(DesignMistake::Empty("start"))),
        (None, None) => None,
    };
    let recording = StudyRecording {
        path: folder.join(&file),
        file,
        participant: name("participant")?,
        condition: Some(condition.clone()),
        person: row.number("person")?,
        from_ns: time("from")?.unwrap_or(0),
        to_ns: time("to")?,
        excluded: Vec::new(),
        events: Vec::new(),
    };
    if recording
        .to_ns
        .is_some_and(|to_ns| to_ns <= recording.from_ns)
    {
        return Err(row.error(DesignMistake::EmptyRecording));
    }
    Ok((recording, condition, event))
}

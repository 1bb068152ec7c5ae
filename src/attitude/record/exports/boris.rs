// SPDX-License-Identifier: MPL-2.0

//! The project file of BORIS (format 7.0, JSON): one observation, whose subjects are the scene and the
//! persons, and whose behaviors are the attitudes. A segment is a pair of events, its start and its
//! stop, with which BORIS codes states.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{AnalyzedRecording, Export};
use crate::Label;
use crate::clock::NS_PER_S;
use crate::record::formats::RecordingFile;

/// The export; see the [module](self).
pub static EXPORT: Export = Export {
    file: RecordingFile {
        name: "attitude.boris",
        media_type: "application/json",
        is_default: false,
    },
    description: "BORIS project: one observation with the segments of the scene and of each person",
    write,
    companions: &[],
};

/// Version of the project format.
const VERSION: &str = "7.0";

/// The only player, which shows the recording.
const PLAYER: &str = "1";

/// Index of the frame of an event, which is not stated.
const NO_FRAME: &str = "NA";

fn write(recording: &AnalyzedRecording, output: &mut (dyn Write + Send)) -> io::Result<()> {
    let date = super::date(recording.modified);
    let date = date.trim_end_matches('Z');
    let media = recording.relative_path.unwrap_or(recording.uri);
    let duration_s = recording.end_ns() as f64 / NS_PER_S as f64;
    let subjects = recording.tiers().map(|tier| {
        json!({"key": "", "name": tier.name, "description": tier.participant.unwrap_or_default()})
    });
    let behaviors = Label::ALL.into_iter().map(behavior);
    let project = json!({
        "time_format": "hh:mm:ss",
        "project_date": date,
        "project_name": recording.name,
        "project_description": "Attitudes by gst-attitude",
        "project_format_version": VERSION,
        "subjects_conf": numbered(subjects),
        "behaviors_conf": numbered(behaviors),
        "behavioral_categories": [],
        "behavioral_categories_config": {},
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
        "observations": {
            recording.name.trim(): {
                "type": "MEDIA",
                "date": date,
                "description": "",
                "time offset": 0.0,
                "independent_variables": {},
                "observation time interval": [0, 0],
                "visualize_spectrogram": false,
                "visualize_waveform": false,
                "media_creation_date_as_offset": false,
                "media_scan_sampling_duration": 0,
                "image_display_duration": 1,
                "close_behaviors_between_videos": false,
                "file": {PLAYER: [media]},
                "media_info": {
                    "length": {media: duration_s},
                    "fps": {media: recording.frames_per_second.unwrap_or(0.0)},
                    "hasVideo": {media: true},
                    // BORIS reports media without sound when it shows the sound.
                    "hasAudio": {media: true},
                    "offset": {PLAYER: 0.0},
                },
                "events": events(recording),
            },
        },
    });
    serde_json::to_writer_pretty(&mut *output, &project)?;
    writeln!(output)
}

/// Returns an object whose keys are the indices of `values`.
fn numbered(values: impl Iterator<Item = Value>) -> Value {
    let numbered = values.enumerate();
    let entries = numbered.map(|(index, value)| (index.to_string(), value));
    Value::Object(entries.collect())
}

/// Returns the behavior of an attitude, which excludes those of the others.
fn behavior(label: Label) -> Value {
    let others = Label::ALL.into_iter().filter(|other| *other != label);
    let others: Vec<&str> = others.map(Label::name).collect();
    let key = match label {
        Label::POSITIVE => "p",
        Label::NEUTRAL => "n",
        Label::NEGATIVE => "g",
        Label::Unknown => "u",
    };
    json!({
        "type": "State event",
        "key": key,
        "code": label.name(),
        "description": "",
        "color": "",
        "category": "",
        "modifiers": {},
        "excluded": others.join(","),
        "coding map": "",
    })
}

/// Returns the starts and stops of all segments, sorted by time.
fn events(recording: &AnalyzedRecording) -> Vec<Value> {
    let mut events: Vec<(u64, String, Label)> = Vec::new();
    for tier in recording.tiers() {
        for segment in tier.segments {
            let span = segment.span;
            let times_ns = [span.start_ns, span.end_ns];
            events.extend(times_ns.map(|ns| (ns, tier.name.clone(), segment.attitude)));
        }
    }
    // A stable sort: of adjacent segments, the stop of the first comes before the start of the second.
    events.sort_by_key(|(time_ns, ..)| *time_ns);
    let event = |(time_ns, subject, label): (u64, String, Label)| {
        // BORIS has milliseconds.
        let time_s = (time_ns as f64 / NS_PER_S as f64 * 1e3).round() / 1e3;
        json!([time_s, subject, label.name(), "", "", NO_FRAME])
    };
    events.into_iter().map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::exports::tests::exported;

    #[test]
    fn a_segment_is_a_start_and_a_stop() {
        let project: Value = serde_json::from_str(&exported(&EXPORT)).unwrap();
        let observation = &project["observations"]["=a & \"b\""];
        let person = |time_s: f64, label: &str| json!([time_s, "Person 1", label, "", "", "NA"]);
        let expected = [
            person(0.5, "positive"),
            person(1.5, "positive"),
            person(1.5, "negative"),
            person(2.0, "negative"),
            person(3.0, "neutral"),
            person(3.5, "neutral"),
        ];
        assert_eq!(observation["events"], json!(expected));
        let media = "../../a & \"b\".mp4";
        assert_eq!(observation["file"]["1"], json!([media]));
        assert_eq!(observation["media_info"]["length"][media], 4.0);
        // BORIS 10 calls a project without it changed.
        assert_eq!(project["behavioral_categories_config"], json!({}));
        let subjects = &project["subjects_conf"];
        assert_eq!(subjects["0"]["name"], "Scene");
        assert_eq!(subjects["1"]["description"], "=P");
        let negative = &project["behaviors_conf"]["2"];
        assert_eq!(negative["excluded"], "positive,neutral,unknown");
    }
}

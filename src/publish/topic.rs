// SPDX-License-Identifier: MPL-2.0

//! Topics with placeholders.

use attitude::record::{FaceRecord, Record};

use crate::error::TopicError;

/// A topic whose placeholders are replaced by values of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Stream,
    Source,
    Track,
}

impl Topic {
    /// Parses a topic such as `faces/{source}/{track}`.
    pub(crate) fn parse(text: &str) -> Result<Self, TopicError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| TopicError::Brace(text.to_owned()))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name {
                "stream" => Part::Stream,
                "source" => Part::Source,
                "track" => Part::Track,
                _ => return Err(TopicError::Placeholder(name.to_owned())),
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self { parts })
    }

    /// Returns `true` if every face has a topic of its own.
    pub(crate) fn has_track(&self) -> bool {
        self.parts.contains(&Part::Track)
    }

    /// Returns `true` if the topic depends on the source.
    pub(crate) fn has_source(&self) -> bool {
        self.parts.contains(&Part::Source)
    }

    /// Returns the texts between the placeholders.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns the topic of a record, or of one of its faces.
    pub(crate) fn of(&self, record: &Record, face: Option<&FaceRecord>) -> String {
        let mut topic = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => topic.push_str(text),
                Part::Stream => push_name(&mut topic, &record.stream),
                Part::Source => {
                    push_name(&mut topic, record.source.as_deref().unwrap_or_default());
                }
                Part::Track => {
                    let track = face.map_or(0, |face| face.track);
                    topic.push_str(&track.to_string());
                }
            }
        }
        topic
    }
}

/// Appends a name. Characters that separate levels or are wildcards in some protocol become `-`, so
/// that a name is one level everywhere.
fn push_name(topic: &mut String, name: &str) {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let name = name.chars().map(|c| if is_allowed(c) { c } else { '-' });
    topic.extend(name.take(MAX_NAME_CHARS));
}

/// Maximum length of a name in a topic; MQTT allows 65535 bytes for a topic.
const MAX_NAME_CHARS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            stream: "a/b.c#+ *>ü_-".to_owned(),
            source: Some("hall".to_owned()),
            ..Record::default()
        }
    }

    #[test]
    fn placeholders_are_replaced() {
        let topic = |text| Topic::parse(text).unwrap();
        assert_eq!(topic("plain/topic").of(&record(), None), "plain/topic");
        let face = FaceRecord {
            track: 7,
            ..FaceRecord::default()
        };
        let faces = topic("faces/{source}/{track}");
        assert!(faces.has_track() && faces.has_source());
        assert_eq!(faces.of(&record(), Some(&face)), "faces/hall/7");
    }

    #[test]
    fn names_are_one_level_in_all_protocols() {
        let topic = Topic::parse("x.{stream}.y").unwrap();
        assert!(!topic.has_track());
        assert_eq!(topic.of(&record(), None), "x.a-b-c-----ü_-.y");
    }

    #[test]
    fn wrong_placeholders_are_refused() {
        assert_eq!(
            Topic::parse("a/{room}"),
            Err(TopicError::Placeholder("room".to_owned()))
        );
        assert!(matches!(
            Topic::parse("a/{stream"),
            Err(TopicError::Brace(_))
        ));
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Tags of records: names and values that identify where a video comes from, written as
//! `room=42,participant=alice`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Tags, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(pub BTreeMap<String, String>);

impl Tags {
    /// Returns `true` if there are no tags.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text is not a list of tags.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TagsError {
    /// An item has no name or no value.
    #[error(
        "invalid tag '{0}'; expected name=value pairs, separated by commas, such as room=42,participant=alice"
    )]
    NotAPair(String),
    /// A name occurs twice.
    #[error("the tag '{0}' occurs twice")]
    Twice(String),
}

impl FromStr for Tags {
    type Err = TagsError;

    /// Parses `room=42,participant=alice`. Spaces around names and values are ignored; a value may
    /// contain `=`.
    fn from_str(text: &str) -> Result<Self, TagsError> {
        let mut tags = BTreeMap::new();
        for item in text.split(',').filter(|_| !text.trim().is_empty()) {
            let pair = item.split_once('=');
            let pair = pair.map(|(name, value)| (name.trim(), value.trim()));
            let pair = pair.filter(|(name, _)| !name.is_empty());
            let (name, value) = pair.ok_or_else(|| TagsError::NotAPair(item.to_owned()))?;
            if tags.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(TagsError::Twice(name.to_owned()));
            }
        }
        Ok(Self(tags))
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let separator = if index > 0 { "," } else { "" };
            write!(formatter, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_parsed_and_formatted() {
        let tags: Tags = "room=42, participant=alice,query=a=b,empty="
            .parse()
            .unwrap();
        assert_eq!(tags.0["participant"], "alice");
        assert_eq!(
            tags.to_string(),
            "empty=,participant=alice,query=a=b,room=42"
        );
        assert_eq!(tags.to_string().parse(), Ok(tags));
        assert!("".parse::<Tags>().unwrap().is_empty());
    }

    #[test]
    fn errors_name_the_tag() {
        for (text, expected) in [
            ("room", "'room'"),
            ("a=1,,b=2", "''"),
            ("=42", "'=42'"),
            ("a=1,a=2", "'a' occurs twice"),
        ] {
            let error = text.parse::<Tags>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}

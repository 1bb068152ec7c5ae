// SPDX-License-Identifier: MPL-2.0

//! Mapping of emotions to attitudes.

use std::fmt;
use std::str::FromStr;

use crate::Attitude;

/// Names of emotions in data sets and models, with the attitude to which each belongs by default.
const WELL_KNOWN: [(Attitude, &[&str]); 3] = [
    (Attitude::Positive, &["happiness", "happy", "joy"]),
    (Attitude::Neutral, &["neutral", "calm"]),
    (
        Attitude::Negative,
        &[
            "anger",
            "angry",
            "disgust",
            "disgusted",
            "fear",
            "fearful",
            "afraid",
            "sadness",
            "sad",
            "surprise",
            "surprised",
            "contempt",
        ],
    ),
];

/// Returns the attitude with the name `label`, or the attitude to which the emotion with this name
/// belongs by default, or `None` if there is neither. Case is ignored.
pub fn well_known(label: &str) -> Option<Attitude> {
    let label = label.trim().to_lowercase();
    let emotion = || {
        let mut listed = WELL_KNOWN.iter();
        listed.find(|(_, names)| names.contains(&label.as_str()))
    };
    Attitude::from_name(&label).or_else(|| Some(emotion()?.0))
}

/// A user-defined mapping of emotions to attitudes. A label that is listed belongs to the attitude
/// for which it is listed; any other label belongs to the attitude with this name or, if there is
/// none, to [`Attitude::Negative`]. Case is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mapping {
    /// In lower case.
    listed: Vec<(String, Attitude)>,
}

impl Mapping {
    /// Returns the listed emotions, in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().map(|(name, _)| name.as_str())
    }

    /// Returns `true` if `label` is listed.
    pub fn lists(&self, label: &str) -> bool {
        let label = label.trim().to_lowercase();
        self.names().any(|name| name == label)
    }

    /// Returns a mapping of the emotions in `labels`, each to the attitude that it belongs to in
    /// this mapping.
    pub fn for_labels<'a>(&self, labels: impl IntoIterator<Item = &'a str>) -> Self {
        let labels = labels.into_iter();
        labels
            .map(|label| (label, self.attitude_of(label)))
            .collect()
    }

    /// Returns the attitude to which `label` belongs.
    pub fn attitude_of(&self, label: &str) -> Attitude {
        let label = label.trim().to_lowercase();
        let listed = self.listed.iter().find(|(name, _)| *name == label);
        listed
            .map(|(_, attitude)| *attitude)
            .or_else(|| Attitude::from_name(&label))
            .unwrap_or(Attitude::Negative)
    }
}

impl<'a> FromIterator<(&'a str, Attitude)> for Mapping {
    /// Creates a mapping of these emotions.
    fn from_iter<I: IntoIterator<Item = (&'a str, Attitude)>>(listed: I) -> Self {
        let listed = listed.into_iter();
        Self {
            listed: listed
                .map(|(label, attitude)| (label.trim().to_lowercase(), attitude))
                .collect(),
        }
    }
}

impl fmt::Display for Mapping {
    /// Formats the mapping in the syntax that [`from_str`](FromStr::from_str) parses.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut separator = "";
        for (name, attitude) in &self.listed {
            write!(f, "{separator}{}={name}", attitude.name())?;
            separator = "; ";
        }
        Ok(())
    }
}

/// A mapping has an invalid syntax.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a mapping is like 'positive=happiness,happy,joy; neutral=neutral,calm'")]
pub struct MappingError(String);

impl FromStr for Mapping {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        let mut listed: Vec<(String, Attitude)> = Vec::new();
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (attitude, names) = part
                .split_once('=')
                .ok_or_else(|| MappingError(format!("'{}' contains no '='", part.trim())))?;
            let attitude = attitude.trim().to_lowercase();
            let attitude = Attitude::from_name(&attitude).ok_or_else(|| {
                MappingError(format!(
                    "invalid attitude '{attitude}', expected positive, neutral or negative"
                ))
            })?;
            for name in names.split(',').map(|name| name.trim().to_lowercase()) {
                if name.is_empty() {
                    return Err(MappingError(format!(
                        "an emotion of '{}' has no name",
                        attitude.name()
                    )));
                }
                if listed.iter().any(|(other, _)| *other == name) {
                    return Err(MappingError(format!("'{name}' is listed twice")));
                }
                listed.push((name, attitude));
            }
        }
        if listed.is_empty() {
            return Err(MappingError("the mapping lists no emotion".to_owned()));
        }
        Ok(Self { listed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Attitude::*;

    #[test]
    fn labels_that_are_not_listed_are_negative_except_for_names_of_attitudes() {
        let mapping: Mapping = "positive = Joy, surprise; neutral=calm;".parse().unwrap();
        let attitudes = ["JOY", "surprise", "calm", "neutral", "positive", "bored"]
            .map(|label| mapping.attitude_of(label));
        assert_eq!(
            attitudes,
            [Positive, Positive, Neutral, Neutral, Positive, Negative]
        );
        assert!(mapping.lists("JOY") && !mapping.lists("neutral"));
        assert_eq!(
            mapping.names().collect::<Vec<_>>(),
            ["joy", "surprise", "calm"]
        );
        assert_eq!(mapping.to_string().parse(), Ok(mapping));
        let mapping: Mapping = "negative=neutral".parse().unwrap();
        assert_eq!(mapping.attitude_of("neutral"), Negative);
    }

    #[test]
    fn a_mapping_for_the_labels_of_a_model_lists_all_of_them_and_no_others() {
        let mapping: Mapping = "positive=joy,happy".parse().unwrap();
        let expected = "positive=joy; neutral=neutral; negative=fear".parse();
        assert_eq!(Ok(mapping.for_labels(["Joy", "neutral", "fear"])), expected);
    }

    #[test]
    fn well_known_names_do_not_need_a_mapping() {
        let attitudes = ["Happy", "calm", "Surprised", "negative", "bored"].map(well_known);
        assert_eq!(
            attitudes,
            [
                Some(Positive),
                Some(Neutral),
                Some(Negative),
                Some(Negative),
                None
            ]
        );
    }

    #[test]
    fn errors_name_the_invalid_part() {
        for (text, problem) in [
            ("", "lists no emotion"),
            ("happy", "'happy' contains no '='"),
            ("good=happy", "invalid attitude 'good'"),
            ("positive=happy,", "has no name"),
            ("positive=happy;neutral=Happy", "'happy' is listed twice"),
        ] {
            let error = text.parse::<Mapping>().unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}

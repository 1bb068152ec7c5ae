// SPDX-License-Identifier: MPL-2.0

//! A model's description: a TOML document that says how to fill the model's input and decode its
//! output. `models/README.md` documents the format for users.

mod error;
mod sections;

use std::fmt;

use attitude::Attitude;
use attitude::crop::Framing;
use attitude::geometry::Point;
use attitude::mapping::{Mapping, well_known};
use serde::Deserialize;

use super::settings;
pub use error::DescriptionError;
use error::unknown_label;
pub(crate) use sections::{
    Activation, DetectorSection, FaceSection, HeadKind, InputSection, OutputSection,
};
use sections::{AttitudeSection, FramingSection};

/// Key of the description in a model's metadata.
pub(crate) const METADATA_KEY: &str = "gst-attitude";

/// The supported version of the format.
const SCHEMA: u32 = 1;

/// A model's description.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    schema: u32,
    /// Task of the model.
    pub(crate) task: Task,
    /// Name in metadata.
    pub(crate) name: String,
    /// Input of the model.
    pub(crate) input: InputSection,
    /// Decoding of the outputs of a face detector.
    pub(crate) detector: Option<DetectorSection>,
    output: Option<OutputSection>,
    attitude: Option<AttitudeSection>,
    emotions: Option<OutputSection>,
    /// The output with the probability that a crop shows a face.
    pub(crate) face: Option<FaceSection>,
    framing: Option<FramingSection>,
}

/// Task of a model.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Detects faces.
    FaceDetection,
    /// Scores attitudes, or emotions that are mapped to them.
    Attitude,
}

impl Task {
    /// Returns the name of the setting for models with this task.
    fn setting(self) -> &'static str {
        match self {
            Self::FaceDetection => settings::DETECTOR_MODEL.name,
            Self::Attitude => settings::ATTITUDE_MODEL.name,
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::FaceDetection => "a face detector",
            Self::Attitude => "an attitude classifier",
        })
    }
}

/// Treatment of names in a user's mapping that are not labels of the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnknownLabels {
    /// They are an error.
    Refuse,
    /// They have no effect.
    Ignore,
}

/// Checks the text of a description, a TOML document that errors call `document`, without a model.
/// Returns the task of the model.
///
/// # Errors
/// Returns an error if `text` is not a description of the supported version, or its mapping to
/// attitudes is invalid.
pub fn check_description(text: &str, document: &str) -> Result<Task, DescriptionError> {
    let description = Description::parse(text, document)?;
    if description.task == Task::Attitude {
        description.attitude_output(None, UnknownLabels::Refuse)?;
    }
    Ok(description.task)
}

impl Description {
    /// Parses a TOML document, which errors call `document`.
    ///
    /// # Errors
    /// Returns an error if `text` is not a description of the supported version.
    pub(crate) fn parse(text: &str, document: &str) -> Result<Self, DescriptionError> {
        let document = document.to_owned();
        let description: Self = match toml::from_str(text) {
            Ok(description) => description,
            Err(error) => {
                let before = error.span().and_then(|span| text.get(..span.start));
                return Err(DescriptionError::Malformed {
                    document,
                    line: before.map(|text| 1 + text.matches('\n').count()),
                    message: error.message().to_owned(),
                });
            }
        };
        match description.schema {
            SCHEMA => Ok(description),
            found => Err(DescriptionError::Schema { document, found }),
        }
    }

    /// Returns an error if the model has another task than `expected`.
    pub(crate) fn require_task(&self, expected: Task) -> Result<(), DescriptionError> {
        match self.task {
            task if task == expected => Ok(()),
            found => Err(DescriptionError::Task { found, expected }),
        }
    }

    /// Returns the output with probabilities of emotions: `[emotions]`, or `[output]` if its labels
    /// are mapped to attitudes; `None` if the model has no emotions.
    pub(crate) fn emotions(&self) -> Option<&OutputSection> {
        let is_mapped = |output: &&OutputSection| {
            self.attitude.is_some() || attitudes_by_name(&output.labels).is_none()
        };
        let mapped = self.output.as_ref().filter(is_mapped);
        self.emotions.as_ref().or(mapped)
    }

    /// Returns the mapping of emotions to attitudes that is used because the description has none:
    /// each label is a well-known emotion. `None` if the description maps its labels, or they are
    /// attitudes.
    pub(crate) fn assumed_mapping(&self) -> Option<Mapping> {
        let labels = &self.attitude_labels()?.labels;
        match self.attitude.is_some() || attitudes_by_name(labels).is_some() {
            true => None,
            false => {
                let attitudes = well_known_attitudes(labels)?;
                let names = labels.iter().map(String::as_str);
                Some(names.zip(attitudes).collect())
            }
        }
    }

    /// Returns the output whose labels are attitudes, or are mapped to them: `[output]`, or
    /// `[emotions]` if the model has no other; `None` if it has no labels.
    fn attitude_labels(&self) -> Option<&OutputSection> {
        let output = self.output.as_ref().or(self.emotions.as_ref());
        output.filter(|output| !output.labels.is_empty())
    }

    /// Returns the output whose scores are summed to attitudes, and the attitude of each of its
    /// labels.
    ///
    /// With a `mapping` this is the output of emotions, if the model has one; otherwise it is
    /// `[output]`, mapped by `[attitude]` or, without that section, by its names if all are
    /// attitudes or well-known emotions.
    ///
    /// # Errors
    /// Returns an error if the output has no labels, `[attitude]` lists a label that is repeated or
    /// unknown, or `mapping` lists an unknown one and these are refused.
    pub(crate) fn attitude_output(
        &self,
        mapping: Option<&Mapping>,
        unknown_labels: UnknownLabels,
    ) -> Result<(&OutputSection, Vec<Attitude>), DescriptionError> {
        let has_labels = |output: &&OutputSection| !output.labels.is_empty();
        let own = self.attitude_labels();
        // A mistake in the description is reported even if the mapping of the user replaces its
        // own.
        let own_attitudes = match (own, &self.attitude) {
            (Some(output), Some(section)) => Some(section.attitudes(&output.labels)?),
            _ => None,
        };
        if let Some(mapping) = mapping {
            let output = self.emotions().or(own).filter(has_labels);
            let output = output.ok_or(DescriptionError::NoLabels)?;
            if unknown_labels == UnknownLabels::Refuse {
                require_labels(mapping, &output.labels)?;
            }
            let attitudes = output.labels.iter().map(|label| mapping.attitude_of(label));
            return Ok((output, attitudes.collect()));
        }
        let output = own.ok_or(DescriptionError::NoLabels)?;
        let attitudes = match own_attitudes {
            Some(attitudes) => attitudes,
            None => attitudes_by_name(&output.labels)
                .or_else(|| well_known_attitudes(&output.labels))
                .ok_or_else(|| DescriptionError::Unmapped {
                    labels: output.labels.clone(),
                })?,
        };
        Ok((output, attitudes))
    }

    /// Returns the position of the face in a classifier's input. Without `[framing]`, the input is
    /// as high as the detector's box and has the same center.
    pub(crate) fn framing(&self) -> Framing {
        match &self.framing {
            Some(section) => section.framing(),
            None => Framing {
                box_height: 1.0,
                box_center: Point::default(),
                landmarks: None,
            },
        }
    }
}

/// Returns an error if `mapping` lists a name that is not one of `labels`. Case is ignored.
fn require_labels(mapping: &Mapping, labels: &[String]) -> Result<(), DescriptionError> {
    let is_label = |name: &str| {
        let mut labels = labels.iter();
        labels.any(|label| label.trim().to_lowercase() == name)
    };
    match mapping.names().find(|name| !is_label(name)) {
        Some(name) => Err(unknown_label("the mapping", name, labels)),
        None => Ok(()),
    }
}

/// Returns the attitudes that `labels` name; other labels are negative. `None` if an attitude is
/// missing.
fn attitudes_by_name(labels: &[String]) -> Option<Vec<Attitude>> {
    let has = |attitude: Attitude| labels.iter().any(|label| label == attitude.name());
    let attitude_of = |label: &String| Attitude::from_name(label).unwrap_or(Attitude::Negative);
    let has_all = Attitude::ALL.into_iter().all(has);
    has_all.then(|| labels.iter().map(attitude_of).collect())
}

/// Returns the attitudes to which `labels` belong by default; `None` if one of them is not a
/// well-known emotion, or none is positive or none is neutral.
fn well_known_attitudes(labels: &[String]) -> Option<Vec<Attitude>> {
    let attitudes: Vec<Attitude> = labels
        .iter()
        .map(|l| well_known(l))
        .collect::<Option<_>>()?;
    let has_both = [Attitude::Positive, Attitude::Neutral]
        .iter()
        .all(|attitude| attitudes.contains(attitude));
    has_both.then_some(attitudes)
}

#[cfg(test)]
mod tests {
    use attitude::preprocessing::Channels;

    use super::*;

    const EMOTIONS: &str = r#"
        schema = 1
        task = "attitude"
        name = "emotions"
        [input]
        color = "rgb"
        mean = [1.0, 2.0, 3.0]
        scale = 0.5
        [output]
        labels = ["anger", "Happiness", "neutral", "fear"]
        activation = "softmax"
        [attitude]
        positive = ["Happiness"]
        neutral = ["neutral"]
    "#;

    fn parse(text: &str) -> Result<Description, DescriptionError> {
        Description::parse(text, "emotions.toml")
    }

    /// Returns the attitudes of the labels in `description` by `mapping`, or the text of the error.
    fn map(
        description: &str,
        mapping: &str,
        unknown: UnknownLabels,
    ) -> Result<Vec<Attitude>, String> {
        let mapping = mapping.parse().unwrap();
        let description = parse(description).unwrap();
        let output = description.attitude_output(Some(&mapping), unknown);
        output
            .map(|(_, attitudes)| attitudes)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn labels_that_are_not_listed_count_as_negative() {
        use Attitude::*;
        let description = parse(EMOTIONS).unwrap();
        let (_, attitudes) = description
            .attitude_output(None, UnknownLabels::Refuse)
            .unwrap();
        assert_eq!(attitudes, [Negative, Positive, Neutral, Negative]);
        let format = description.input.tensor_format();
        assert_eq!(format.channels, Channels::Rgb);
        assert_eq!((format.mean, format.scale), ([1.0, 2.0, 3.0], [0.5; 3]));
    }

    #[test]
    fn the_users_mapping_replaces_the_descriptions_and_may_cover_some_labels() {
        use Attitude::*;
        let attitudes = map(EMOTIONS, "positive=happiness,FEAR", UnknownLabels::Refuse);
        assert_eq!(attitudes, Ok(vec![Negative, Positive, Neutral, Positive]));
    }

    #[test]
    fn a_name_in_the_users_mapping_that_is_no_label_is_refused_with_the_labels() {
        let misspelt = "positive=hapiness; neutral=neutral";
        let error = map(EMOTIONS, misspelt, UnknownLabels::Refuse).unwrap_err();
        assert_eq!(
            error,
            "the mapping lists 'hapiness', which is not a label of the model; its labels are anger, \
             Happiness, neutral, fear"
        );
        assert!(map(EMOTIONS, misspelt, UnknownLabels::Ignore).is_ok());
        let labels = r#"labels = ["positive", "neutral", "negative"]"#;
        let attitudes = EMOTIONS.replace(
            r#"labels = ["anger", "Happiness", "neutral", "fear"]"#,
            labels,
        );
        let attitudes = attitudes.split("[attitude]").next().unwrap();
        let error = map(attitudes, "positive=happiness", UnknownLabels::Refuse).unwrap_err();
        assert!(
            error.ends_with("its labels are positive, neutral, negative"),
            "{error}"
        );
    }

    #[test]
    fn a_mistake_in_the_descriptions_mapping_is_reported_with_a_users_mapping_too() {
        let misspelt = EMOTIONS.replace("positive = [\"Happiness\"]", "positive = [\"joy\"]");
        let error = map(&misspelt, "positive=happiness", UnknownLabels::Ignore).unwrap_err();
        assert!(
            error.contains("[attitude] in its description lists 'joy'"),
            "{error}"
        );
    }

    #[test]
    fn mistakes_are_named() {
        let problem = |text: &str| {
            let description = parse(text);
            let attitudes = description.and_then(|description| {
                let (_, attitudes) = description.attitude_output(None, UnknownLabels::Refuse)?;
                Ok(attitudes)
            });
            attitudes.unwrap_err().to_string()
        };
        let misspelt = EMOTIONS.replace("[\"Happiness\"]", "[\"hapiness\"]");
        assert_eq!(
            problem(&misspelt),
            "[attitude] in its description lists 'hapiness', which is not a label of the model; its \
             labels are anger, Happiness, neutral, fear"
        );
        let twice = EMOTIONS.replace("neutral = [\"neutral\"]", "neutral = [\"Happiness\"]");
        assert!(problem(&twice).contains("'Happiness' twice"));
        let other_schema = EMOTIONS.replace("schema = 1", "schema = 9");
        assert!(problem(&other_schema).contains("emotions.toml has schema 9, expected 1"));
        let not_toml = problem("schema = 1\nnot toml");
        assert!(
            not_toml.starts_with("emotions.toml is malformed in line 2: "),
            "{not_toml}"
        );
        let none = EMOTIONS.replace("[\"anger\", \"Happiness\", \"neutral\", \"fear\"]", "[]");
        assert!(problem(&none).contains("no labels"));
        let unmapped = EMOTIONS.split("[attitude]").next().unwrap();
        for label in ["bored", "negative"] {
            let unmapped = unmapped.replace("Happiness", label);
            let problem = problem(&unmapped);
            assert!(problem.contains("no section [attitude]"), "{problem}");
            assert!(
                problem.contains("add one, such as: [attitude] positive"),
                "{problem}"
            );
        }
    }

    #[test]
    fn emotions_without_a_mapping_belong_to_their_usual_attitudes() {
        use Attitude::*;
        let unmapped = EMOTIONS.split("[attitude]").next().unwrap();
        for text in [unmapped, &unmapped.replace("[output]", "[emotions]")] {
            let description = parse(text).unwrap();
            let output = description.attitude_output(None, UnknownLabels::Refuse);
            let (output, attitudes) = output.unwrap();
            assert_eq!(attitudes, [Negative, Positive, Neutral, Negative]);
            assert!(std::ptr::eq(output, description.emotions().unwrap()));
            let assumed = description
                .assumed_mapping()
                .map(|mapping| mapping.to_string());
            let expected = "negative=anger; positive=happiness; neutral=neutral; negative=fear";
            assert_eq!(assumed.as_deref(), Some(expected));
        }
        assert_eq!(parse(EMOTIONS).unwrap().assumed_mapping(), None);
    }

    #[test]
    fn a_model_of_another_task_is_refused_with_its_setting() {
        let error = parse(EMOTIONS).unwrap().require_task(Task::FaceDetection);
        assert_eq!(
            error.unwrap_err().to_string(),
            "it is an attitude classifier, expected a face detector; set it as attitude-model"
        );
    }
}

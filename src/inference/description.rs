// SPDX-License-Identifier: MPL-2.0

//! How a model is fed and read, as a TOML document. `models/README.md` documents the format for
//! users.

use serde::Deserialize;

use super::model::ModelError;
use attitude::Attitude;
use attitude::crop::Framing;
use attitude::geometry::Point;
use attitude::mapping;
use attitude::preprocessing::{Channels, PixelFormat, TensorLayout};

/// The newest version of the description that is understood.
const SCHEMA: u32 = 1;

/// A model's description, as its TOML document has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    schema: u32,
    /// Task of the model.
    pub task: Task,
    /// Name in metadata.
    pub name: String,
    /// Input of the model.
    pub input: Input,
    /// Decoding of the outputs of a face detector.
    pub detector: Option<DetectorSection>,
    /// Output of a classifier.
    pub output: Option<Output>,
    /// Mapping of a classifier's labels to attitudes.
    pub attitude: Option<Mapping>,
    /// Output of a classifier's emotions, if it is separate from the attitudes.
    pub emotions: Option<Output>,
    /// Position of the face in a classifier's input.
    pub framing: Option<FramingSection>,
}

/// Task of a model.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Finds faces.
    FaceDetection,
    /// Scores attitudes, or emotions that are mapped to them.
    Attitude,
}

/// Input of a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The tensor; may be left out where there is one.
    pub tensor: Option<String>,
    color: Color,
    #[serde(default)]
    layout: Layout,
    mean: Option<PerChannel>,
    scale: Option<PerChannel>,
    /// Width in pixels, if the tensor's own width is dynamic.
    pub width: Option<usize>,
    /// Height in pixels, if the tensor's own height is dynamic.
    pub height: Option<usize>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Color {
    Luma,
    Rgb,
    Bgr,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Layout {
    #[default]
    Nchw,
    Nhwc,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum PerChannel {
    All(f32),
    Each([f32; 3]),
}

impl PerChannel {
    fn to_array(self) -> [f32; 3] {
        match self {
            PerChannel::All(value) => [value; 3],
            PerChannel::Each(values) => values,
        }
    }
}

impl Input {
    /// Returns the conversion of pixels to numbers.
    pub fn pixel_format(&self) -> PixelFormat {
        PixelFormat {
            channels: match self.color {
                Color::Luma => Channels::Luma,
                Color::Rgb => Channels::Rgb,
                Color::Bgr => Channels::Bgr,
            },
            layout: match self.layout {
                Layout::Nchw => TensorLayout::Nchw,
                Layout::Nhwc => TensorLayout::Nhwc,
            },
            mean: self.mean.map_or([0.0; 3], PerChannel::to_array),
            scale: self.scale.map_or([1.0; 3], PerChannel::to_array),
        }
    }
}

/// Decoding of the outputs of a face detector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorSection {
    /// The kind of its head.
    pub head: HeadKind,
}

/// The kinds of heads that are known.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// `map_8`, `map_16`, `map_32`.
    CenterMaps,
    /// libfacedetection's YuNet.
    Yunet,
    /// Ultra-Light-Fast-Generic-Face-Detector.
    Ultraface,
}

/// Output of a classifier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The tensor; may be left out where there is one.
    pub tensor: Option<String>,
    /// Its labels, in the order of its scores.
    pub labels: Vec<String>,
    /// Function that turns it into probabilities.
    #[serde(default)]
    pub activation: Activation,
}

/// Function that turns a classifier's output into probabilities.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing: it is probabilities.
    #[default]
    None,
    /// A softmax: it is logits.
    Softmax,
}

/// Mapping of labels to attitudes. Labels that are not listed are negative.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    #[serde(default)]
    positive: Vec<String>,
    #[serde(default)]
    neutral: Vec<String>,
    #[serde(default)]
    negative: Vec<String>,
}

/// Position of the face in a classifier's input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FramingSection {
    box_height: f32,
    #[serde(default)]
    box_center: [f32; 2],
    landmarks: Option<[[f32; 2]; 5]>,
}

impl Description {
    /// Reads a TOML document.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let described: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(String::new(), |text| {
                format!(" in line {}", 1 + text.matches('\n').count())
            });
            ModelError::Description {
                problem: format!("its description is malformed{line}: {}", error.message()),
            }
        })?;
        if described.schema == SCHEMA {
            Ok(described)
        } else {
            Err(ModelError::Description {
                problem: format!(
                    "its description has schema {}, this version reads schema {SCHEMA}",
                    described.schema
                ),
            })
        }
    }

    /// The output that tells emotions: a section of its own, or the output that is mapped to
    /// attitudes.
    pub fn emotions(&self) -> Option<&Output> {
        let mapped = self.attitude.as_ref().and(self.output.as_ref());
        self.emotions.as_ref().or(mapped)
    }

    /// The output that is mapped to attitudes, and the attitude that each of its labels counts to:
    /// as described or, by `mapping`, the emotions, where the model tells some.
    ///
    /// # Errors
    /// If there are no labels, or the description's mapping names one that is not among them, or
    /// one twice.
    pub fn attitudes(
        &self,
        mapping: Option<&mapping::Mapping>,
    ) -> Result<(&Output, Vec<Attitude>), ModelError> {
        let described = self.output.as_ref();
        let output = match mapping {
            Some(_) => self.emotions().or(described),
            None => described,
        };
        let output = output
            .filter(|output| !output.labels.is_empty())
            .ok_or_else(|| ModelError::Description {
                problem: "its description names no labels under [output]".to_owned(),
            })?;
        let labels = &output.labels;
        let attitudes = match mapping {
            Some(mapping) => labels
                .iter()
                .map(|label| mapping.attitude_of(label))
                .collect(),
            None => self.own_mapping(labels)?,
        };
        Ok((output, attitudes))
    }

    fn own_mapping(&self, labels: &[String]) -> Result<Vec<Attitude>, ModelError> {
        let listed: Vec<(&str, Attitude)> = match &self.attitude {
            Some(mapping) => [&mapping.positive, &mapping.neutral, &mapping.negative]
                .into_iter()
                .zip(Attitude::ALL)
                .flat_map(|(names, attitude)| names.iter().map(move |n| (n.as_str(), attitude)))
                .collect(),
            None => Attitude::ALL.map(|a| (a.name(), a)).to_vec(),
        };
        for (index, (name, _)) in listed.iter().enumerate() {
            let problem = if !labels.iter().any(|label| label == name) {
                "which is not among its labels"
            } else if listed[..index].iter().any(|(other, _)| other == name) {
                "twice"
            } else {
                continue;
            };
            return Err(ModelError::Description {
                problem: format!(
                    "its mapping to attitudes names '{name}', {problem}: {}",
                    labels.join(", ")
                ),
            });
        }
        let attitude_of = |label: &String| {
            let found = listed.iter().find(|(name, _)| name == label);
            found.map_or(Attitude::Negative, |(_, attitude)| *attitude)
        };
        Ok(labels.iter().map(attitude_of).collect())
    }

    /// Returns the position of the face in a classifier's input: by default the detector's box, its height.
    pub fn framing(&self) -> Framing {
        let point = |[x, y]: [f32; 2]| Point::new(x, y);
        match &self.framing {
            Some(section) => Framing {
                box_height: section.box_height,
                box_center: point(section.box_center),
                landmarks: section.landmarks.map(|landmarks| landmarks.map(point)),
            },
            None => Framing {
                box_height: 1.0,
                box_center: Point::default(),
                landmarks: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
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
        labels = ["anger", "happiness", "neutral", "fear"]
        activation = "softmax"
        [attitude]
        positive = ["happiness"]
        neutral = ["neutral"]
    "#;

    #[test]
    fn labels_that_are_not_listed_count_as_negative() {
        use Attitude::*;
        let description = Description::parse(EMOTIONS).unwrap();
        let (_, mapping) = description.attitudes(None).unwrap();
        assert_eq!(mapping, [Negative, Positive, Neutral, Negative]);
        let format = description.input.pixel_format();
        assert_eq!(format.channels, Channels::Rgb);
        assert_eq!((format.mean, format.scale), ([1.0, 2.0, 3.0], [0.5; 3]));
    }

    #[test]
    fn mistakes_are_named() {
        let problem =
            |text: &str| match Description::parse(text).and_then(|d| Ok(d.attitudes(None)?.1)) {
                Ok(mapping) => panic!("accepted as {mapping:?}"),
                Err(error) => error.to_string(),
            };
        let misspelt = EMOTIONS.replace("[\"happiness\"]", "[\"hapiness\"]");
        assert!(problem(&misspelt).contains("'hapiness', which is not among its labels"));
        let twice = EMOTIONS.replace("neutral = [\"neutral\"]", "neutral = [\"happiness\"]");
        assert!(problem(&twice).contains("'happiness', twice"));
        assert!(problem(&EMOTIONS.replace("schema = 1", "schema = 9")).contains("schema 9"));
        assert!(problem("schema = 1\nnot toml").contains("malformed in line 2: "));
        let none = EMOTIONS.replace("[\"anger\", \"happiness\", \"neutral\", \"fear\"]", "[]");
        assert!(problem(&none).contains("no labels"));
        let unmapped = EMOTIONS.split("[attitude]").next().unwrap();
        assert!(problem(unmapped).contains("'positive', which is not among its labels"));
    }
}

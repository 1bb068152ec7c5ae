// SPDX-License-Identifier: MPL-2.0

//! The sections of a description, and what their values mean.

use attitude::Attitude;
use attitude::crop::Framing;
use attitude::geometry::Point;
use attitude::preprocessing::{Channels, TensorFormat, TensorLayout};
use serde::Deserialize;

use super::error::{DescriptionError, unknown_label};

/// The section `[input]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputSection {
    /// Name of the tensor; `None` if the model has only one input.
    pub(crate) tensor: Option<String>,
    color: Color,
    #[serde(default)]
    layout: Layout,
    mean: Option<PerChannel>,
    scale: Option<PerChannel>,
    /// Width in pixels, if the tensor's own width is dynamic.
    pub(crate) width: Option<usize>,
    /// Height in pixels, if the tensor's own height is dynamic.
    pub(crate) height: Option<usize>,
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

impl InputSection {
    /// Returns the conversion of pixels to the values of the tensor.
    pub(crate) fn tensor_format(&self) -> TensorFormat {
        TensorFormat {
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

/// The section `[detector]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectorSection {
    /// Layout of the outputs.
    pub(crate) head: HeadKind,
}

/// Layouts of a detector's outputs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HeadKind {
    /// `map_8`, `map_16`, `map_32`.
    CenterMaps,
    /// libfacedetection's YuNet.
    Yunet,
    /// Ultra-Light-Fast-Generic-Face-Detector.
    Ultraface,
}

/// The sections `[output]` and `[emotions]`: an output of a classifier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputSection {
    /// Name of the tensor; `None` if the model has only one output.
    pub(crate) tensor: Option<String>,
    /// Labels, in the order of the scores.
    pub(crate) labels: Vec<String>,
    /// Function that converts the scores to probabilities.
    #[serde(default)]
    pub(crate) activation: Activation,
}

/// The section `[face]`: the output with the probability that a crop shows an upright face.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaceSection {
    /// Name of the tensor.
    pub(crate) tensor: String,
}

/// Function that converts a classifier's output to probabilities.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Activation {
    /// None: the output is probabilities.
    #[default]
    None,
    /// Softmax: the output is logits.
    Softmax,
}

/// The section `[attitude]`: mapping of labels to attitudes. Labels that are not listed are
/// negative.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttitudeSection {
    #[serde(default)]
    positive: Vec<String>,
    #[serde(default)]
    neutral: Vec<String>,
    #[serde(default)]
    negative: Vec<String>,
}

impl AttitudeSection {
    /// Returns the listed labels with their attitudes.
    fn listed(&self) -> Vec<(&str, Attitude)> {
        [&self.positive, &self.neutral, &self.negative]
            .into_iter()
            .zip(Attitude::ALL)
            .flat_map(|(names, attitude)| names.iter().map(move |name| (name.as_str(), attitude)))
            .collect()
    }

    /// Returns the attitude of each of `labels`.
    ///
    /// # Errors
    /// Returns an error if a name is listed twice, or is not one of `labels`.
    pub(super) fn attitudes(&self, labels: &[String]) -> Result<Vec<Attitude>, DescriptionError> {
        let listed = self.listed();
        for (index, (name, _)) in listed.iter().enumerate() {
            if !labels.iter().any(|label| label == name) {
                return Err(unknown_label("[attitude] in its description", name, labels));
            }
            if listed[..index].iter().any(|(other, _)| other == name) {
                return Err(DescriptionError::RepeatedLabel((*name).to_owned()));
            }
        }
        let attitude_of = |label: &String| {
            let found = listed.iter().find(|(name, _)| name == label);
            found.map_or(Attitude::Negative, |(_, attitude)| *attitude)
        };
        Ok(labels.iter().map(attitude_of).collect())
    }
}

/// The section `[framing]`: position of the face in a classifier's input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FramingSection {
    box_height: f32,
    #[serde(default)]
    box_center: [f32; 2],
    landmarks: Option<[[f32; 2]; 5]>,
}

impl FramingSection {
    /// Returns the position of the face in the input.
    pub(super) fn framing(&self) -> Framing {
        let point = |[x, y]: [f32; 2]| Point::new(x, y);
        Framing {
            box_height: self.box_height,
            box_center: point(self.box_center),
            landmarks: self.landmarks.map(|landmarks| landmarks.map(point)),
        }
    }
}

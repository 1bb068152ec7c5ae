// SPDX-License-Identifier: MPL-2.0

//! Attitude classifiers on ONNX Runtime.

use ort::environment::Environment;

use super::description::{Activation, Description, Task};
use super::model::{ModelError, Source};
use super::session::{Network, Placement};
use crate::analysis::InferenceError;
use crate::analysis::attitude::{Attitude, AttitudeClassifier, ClassifierInput, Scores};
use crate::analysis::mapping::Mapping;
use crate::analysis::preprocessing::TensorLayout;

/// Longest side of a crop: a model must not ask for more memory than there is.
const MAX_SIDE: usize = 1024;

/// How far the scores of an attitude may be from adding up to 1: what half precision rounds.
const SUM_TOLERANCE: f32 = 0.02;

/// A classifier of attitudes, or of emotions that count to attitudes.
pub struct OnnxClassifier {
    network: Network,
    input: ClassifierInput,
    output: String,
    activation: Activation,
    /// For each score the attitude that it counts to.
    mapping: Vec<Attitude>,
    /// Whether the model takes one crop at a time.
    is_single: bool,
    name: String,
    probabilities: Vec<f32>,
}

impl OnnxClassifier {
    /// Loads the model and tries it on black crops. Its labels count to the attitudes by `mapping`,
    /// if there is one, else by its description.
    ///
    /// # Errors
    /// Where the model cannot be read or run, is none of attitudes or emotions, or answers in
    /// another shape than it declares.
    pub fn load(
        environment: &Environment,
        source: &Source,
        mapping: Option<&Mapping>,
        placement: Placement,
    ) -> Result<Self, ModelError> {
        let network = Network::load(environment, &source.read()?, placement)
            .map_err(|error| ModelError::NotLoaded(error.message().to_owned()))?;
        let description = Description::find(source, &network, Task::Attitude)?;
        let mapping = match mapping {
            Some(mapping) => description.mapping_by(mapping)?,
            None => description.mapping()?,
        };
        let section = description.output.as_ref();
        let section = section.ok_or_else(|| ModelError::Description {
            problem: "its description lacks the section [output]".to_owned(),
        })?;
        let output = network.output(section.tensor.as_deref())?;
        match output.shape[..] {
            [_, scores] if scores.is_none_or(|scores| scores == mapping.len()) => {}
            _ => {
                let labels = mapping.len();
                return Err(output.mismatch(&format!("(n, {labels}), a score for each label,")));
            }
        }
        let (input, is_single) = input(&network, &description)?;
        let mut classifier = Self {
            input,
            output: output.name,
            activation: section.activation,
            mapping,
            is_single,
            name: description.name.clone(),
            probabilities: Vec::new(),
            network,
        };
        let batch = 2;
        let black = vec![0.0; batch * classifier.crop_len()];
        let mut scores = Vec::new();
        classifier.classify(&black, batch, &mut scores)?;
        match scores.iter().find(|scores| !are_probabilities(scores)) {
            None => Ok(classifier),
            Some(scores) => Err(ModelError::Description {
                problem: format!(
                    "it scores a black crop with {:?}, which are no probabilities that add up to 1; \
                     if its output is logits, its description must say activation = \"softmax\"",
                    scores.to_array()
                ),
            }),
        }
    }

    fn crop_len(&self) -> usize {
        let input = &self.input;
        input.pixel_format.len(input.width, input.height)
    }

    /// Runs the network on `batch` crops and appends their scores.
    fn run(
        &mut self,
        crops: &[f32],
        batch: usize,
        scores: &mut Vec<Scores>,
    ) -> Result<(), InferenceError> {
        let (width, height) = (self.input.width, self.input.height);
        let channels = self.input.pixel_format.channels.count();
        let shape = match self.input.pixel_format.layout {
            TensorLayout::Nchw => [batch, channels, height, width],
            TensorLayout::Nhwc => [batch, height, width, channels],
        };
        let labels = self.mapping.len();
        let outputs = self.network.run(shape, crops)?;
        for row in outputs
            .get(&self.output, &[batch, labels])?
            .chunks_exact(labels)
        {
            self.probabilities.clear();
            self.probabilities.extend_from_slice(row);
            if self.activation == Activation::Softmax {
                softmax(&mut self.probabilities);
            }
            let mut sums = [0.0; 3];
            for (&probability, &attitude) in self.probabilities.iter().zip(&self.mapping) {
                sums[attitude as usize] += probability;
            }
            // Rounding may carry a sum of probabilities a little over 1; more than that is wrong
            // and left for the caller to see.
            scores.push(Scores::from_array(sums.map(|sum| {
                if (1.0..1.001).contains(&sum) {
                    1.0
                } else {
                    sum
                }
            })));
        }
        Ok(())
    }
}

impl AttitudeClassifier for OnnxClassifier {
    fn input(&self) -> &ClassifierInput {
        &self.input
    }

    fn model_name(&self) -> &str {
        &self.name
    }

    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        scores: &mut Vec<Scores>,
    ) -> Result<(), InferenceError> {
        scores.clear();
        if self.is_single {
            for crop in crops.chunks_exact(self.crop_len()) {
                self.run(crop, 1, scores)?;
            }
            Ok(())
        } else {
            self.run(crops, batch, scores)
        }
    }
}

/// What the classifier's only input says about itself, and whether it takes one crop at a time.
fn input(
    network: &Network,
    description: &Description,
) -> Result<(ClassifierInput, bool), ModelError> {
    let tensor = network.input(description.input.tensor.as_deref())?;
    let pixel_format = description.input.pixel_format();
    let channels = pixel_format.channels.count();
    let (batch, found_channels, height, width) = match (pixel_format.layout, &tensor.shape[..]) {
        (TensorLayout::Nchw, &[n, c, h, w]) => (n, c, h, w),
        (TensorLayout::Nhwc, &[n, h, w, c]) => (n, c, h, w),
        _ => return Err(tensor.mismatch("four dimensions")),
    };
    if found_channels.is_some_and(|found| found != channels) {
        return Err(tensor.mismatch(&format!("{channels} channel(s), as described,")));
    }
    let is_single = match batch {
        None => false,
        Some(1) => true,
        Some(_) => return Err(tensor.mismatch("a batch of any size or of one")),
    };
    match (
        width.or(description.input.width),
        height.or(description.input.height),
    ) {
        (Some(width @ 1..=MAX_SIDE), Some(height @ 1..=MAX_SIDE)) => Ok((
            ClassifierInput {
                width,
                height,
                pixel_format,
                framing: description.framing(),
            },
            is_single,
        )),
        _ => Err(tensor.mismatch(&format!(
            "a width and height of 1 to {MAX_SIDE}, given by the tensor or under [input],"
        ))),
    }
}

fn are_probabilities(scores: &Scores) -> bool {
    let sum: f32 = scores.to_array().iter().sum();
    scores.is_valid() && (sum - 1.0).abs() <= SUM_TOLERANCE
}

/// Logits to probabilities, in place.
fn softmax(values: &mut [f32]) {
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in values.iter_mut() {
        *value = (*value - max).exp();
    }
    let sum: f32 = values.iter().sum();
    for value in values.iter_mut() {
        *value /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::softmax;

    #[test]
    fn softmax_of_large_logits_is_finite() {
        let mut values = [1000.0, 1000.0 + 3f32.ln(), -1000.0];
        softmax(&mut values);
        assert!((values[0] - 0.25).abs() < 1e-4 && (values[1] - 0.75).abs() < 1e-4);
        assert_eq!(values[2], 0.0);
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Attitude classifiers on ONNX Runtime.

use std::slice::ChunksExact;

use ort::environment::Environment;

use super::description::{Activation, Description, Output, Task};
use super::identification;
use super::model::{ModelError, Source};
use super::session::{Network, Outputs, Placement};
use attitude::classification::{
    AttitudeClassifier, Classification, ClassifierInput, Emotions, MAX_EMOTIONS,
};
use attitude::mapping::Mapping;
use attitude::preprocessing::TensorLayout;
use attitude::{Attitude, InferenceError, Scores};

/// Longest side of a crop: a model must not ask for more memory than there is.
const MAX_SIDE: usize = 1024;

/// Maximum difference of the sum of the scores from 1: the rounding error of float16.
const SUM_TOLERANCE: f32 = 0.02;

/// A classifier of attitudes, or of emotions that count to attitudes.
pub struct OnnxClassifier {
    network: Network,
    input: ClassifierInput,
    attitudes: Head,
    /// For each score the attitude that it counts to.
    mapping: Vec<Attitude>,
    emotions: EmotionSource,
    emotion_labels: Vec<String>,
    /// True if the model takes one crop at a time.
    is_single: bool,
    name: String,
    probabilities: Vec<f32>,
}

/// Source of the probabilities of emotions.
enum EmotionSource {
    /// There are none.
    None,
    /// They are what is mapped to attitudes.
    Mapped,
    /// An output of their own.
    Own(Head),
}

/// One output with a score for each label.
struct Head {
    tensor: String,
    labels: usize,
    activation: Activation,
}

impl Head {
    fn new(network: &Network, section: &Output) -> Result<Self, ModelError> {
        let labels = section.labels.len();
        if labels == 0 {
            return Err(ModelError::Description {
                problem: "its description names no labels of an output".to_owned(),
            });
        }
        let tensor = network.output(section.tensor.as_deref())?;
        match tensor.shape[..] {
            [_, scores] if scores.is_none_or(|scores| scores == labels) => Ok(Self {
                tensor: tensor.name,
                labels,
                activation: section.activation,
            }),
            _ => Err(tensor.mismatch(&format!("(n, {labels}), a score for each label,"))),
        }
    }

    /// A row of scores for each of `batch` crops.
    fn rows<'a>(
        &self,
        outputs: &'a Outputs,
        batch: usize,
    ) -> Result<ChunksExact<'a, f32>, InferenceError> {
        let scores = outputs.get(&self.tensor, &[batch, self.labels])?;
        Ok(scores.chunks_exact(self.labels))
    }

    /// Replaces the contents of `probabilities` by those of a row.
    fn read(&self, row: &[f32], probabilities: &mut Vec<f32>) {
        probabilities.clear();
        probabilities.extend_from_slice(row);
        if self.activation == Activation::Softmax {
            softmax(probabilities);
        }
    }
}

impl OnnxClassifier {
    /// Loads the model and tries it on black crops. Its emotions count to the attitudes by
    /// `mapping`, if there is one, else as its description says.
    ///
    /// # Errors
    /// If the model cannot be read or run, is none of attitudes or emotions, or answers in
    /// another shape than it declares.
    pub fn load(
        environment: &Environment,
        source: &Source,
        mapping: Option<&Mapping>,
        placement: Placement,
    ) -> Result<Self, ModelError> {
        let network = Network::load(environment, &source.read(placement.provider)?, placement)
            .map_err(|error| ModelError::NotLoaded(error.message().to_owned()))?;
        let description = identification::describe(source, &network, Task::Attitude)?;
        let (mapped, mapping) = description.attitudes(mapping)?;
        let attitudes = Head::new(&network, mapped)?;
        let emotions = match description.emotions() {
            Some(output) if std::ptr::eq(output, mapped) => EmotionSource::Mapped,
            Some(output) => EmotionSource::Own(Head::new(&network, output)?),
            None => EmotionSource::None,
        };
        let emotion_labels = description
            .emotions()
            .map_or(Vec::new(), |output| output.labels.clone());
        if emotion_labels.len() > MAX_EMOTIONS {
            let problem = format!(
                "its description names {} emotions where at most {MAX_EMOTIONS} are taken",
                emotion_labels.len()
            );
            return Err(ModelError::Description { problem });
        }
        let (input, is_single) = input(&network, &description)?;
        let mut classifier = Self {
            input,
            attitudes,
            mapping,
            emotions,
            emotion_labels,
            is_single,
            name: description.name.clone(),
            probabilities: Vec::new(),
            network,
        };
        let batch = 2;
        let black = vec![0.0; batch * classifier.crop_len()];
        let mut found = Vec::new();
        classifier.classify(&black, batch, &mut found)?;
        for Classification { scores, emotions } in &found {
            check_probabilities(&scores.to_array())?;
            if !classifier.emotion_labels.is_empty() {
                check_probabilities(emotions.as_slice())?;
            }
        }
        Ok(classifier)
    }

    fn crop_len(&self) -> usize {
        let input = &self.input;
        input.pixel_format.len(input.width, input.height)
    }

    /// Runs the network on `batch` crops and appends what it says of them.
    fn run(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        let (width, height) = (self.input.width, self.input.height);
        let channels = self.input.pixel_format.channels.count();
        let shape = match self.input.pixel_format.layout {
            TensorLayout::Nchw => [batch, channels, height, width],
            TensorLayout::Nhwc => [batch, height, width, channels],
        };
        let outputs = self.network.run(shape, crops)?;
        let rows = self.attitudes.rows(&outputs, batch)?;
        let mut own_rows = match &self.emotions {
            EmotionSource::Own(head) => Some(head.rows(&outputs, batch)?),
            EmotionSource::Mapped | EmotionSource::None => None,
        };
        for row in rows {
            self.attitudes.read(row, &mut self.probabilities);
            let mut sums = [0.0; 3];
            for (&probability, &attitude) in self.probabilities.iter().zip(&self.mapping) {
                sums[attitude as usize] += probability;
            }
            if let (EmotionSource::Own(head), Some(rows)) = (&self.emotions, &mut own_rows) {
                head.read(rows.next().unwrap_or_default(), &mut self.probabilities);
            }
            let emotions = match self.emotions {
                EmotionSource::None => Emotions::default(),
                EmotionSource::Own(_) | EmotionSource::Mapped => {
                    Emotions::from_slice(&self.probabilities)
                }
            };
            // Rounding may carry a sum of probabilities a little over 1; more than that is wrong
            // and left for the caller to see.
            let scores = Scores::from_array(sums.map(|sum| {
                if (1.0..1.001).contains(&sum) {
                    1.0
                } else {
                    sum
                }
            }));
            found.push(Classification { scores, emotions });
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

    fn emotion_labels(&self) -> &[String] {
        &self.emotion_labels
    }

    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        found.clear();
        if self.is_single {
            for crop in crops.chunks_exact(self.crop_len()) {
                self.run(crop, 1, found)?;
            }
            Ok(())
        } else {
            self.run(crops, batch, found)
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

/// Refuses what a network says of a black crop where it is no probabilities.
fn check_probabilities(values: &[f32]) -> Result<(), ModelError> {
    let sum: f32 = values.iter().sum();
    let is_probability = |value: &f32| (0.0..=1.0).contains(value);
    if values.iter().all(is_probability) && (sum - 1.0).abs() <= SUM_TOLERANCE {
        return Ok(());
    }
    Err(ModelError::Description {
        problem: format!(
            "it scores a black crop with {values:?}, which are no probabilities that add up to 1; \
             if its output is logits, its description must say activation = \"softmax\""
        ),
    })
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

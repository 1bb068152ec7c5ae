// SPDX-License-Identifier: MPL-2.0

//! Attitude classifiers on ONNX Runtime.

use std::slice::ChunksExact;

use super::description::{
    Activation, Description, DescriptionError, OutputSection, Task, UnknownLabels,
};
use super::model::{ModelError, TrialInference};
use super::session::{ImageInput, Images, Network, Outputs};
use attitude::classification::{
    AttitudeClassifier, Classification, ClassifierInput, Emotions, MAX_EMOTIONS,
};
use attitude::mapping::Mapping;
use attitude::{Attitude, InferenceError, Scores};

/// Maximum width and height of a crop in pixels, so that a description cannot exhaust the memory.
const MAX_SIDE_PX: usize = 1024;

/// Maximum difference of the sum of probabilities from 1: the rounding error of float16.
const SUM_TOLERANCE: f32 = 0.02;

/// Maximum excess of an attitude's score over 1 that is a rounding error of float32.
const SCORE_TOLERANCE: f32 = 0.001;

/// Number of crops in the trial inference: more than one, so that a model that cannot classify a
/// batch is noticed.
const TRIAL_CROPS: usize = 2;

/// A classifier of attitudes, or of emotions that are mapped to attitudes.
pub(crate) struct OnnxClassifier {
    network: Network,
    input: ClassifierInput,
    batching: Batching,
    attitude_output: LabelOutput,
    /// The attitude of each label of `attitude_output`.
    attitudes: Vec<Attitude>,
    emotions: EmotionSource,
    emotion_labels: Vec<String>,
    /// Name of the output with the probability that a crop shows a face, if the model has one.
    face_tensor: Option<String>,
    name: String,
    /// Probabilities of the labels for one crop; a member to reuse its memory.
    probabilities: Vec<f32>,
    /// Crops with padding; a member to reuse its memory.
    padded_crops: Vec<f32>,
}

/// Number of crops that the model accepts in one inference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Batching {
    Any,
    One,
    /// Powers of two. A provider that compiles the network or selects algorithms for each number of
    /// crops does it for a few numbers only.
    PowerOfTwo,
}

/// Source of the probabilities of emotions.
enum EmotionSource {
    /// The model has no emotions.
    None,
    /// The output that is mapped to attitudes.
    AttitudeOutput,
    /// Another output.
    OtherOutput(LabelOutput),
}

/// An output with one score per label.
struct LabelOutput {
    tensor: String,
    label_count: usize,
    activation: Activation,
}

impl LabelOutput {
    /// Returns the output of `network` that `section` describes.
    ///
    /// # Errors
    /// Returns an error if there is no such output, or its shape does not match the labels.
    fn new(network: &Network, section: &OutputSection) -> Result<Self, ModelError> {
        let label_count = section.labels.len();
        if label_count == 0 {
            return Err(DescriptionError::NoLabels.into());
        }
        let tensor = network.output(section.tensor.as_deref())?;
        match tensor.shape[..] {
            [_, scores] if scores.is_none_or(|scores| scores == label_count) => Ok(Self {
                tensor: tensor.name,
                label_count,
                activation: section.activation,
            }),
            _ => Err(tensor.mismatch(&format!("?x{label_count}, one score per label"))),
        }
    }

    /// Returns one row of scores per crop.
    ///
    /// # Errors
    /// Returns an error if the output has another shape than declared.
    fn rows<'a>(
        &self,
        outputs: &'a Outputs,
        crops: usize,
    ) -> Result<ChunksExact<'a, f32>, InferenceError> {
        let scores = outputs.get(&self.tensor, &[crops, self.label_count])?;
        Ok(scores.chunks_exact(self.label_count))
    }

    /// Replaces the contents of `probabilities` with those of a row.
    fn read_row(&self, row: &[f32], probabilities: &mut Vec<f32>) {
        probabilities.clear();
        probabilities.extend_from_slice(row);
        if self.activation == Activation::Softmax {
            softmax(probabilities);
        }
    }
}

impl OnnxClassifier {
    /// Creates a classifier from a model that `description` describes. `mapping` replaces the
    /// description's mapping of emotions to attitudes. A `trial` runs it on black crops.
    ///
    /// # Errors
    /// Returns an error if the model is not an attitude classifier, differs from its description,
    /// or fails, or `mapping` lists a name that is not one of its labels and these are refused.
    pub(crate) fn new(
        network: Network,
        description: &Description,
        mapping: Option<&Mapping>,
        unknown_labels: UnknownLabels,
        trial: TrialInference,
    ) -> Result<Self, ModelError> {
        description.require_task(Task::Attitude)?;
        let (mapped, attitudes) = description.attitude_output(mapping, unknown_labels)?;
        let attitude_output = LabelOutput::new(&network, mapped)?;
        let (emotions, emotion_labels) = match description.emotions() {
            Some(output) if std::ptr::eq(output, mapped) => {
                (EmotionSource::AttitudeOutput, output.labels.clone())
            }
            Some(output) => {
                let other = LabelOutput::new(&network, output)?;
                (EmotionSource::OtherOutput(other), output.labels.clone())
            }
            None => (EmotionSource::None, Vec::new()),
        };
        if emotion_labels.len() > MAX_EMOTIONS {
            return Err(DescriptionError::TooManyEmotions(emotion_labels.len()).into());
        }
        let input = network.image_input(&description.input)?;
        let (width, height) = crop_size(&input)?;
        let face_tensor = match &description.face {
            Some(section) => Some(face_tensor(&network, &section.tensor)?),
            None => None,
        };
        let mut classifier = Self {
            batching: match batching(&input)? {
                Batching::Any if !network.runs_on_cpu() => Batching::PowerOfTwo,
                batching => batching,
            },
            input: ClassifierInput {
                width,
                height,
                tensor_format: input.tensor_format,
                framing: description.framing(),
            },
            network,
            attitude_output,
            attitudes,
            emotions,
            emotion_labels,
            face_tensor,
            name: description.name.clone(),
            probabilities: Vec::new(),
            padded_crops: Vec::new(),
        };
        if trial == TrialInference::Run {
            classifier.try_black_crops()?;
        }
        Ok(classifier)
    }

    /// Classifies black crops.
    ///
    /// # Errors
    /// Returns an error if the inference fails, or the scores are not probabilities.
    fn try_black_crops(&mut self) -> Result<(), ModelError> {
        let black = vec![0.0; TRIAL_CROPS * self.crop_len()];
        let mut classifications = Vec::new();
        self.classify(&black, TRIAL_CROPS, &mut classifications)?;
        for Classification {
            scores,
            emotions,
            face,
        } in &classifications
        {
            require_probabilities(&scores.to_array())?;
            if !self.emotion_labels.is_empty() {
                require_probabilities(emotions.as_slice())?;
            }
            // The probabilities of a face and of none add up to 1.
            if let &Some(face) = face {
                require_probabilities(&[face, 1.0 - face])?;
            }
        }
        Ok(())
    }

    fn crop_len(&self) -> usize {
        let input = &self.input;
        input.tensor_format.len(input.width, input.height)
    }

    /// Runs the network on `count` crops and appends one classification per crop to `found`.
    fn run(
        &mut self,
        crops: &[f32],
        count: usize,
        found: &mut Vec<Classification>,
    ) -> Result<(), InferenceError> {
        let images = Images {
            data: crops,
            count,
            width: self.input.width,
            height: self.input.height,
        };
        let outputs = self.network.run(&self.input.tensor_format, &images)?;
        let rows = self.attitude_output.rows(&outputs, count)?;
        let mut emotion_rows = match &self.emotions {
            EmotionSource::OtherOutput(output) => Some(output.rows(&outputs, count)?),
            EmotionSource::AttitudeOutput | EmotionSource::None => None,
        };
        let face_probabilities = match &self.face_tensor {
            Some(tensor) => outputs.get(tensor, &[count, 1])?,
            None => &[],
        };
        for (index, row) in rows.enumerate() {
            self.attitude_output.read_row(row, &mut self.probabilities);
            let scores = sum_by_attitude(&self.probabilities, &self.attitudes);
            if let (EmotionSource::OtherOutput(output), Some(rows)) =
                (&self.emotions, &mut emotion_rows)
            {
                let row = rows.next().unwrap_or_default();
                output.read_row(row, &mut self.probabilities);
            }
            let emotions = match self.emotions {
                EmotionSource::None => Emotions::default(),
                EmotionSource::OtherOutput(_) | EmotionSource::AttitudeOutput => {
                    Emotions::from_slice(&self.probabilities)
                }
            };
            found.push(Classification {
                scores,
                emotions,
                face: face_probabilities.get(index).copied(),
            });
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
        match self.batching {
            Batching::Any => self.run(crops, batch, found),
            Batching::One => {
                for crop in crops.chunks_exact(self.crop_len()) {
                    self.run(crop, 1, found)?;
                }
                Ok(())
            }
            Batching::PowerOfTwo => {
                let padded_batch = batch.next_power_of_two();
                let mut padded = std::mem::take(&mut self.padded_crops);
                padded.clear();
                padded.extend_from_slice(crops);
                padded.resize(padded_batch * self.crop_len(), 0.0);
                let result = self.run(&padded, padded_batch, found);
                self.padded_crops = padded;
                found.truncate(batch);
                result
            }
        }
    }
}

/// Returns the name of the output with the probability that a crop shows a face.
///
/// # Errors
/// Returns an error if there is no such output, or it has more than one value per crop.
fn face_tensor(network: &Network, name: &str) -> Result<String, ModelError> {
    let tensor = network.output(Some(name))?;
    match tensor.shape[..] {
        [_, None | Some(1)] => Ok(tensor.name),
        _ => Err(tensor.mismatch("?x1, one probability per crop")),
    }
}

/// Returns the sum of the probabilities of each attitude's labels.
fn sum_by_attitude(probabilities: &[f32], attitudes: &[Attitude]) -> Scores {
    let mut sums = [0.0; Attitude::ALL.len()];
    for (&probability, &attitude) in probabilities.iter().zip(attitudes) {
        sums[attitude as usize] += probability;
    }
    // A larger excess is not a rounding error: it makes the classification invalid.
    Scores::from_array(sums.map(|sum| match sum {
        1.0.. if sum < 1.0 + SCORE_TOLERANCE => 1.0,
        sum => sum,
    }))
}

/// Returns the number of crops that the input accepts.
///
/// # Errors
/// Returns an error if it accepts only a fixed number other than 1.
fn batching(input: &ImageInput) -> Result<Batching, ModelError> {
    match input.batch {
        None => Ok(Batching::Any),
        Some(1) => Ok(Batching::One),
        Some(_) => Err(input
            .tensor
            .mismatch("a first dimension that is dynamic or 1")),
    }
}

/// Returns width and height of a crop in pixels.
///
/// # Errors
/// Returns an error if neither the tensor nor the description has them, or they are out of range.
fn crop_size(input: &ImageInput) -> Result<(usize, usize), ModelError> {
    match (input.width, input.height) {
        (Some(width @ 1..=MAX_SIDE_PX), Some(height @ 1..=MAX_SIDE_PX)) => Ok((width, height)),
        _ => Err(input.tensor.mismatch(&format!(
            "a width and height of 1 to {MAX_SIDE_PX}, in the tensor or in [input] of its description"
        ))),
    }
}

/// Returns an error if `scores` are not probabilities that add up to 1.
fn require_probabilities(scores: &[f32]) -> Result<(), ModelError> {
    let sum: f32 = scores.iter().sum();
    let is_probability = |score: &f32| (0.0..=1.0).contains(score);
    if scores.iter().all(is_probability) && (sum - 1.0).abs() <= SUM_TOLERANCE {
        Ok(())
    } else {
        Err(ModelError::NotProbabilities {
            scores: scores.to_vec(),
        })
    }
}

/// Converts logits to probabilities.
fn softmax(values: &mut [f32]) {
    // The largest exponent is 0, so that large logits do not overflow.
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
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::identification::DescribedNetwork;
    use crate::model::ModelSource;
    use crate::provider::Provider;
    use crate::runtime::{self, RuntimeOptions};
    use crate::session::Execution;

    #[test]
    fn a_padded_batch_has_the_results_of_its_crops() {
        let environment = runtime::environment(&RuntimeOptions::default()).unwrap();
        let execution = Execution {
            provider: Arc::new(Provider::Cpu.into()),
            timeout: Duration::from_secs(60),
        };
        let model = DescribedNetwork::load(environment, &ModelSource::ATTITUDE, &execution);
        let DescribedNetwork {
            network,
            description,
            ..
        } = model.unwrap();
        let mut classifier = OnnxClassifier::new(
            network,
            &description,
            None,
            UnknownLabels::Refuse,
            TrialInference::Skip,
        )
        .unwrap();
        let crops: Vec<f32> = (0..3 * classifier.crop_len())
            .map(|index| (index * 31 % 256) as f32)
            .collect();
        let mut classify = |batching| {
            classifier.batching = batching;
            let mut found = Vec::new();
            classifier.classify(&crops, 3, &mut found).unwrap();
            found
        };
        let exact = classify(Batching::Any);
        let padded = classify(Batching::PowerOfTwo);
        assert_eq!(padded.len(), 3);
        for (exact, padded) in exact.iter().zip(&padded) {
            let scores = exact.scores.to_array().into_iter();
            let mut pairs = scores.zip(padded.scores.to_array());
            assert!(
                pairs.all(|(a, b)| (a - b).abs() < 1e-5),
                "{exact:?} {padded:?}"
            );
        }
    }

    #[test]
    fn softmax_of_large_logits_is_finite() {
        let mut values = [1000.0, 1000.0 + 3f32.ln(), -1000.0];
        softmax(&mut values);
        assert!((values[0] - 0.25).abs() < 1e-4 && (values[1] - 0.75).abs() < 1e-4);
        assert_eq!(values[2], 0.0);
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Face detectors on ONNX Runtime: one file per head, the part that decodes the outputs.
//!
//! To add a head, add its file, its variant of [`HeadKind`] and its line in the function `head`.

mod center_map;
mod ultraface;
mod yunet;

use attitude::InferenceError;
use attitude::detection::{CellGrid, Detection, DetectorInput, FaceDetector};
use attitude::preprocessing::InputSize;
use attitude::settings::DETECTOR_SIZE;

use super::description::{Description, DescriptionError, HeadKind, InputSection, Task};
use super::model::{ModelError, TrialInference};
use super::session::{Images, Network, Outputs};

use center_map::CenterMaps;
use ultraface::Ultraface;
use yunet::Yunet;

/// Strides in pixels of the heads with one output per stride; the sides of their inputs are
/// multiples of the largest stride.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Maximum width and height of an input in pixels, so that a description cannot exhaust the memory.
const MAX_SIDE_PX: usize = DETECTOR_SIZE.max as usize;

/// A face detector that runs on ONNX Runtime.
pub(crate) struct OnnxDetector {
    network: Network,
    input: DetectorInput,
    head: Box<dyn Head>,
}

/// Decodes the outputs of one kind of detector.
trait Head: Send {
    /// Appends the faces in `outputs` with at least the score `threshold` to `candidates`, in
    /// pixels of the input, whose width and height are `size_px`.
    ///
    /// # Errors
    /// Returns an error if an output has another shape than expected.
    fn read(
        &self,
        outputs: &Outputs,
        size_px: (usize, usize),
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError>;
}

/// Returns the head of `kind` for the outputs of `network`.
///
/// # Errors
/// Returns an error if `network` lacks an output of this head, or declares another shape for it.
fn head(kind: HeadKind, network: &Network) -> Result<Box<dyn Head>, ModelError> {
    Ok(match kind {
        HeadKind::CenterMaps => Box::new(CenterMaps::new(network)?),
        HeadKind::Yunet => Box::new(Yunet::new(network)?),
        HeadKind::Ultraface => Box::new(Ultraface::new(network)?),
    })
}

/// Returns the cells of an output with this stride, for an input of `size_px` (width, height).
fn grid(size_px: (usize, usize), stride: usize) -> CellGrid {
    let (width, height) = size_px;
    CellGrid {
        columns: width / stride,
        rows: height / stride,
        stride: stride as f32,
    }
}

impl OnnxDetector {
    /// Creates a detector from a model that `description` describes. A `trial` runs it on a black
    /// image.
    ///
    /// # Errors
    /// Returns an error if the model is not a face detector, differs from its description, or
    /// fails.
    pub(crate) fn new(
        network: Network,
        description: &Description,
        trial: TrialInference,
    ) -> Result<Self, ModelError> {
        description.require_task(Task::FaceDetection)?;
        let section = description.detector.as_ref();
        let section = section.ok_or(DescriptionError::NoDetector)?;
        let mut detector = Self {
            input: input(&network, &description.input)?,
            head: head(section.head, &network)?,
            network,
        };
        if trial == TrialInference::Run {
            detector.try_black_image()?;
        }
        Ok(detector)
    }

    /// Runs the network on a black image.
    ///
    /// # Errors
    /// Returns an error if the inference fails, or an output has another shape than expected.
    fn try_black_image(&mut self) -> Result<(), InferenceError> {
        let (width, height) = match self.input.size {
            // The most common input, which a provider may compile the network for. The sides differ,
            // so that outputs with swapped dimensions are noticed.
            InputSize::MultipleOf(multiple) => (10 * multiple, 6 * multiple),
            InputSize::Fixed { width, height } => (width, height),
        };
        let black = vec![0.0; self.input.tensor_format.len(width, height)];
        self.detect(&black, width, height, 1.0, &mut Vec::new())
    }
}

impl FaceDetector for OnnxDetector {
    fn input(&self) -> &DetectorInput {
        &self.input
    }

    fn detect(
        &mut self,
        picture: &[f32],
        width: usize,
        height: usize,
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        let images = Images {
            data: picture,
            count: 1,
            width,
            height,
        };
        let outputs = self.network.run(&self.input.tensor_format, &images)?;
        candidates.clear();
        self.head
            .read(&outputs, (width, height), threshold, candidates)
    }
}

/// Returns the size and the tensor format of the input that `section` describes.
///
/// # Errors
/// Returns an error if its tensor differs from the description, or its size is out of range.
fn input(network: &Network, section: &InputSection) -> Result<DetectorInput, ModelError> {
    let input = network.image_input(section)?;
    let size = match (input.width, input.height) {
        (Some(width @ 1..=MAX_SIDE_PX), Some(height @ 1..=MAX_SIDE_PX)) => {
            InputSize::Fixed { width, height }
        }
        (None, None) => InputSize::MultipleOf(STRIDES[2]),
        _ => {
            return Err(input.tensor.mismatch(&format!(
                "a width and height of 1 to {MAX_SIDE_PX}, or both dynamic"
            )));
        }
    };
    Ok(DetectorInput {
        size,
        is_resizable: network.runs_on_cpu(),
        tensor_format: input.tensor_format,
    })
}

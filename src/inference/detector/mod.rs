// SPDX-License-Identifier: MPL-2.0

//! Face detectors on ONNX Runtime: one file per head, the part that decodes the outputs.
//!
//! To add a head, add its file, its variant of [`HeadKind`] and its line in the function `head`.

mod center_map;
mod ultraface;
mod yunet;

use ort::environment::Environment;

use attitude::InferenceError;
use attitude::detection::{CellGrid, Detection, DetectorInput, FaceDetector};
use attitude::preprocessing::{InputSize, TensorLayout};

use super::description::{Description, HeadKind, Task};
use super::identification;
use super::model::{ModelError, Source};
use super::session::{Network, Outputs, Placement};

use center_map::CenterMaps;
use ultraface::Ultraface;
use yunet::Yunet;

/// Strides of the dense heads; the sides of their inputs are multiples of the largest one.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Maximum side of an input: a model must not require more memory than there is.
const MAX_SIDE: usize = 4096;

/// A face detector that runs on ONNX Runtime.
pub struct OnnxDetector {
    network: Network,
    input: DetectorInput,
    head: Box<dyn Head>,
    name: String,
}

/// Decodes the outputs of one kind of detector.
trait Head: Send {
    /// Appends the faces in `outputs` with at least the score `threshold` to `candidates`, in pixels of
    /// the input, whose width and height are `size_px`.
    ///
    /// # Errors
    /// If an output has another shape than expected.
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
/// If `network` lacks an output of this head, or declares another shape for it.
fn head(kind: HeadKind, network: &Network) -> Result<Box<dyn Head>, ModelError> {
    Ok(match kind {
        HeadKind::CenterMaps => Box::new(CenterMaps::new(network)?),
        HeadKind::Yunet => Box::new(Yunet::new(network)?),
        HeadKind::Ultraface => Box::new(Ultraface::new(network)?),
    })
}

/// Returns the cells of a dense output with this stride.
fn grid((width, height): (usize, usize), stride: usize) -> CellGrid {
    CellGrid {
        columns: width / stride,
        rows: height / stride,
        stride: stride as f32,
    }
}

impl OnnxDetector {
    /// Loads the model and runs it once, on a black picture.
    ///
    /// # Errors
    /// If the model cannot be read or run, is not a face detector, or has outputs of another shape than
    /// it declares.
    pub fn load(
        environment: &Environment,
        source: &Source,
        placement: Placement,
    ) -> Result<Self, ModelError> {
        let network = Network::load(environment, &source.read(placement.provider)?, placement)
            .map_err(|error| ModelError::NotLoaded(error.message().to_owned()))?;
        let description = identification::describe(source, &network, Task::FaceDetection)?;
        let section = description.detector.as_ref();
        let kind = section.ok_or_else(|| ModelError::Description {
            problem: "its description lacks the section [detector]".to_owned(),
        })?;
        let mut detector = Self {
            input: input(&network, &description)?,
            head: head(kind.head, &network)?,
            name: description.name,
            network,
        };
        let (width, height) = match detector.input.size {
            InputSize::MultipleOf(multiple) => (2 * multiple, multiple),
            InputSize::Fixed { width, height } => (width, height),
        };
        let black = vec![0.0; detector.input.pixel_format.len(width, height)];
        detector.detect(&black, width, height, 1.0, &mut Vec::new())?;
        Ok(detector)
    }

    /// Returns the name of the model.
    pub fn name(&self) -> &str {
        &self.name
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
        let channels = self.input.pixel_format.channels.count();
        let shape = match self.input.pixel_format.layout {
            TensorLayout::Nchw => [1, channels, height, width],
            TensorLayout::Nhwc => [1, height, width, channels],
        };
        let outputs = self.network.run(shape, picture)?;
        candidates.clear();
        self.head
            .read(&outputs, (width, height), threshold, candidates)
    }
}

/// Returns the size and the pixel format of the detector's only input.
///
/// # Errors
/// If its shape is not that of a picture, or differs from the description.
fn input(network: &Network, description: &Description) -> Result<DetectorInput, ModelError> {
    let tensor = network.input(description.input.tensor.as_deref())?;
    let pixel_format = description.input.pixel_format();
    let channels = pixel_format.channels.count();
    let (found_channels, height, width) = match (pixel_format.layout, &tensor.shape[..]) {
        (TensorLayout::Nchw, &[_, c, h, w]) => (c, h, w),
        (TensorLayout::Nhwc, &[_, h, w, c]) => (c, h, w),
        _ => return Err(tensor.mismatch("four dimensions")),
    };
    if found_channels.is_some_and(|found| found != channels) {
        return Err(tensor.mismatch(&format!("{channels} channel(s), as described,")));
    }
    let width = width.or(description.input.width);
    let height = height.or(description.input.height);
    let size = match (width, height) {
        (Some(width @ 1..=MAX_SIDE), Some(height @ 1..=MAX_SIDE)) => {
            InputSize::Fixed { width, height }
        }
        (None, None) => InputSize::MultipleOf(STRIDES[2]),
        _ => {
            let sides = format!("a width and height of 1 to {MAX_SIDE}, or both free,");
            return Err(tensor.mismatch(&sides));
        }
    };
    Ok(DetectorInput { size, pixel_format })
}

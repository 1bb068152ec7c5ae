// SPDX-License-Identifier: MPL-2.0

//! Face detectors on ONNX Runtime.

use ort::environment::Environment;

use super::description::{Description, HeadKind, Task};
use super::identification;
use super::model::{ModelError, Source};
use super::session::{Network, Outputs, Placement};
use attitude::InferenceError;
use attitude::detection::{
    CENTER_MAP_CHANNELS, Detection, DetectorInput, FaceDetector, Grid, YunetLevel, read_center_map,
    read_ultraface, read_yunet,
};
use attitude::preprocessing::{InputSize, TensorLayout};

/// Strides of the dense heads, which are also what their inputs' sides must be multiples of.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Longest side of an input: a model must not ask for more memory than there is.
const MAX_SIDE: usize = 4096;

/// A face detector.
pub struct OnnxDetector {
    network: Network,
    input: DetectorInput,
    head: Head,
    name: String,
}

enum Head {
    CenterMaps { outputs: Vec<String> },
    Yunet { outputs: Vec<[String; 4]> },
    Ultraface { anchors: usize },
}

impl OnnxDetector {
    /// Loads the model and tries it on a black picture.
    ///
    /// # Errors
    /// Where the model cannot be read or run, is none of a face detector, or answers in another
    /// shape than it declares.
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
            head: Head::new(kind.head, &network)?,
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

    /// What the model is called.
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

/// What the detector's only input says about itself.
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

impl Head {
    fn new(kind: HeadKind, network: &Network) -> Result<Self, ModelError> {
        match kind {
            HeadKind::CenterMaps => {
                for stride in STRIDES {
                    let tensor = network.output(Some(&format!("map_{stride}")))?;
                    match tensor.shape[..] {
                        [_, None | Some(CENTER_MAP_CHANNELS), _, _] => {}
                        _ => return Err(tensor.mismatch("(n, 15, rows, columns)")),
                    }
                }
                Ok(Head::CenterMaps {
                    outputs: STRIDES.map(|stride| format!("map_{stride}")).to_vec(),
                })
            }
            HeadKind::Yunet => {
                let level = |stride| -> Result<[String; 4], ModelError> {
                    let output = |part| network.output(Some(&format!("{part}_{stride}")));
                    Ok([
                        output("cls")?.name,
                        output("obj")?.name,
                        output("bbox")?.name,
                        output("kps")?.name,
                    ])
                };
                Ok(Head::Yunet {
                    outputs: STRIDES.map(level).into_iter().collect::<Result<_, _>>()?,
                })
            }
            HeadKind::Ultraface => {
                let scores = network.output(Some("scores"))?;
                let boxes = network.output(Some("boxes"))?;
                match (&scores.shape[..], &boxes.shape[..]) {
                    (&[_, Some(anchors), Some(2)], &[_, Some(same), Some(4)])
                        if anchors == same =>
                    {
                        Ok(Head::Ultraface { anchors })
                    }
                    (&[_, Some(_), Some(2)], _) => Err(boxes.mismatch("(1, anchors, 4)")),
                    _ => Err(scores.mismatch("(1, anchors, 2)")),
                }
            }
        }
    }

    fn read(
        &self,
        outputs: &Outputs,
        (width, height): (usize, usize),
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        let grid = |stride: usize| Grid {
            columns: width / stride,
            rows: height / stride,
            stride: stride as f32,
        };
        match self {
            Head::CenterMaps { outputs: names } => {
                for (name, stride) in names.iter().zip(STRIDES) {
                    let grid = grid(stride);
                    let shape = [1, CENTER_MAP_CHANNELS, grid.rows, grid.columns];
                    let map = outputs.get(name, &shape)?;
                    read_center_map(map, grid, threshold, candidates);
                }
            }
            Head::Yunet { outputs: names } => {
                for ([cls, obj, bbox, kps], stride) in names.iter().zip(STRIDES) {
                    let grid = grid(stride);
                    let cells = grid.rows * grid.columns;
                    let level = YunetLevel {
                        cls: outputs.get(cls, &[1, cells, 1])?,
                        obj: outputs.get(obj, &[1, cells, 1])?,
                        bbox: outputs.get(bbox, &[1, cells, 4])?,
                        kps: outputs.get(kps, &[1, cells, 10])?,
                    };
                    read_yunet(&level, grid, threshold, candidates);
                }
            }
            &Head::Ultraface { anchors } => {
                let scores = outputs.get("scores", &[1, anchors, 2])?;
                let boxes = outputs.get("boxes", &[1, anchors, 4])?;
                read_ultraface(scores, boxes, (width, height), threshold, candidates);
            }
        }
        Ok(())
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Networks that return any numbers.

use arbitrary::{Arbitrary, Result, Unstructured};
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput, Emotions};
use attitude::crop::Framing;
use attitude::detection::{
    CENTER_MAP_CHANNELS, CellGrid, Detection, DetectorInput, FaceDetector, YunetLevel,
    decode_center_map, decode_ultraface, decode_yunet_level,
};
use attitude::geometry::{Landmarks, Point};
use attitude::preprocessing::{Channels, InputSize, TensorFormat, TensorLayout};
use attitude::{InferenceError, Scores};

use super::fraction;
use super::frames::MAX_SIDE;

/// Sides of the crops, and of the cells of the detector, in pixels.
const CROP_SIDE: usize = 16;
const STRIDE: usize = 8;

/// Chooses numbers as a network may return them, NaN and infinity included.
pub(super) fn numbers(bytes: &mut Unstructured) -> Result<Vec<f32>> {
    let count = bytes.int_in_range(0..=64)?;
    (0..count)
        .map(|_| match bool::arbitrary(bytes)? {
            true => f32::arbitrary(bytes),
            false => fraction(bytes),
        })
        .collect()
}

/// Chooses where the landmarks are in a crop.
fn template(bytes: &mut Unstructured) -> Result<Landmarks> {
    let mut template = Landmarks::default();
    for landmark in &mut template {
        *landmark = Point::new(fraction(bytes)?, fraction(bytes)?);
    }
    Ok(template)
}

fn tensor_format(bytes: &mut Unstructured) -> Result<TensorFormat> {
    Ok(TensorFormat {
        channels: *bytes.choose(&[Channels::Luma, Channels::Rgb, Channels::Bgr])?,
        layout: *bytes.choose(&[TensorLayout::Nchw, TensorLayout::Nhwc])?,
        mean: [0.0; 3],
        scale: [1.0; 3],
    })
}

/// The kind of outputs that a detector has.
#[derive(Clone, Copy)]
enum Head {
    CenterMaps,
    Yunet,
    UltraFace,
}

/// A detector whose outputs repeat any numbers.
pub(super) struct AnyDetector {
    input: DetectorInput,
    head: Head,
    /// The numbers of the next outputs.
    pub(super) numbers: Vec<f32>,
}

impl AnyDetector {
    pub(super) fn new(bytes: &mut Unstructured) -> Result<Self> {
        let size = match bool::arbitrary(bytes)? {
            true => InputSize::MultipleOf(bytes.int_in_range(0..=32)?),
            false => InputSize::Fixed {
                width: bytes.int_in_range(1..=MAX_SIDE)?,
                height: bytes.int_in_range(1..=MAX_SIDE)?,
            },
        };
        Ok(Self {
            input: DetectorInput {
                size,
                is_resizable: bytes.arbitrary()?,
                tensor_format: tensor_format(bytes)?,
            },
            head: *bytes.choose(&[Head::CenterMaps, Head::Yunet, Head::UltraFace])?,
            numbers: Vec::new(),
        })
    }

    /// Returns an output with `len` elements.
    fn output(&self, len: usize) -> Vec<f32> {
        match self.numbers.is_empty() {
            true => vec![0.0; len],
            false => self.numbers.iter().copied().cycle().take(len).collect(),
        }
    }
}

impl FaceDetector for AnyDetector {
    fn input(&self) -> &DetectorInput {
        &self.input
    }

    fn detect(
        &mut self,
        input: &[f32],
        width: usize,
        height: usize,
        threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> std::result::Result<(), InferenceError> {
        assert_eq!(input.len(), self.input.tensor_format.len(width, height));
        candidates.clear();
        let grid = CellGrid {
            columns: width / STRIDE,
            rows: height / STRIDE,
            stride: STRIDE as f32,
        };
        let cells = grid.columns * grid.rows;
        match self.head {
            Head::CenterMaps => {
                let map = self.output(CENTER_MAP_CHANNELS * cells);
                decode_center_map(&map, grid, threshold, candidates);
            }
            Head::Yunet => {
                let level = YunetLevel {
                    cls: &self.output(cells),
                    obj: &self.output(cells),
                    bbox: &self.output(4 * cells),
                    kps: &self.output(10 * cells),
                };
                decode_yunet_level(&level, grid, threshold, candidates);
            }
            Head::UltraFace => {
                let (scores, boxes) = (self.output(2 * cells), self.output(4 * cells));
                decode_ultraface(&scores, &boxes, (width, height), threshold, candidates);
            }
        }
        Ok(())
    }
}

/// A classifier whose outputs repeat any numbers.
pub(super) struct AnyClassifier {
    input: ClassifierInput,
    /// The numbers of the next outputs.
    pub(super) numbers: Vec<f32>,
}

impl AnyClassifier {
    pub(super) fn new(bytes: &mut Unstructured) -> Result<Self> {
        let landmarks = match bool::arbitrary(bytes)? {
            true => Some(template(bytes)?),
            false => None,
        };
        Ok(Self {
            input: ClassifierInput {
                width: CROP_SIDE,
                height: CROP_SIDE,
                tensor_format: tensor_format(bytes)?,
                framing: Framing {
                    box_height: 1.0,
                    box_center: Point::default(),
                    landmarks,
                },
            },
            numbers: Vec::new(),
        })
    }
}

impl AttitudeClassifier for AnyClassifier {
    fn input(&self) -> &ClassifierInput {
        &self.input
    }

    fn model_name(&self) -> &str {
        "any"
    }

    fn emotion_labels(&self) -> &[String] {
        &[]
    }

    fn classify(
        &mut self,
        crops: &[f32],
        batch: usize,
        found: &mut Vec<Classification>,
    ) -> std::result::Result<(), InferenceError> {
        let format = &self.input.tensor_format;
        assert_eq!(crops.len(), batch * format.len(CROP_SIDE, CROP_SIDE));
        let mut numbers = self.numbers.iter().copied().cycle();
        found.clear();
        found.extend((0..batch).map(|_| {
            let scores = std::array::from_fn(|_| numbers.next().unwrap_or(f32::NAN));
            Classification {
                scores: Scores::from_array(scores),
                emotions: Emotions::from_slice(&self.numbers),
                face: self.numbers.first().copied(),
            }
        }));
        Ok(())
    }
}

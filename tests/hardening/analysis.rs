// SPDX-License-Identifier: MPL-2.0

//! The analysis of frames of any layout, with networks that return any numbers.

use arbitrary::{Arbitrary, Result, Unstructured};
use attitude::analyzer::{Analysis, Analyzer, Epoch, Params, Sample};
use attitude::classification::{AttitudeClassifier, Classification, ClassifierInput, Emotions};
use attitude::crop::Framing;
use attitude::detection::{
    CENTER_MAP_CHANNELS, CellGrid, Detection, DetectorInput, FaceDetector, YunetLevel,
    decode_center_map, decode_ultraface, decode_yunet_level,
};
use attitude::frame::{ColorModel, Component, Frame, Layout, MAX_PLANES, Matrix, Plane};
use attitude::geometry::{Point, Rect};
use attitude::orientation::Orientation;
use attitude::preprocessing::{Channels, InputSize, TensorFormat, TensorLayout};
use attitude::{InferenceError, Scores};

/// Maximum numbers of samples, and of pixels along a side: more takes time and finds nothing.
const MAX_SAMPLES: usize = 4;
const MAX_SIDE: usize = 80;
/// Maximum bytes from one row to the next: four per pixel, and the maximum offset.
const MAX_STRIDE: usize = 4 * MAX_SIDE + 3;
/// Sides of the crops, and of the cells of the detector, in pixels.
const CROP_SIDE: usize = 16;
const STRIDE: usize = 8;

/// Analyzes frames. The faces that the analysis returns are valid.
pub(crate) fn run(data: &[u8]) {
    // Too few bytes for one more sample end the analysis.
    let _ = analyze(&mut Unstructured::new(data));
}

fn analyze(bytes: &mut Unstructured) -> Result<()> {
    let mut analyzer = Analyzer::default();
    let mut analysis = Analysis::default();
    let params = params(bytes)?;
    let mut detector = AnyDetector::new(bytes)?;
    let mut classifier = AnyClassifier::new(bytes)?;
    for _ in 0..MAX_SAMPLES {
        let planes: [Vec<u8>; MAX_PLANES] = [plane(bytes)?, plane(bytes)?, plane(bytes)?];
        let Some(frame) = frame(bytes, &planes)? else {
            continue;
        };
        detector.numbers = numbers(bytes)?;
        classifier.numbers = numbers(bytes)?;
        let upstream = upstream(bytes)?;
        let sample = Sample {
            frame,
            time_ns: bytes.arbitrary()?,
            epoch: Epoch {
                stream: bytes.int_in_range(0..=1)?,
                part: bytes.int_in_range(0..=1)?,
            },
            upstream: upstream.as_deref(),
            params: &params,
        };
        let result = analyzer.analyze(&sample, Some(&mut detector), &mut classifier, &mut analysis);
        if result.is_ok() {
            check(&analysis, &params);
        }
    }
    Ok(())
}

/// Checks that the faces are valid, whatever the networks returned.
fn check(analysis: &Analysis, params: &Params) {
    assert!(analysis.faces.len() <= params.max_faces as usize);
    for face in &analysis.faces {
        assert!(face.track > 0);
        assert!(face.bbox_in_frame.is_valid(), "{:?}", face.bbox_in_frame);
        assert!((0.0..=1.0).contains(&face.detection_score));
        assert!((0.0..=1.0).contains(&face.confidence()));
        assert!(face.scores.is_none_or(|scores| scores.is_valid()));
        assert!(face.emotions.is_valid());
        let quality = face.quality.unwrap_or_default();
        assert!((0.0..=1.0).contains(&quality), "{quality}");
    }
    let tracks = analysis.faces.iter().map(|face| face.track);
    assert!(tracks.is_sorted_by(|a, b| a < b));
}

/// Chooses parameters in the ranges of their settings.
fn params(bytes: &mut Unstructured) -> Result<Params> {
    Ok(Params {
        detector_size: *bytes.choose(&[0, 32, 64, 320])?,
        min_face_size: bytes.int_in_range(0..=64)?,
        max_faces: bytes.int_in_range(1..=20)?,
        detection_threshold: fraction(bytes)?,
        overlap_threshold: fraction(bytes)?,
        min_confidence: fraction(bytes)?,
        smoothing_ns: bytes.arbitrary()?,
        track_timeout_ns: bytes.arbitrary()?,
    })
}

fn fraction(bytes: &mut Unstructured) -> Result<f32> {
    Ok(f32::from(u8::arbitrary(bytes)?) / 255.0)
}

/// Chooses numbers as a network may return them, NaN and infinity included.
fn numbers(bytes: &mut Unstructured) -> Result<Vec<f32>> {
    let count = bytes.int_in_range(0..=64)?;
    (0..count)
        .map(|_| match bool::arbitrary(bytes)? {
            true => f32::arbitrary(bytes),
            false => fraction(bytes),
        })
        .collect()
}

/// Chooses the bytes of a plane: mostly as many as the largest frame has.
fn plane(bytes: &mut Unstructured) -> Result<Vec<u8>> {
    let max_len = MAX_STRIDE * MAX_SIDE;
    let len = match bytes.ratio(1, 16)? {
        true => bytes.int_in_range(0..=max_len)?,
        false => max_len,
    };
    let (value, step): (u8, u8) = bytes.arbitrary()?;
    let pixels = (0..len).map(|index| value ^ (index as u8).wrapping_mul(step));
    Ok(pixels.collect())
}

/// Chooses a frame; `None` if the planes are too short for it.
fn frame<'a>(
    bytes: &mut Unstructured,
    planes: &'a [Vec<u8>; MAX_PLANES],
) -> Result<Option<Frame<'a>>> {
    let layout = Layout {
        full_range: bytes.arbitrary()?,
        matrix: *bytes.choose(&[Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020])?,
        ..layout(bytes)?
    };
    let mut plane = |data: &'a Vec<u8>| -> Result<Plane<'a>> {
        let stride = match bytes.ratio(1, 8)? {
            true => bytes.int_in_range(0..=MAX_STRIDE)?,
            false => MAX_STRIDE,
        };
        Ok(Plane { data, stride })
    };
    let [first, second, third] = planes;
    let views = [plane(first)?, plane(second)?, plane(third)?];
    let (width, height) = (
        bytes.int_in_range(0..=MAX_SIDE)?,
        bytes.int_in_range(0..=MAX_SIDE)?,
    );
    let pixel_aspect = bytes.arbitrary()?;
    let orientation = *bytes.choose(&Orientation::ALL)?;
    let frame = Frame::new(width, height, layout, views);
    Ok(frame.ok().map(|frame| {
        frame
            .with_pixel_aspect(pixel_aspect)
            .with_orientation(orientation)
    }))
}

/// Chooses the layout of a format: packed, planar or semi-planar.
fn layout(bytes: &mut Unstructured) -> Result<Layout> {
    let component = |plane, offset, pixel_stride, shift_x, shift_y| Component {
        plane,
        offset,
        pixel_stride,
        shift_x,
        shift_y,
    };
    let planar = |x, y| {
        [0, 1, 2].map(|plane| match plane {
            0 => component(0, 0, 1, 0, 0),
            _ => component(plane, 0, 1, x, y),
        })
    };
    let packed =
        |offsets: [usize; 3], stride| offsets.map(|offset| component(0, offset, stride, 0, 0));
    let (color, components) = *bytes.choose(&[
        (ColorModel::Gray, planar(0, 0)),
        (ColorModel::Rgb, packed([0, 1, 2], 3)),
        (ColorModel::Rgb, packed([3, 2, 1], 4)),
        (ColorModel::Rgb, planar(0, 0)),
        (ColorModel::Yuv, packed([1, 2, 3], 4)),
        (ColorModel::Yuv, planar(1, 1)),
        (ColorModel::Yuv, planar(1, 0)),
        (ColorModel::Yuv, planar(2, 2)),
        // NV21.
        (
            ColorModel::Yuv,
            [
                component(0, 0, 1, 0, 0),
                component(1, 1, 2, 1, 1),
                component(1, 0, 2, 1, 1),
            ],
        ),
        // UYVY.
        (
            ColorModel::Yuv,
            [
                component(0, 1, 2, 0, 0),
                component(0, 0, 4, 1, 0),
                component(0, 2, 4, 1, 0),
            ],
        ),
    ])?;
    Ok(Layout {
        color,
        components,
        ..Layout::GRAY8
    })
}

/// Chooses the faces that upstream elements found; `None` for none of them.
fn upstream(bytes: &mut Unstructured) -> Result<Option<Vec<Detection>>> {
    if bytes.ratio(3, 4)? {
        return Ok(None);
    }
    let count = bytes.int_in_range(0..=30)?;
    let faces = (0..count).map(|_| detection(bytes));
    faces.collect::<Result<_>>().map(Some)
}

fn detection(bytes: &mut Unstructured) -> Result<Detection> {
    let mut number = || -> Result<f32> {
        match bool::arbitrary(bytes)? {
            true => f32::arbitrary(bytes),
            false => Ok(fraction(bytes)? * 100.0),
        }
    };
    let bbox = Rect::new(number()?, number()?, number()?, number()?);
    let mut landmarks = [Point::default(); 5];
    for landmark in &mut landmarks {
        *landmark = Point::new(number()?, number()?);
    }
    Ok(Detection {
        bbox,
        score: number()?,
        landmarks: bool::arbitrary(bytes)?.then_some(landmarks),
    })
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
struct AnyDetector {
    input: DetectorInput,
    head: Head,
    numbers: Vec<f32>,
}

impl AnyDetector {
    fn new(bytes: &mut Unstructured) -> Result<Self> {
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
struct AnyClassifier {
    input: ClassifierInput,
    numbers: Vec<f32>,
}

impl AnyClassifier {
    fn new(bytes: &mut Unstructured) -> Result<Self> {
        let template = [
            (0.3, 0.4),
            (0.7, 0.4),
            (0.5, 0.6),
            (0.35, 0.75),
            (0.65, 0.75),
        ];
        let landmarks = bool::arbitrary(bytes)?.then(|| template.map(|(x, y)| Point::new(x, y)));
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
            }
        }));
        Ok(())
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Tests of the searches between those of the whole frame, with a detector that reads the picture.

use super::*;
use crate::preprocessing::{Channels, TensorLayout};

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

/// Luma of the background; faces are brighter.
const BACKGROUND: u8 = 60;
const FACE: u8 = 250;

/// Minimum element of a face, after scaling.
const MIN_FACE_ELEMENT: f32 = 150.0;

/// Detects bright boxes, and counts the pixels of the inputs.
struct BrightBoxDetector {
    input: DetectorInput,
    /// Width and height of each input.
    inputs: Vec<(usize, usize)>,
}

impl FaceDetector for BrightBoxDetector {
    fn input(&self) -> &DetectorInput {
        &self.input
    }

    fn detect(
        &mut self,
        input: &[f32],
        width: usize,
        height: usize,
        _threshold: f32,
        candidates: &mut Vec<Detection>,
    ) -> Result<(), InferenceError> {
        let format = &self.input.tensor_format;
        assert_eq!(input.len(), format.len(width, height));
        self.inputs.push((width, height));
        candidates.clear();
        let is_face =
            |x: usize, y: usize| input[format.index((width, height), (x, y), 0)] > MIN_FACE_ELEMENT;
        for y in 0..height {
            for x in 0..width {
                let is_corner = is_face(x, y)
                    && (x == 0 || !is_face(x - 1, y))
                    && (y == 0 || !is_face(x, y - 1));
                if is_corner {
                    let w = (x..width).take_while(|&x| is_face(x, y)).count();
                    let h = (y..height).take_while(|&y| is_face(x, y)).count();
                    candidates.push(Detection {
                        bbox: Rect::new(x as f32, y as f32, w as f32, h as f32),
                        score: 0.9,
                        landmarks: None,
                    });
                }
            }
        }
        Ok(())
    }
}

/// A stream of pictures with bright boxes as faces.
struct Scene {
    analyzer: Analyzer,
    detector: BrightBoxDetector,
    stream: Stream,
    background: u8,
    orientation: Orientation,
}

impl Scene {
    fn new() -> Self {
        let mut stream = Stream::default();
        stream.params.detection_interval_ns = 600 * MS;
        Self {
            analyzer: Analyzer::default(),
            detector: BrightBoxDetector {
                input: stream.detector.input.clone(),
                inputs: Vec::new(),
            },
            stream,
            background: BACKGROUND,
            orientation: Orientation::IDENTITY,
        }
    }

    /// Analyzes a picture with these faces at `time_ms`. Returns whether the whole frame was searched.
    fn sample(&mut self, time_ms: u64, faces: &[Rect]) -> bool {
        let is_face = |x: f32, y: f32| {
            let is_in = |r: &Rect| (r.x..r.x + r.w).contains(&x) && (r.y..r.y + r.h).contains(&y);
            faces.iter().any(is_in)
        };
        let (width, height) = self.orientation.swapped((WIDTH, HEIGHT));
        let luma: Vec<u8> = (0..width * height)
            .map(|i| {
                let stored = Point::new((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
                let size = (width as f32, height as f32);
                let upright = self.orientation.point_upright(stored, size);
                match is_face(upright.x, upright.y) {
                    true => FACE,
                    false => self.background,
                }
            })
            .collect();
        let frame = Frame::from_luma(width, height, &luma).unwrap();
        let sample = Sample {
            frame: frame.with_orientation(self.orientation),
            time_ns: time_ms * MS,
            epoch: Epoch::default(),
            upstream: None,
            params: &self.stream.params,
        };
        let before = self.detector.inputs.len();
        self.analyzer
            .analyze(
                &sample,
                Some(&mut self.detector),
                &mut self.stream.classifier,
                &mut self.stream.analysis,
            )
            .unwrap();
        let mut inputs = self.detector.inputs[before..].iter();
        inputs.any(|&(width, _)| width > mosaic::TILE_PX)
    }

    /// Returns the tracks and boxes of the faces of the last sample, in the upright picture.
    fn faces(&self) -> Vec<(u32, Rect)> {
        let size = self.orientation.swapped((WIDTH, HEIGHT));
        let size = (size.0 as f32, size.1 as f32);
        let faces = self.stream.analysis.faces.iter();
        faces
            .map(|face| {
                let bbox = self.orientation.rect_upright(face.bbox_in_frame, size);
                (face.track, bbox)
            })
            .collect()
    }
}

/// Asserts that `found` is within 2 px of `expected`.
fn assert_near(found: Rect, expected: Rect) {
    let sides = |r: Rect| [r.x, r.y, r.x + r.w, r.y + r.h];
    let pairs = sides(found).into_iter().zip(sides(expected));
    for (found_side, expected_side) in pairs {
        let distance = (found_side - expected_side).abs();
        assert!(distance <= 2.0, "{found:?}, expected {expected:?}");
    }
}

#[test]
fn known_faces_are_followed_between_searches_of_the_whole_frame() {
    for orientation in [Orientation::IDENTITY, Orientation::ALL[1]] {
        let mut scene = Scene::new();
        scene.orientation = orientation;
        for sample in 0..10 {
            let x = 8.0 * sample as f32;
            let faces = [
                Rect::new(100.0 + x, 80.0, 64.0, 80.0),
                Rect::new(400.0 - x, 150.0, 40.0, 56.0),
            ];
            let is_searched = scene.sample(sample * 200, &faces);
            assert_eq!(is_searched, sample % 3 == 0, "sample {sample}");
            let found = scene.faces();
            assert_eq!(found.len(), 2, "sample {sample}");
            for ((track, bbox), (index, expected)) in
                found.into_iter().zip(faces.iter().enumerate())
            {
                assert_eq!(track, index as u32 + 1);
                assert_near(bbox, *expected);
            }
        }
        let mosaic = (mosaic::TILE_PX, 2 * mosaic::TILE_PX);
        assert_eq!(scene.detector.inputs[..3], [(320, 192), mosaic, mosaic]);
    }
}

#[test]
fn a_new_face_is_found_within_the_detection_interval() {
    let mut scene = Scene::new();
    let known = Rect::new(100.0, 80.0, 64.0, 80.0);
    // On the corner of four cells of the signature, each of which changes little.
    let new = Rect::new(467.0, 187.0, 26.0, 26.0);
    for time_ms in [0, 200, 400] {
        scene.sample(time_ms, &[known]);
    }
    scene.stream.params.detection_interval_ns = 1_000 * MS;
    assert!(!scene.sample(600, &[known, new]));
    assert!(!scene.sample(800, &[known, new]));
    assert!(scene.sample(1_000, &[known, new]));
    assert_eq!(scene.faces().len(), 2);
}

#[test]
fn motion_elsewhere_makes_the_detector_search_the_whole_frame() {
    let mut scene = Scene::new();
    let known = Rect::new(100.0, 80.0, 64.0, 80.0);
    assert!(scene.sample(0, &[known]));
    assert!(!scene.sample(200, &[known.translated(6.0, 0.0)]));
    let new = Rect::new(460.0, 150.0, 64.0, 80.0);
    assert!(scene.sample(400, &[known, new]));
    assert_eq!(scene.faces().len(), 2);
}

#[test]
fn a_lost_face_is_searched_in_the_same_sample_and_until_it_is_found_or_its_track_ends() {
    let mut scene = Scene::new();
    let face = Rect::new(100.0, 80.0, 64.0, 80.0);
    for time_ms in [0, 200, 400] {
        scene.sample(time_ms, &[face]);
    }
    let jumped = face.translated(100.0, 0.0);
    assert!(scene.sample(500, &[jumped]));
    assert_eq!(scene.faces().len(), 2);
    for time_ms in [600, 700, 800] {
        assert!(scene.sample(time_ms, &[jumped]), "at {time_ms} ms");
    }
    for time_ms in [1_500, 1_600] {
        scene.sample(time_ms, &[jumped]);
    }
    assert_eq!(scene.faces().len(), 1);
    assert!(!scene.sample(1_700, &[jumped]));
}

#[test]
fn the_whole_frame_is_searched_at_a_cut_and_without_faces() {
    let mut scene = Scene::new();
    assert!(scene.sample(0, &[]));
    assert!(scene.sample(200, &[]));
    let near = Rect::new(40.0, 40.0, 200.0, 240.0);
    assert!(scene.sample(400, &[near]));
    assert_eq!(scene.faces()[0].0, 1);
    scene.background = BACKGROUND;
    let far = Rect::new(360.0, 40.0, 200.0, 240.0);
    assert!(scene.sample(600, &[far]));
    assert_eq!(scene.faces()[0].0, 2);
}

#[test]
fn each_sample_is_searched_if_following_saves_nothing() {
    let face = Rect::new(100.0, 80.0, 64.0, 80.0);
    let is_followed = |change: fn(&mut Scene), faces: &[Rect]| {
        let mut scene = Scene::new();
        change(&mut scene);
        scene.sample(0, faces);
        !scene.sample(200, faces)
    };
    assert!(is_followed(|_| (), &[face]));
    assert!(!is_followed(
        |scene| scene.stream.params.detection_interval_ns = 0,
        &[face]
    ));
    assert!(!is_followed(
        |scene| scene.detector.input.is_resizable = false,
        &[face]
    ));
    let fixed = |scene: &mut Scene| {
        let (width, height) = (320, 192);
        scene.detector.input.size = InputSize::Fixed { width, height };
    };
    assert!(!is_followed(fixed, &[face]));
    let many: Vec<_> = (0..6)
        .map(|i| Rect::new(90.0 * i as f32, 80.0, 64.0, 80.0))
        .collect();
    assert!(is_followed(|_| (), &many[..5]));
    assert!(!is_followed(|_| (), &many));
}

#[test]
fn tiles_are_in_the_detectors_tensor_format() {
    for (channels, layout) in [
        (Channels::Rgb, TensorLayout::Nchw),
        (Channels::Bgr, TensorLayout::Nhwc),
    ] {
        let mut scene = Scene::new();
        scene.detector.input.tensor_format = TensorFormat {
            channels,
            layout,
            ..TensorFormat::LUMA
        };
        let faces = [
            Rect::new(100.0, 80.0, 64.0, 80.0),
            Rect::new(400.0, 150.0, 40.0, 56.0),
        ];
        for time_ms in [0, 200, 400] {
            scene.sample(time_ms, &faces);
            for ((_, found), expected) in scene.faces().into_iter().zip(faces) {
                assert_near(found, expected);
            }
            assert_eq!(scene.faces().len(), 2);
        }
        assert_eq!(scene.detector.inputs.len(), 3);
    }
}

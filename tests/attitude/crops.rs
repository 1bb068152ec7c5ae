// SPDX-License-Identifier: MPL-2.0

//! Faces are cropped in the same way as by the recipes in `models/train`, with which the default
//! classifier was trained.

use attitude::crop::{self, Cropper, Framing};
use attitude::detection::Detection;
use attitude::frame::Frame;
use attitude::geometry::{Landmarks, Point, Rect};
use attitude::preprocessing::TensorFormat;

use crate::files::{AverageFace, fixture};

const SIDE: usize = 48;

/// Reduction factor, and rotation of the face in degrees, as in `tests/fixtures/make_crops.py`.
const CASES: [(usize, f32); 5] = [(1, 0.0), (1, 25.0), (2, -10.0), (4, 0.0), (4, 40.0)];

const LANDMARKS: [(f32, f32); 5] = [
    (117.0, 134.0),
    (200.0, 134.0),
    (157.0, 181.0),
    (125.0, 214.0),
    (193.0, 214.0),
];

/// Framing of the default classifier.
const TEMPLATE: [(f32, f32); 5] = [
    (0.313, 0.387),
    (0.686, 0.385),
    (0.499, 0.583),
    (0.341, 0.752),
    (0.661, 0.750),
];

/// Returns side and luma of the average positive face, reduced to the means of blocks of `factor`
/// by `factor` pixels.
fn reduced_luma(factor: usize) -> (usize, Vec<u8>) {
    let face = AverageFace::load("positive");
    let luma = |x: usize, y: usize| {
        let [red, green, blue] = face.pixel(x, y).map(f64::from);
        (0.299 * red + 0.587 * green + 0.114 * blue + 0.5).floor() as f32
    };
    let side = face.side / factor;
    let mut reduced = Vec::new();
    for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
        let block = (0..factor).flat_map(|dy| (0..factor).map(move |dx| (dx, dy)));
        let sum: f32 = block
            .map(|(dx, dy)| luma(x * factor + dx, y * factor + dy))
            .sum();
        reduced.push((sum / (factor * factor) as f32 + 0.5).floor() as u8);
    }
    (side, reduced)
}

/// Returns the landmarks of the face, rotated about their mean and reduced.
fn rotated(degrees: f32, factor: usize) -> Landmarks {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let mean = |value: fn(&(f32, f32)) -> f32| LANDMARKS.iter().map(value).sum::<f32>() / 5.0;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    LANDMARKS.map(|(x, y)| {
        let (dx, dy) = (x - mean_x, y - mean_y);
        Point::new(
            (mean_x + cos * dx - sin * dy) / factor as f32,
            (mean_y + sin * dx + cos * dy) / factor as f32,
        )
    })
}

#[test]
fn crops_match_the_training_data_of_the_default_classifier() {
    let bytes = std::fs::read(fixture("crops.bin")).unwrap();
    let (numbers, _) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|&b| f32::from_le_bytes(b)).collect();
    assert_eq!(numbers.len(), CASES.len() * SIDE * SIDE);
    let framing = Framing {
        box_height: 1.0,
        box_center: Point::default(),
        landmarks: Some(TEMPLATE.map(|(x, y)| Point::new(x, y))),
    };
    for ((factor, degrees), expected) in CASES.into_iter().zip(numbers.chunks(SIDE * SIDE)) {
        let (side, luma) = reduced_luma(factor);
        let frame = Frame::from_luma(side, side, &luma).unwrap();
        let face = Detection {
            bbox: Rect::new(0.0, 0.0, side as f32, side as f32),
            score: 1.0,
            landmarks: Some(rotated(degrees, factor)),
        };
        let transform = crop::displayed_from_crop(&face, &framing, SIDE, SIDE);
        let mut crop = vec![0.0; SIDE * SIDE];
        Cropper::default().extract(
            &frame,
            &transform,
            &TensorFormat::LUMA,
            (SIDE, SIDE),
            &mut crop,
        );
        let differences = crop.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let mean = differences.clone().sum::<f32>() / (SIDE * SIDE) as f32;
        let largest = differences.fold(0.0, f32::max);
        // OpenCV rounds interpolated values to integers.
        assert!(
            mean < 0.2 && largest < 1.0,
            "reduced {factor}, rotated {degrees}: mean {mean}, largest {largest}"
        );
    }
}

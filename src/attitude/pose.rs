// SPDX-License-Identifier: MPL-2.0

//! The orientation of a head, from the five landmarks of its face.

use crate::geometry::{Landmarks, Point};
use serde::{Deserialize, Serialize};

/// The direction that a face points in, relative to the camera, and its rotation in the picture. A
/// face that looks into the camera, upright, has three zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeadPose {
    /// Turn to the side, in degrees, −90 to 90; positive if the face points to the right of the
    /// picture.
    pub yaw: f32,
    /// Turn up or down, in degrees, −90 to 90; positive if the face points up.
    pub pitch: f32,
    /// Rotation in the picture, in degrees, −180 to 180; positive clockwise.
    pub roll: f32,
}

/// A point of the model of a face: x points to the right of the picture, y down, z towards the
/// camera; in distances of the eyes.
type ModelPoint = [f32; 3];

/// The landmarks of a mean face that looks into the camera, relative to their centroid. x and y are
/// the means of 102 frontal photos (Face Research Lab London Set), made symmetric; z, which photos
/// do not show, makes the head poses of people who look into the camera vary least without a bias
/// between near and far turns.
const MODEL: [ModelPoint; 5] = [
    [-0.50, -0.526, -0.11],
    [0.50, -0.526, -0.11],
    [0.00, 0.068, 0.34],
    [-0.45, 0.492, -0.06],
    [0.45, 0.492, -0.06],
];

impl HeadPose {
    /// Estimates the pose by the scaled orthographic projection of a mean face that fits
    /// `landmarks` best (POSIT's first step: DeMenthon and Davis, "Model-based object pose in 25
    /// lines of code", 1995). `None` if the landmarks are on a line, mirrored, or not finite.
    ///
    /// Faces differ from the mean, and detectors err: of people who look into the camera, yaw and
    /// pitch vary by about 4 degrees. Landmarks of a face that is turned by more than about 60
    /// degrees are guesses, and so is its pose.
    pub fn from_landmarks(landmarks: &Landmarks) -> Option<Self> {
        let [right, down] = orthonormal(projection(landmarks))?;
        let toward_camera = right[0] * down[1] - right[1] * down[0];
        // Mirrored landmarks would be those of a face that points away from the camera.
        if toward_camera <= 0.0 {
            return None;
        }
        let (x, y) = (right[2], down[2]);
        let pose = Self {
            yaw: x.atan2(toward_camera).to_degrees(),
            pitch: (-y).atan2(x.hypot(toward_camera)).to_degrees(),
            roll: down[0].atan2(right[0]).to_degrees(),
        };
        let is_finite = pose.yaw.is_finite() && pose.pitch.is_finite() && pose.roll.is_finite();
        is_finite.then_some(pose)
    }
}

/// Returns the rows of the 2x3 matrix that maps [`MODEL`] to the landmarks with the smallest sum of
/// squared distances, for x and y in the picture. The model is symmetric, so that x is independent
/// of y and z.
fn projection(landmarks: &Landmarks) -> [ModelPoint; 2] {
    let center = landmarks.iter().fold(Point::default(), |sum, p| {
        Point::new(sum.x + p.x / 5.0, sum.y + p.y / 5.0)
    });
    let moment = |a: usize, b: usize| MODEL.iter().map(|p| p[a] * p[b]).sum::<f32>();
    let (xx, yy, yz, zz) = (moment(0, 0), moment(1, 1), moment(1, 2), moment(2, 2));
    let determinant = yy * zz - yz * yz;
    let row = |coordinate: fn(&Point) -> f32, mean: f32| {
        let with = |axis: usize| {
            let products = landmarks.iter().zip(&MODEL);
            products
                .map(|(p, model)| (coordinate(p) - mean) * model[axis])
                .sum::<f32>()
        };
        let (x, y, z) = (with(0), with(1), with(2));
        [
            x / xx,
            (zz * y - yz * z) / determinant,
            (yy * z - yz * y) / determinant,
        ]
    };
    [row(|p| p.x, center.x), row(|p| p.y, center.y)]
}

/// Returns the orthonormal rows that are closest to `rows` times a scale (the polar decomposition);
/// `None` if the rows are parallel.
fn orthonormal(rows: [ModelPoint; 2]) -> Option<[ModelPoint; 2]> {
    let dot = |a: &ModelPoint, b: &ModelPoint| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let (aa, ab, bb) = (
        dot(&rows[0], &rows[0]),
        dot(&rows[0], &rows[1]),
        dot(&rows[1], &rows[1]),
    );
    // The square root of a symmetric 2x3 by 3x2 product [aa ab; ab bb] is [aa + root, ab; ab, bb +
    // root] / norm.
    let root = (aa * bb - ab * ab).sqrt();
    let norm = (aa + bb + 2.0 * root).sqrt();
    // False for NaN, too.
    let is_plane = root > 1e-6 * (aa + bb);
    if !is_plane {
        return None;
    }
    let weight = 1.0 / (root * norm);
    let combine = |from_a: f32, from_b: f32| {
        std::array::from_fn(|axis| weight * (from_a * rows[0][axis] + from_b * rows[1][axis]))
    };
    Some([combine(bb + root, -ab), combine(-ab, aa + root)])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the landmarks of a mean face, 100 px between the eyes, that is turned by these
    /// angles.
    pub(crate) fn landmarks(yaw: f32, pitch: f32, roll: f32) -> Landmarks {
        let (yaw, pitch, roll) = (yaw.to_radians(), pitch.to_radians(), roll.to_radians());
        MODEL.map(|[x, y, z]| {
            let (y, z) = (
                y * pitch.cos() - z * pitch.sin(),
                y * pitch.sin() + z * pitch.cos(),
            );
            let (x, _z) = (
                x * yaw.cos() + z * yaw.sin(),
                -x * yaw.sin() + z * yaw.cos(),
            );
            let (x, y) = (
                x * roll.cos() - y * roll.sin(),
                x * roll.sin() + y * roll.cos(),
            );
            Point::new(320.0 + 100.0 * x, 200.0 + 100.0 * y)
        })
    }

    #[track_caller]
    fn assert_pose(landmarks: &Landmarks, [yaw, pitch, roll]: [f32; 3]) {
        let pose = HeadPose::from_landmarks(landmarks).unwrap();
        let errors = [pose.yaw - yaw, pose.pitch - pitch, pose.roll - roll];
        assert!(errors.iter().all(|error| error.abs() < 0.1), "{pose:?}");
    }

    #[test]
    fn a_frontal_face_has_no_angles() {
        assert_pose(&landmarks(0.0, 0.0, 0.0), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn yaw_is_positive_to_the_right_of_the_picture() {
        assert_pose(&landmarks(40.0, 0.0, 0.0), [40.0, 0.0, 0.0]);
        assert_pose(&landmarks(-75.0, 0.0, 0.0), [-75.0, 0.0, 0.0]);
        let [_, _, nose, ..] = landmarks(40.0, 0.0, 0.0);
        assert!(nose.x > 340.0);
    }

    #[test]
    fn pitch_is_positive_upwards() {
        assert_pose(&landmarks(0.0, 25.0, 0.0), [0.0, 25.0, 0.0]);
        let [_, _, nose, ..] = landmarks(0.0, 25.0, 0.0);
        let [_, _, frontal, ..] = landmarks(0.0, 0.0, 0.0);
        assert!(nose.y < frontal.y);
    }

    #[test]
    fn roll_is_positive_clockwise_and_independent_of_the_direction() {
        assert_pose(&landmarks(0.0, 0.0, 30.0), [0.0, 0.0, 30.0]);
        assert_pose(&landmarks(0.0, 0.0, -170.0), [0.0, 0.0, -170.0]);
    }

    #[test]
    fn the_size_of_the_face_does_not_matter() {
        let small = landmarks(20.0, -10.0, 0.0).map(|p| Point::new(p.x / 20.0, p.y / 20.0));
        assert_pose(&small, [20.0, -10.0, 0.0]);
    }

    #[test]
    fn mirrored_landmarks_have_no_pose() {
        let [left_eye, right_eye, nose, mouth_left, mouth_right] = landmarks(20.0, 0.0, 0.0);
        let mirrored = [right_eye, left_eye, nose, mouth_right, mouth_left];
        assert_eq!(HeadPose::from_landmarks(&mirrored), None);
    }

    #[test]
    fn landmarks_without_an_extent_have_no_pose() {
        assert_eq!(HeadPose::from_landmarks(&[Point::new(3.0, 4.0); 5]), None);
        assert_eq!(
            HeadPose::from_landmarks(&[Point::new(f32::NAN, 4.0); 5]),
            None
        );
        let line = [0.0, 1.0, 2.0, 3.0, 4.0].map(|x| Point::new(x, 2.0 * x));
        assert_eq!(HeadPose::from_landmarks(&line), None);
    }
}

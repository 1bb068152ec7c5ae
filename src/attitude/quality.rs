// SPDX-License-Identifier: MPL-2.0

//! The quality of a face's picture.
//!
//! Quality is the estimated probability that the classifier gives a face the same attitude as it
//! gives the same face when that is large, sharp, well lit and facing the camera. It is the product
//! of two factors:
//!
//! * A logistic regression on the height, the contrast and the sharpness of the crop. The training
//!   step `attitude.quality` (`models/train/README.md`) fits and prints its coefficients.
//! * A factor for the head pose: 1 up to 30 degrees between the direction of the face and the
//!   camera, from there falling linearly to 0 at 75 degrees.
//!
//! If the classifier estimates the probability that the crop shows a face at all, the
//! [analyzer](crate::analyzer) multiplies the quality by it.

use crate::pose::HeadPose;

/// Width and height of the crop, in pixels.
pub const SIDE_PX: usize = 48;

/// Number of pixels at each edge of the crop that are not measured, since they mostly show hair and
/// background.
const MARGIN_PX: usize = 6;

/// Number of measured columns and rows.
const MEASURED_PX: usize = SIDE_PX - 2 * MARGIN_PX;

// The coefficients of the logistic regression, as the training step prints them.

/// Log-odds for a crop from at least [`MAX_HEIGHT_PX`] frame pixels, with the maximum contrast and
/// a sharpness of [`BALANCE`].
const INTERCEPT: f32 = 2.81;
/// Log-odds per doubling of the height.
const HEIGHT: f32 = 0.67;
/// Decrease of the log-odds per unit of sharpness below [`BALANCE`].
const BLUR: f32 = 0.33;
/// Decrease of the log-odds per unit of sharpness above [`BALANCE`].
const NOISE: f32 = 0.33;
/// The best sharpness, which is the binary logarithm of the ratio of detail and contrast: less is
/// blur, more is noise.
const BALANCE: f32 = -3.0;
/// Log-odds per doubling of the contrast.
const CONTRAST: f32 = 0.66;

// The ranges of the measures, beyond which they have no effect.

/// Minimum height of the crop, in frame pixels.
const MIN_HEIGHT_PX: f32 = 8.0;
/// Maximum height of the crop, in frame pixels.
const MAX_HEIGHT_PX: f32 = 48.0;
/// Minimum contrast, in levels of luma.
const MIN_CONTRAST: f32 = 1.0;
/// Maximum contrast, in levels of luma.
const MAX_CONTRAST: f32 = 40.0;
/// Minimum ratio of detail and contrast.
const MIN_DETAIL_RATIO: f32 = 0.005;
/// Maximum ratio of detail and contrast.
const MAX_DETAIL_RATIO: f32 = 0.5;

/// Angle between the direction of a face and the camera up to which the pose has no effect, in
/// degrees.
const FRONTAL_DEGREES: f32 = 30.0;
/// Angle between the direction of a face and the camera from which the quality is 0, in degrees.
const PROFILE_DEGREES: f32 = 75.0;

/// Returns the quality of a face's picture, 0 to 1; 0 if an argument contains NaN.
///
/// `luma` is the face's crop, aligned like the classifier's input: [`SIDE_PX`] rows of [`SIDE_PX`]
/// values, 0 to 255. `height_px` is the height of the crop in pixels of the displayed frame. A
/// face without `pose` counts as facing the camera.
///
/// # Panics
/// Panics if `luma` has another length.
pub fn quality(luma: &[f32], height_px: f32, pose: Option<HeadPose>) -> f32 {
    assert_eq!(luma.len(), SIDE_PX * SIDE_PX);
    let Texture { deviation, detail } = Texture::measure(luma);
    let height = height_px.clamp(MIN_HEIGHT_PX, MAX_HEIGHT_PX) / MAX_HEIGHT_PX;
    let contrast = deviation.clamp(MIN_CONTRAST, MAX_CONTRAST) / MAX_CONTRAST;
    // The sum keeps the ratio of pictures without contrast from being noise.
    let detail_ratio = detail / (deviation + 1.0);
    let sharpness = detail_ratio
        .clamp(MIN_DETAIL_RATIO, MAX_DETAIL_RATIO)
        .log2();
    let excess = sharpness - BALANCE;
    let log_odds = INTERCEPT + HEIGHT * height.log2() + CONTRAST * contrast.log2()
        - if excess < 0.0 { -BLUR } else { NOISE } * excess;
    let probability = 1.0 / (1.0 + (-log_odds).exp());
    // The maximum of NaN and 0 is 0.
    (probability * pose.map_or(1.0, pose_factor)).max(0.0)
}

/// Returns the factor of the quality for a head pose: 1 up to [`FRONTAL_DEGREES`] between the
/// direction of the face and the camera, from there falling linearly to 0 at [`PROFILE_DEGREES`].
///
/// On 1,281 photos, the accuracy of the default classifier is 0.90 to 0.93 up to 40 degrees, 0.72
/// from 40 to 50 and 0.50 beyond; from 40 degrees on, it calls a third of the faces negative, where
/// 0.08 are labeled so.
fn pose_factor(pose: HeadPose) -> f32 {
    let cosine = pose.yaw.to_radians().cos() * pose.pitch.to_radians().cos();
    let degrees = cosine.clamp(-1.0, 1.0).acos().to_degrees();
    ((PROFILE_DEGREES - degrees) / (PROFILE_DEGREES - FRONTAL_DEGREES)).clamp(0.0, 1.0)
}

/// Measures of the middle of a crop, in levels of luma.
struct Texture {
    /// Standard deviation of the pixels.
    deviation: f32,
    /// Root mean square of the difference of each pixel and the mean of the 3x3 pixels around it.
    detail: f32,
}

impl Texture {
    /// Measures the pixels of a crop except its margin, which is used for means only.
    fn measure(luma: &[f32]) -> Self {
        const MEASURED: std::ops::Range<usize> = MARGIN_PX..MARGIN_PX + MEASURED_PX;
        // Sums of squares lose less precision near 0.
        let reference = luma[luma.len() / 2];
        // One sum per column, so that the loops are vectorized.
        let [mut sums, mut squares, mut detail_squares] = [[0.0f32; SIDE_PX]; 3];
        for y in MEASURED {
            let row = |y: usize| &luma[y * SIDE_PX..][..SIDE_PX];
            let (above, row, below) = (row(y - 1), row(y), row(y + 1));
            let columns: [f32; SIDE_PX] = std::array::from_fn(|x| above[x] + row[x] + below[x]);
            for x in MEASURED {
                let difference = row[x] - reference;
                sums[x] += difference;
                squares[x] += difference * difference;
                let mean = (columns[x - 1] + columns[x] + columns[x + 1]) / 9.0;
                detail_squares[x] += (row[x] - mean) * (row[x] - mean);
            }
        }
        let mean_of =
            |sums: [f32; SIDE_PX]| sums.iter().sum::<f32>() / (MEASURED_PX * MEASURED_PX) as f32;
        let mean = mean_of(sums);
        Self {
            // Rounding may make a variance of about 0 negative.
            deviation: (mean_of(squares) - mean * mean).abs().sqrt(),
            detail: mean_of(detail_squares).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = SIDE_PX * SIDE_PX;

    /// Returns a crop of waves in both directions, 10 px long, with a standard deviation of 40: the
    /// best contrast and about the best sharpness.
    fn sharp() -> Vec<f32> {
        let wave = |position: usize| (position as f32 * std::f32::consts::TAU / 10.0).sin();
        let luma = |i: usize| 128.0 + 40.0 * (wave(i % SIDE_PX) + wave(i / SIDE_PX));
        (0..LEN).map(luma).collect()
    }

    /// Returns `crop` with the mean of the 3x3 pixels around each pixel.
    fn blurred(crop: &[f32]) -> Vec<f32> {
        let mean = |i: usize| {
            let around =
                |position: usize| position.saturating_sub(1)..=(position + 1).min(SIDE_PX - 1);
            let (xs, ys) = (around(i % SIDE_PX), around(i / SIDE_PX));
            let pixels: Vec<f32> = ys
                .flat_map(|y| xs.clone().map(move |x| crop[y * SIDE_PX + x]))
                .collect();
            pixels.iter().sum::<f32>() / pixels.len() as f32
        };
        (0..LEN).map(mean).collect()
    }

    /// Returns `crop` with noise that alternates from pixel to pixel.
    fn noisy(crop: &[f32], amplitude: f32) -> Vec<f32> {
        let sign = |i: usize| {
            if (i % SIDE_PX + i / SIDE_PX).is_multiple_of(2) {
                1.0
            } else {
                -1.0
            }
        };
        let pixels = crop.iter().enumerate();
        pixels.map(|(i, luma)| luma + amplitude * sign(i)).collect()
    }

    fn turned(yaw: f32, pitch: f32) -> Option<HeadPose> {
        let roll = 0.0;
        Some(HeadPose { yaw, pitch, roll })
    }

    /// Asserts that the qualities are fractions, and that each is less than the one before.
    #[track_caller]
    fn assert_decreasing(qualities: &[f32]) {
        assert!(
            qualities.iter().all(|q| (0.0..=1.0).contains(q)),
            "{qualities:?}"
        );
        assert!(qualities.is_sorted_by(|a, b| a > b), "{qualities:?}");
    }

    #[test]
    fn the_quality_of_a_good_picture_is_that_of_the_intercept() {
        let best = 1.0 / (1.0 + (-INTERCEPT).exp());
        let found = quality(&sharp(), MAX_HEIGHT_PX, None);
        assert!((found - best).abs() < 0.01, "{found} {best}");
        assert_eq!(quality(&sharp(), 500.0, turned(20.0, -15.0)), found);
    }

    #[test]
    fn the_measures_are_those_of_a_wave() {
        let Texture { deviation, detail } = Texture::measure(&sharp());
        assert!((deviation - 40.0).abs() < 1.0, "{deviation}");
        let gain = 2.0 / 3.0 * (1.0 - (std::f32::consts::TAU / 10.0).cos());
        assert!((detail / deviation - gain).abs() < 0.01, "{detail}");
    }

    #[test]
    fn a_blurred_picture_has_less_quality() {
        let once = blurred(&sharp());
        let twice = blurred(&once);
        let crops = [sharp(), once, twice];
        assert_decreasing(&crops.map(|crop| quality(&crop, 100.0, None)));
    }

    #[test]
    fn a_noisy_picture_has_less_quality() {
        let crops = [0.0, 10.0, 30.0].map(|amplitude| noisy(&sharp(), amplitude));
        assert_decreasing(&crops.map(|crop| quality(&crop, 100.0, None)));
    }

    #[test]
    fn a_dark_picture_has_less_quality() {
        let crops = [1.0, 0.5, 0.2, 0.05].map(|gain| {
            let dark = sharp().iter().map(|luma| gain * luma).collect::<Vec<f32>>();
            quality(&dark, 100.0, None)
        });
        assert_decreasing(&crops);
    }

    #[test]
    fn a_small_face_has_less_quality() {
        let heights_px = [48.0, 32.0, 16.0, 8.0];
        assert_decreasing(&heights_px.map(|height_px| quality(&sharp(), height_px, None)));
        assert_eq!(quality(&sharp(), 2.0, None), quality(&sharp(), 8.0, None));
    }

    #[test]
    fn a_turned_face_has_less_quality() {
        let frontal = quality(&sharp(), 100.0, None);
        for turn in [
            |degrees: f32| turned(degrees, 0.0),
            |degrees: f32| turned(0.0, -degrees),
        ] {
            let angles = [30.0, 40.0, 50.0, 60.0, 70.0];
            assert_decreasing(&angles.map(|degrees| quality(&sharp(), 100.0, turn(degrees))));
            assert_eq!(quality(&sharp(), 100.0, turn(29.9)), frontal);
            assert_eq!(quality(&sharp(), 100.0, turn(76.0)), 0.0);
            let halfway = quality(&sharp(), 100.0, turn(52.5));
            assert!((halfway - frontal / 2.0).abs() < 1e-3, "{halfway}");
        }
        // About 40 degrees in total.
        let both = quality(&sharp(), 100.0, turned(30.0, 28.0));
        let yaw = quality(&sharp(), 100.0, turned(40.0, 0.0));
        assert!((both - yaw).abs() < 0.01, "{both} {yaw}");
    }

    #[test]
    fn a_picture_of_one_luma_has_a_low_quality() {
        for luma in [0.0, 128.0, 255.0] {
            let found = quality(&[luma; LEN], 100.0, None);
            assert!((0.05..0.3).contains(&found), "{found}");
        }
    }

    #[test]
    fn not_a_number_has_no_quality_and_an_infinite_height_is_large() {
        assert_eq!(quality(&[f32::NAN; LEN], 100.0, None), 0.0);
        assert_eq!(quality(&sharp(), f32::NAN, None), 0.0);
        assert_eq!(quality(&sharp(), 100.0, turned(f32::NAN, 0.0)), 0.0);
        assert_eq!(
            quality(&sharp(), f32::INFINITY, None),
            quality(&sharp(), 48.0, None)
        );
    }
}

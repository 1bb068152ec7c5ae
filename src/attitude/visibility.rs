// SPDX-License-Identifier: MPL-2.0

//! Selection of the faces that are visible well enough to be classified.

use super::detection::Detection;
use super::frame::Frame;
use super::geometry::{Landmarks, Point, Rect};

/// Minimum fraction of the area of a face's box that is inside of the frame.
const MIN_VISIBLE_FRACTION: f32 = 0.6;

/// Maximum distance of the nose from the midpoint of the eyes, measured along the line through the
/// eyes, in distances of the eyes. At 0.5, the nose is below an eye, and the head is turned by
/// about 50 degrees; training data contain almost no such faces.
const MAX_NOSE_OFFSET: f32 = 0.5;

/// Returns `true` if the face can be classified: it is not cut off by the edge of the frame, and
/// not turned away. `displayed` is in pixels of the displayed frame. A face without landmarks
/// counts as not turned away.
pub fn is_classifiable(displayed: &Detection, frame: &Frame) -> bool {
    let (width, height) = frame.displayed_size();
    let frame = Rect::new(0.0, 0.0, width, height);
    let visible_fraction = displayed.bbox.intersection(&frame).area() / displayed.bbox.area();
    visible_fraction >= MIN_VISIBLE_FRACTION
        && displayed
            .landmarks
            .is_none_or(|landmarks| is_facing_camera(&landmarks))
}

fn is_facing_camera([left_eye, right_eye, nose, ..]: &Landmarks) -> bool {
    let (dx, dy) = (right_eye.x - left_eye.x, right_eye.y - left_eye.y);
    let eye_distance_squared = dx * dx + dy * dy;
    let midpoint = Point::new(
        (left_eye.x + right_eye.x) / 2.0,
        (left_eye.y + right_eye.y) / 2.0,
    );
    let projection = (nose.x - midpoint.x) * dx + (nose.y - midpoint.y) * dy;
    eye_distance_squared > 0.0 && (projection / eye_distance_squared).abs() <= MAX_NOSE_OFFSET
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_that_are_cut_off_or_turned_away_are_not_classifiable() {
        let face_at = |x: f32| Detection {
            bbox: Rect::new(x, 0.0, 10.0, 10.0),
            score: 1.0,
            landmarks: None,
        };
        let (inside, half_outside) = (face_at(0.0), face_at(-5.0));
        let frame = Frame::from_luma(20, 20, &[0; 400]).unwrap();
        assert!(is_classifiable(&inside, &frame));
        assert!(!is_classifiable(&half_outside, &frame));
        let nose_at = |x: f32| Detection {
            landmarks: Some([
                Point::new(2.0, 3.0),
                Point::new(6.0, 3.0),
                Point::new(x, 5.0),
                Point::new(3.0, 8.0),
                Point::new(5.0, 8.0),
            ]),
            ..inside
        };
        assert!(is_classifiable(&nose_at(5.5), &frame));
        assert!(!is_classifiable(&nose_at(6.5), &frame));
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The pose of the head and the quality of the picture.

use super::*;

/// Returns a face whose landmarks are those of a mean face that is turned by these angles in
/// degrees.
fn turned(face: Detection, yaw: f32, pitch: f32) -> Detection {
    let center = face.bbox.center();
    let landmarks = crate::pose::tests::landmarks(yaw, pitch, 0.0);
    let middle = landmarks.iter().fold(Point::default(), |sum, p| {
        Point::new(sum.x + p.x / 5.0, sum.y + p.y / 5.0)
    });
    let scale = 0.2;
    let in_face = |p: Point| {
        Point::new(
            center.x + scale * (p.x - middle.x),
            center.y + scale * (p.y - middle.y),
        )
    };
    Detection {
        landmarks: Some(landmarks.map(in_face)),
        ..face
    }
}

#[test]
fn a_turned_face_is_unknown_instead_of_negative() {
    let negative = Scores::from_array([0.0, 0.1, 0.9]);
    for (yaw, pitch, label) in [
        (0.0, 0.0, Label::NEGATIVE),
        (-20.0, 10.0, Label::NEGATIVE),
        (60.0, 0.0, Label::Unknown),
        (40.0, -40.0, Label::Unknown),
    ] {
        let mut stream = Stream::default();
        stream.params.min_confidence = 0.5;
        stream.classifier.result = Ok(negative);
        let face = stream.sample(0, &[turned(face_at(10.0, 20.0), yaw, pitch)])[0];
        assert_eq!(face.label, label, "{yaw} {pitch}");
        assert_eq!(face.confidence() >= 0.5, label.is_known());
        // A face turned so far to the side is not classified.
        let scores = (yaw != 60.0).then_some(negative);
        assert_eq!(face.scores, scores);
        assert_eq!(face.quality.is_some(), scores.is_some());
    }
}

#[test]
fn a_face_that_turns_away_becomes_unknown_as_its_quality_is_smoothed() {
    let mut stream = Stream::default();
    stream.params.smoothing_ns = 500 * MS;
    stream.params.min_confidence = 0.5;
    stream.classifier.result = Ok(Scores::from_array([0.0, 0.1, 0.9]));
    let face = face_at(10.0, 20.0);
    let frontal = stream.sample(0, &[turned(face, 0.0, 0.0)])[0];
    let mut previous = frontal.quality.unwrap();
    assert!(previous > 0.9);
    for time_ms in [200, 400, 600, 800, 1_000] {
        let quality = stream.sample(time_ms, &[turned(face, 40.0, -40.0)])[0].quality;
        assert!(quality.unwrap() < previous, "at {time_ms} ms");
        previous = quality.unwrap();
    }
    assert_eq!(frontal.label, Label::NEGATIVE);
    assert_eq!(stream.analysis.faces[0].label, Label::Unknown);
}

#[test]
fn what_is_hardly_a_face_has_a_low_quality_and_no_attitude() {
    let found = |face| {
        let mut stream = Stream::default();
        stream.params.min_confidence = 0.45;
        stream.classifier.result = Ok(POSITIVE);
        stream.classifier.face = face;
        stream.sample(0, &[face_at(10.0, 20.0)])[0]
    };
    let not_estimated = found(None);
    assert_eq!(found(Some(1.0)), not_estimated);
    assert_eq!(not_estimated.label, Label::POSITIVE);
    let unlikely = found(Some(0.25));
    assert_eq!(unlikely.label, Label::Unknown);
    assert_eq!(unlikely.scores, not_estimated.scores);
    assert_eq!(
        unlikely.quality,
        not_estimated.quality.map(|quality| 0.25 * quality)
    );
}

#[test]
fn a_face_that_is_not_classified_has_no_quality() {
    let mut stream = Stream::default();
    let cut_off = stream.sample(0, &[face_at(-20.0, 20.0)])[0];
    assert_eq!((cut_off.scores, cut_off.quality), (None, None));
    let mut stream = Stream::default();
    let quality = stream.sample(0, &[face_at(10.0, 20.0)])[0].quality;
    assert!(quality.is_some());
    for time_ms in [200, 400] {
        stream.sample(time_ms, &[face_at(10.0, 20.0)]);
    }
    // A face that is not found keeps the quality of its last classification.
    assert_eq!(stream.sample(600, &[])[0].quality, quality);
}

#[test]
fn a_picture_without_contrast_has_a_low_quality() {
    let mut stream = Stream::default();
    stream.detector.result = Ok(vec![face_at(10.0, 20.0)]);
    let frame = Frame::from_luma(640, 360, &[128; 640 * 360]).unwrap();
    let face = stream.analyze(&frame, 0).unwrap()[0];
    assert!(face.quality.unwrap() < 0.3);
    assert_eq!((face.label, face.confidence()), (Label::Unknown, 0.0));
}

#[test]
fn the_quality_does_not_depend_on_the_input_of_the_classifier() {
    let quality_with = |side: usize, tensor_format: TensorFormat| {
        let mut stream = Stream::default();
        let input = &mut stream.classifier.input;
        (input.width, input.height) = (side, side);
        input.tensor_format = tensor_format;
        stream.sample(0, &[face_at(11.0, 23.0)])[0].quality.unwrap()
    };
    let expected = quality_with(48, TensorFormat::LUMA);
    let scaled = TensorFormat {
        mean: [120.0; 3],
        scale: [-1.0 / 60.0; 3],
        ..TensorFormat::LUMA
    };
    let constant = TensorFormat {
        scale: [0.0; 3],
        ..TensorFormat::LUMA
    };
    let rgb = TensorFormat {
        channels: crate::preprocessing::Channels::Rgb,
        ..TensorFormat::LUMA
    };
    for (side, format) in [
        (48, scaled),
        (48, constant),
        (48, rgb),
        (4, rgb),
        (64, scaled),
    ] {
        let found = quality_with(side, format);
        assert!(
            (found - expected).abs() < 1e-4,
            "{side} {format:?}: {found} {expected}"
        );
    }
}

#[test]
fn a_head_pose_needs_landmarks() {
    let mut stream = Stream::default();
    let face = face_at(10.0, 20.0);
    assert_eq!(stream.sample(0, &[face])[0].head_pose, None);
    let pose = stream.sample(200, &[posed(face, false)])[0].head_pose;
    assert_eq!(pose.unwrap().yaw, 0.0);
    let pose = stream.sample(400, &[posed(face, true)])[0].head_pose;
    assert!(pose.unwrap().yaw > 30.0);
    // A face that is not found keeps the pose of its last detection.
    assert_eq!(stream.sample(600, &[])[0].head_pose, pose);
}

#[test]
fn the_head_pose_in_an_anamorphic_frame_is_the_displayed_one() {
    let mut tilted = posed(face_at(100.0, 20.0), false);
    let center = tilted.bbox.center();
    let (sin, cos) = 30f32.to_radians().sin_cos();
    tilted.landmarks = tilted.landmarks.map(|landmarks| {
        landmarks.map(|p| {
            let (x, y) = (p.x - center.x, p.y - center.y);
            Point::new(center.x + x * cos - y * sin, center.y + x * sin + y * cos)
        })
    });
    // The detector gets both frames as they are displayed.
    let mut square = Stream::default();
    let expected = square.sample(0, &[tilted])[0].head_pose.unwrap();
    assert!((expected.roll - 30.0).abs() < 0.1, "{expected:?}");
    let mut anamorphic = Stream::default();
    anamorphic.detector.result = Ok(vec![tilted]);
    let frame = Frame::from_luma(320, 360, &[128; 320 * 360]).unwrap();
    let frame = frame.with_pixel_aspect(2.0);
    let found = anamorphic.analyze(&frame, 0).unwrap()[0].head_pose.unwrap();
    for (found, expected) in [
        (found.yaw, expected.yaw),
        (found.pitch, expected.pitch),
        (found.roll, expected.roll),
    ] {
        assert!((found - expected).abs() < 0.01, "{found} {expected}");
    }
}

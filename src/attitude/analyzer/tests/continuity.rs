// SPDX-License-Identifier: MPL-2.0

//! What continues from one sample to the next: tracks and attitudes, across failures, cuts and parts of a stream.

use super::*;

#[test]
fn the_stream_continues_after_a_network_fails() {
    let frame = Frame::from_luma(640, 360, &WAVES).unwrap();
    let failure = InferenceError("out of order".to_owned());
    let mut stream = Stream::default();
    for time_ms in [0, 200, 400] {
        stream.sample(time_ms, &[face_at(10.0, 20.0)]);
    }
    stream.detector.result = Err(failure.clone());
    assert_eq!(stream.analyze(&frame, 600), Err(failure.clone()));
    assert_eq!(stream.sample(800, &[face_at(10.0, 20.0)])[0].track, 1);
    stream.classifier.result = Err(failure.clone());
    assert_eq!(stream.analyze(&frame, 1_000), Err(failure));
    stream.classifier.result = Ok(POSITIVE);
    let face = stream.sample(1_200, &[face_at(10.0, 20.0)])[0];
    assert_eq!((face.track, face.label), (1, Label::POSITIVE));
}

/// Returns the luma of two scenes between which there is a cut.
fn two_scenes() -> [Vec<u8>; 2] {
    let ramp: Vec<u8> = (0..640 * 360)
        .map(|i| (i % 640 * 255 / 640) as u8)
        .collect();
    let mirrored = ramp.iter().map(|luma| 255 - luma).collect();
    [ramp, mirrored]
}

#[test]
fn a_cut_ends_all_tracks() {
    let [ramp, mirrored] = two_scenes();
    let mut stream = Stream::default();
    stream.detector.result = Ok(vec![face_at(10.0, 20.0)]);
    for (time_ms, luma, track) in [(0, &ramp, 1), (200, &ramp, 1), (400, &mirrored, 2)] {
        let frame = Frame::from_luma(640, 360, luma).unwrap();
        assert_eq!(stream.analyze(&frame, time_ms).unwrap()[0].track, track);
    }
}

#[test]
fn a_cut_at_which_the_detector_fails_ends_all_tracks_in_the_next_sample() {
    let scenes = two_scenes();
    let [before, after] = scenes
        .each_ref()
        .map(|luma| Frame::from_luma(640, 360, luma).unwrap());
    let found = Ok(vec![face_at(10.0, 20.0)]);
    let mut stream = Stream::default();
    stream.detector.result = found.clone();
    assert_eq!(stream.analyze(&before, 0).unwrap()[0].track, 1);
    stream.detector.result = Err(InferenceError("out of order".to_owned()));
    assert!(stream.analyze(&after, 200).is_err());
    stream.detector.result = found;
    assert_eq!(stream.analyze(&after, 400).unwrap()[0].track, 2);
}

#[test]
fn a_reset_ends_tracks_and_ids_are_not_reused() {
    let mut stream = Stream::default();
    stream.sample(0, &[face_at(10.0, 20.0)]);
    stream.analyzer.reset();
    assert_eq!(stream.sample(200, &[face_at(10.0, 20.0)])[0].track, 2);
    stream.analyzer.reset();
    assert!(stream.sample(400, &[]).is_empty());
}

#[test]
fn another_part_ends_tracks_and_another_stream_counts_them_from_1() {
    let mut stream = Stream::default();
    for (epoch, track) in [((0, 0), 1), ((0, 0), 1), ((0, 1), 2), ((1, 0), 1)] {
        (stream.epoch.stream, stream.epoch.part) = epoch;
        assert_eq!(stream.sample(0, &[face_at(10.0, 20.0)])[0].track, track);
    }
}

#[test]
fn the_attitude_of_a_face_turned_away_is_kept_until_the_track_timeout() {
    let mut stream = Stream::default();
    let face = face_at(10.0, 20.0);
    stream.sample(0, &[posed(face, false)]);
    for time_ms in [200, 400, 600, 800] {
        let seen = stream.sample(time_ms, &[posed(face, true)])[0];
        assert_eq!(seen.label, Label::NEUTRAL, "at {time_ms} ms");
        assert_eq!(seen.classified_ns, Some(0));
        assert_eq!(seen.observed_ns, time_ms * MS);
    }
    let seen = stream.sample(1_000, &[posed(face, true)])[0];
    assert_eq!(
        (seen.track, seen.label, seen.scores),
        (1, Label::Unknown, None)
    );
    assert_eq!((seen.raw_scores, seen.classified_ns), (None, None));
}

// SPDX-License-Identifier: MPL-2.0

//! Results of the default models, of published ones, and of the models in the fixtures.

use attitude::analyzer::{Analysis, Analyzer, Epoch, Face, Params, Sample};
use attitude::classification::Classification;
use attitude::frame::Frame;
use attitude::geometry::Rect;
use attitude::{Attitude, Label, Scores};
use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, Networks};
use attitude_inference::provider::Provider;

use crate::files::{self, AverageFace, project};
use crate::support::{config, fixture, loaded, with_classifier, with_detector};

/// Returns the scores of evenly gray crops, classified in one call.
fn classify(networks: &mut Networks, levels: &[f32]) -> Vec<Scores> {
    let found = try_classify(networks, levels).unwrap_or_else(|error| panic!("{error}"));
    found.iter().map(|found| found.scores).collect()
}

fn try_classify(networks: &mut Networks, levels: &[f32]) -> Result<Vec<Classification>, String> {
    let input = networks.classifier.input();
    let crop_len = input.tensor_format.len(input.width, input.height);
    let crop = |&level: &f32| std::iter::repeat_n(level, crop_len);
    let crops: Vec<f32> = levels.iter().flat_map(crop).collect();
    let mut found = Vec::new();
    let result = networks
        .classifier
        .classify(&crops, levels.len(), &mut found);
    result.map(|()| found).map_err(|error| error.to_string())
}

/// Returns the most likely emotion of an evenly gray crop.
fn best_emotion(networks: &mut Networks, level: f32) -> String {
    let found = try_classify(networks, &[level]).unwrap();
    let probabilities = found[0].emotions.as_slice();
    let sum: f32 = probabilities.iter().sum();
    assert!((sum - 1.0).abs() < 1e-3, "{probabilities:?}");
    let labels = networks.classifier.emotion_labels();
    assert_eq!(labels.len(), probabilities.len());
    let best = (0..labels.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    labels[best.unwrap()].clone()
}

fn best(scores: &[Scores]) -> Vec<Attitude> {
    scores.iter().map(Scores::best).collect()
}

/// An average face of 200x200 px at (300, 80) of a gray frame of 640x360 px, as RGB.
pub struct Picture(Vec<u8>);

impl Picture {
    const SIZE: (usize, usize) = (640, 360);

    pub fn of(attitude: &str) -> Self {
        let face = AverageFace::load(attitude);
        let (width, height) = Self::SIZE;
        let mut picture = vec![128; 3 * width * height];
        for (y, x) in (0..200).flat_map(|y| (0..200).map(move |x| (y, x))) {
            let pixel = face.pixel(x * face.side / 200, y * face.side / 200);
            let start = 3 * ((y + 80) * width + x + 300);
            picture[start..start + 3].copy_from_slice(&pixel);
        }
        Self(picture)
    }

    fn frame(&self) -> Frame<'_> {
        let (width, height) = Self::SIZE;
        Frame::from_rgb(width, height, &self.0).unwrap()
    }
}

/// Returns the faces that `networks` detect in `picture`.
pub fn analyze(networks: &mut Networks, picture: &Picture) -> Vec<Face> {
    let params = Params {
        smoothing_ns: 0,
        ..Params::default()
    };
    let sample = Sample {
        frame: picture.frame(),
        time_ns: 0,
        epoch: Epoch::default(),
        upstream: None,
        params: &params,
    };
    let mut analysis = Analysis::default();
    networks
        .analyze(&mut Analyzer::default(), &sample, &mut analysis)
        .unwrap_or_else(|error| panic!("{error}"));
    analysis.faces
}

#[test]
fn the_default_models_detect_and_classify_each_average_face() {
    let mut networks = loaded(with_detector(ModelSource::FACE_DETECTOR));
    assert!(networks.read_luma_only());
    assert!(networks.provider_errors.is_empty());
    for attitude in Attitude::ALL {
        let picture = Picture::of(attitude.name());
        let faces = analyze(&mut networks, &picture);
        assert_eq!(faces.len(), 1, "{attitude:?}");
        assert_at_the_face(&faces[0]);
        assert_eq!(faces[0].label, attitude.into());
    }
}

#[test]
fn the_int8_classifier_on_a_cpu_agrees_with_the_float32_one() {
    let floats = ModelSource::File(project("models/attitude.onnx"));
    let mut default = loaded(with_classifier(ModelSource::ATTITUDE));
    let mut floats = loaded(with_classifier(floats));
    assert_eq!(default.classifier.model_name(), "gst-attitude-int8");
    assert_eq!(floats.classifier.model_name(), "gst-attitude");
    assert_eq!(
        default.classifier.emotion_labels(),
        floats.classifier.emotion_labels()
    );
    for attitude in Attitude::ALL {
        let picture = Picture::of(attitude.name());
        let [expected, found] = [&mut floats, &mut default].map(|networks| {
            let faces = analyze(networks, &picture);
            faces[0].raw_scores.unwrap().to_array()
        });
        for (expected, found) in expected.into_iter().zip(found) {
            assert!((expected - found).abs() < 0.1, "{attitude:?}: {found}");
        }
    }
}

#[test]
fn the_default_classifier_is_float32_on_every_provider_except_the_cpu() {
    let floats = std::fs::read(project("models/attitude.onnx")).unwrap();
    let is_cpu = |provider| matches!(provider, Provider::Auto | Provider::Cpu);
    for &provider in Provider::ALL {
        let read = ModelSource::ATTITUDE.read(provider).unwrap();
        assert_eq!(*read == *floats, !is_cpu(provider), "{provider}");
    }
}

#[test]
fn published_face_detectors_need_no_description() {
    for (name, has_landmarks) in [
        ("yunet_n_320", true),
        ("yunet_n_640", true),
        ("yunet_n_dynamic", true),
        ("ultraface-rfb-320", false),
    ] {
        let Some(file) = files::shared(&format!("reference/{name}.onnx")) else {
            continue;
        };
        let mut networks = loaded(with_detector(ModelSource::File(file)));
        assert!(!networks.read_luma_only());
        let faces = analyze(&mut networks, &Picture::of("neutral"));
        assert_eq!(faces.len(), 1, "{name}");
        assert_at_the_face(&faces[0]);
        assert_eq!(faces[0].landmarks_in_frame.is_some(), has_landmarks);
        assert_eq!(faces[0].label, Label::NEUTRAL, "{name}");
    }
}

#[test]
fn published_emotion_classifiers_need_no_description() {
    use Attitude::{Negative, Neutral, Positive};
    let folder = tempfile::tempdir().unwrap();
    for (fixture, file, name) in [
        ("emotions8-undescribed", "emotion-ferplus-8", "ferplus"),
        ("rgb-emotions", "enet_b0_8_best_afew", "hsemotion-b0-8"),
    ] {
        let fixture = format!("tests/fixtures/models/{fixture}.onnx");
        let model = folder.path().join(format!("{file}.onnx"));
        std::fs::copy(project(&fixture), &model).unwrap();
        let mut networks = loaded(with_classifier(ModelSource::File(model)));
        assert_eq!(networks.classifier.model_name(), name);
        let scores = classify(&mut networks, &normalize(&[220.0, 30.0, 120.0], name));
        assert_eq!(best(&scores), [Positive, Negative, Neutral], "{name}");
        assert_eq!(networks.classifier.emotion_labels().len(), 8);
    }
}

/// Returns levels of gray with the normalization that the model of this name expects.
fn normalize(levels: &[f32], name: &str) -> Vec<f32> {
    let uses_imagenet_mean = name.starts_with("hsemotion");
    let normalize_level = |level| {
        if uses_imagenet_mean {
            (level - 116.0) / 57.0
        } else {
            level
        }
    };
    levels.iter().copied().map(normalize_level).collect()
}

/// Asserts that `face` is at the position of the face in [`Picture`], within 15% of its size.
fn assert_at_the_face(face: &Face) {
    let (expected, found) = (Rect::new(342.0, 109.0, 116.0, 147.0), face.bbox_in_frame);
    let (dx, dy) = (0.15 * expected.w, 0.15 * expected.h);
    let is_near = |a: f32, b: f32, tolerance: f32| (a - b).abs() <= tolerance;
    assert!(
        is_near(found.x, expected.x, dx)
            && is_near(found.y, expected.y, dy)
            && is_near(found.w, expected.w, dx)
            && is_near(found.h, expected.h, dy),
        "{found:?}"
    );
    if let Some([left_eye, right_eye, nose, ..]) = face.landmarks_in_frame {
        for (found, (x, y)) in [
            (left_eye, (373.0, 164.0)),
            (right_eye, (425.0, 164.0)),
            (nose, (398.0, 193.0)),
        ] {
            assert!(
                is_near(found.x, x, dx) && is_near(found.y, y, dy),
                "{found:?}"
            );
        }
    }
}

#[test]
fn a_described_classifier_scores_all_crops_of_a_call() {
    use Attitude::{Negative, Neutral, Positive};
    let mut networks = loaded(with_classifier(fixture("brightness.onnx")));
    assert_eq!(networks.classifier.model_name(), "brightness");
    let scores = classify(&mut networks, &[220.0, 40.0, 128.0, 215.0]);
    assert_eq!(best(&scores), [Positive, Negative, Neutral, Positive]);
    assert!(scores.iter().all(Scores::is_valid));
}

#[test]
fn the_file_beside_the_model_maps_emotions_to_attitudes() {
    use Attitude::{Negative, Neutral, Positive};
    let mut networks = loaded(with_classifier(fixture("emotions8.onnx")));
    let scores = classify(&mut networks, &[220.0, 40.0, 128.0]);
    assert_eq!(best(&scores), [Positive, Negative, Neutral]);
    for Scores {
        positive,
        neutral,
        negative,
    } in scores
    {
        assert!((positive + neutral + negative - 1.0).abs() < 1e-3);
    }
}

#[test]
fn an_emotion_can_be_mapped_to_another_attitude_in_the_file_beside_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("mine.onnx");
    let fixtures = project("tests/fixtures/models");
    std::fs::copy(fixtures.join("emotions8.onnx"), &model).unwrap();
    let described = std::fs::read_to_string(fixtures.join("emotions8.toml")).unwrap();
    let positive = "positive = [\"happiness\"]";
    assert!(described.contains(positive));
    let changed = described.replace(positive, "positive = [\"happiness\", \"anger\"]");
    std::fs::write(model.with_extension("toml"), changed).unwrap();
    let mut networks = loaded(with_classifier(ModelSource::File(model)));
    let scores = classify(&mut networks, &[40.0]);
    assert_eq!(best(&scores), [Attitude::Positive]);
}

#[test]
fn emotions_are_reported_with_the_attitude() {
    use Attitude::{Negative, Positive};
    for name in ["emotions8.onnx", "two-heads.onnx"] {
        let mut networks = loaded(with_classifier(fixture(name)));
        let scores = classify(&mut networks, &[220.0, 40.0]);
        assert_eq!(best(&scores), [Positive, Negative], "{name}");
        assert_eq!(best_emotion(&mut networks, 220.0), "happiness", "{name}");
        assert_eq!(best_emotion(&mut networks, 128.0), "neutral", "{name}");
    }
    let networks = loaded(with_classifier(fixture("brightness.onnx")));
    assert!(networks.classifier.emotion_labels().is_empty());
}

#[test]
fn a_classifier_may_tell_how_likely_a_crop_shows_a_face() {
    let mut networks = loaded(with_classifier(fixture("face-by-brightness.onnx")));
    let found = try_classify(&mut networks, &[51.0, 204.0]).unwrap();
    let faces: Vec<f32> = found.iter().filter_map(|found| found.face).collect();
    assert!(
        (faces[0] - 0.2).abs() < 1e-3 && (faces[1] - 0.8).abs() < 1e-3,
        "{faces:?}"
    );
    let mut networks = loaded(with_classifier(fixture("brightness.onnx")));
    assert_eq!(try_classify(&mut networks, &[51.0]).unwrap()[0].face, None);
}

#[test]
fn scores_that_are_nan_are_returned_unchanged() {
    let mut networks = loaded(with_classifier(fixture("nan.onnx")));
    let scores = classify(&mut networks, &[0.0, 255.0]);
    let are_valid: Vec<bool> = scores.iter().map(Scores::is_valid).collect();
    assert_eq!(are_valid, [true, false]);
}

#[test]
fn a_classifier_works_again_after_a_failure() {
    let mut networks = loaded(with_classifier(fixture("fails.onnx")));
    for _ in 0..2 {
        assert!(try_classify(&mut networks, &[200.0]).is_err());
        let scores = classify(&mut networks, &[0.0]);
        assert_eq!(best(&scores), [Attitude::Negative]);
    }
}

#[test]
fn detectors_return_the_faces_of_their_fixtures() {
    let picture = Picture::of("neutral");
    for (name, expected) in [("one-face.onnx", 1), ("nan-faces.onnx", 0)] {
        let mut networks = loaded(with_detector(fixture(name)));
        assert_eq!(analyze(&mut networks, &picture).len(), expected, "{name}");
    }
    let mut networks = loaded(with_detector(fixture("one-face.onnx")));
    let face = analyze(&mut networks, &picture)[0];
    // The picture is twice as large as the detector's input.
    assert_eq!(face.bbox_in_frame, Rect::new(128.0, 64.0, 96.0, 96.0));
}

#[test]
fn the_users_mapping_may_list_some_of_the_emotions() {
    for name in ["emotions8.onnx", "two-heads.onnx"] {
        let mut networks = loaded(Networks::load(&Config {
            mapping: Some("positive=Anger".parse().unwrap()),
            ..config(ModelSource::FACE_DETECTOR, fixture(name))
        }));
        let scores = classify(&mut networks, &[40.0]);
        assert_eq!(best(&scores), [Attitude::Positive], "{name}");
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The oldest ONNX Runtime that can be used. `pipelines/setup.sh --tests` installs it; without it, the
//! test is skipped.

use attitude::Attitude;
use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, Networks};
use attitude_inference::provider::{Provider, ProviderRequest};
use attitude_inference::runtime;

use crate::files::project;
use crate::models::{Picture, analyze};
use crate::own_process::in_own_process_with;
use crate::support::{loaded, with_classifier};
use crate::test_providers::installed;

/// Variable with the scores of the ONNX Runtime that users have.
const EXPECTED: &str = "GST_ATTITUDE_TEST_EXPECTED";

const TOLERANCE: f32 = 1e-3;

/// Returns the scores of the default models, in int8 and float32, for each average face.
fn scores() -> Vec<f32> {
    let floats = ModelSource::File(project("models/attitude.onnx"));
    let mut scores = Vec::new();
    for classifier in [ModelSource::ATTITUDE, floats] {
        let mut networks = loaded(with_classifier(classifier));
        for attitude in Attitude::ALL {
            let faces = analyze(&mut networks, &Picture::of(attitude.name()));
            assert_eq!(faces.len(), 1, "{attitude:?}");
            scores.push(faces[0].detection_score);
            scores.extend(faces[0].raw_scores.unwrap().to_array());
        }
    }
    scores
}

#[test]
fn the_oldest_onnx_runtime_has_the_same_scores_and_refuses_libraries_of_providers() {
    let Some(library) = installed("onnxruntime-oldest/libonnxruntime.so") else {
        return;
    };
    let environment = [
        ("ORT_DYLIB_PATH", library.to_str().unwrap()),
        (EXPECTED, &serde_json::to_string(&scores()).unwrap()),
    ];
    in_own_process_with(&environment, || {
        let expected = std::env::var(EXPECTED).unwrap();
        let expected: Vec<f32> = serde_json::from_str(&expected).unwrap();
        let found = scores();
        assert_eq!(runtime::loaded_library(), Some(&*library));
        assert_eq!(found.len(), expected.len());
        let mut pairs = found.iter().zip(&expected);
        assert!(
            pairs.all(|(a, b)| (a - b).abs() < TOLERANCE),
            "{found:?} {expected:?}"
        );
        let result = Networks::load(&Config {
            provider: ProviderRequest {
                library: Some(library.clone()),
                ..Provider::Plugin.into()
            },
            falls_back: false,
            ..Config::default()
        });
        let error = result.err().unwrap().to_string();
        let expected = "ONNX Runtime 1.17.3 cannot load providers; 1.22 or newer is required";
        assert!(error.contains(expected), "{error}");
    });
}

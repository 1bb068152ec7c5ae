// SPDX-License-Identifier: MPL-2.0

//! Models, settings and execution providers that are refused, with the reasons.

use attitude_inference::model::ModelSource;
use attitude_inference::networks::{Config, LoadError, Networks, UnknownLabels};
use attitude_inference::provider::Provider;

use crate::files::project;
use crate::support::{config, fixture, loaded, with_classifier, with_detector};

/// Asserts that the error contains each of `words`.
#[track_caller]
fn assert_refused(result: Result<Networks, LoadError>, words: &[&str]) {
    let error = match result {
        Ok(_) => panic!("loaded where an error with {words:?} was expected"),
        Err(error) => error.to_string(),
    };
    for word in words {
        assert!(error.contains(word), "no '{word}' in: {error}");
    }
}

#[test]
fn an_invalid_classifier_is_refused_with_the_reason() {
    for (name, words) in [
        (
            "five-scores",
            &[
                "output 'scores' has shape",
                "x5, expected ?x3, one score per label; see",
            ][..],
        ),
        (
            "face-is-scores",
            &[
                "output 'scores' has shape",
                "x3, expected ?x1, one probability per crop; see",
            ],
        ),
        (
            "rgb-claim",
            &[
                "input 'luma' has shape",
                "x1x48x48, expected ?x3x?x? by color",
            ],
        ),
        (
            "unknown-label",
            &["'joy'", "not a label of the model; its labels are"],
        ),
        (
            "broken-toml",
            &["the description in its metadata is malformed in line"],
        ),
        (
            "wrong-task",
            &["a face detector, expected an attitude classifier"],
        ),
        ("string-input", &["'luma' has type", "String", "float32"]),
        ("logits", &["black crop", "add up to 1", "softmax"]),
        (
            "two-heads-logits",
            &["black crop", "add up to 1", "softmax"],
        ),
        ("greedy", &["trial inference failed"]),
        ("truncated", &["ONNX Runtime rejects it"]),
        ("rgb-emotions", &["no description", ".toml"]),
        ("one-face", &["set it as detector-model"]),
        (
            "not-there",
            &["cannot read the file: No such file", "check its path"],
        ),
    ] {
        let result = with_classifier(fixture(&format!("{name}.onnx")));
        assert_refused(result, &[&[&*format!("{name}.onnx")], words].concat());
    }
}

#[test]
fn an_invalid_detector_is_refused_with_the_reason() {
    for (name, words) in [
        ("detector-bad-shape", &["'map_8'", "x7x", "?x15x?x?"][..]),
        ("brightness", &["set it as attitude-model"]),
        ("truncated", &["ONNX Runtime rejects it"]),
        (
            "not-there",
            &["cannot read the file: No such file", "check its path"],
        ),
    ] {
        let result = with_detector(fixture(&format!("{name}.onnx")));
        assert_refused(result, &[&[&*format!("{name}.onnx")], words].concat());
    }
}

#[test]
fn files_that_are_not_models_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("empty.onnx"), []).unwrap();
    std::fs::write(path("text.onnx"), "a face, please\n".repeat(1000)).unwrap();
    std::fs::create_dir(path("folder.onnx")).unwrap();
    for (name, word) in [
        ("empty.onnx", "ONNX Runtime rejects it"),
        ("text.onnx", "ONNX Runtime rejects it"),
        ("folder.onnx", "not a regular file"),
    ] {
        assert_refused(with_detector(ModelSource::File(path(name))), &[name, word]);
        assert_refused(
            with_classifier(ModelSource::File(path(name))),
            &[name, word],
        );
    }
    assert_refused(
        with_detector(ModelSource::File("/dev/zero".into())),
        &["/dev/zero", "not a regular file"],
    );
}

#[test]
fn a_description_cannot_exhaust_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("mine.onnx");
    std::fs::copy(project("tests/fixtures/models/one-face.onnx"), &model).unwrap();
    let described = "schema = 1\ntask = \"face-detection\"\nname = \"mine\"\n\
        [input]\ncolor = \"luma\"\nwidth = 100000000\nheight = 100000000\n\
        [detector]\nhead = \"center-maps\"\n";
    std::fs::write(model.with_extension("toml"), described).unwrap();
    assert_refused(
        with_detector(ModelSource::File(model)),
        &["mine.onnx", "'luma'", "4096"],
    );
}

#[test]
fn an_invalid_model_is_not_reported_as_a_provider_failure() {
    let result = Networks::load(&Config {
        provider: Provider::Cuda.into(),
        ..config(fixture("not-there.onnx"), ModelSource::ATTITUDE)
    });
    let error = result.err().map(|error| error.to_string()).unwrap();
    assert!(
        error.contains("cannot read") && !error.contains("'cuda'"),
        "{error}"
    );
}

#[test]
fn a_description_beside_the_model_is_refused_if_it_is_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("mine.onnx");
    std::fs::copy(project("tests/fixtures/models/brightness.onnx"), &model).unwrap();
    std::fs::write(model.with_extension("toml"), "#".repeat(100_000)).unwrap();
    assert_refused(
        with_classifier(ModelSource::File(model)),
        &["mine.toml", "100000 bytes"],
    );
}

#[test]
fn an_unavailable_provider_is_always_reported() {
    let load = |falls_back| {
        Networks::load(&Config {
            provider: Provider::Cuda.into(),
            falls_back,
            ..config(ModelSource::FACE_DETECTOR, ModelSource::ATTITUDE)
        })
    };
    let networks = loaded(load(true));
    if networks.provider == Provider::Cuda {
        println!("skipped: CUDA runs here");
        return;
    }
    assert_eq!(networks.provider, Provider::Cpu);
    let [reason] = &networks.provider_errors[..] else {
        panic!("{:?}", networks.provider_errors);
    };
    assert!(reason.to_string().contains("'cuda' cannot run"));
    assert_refused(load(false), &["'cuda' cannot run", "CUDA", "; install"]);
    let error = load(false).err().map(|error| error.to_string()).unwrap();
    let mentions = |text| error.contains(text);
    assert!(
        !mentions("detector") && !mentions("rejects") && !mentions(".;"),
        "{error}"
    );
}

#[test]
fn a_damaged_model_is_not_reported_as_a_provider_failure() {
    assert_refused(
        Networks::load(&Config {
            provider: Provider::Cuda.into(),
            ..config(ModelSource::FACE_DETECTOR, fixture("truncated.onnx"))
        }),
        &["cannot load", "truncated.onnx", "ONNX Runtime rejects it"],
    );
}

#[test]
fn a_name_in_the_users_mapping_that_is_not_a_label_is_refused_with_the_labels() {
    let load = |model, mapping: &str, unknown_labels| {
        Networks::load(&Config {
            mapping: Some(mapping.parse().unwrap()),
            unknown_labels,
            ..config(ModelSource::FACE_DETECTOR, model)
        })
    };
    let refuse = |model, mapping| load(model, mapping, UnknownLabels::Refuse);
    assert_refused(
        refuse(ModelSource::ATTITUDE, "positive=hapiness"),
        &[
            "embedded attitude classifier",
            "'hapiness'",
            "neutral, happiness, surprise",
        ],
    );
    assert_refused(
        refuse(fixture("brightness.onnx"), "positive=happiness"),
        &["'happiness'", "its labels are positive, neutral, negative"],
    );
    loaded(load(
        ModelSource::ATTITUDE,
        "positive=hapiness",
        UnknownLabels::Ignore,
    ));
}

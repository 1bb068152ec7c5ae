// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude models`: what is known, and what there is to say of a file.

use crate::support::project;
use std::process::{Command, Output};

fn models(files: &[&str]) -> Output {
    let fixtures = project("tests/fixtures/models");
    Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
        .arg("models")
        .args(files.iter().map(|file| fixtures.join(file)))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn assert_tells(told: &str, facts: &[&str]) {
    for fact in facts {
        assert!(told.contains(fact), "no '{fact}' in:\n{told}");
    }
}

#[test]
fn known_and_embedded_models_are_listed() {
    let output = models(&[]);
    assert!(output.status.success());
    assert_tells(
        &text(&output.stdout),
        &[
            "face_detection_yunet_2023mar.onnx\n",
            "emotion-ferplus-8.onnx\n",
            "https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB",
            "Apache-2.0",
            "embedded face detector\n",
            "embedded attitude classifier\n",
            "48x48 px of luma",
        ],
    );
}

#[test]
fn a_file_is_explained() {
    let output = models(&[
        "emotions8.onnx",
        "emotions8-undescribed.onnx",
        "one-face.onnx",
    ]);
    assert!(output.status.success());
    assert_tells(
        &text(&output.stdout),
        &[
            "emotions8.toml",
            "64x64 px of luma",
            "positive     happiness\n",
            "negative     surprise, sadness, anger, disgust, fear, contempt\n",
            "like the published emotion-ferplus-8.onnx",
            "NOT that of a published file",
            "any multiples of 32 px of luma",
        ],
    );
}

#[test]
fn a_file_that_does_not_serve_is_told_and_the_others_are_not_lost() {
    let output = models(&["truncated.onnx", "colors.onnx", "not-there.onnx"]);
    assert_eq!(output.status.code(), Some(1));
    assert_tells(&text(&output.stdout), &["colors", "48x48 px of RGB"]);
    assert_tells(
        &text(&output.stderr),
        &[
            "truncated.onnx: ONNX Runtime does not load it",
            "not-there.onnx: it cannot be read",
        ],
    );
}

#[test]
fn a_model_that_answers_no_scores_is_warned_of() {
    let output = models(&["nan.onnx"]);
    assert_tells(
        &text(&output.stdout),
        &["WARNING      what it answers about a grey crop are no scores"],
    );
}

#[test]
fn a_mistake_in_a_description_is_told_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = project("tests/fixtures/models");
    let model = folder.path().join("mine.onnx");
    std::fs::copy(fixtures.join("emotions8.onnx"), &model).unwrap();
    let described = std::fs::read_to_string(fixtures.join("emotions8.toml")).unwrap();
    let line = 1 + described.lines().count();
    let mistaken = described + "[surprise]\n";
    std::fs::write(folder.path().join("mine.toml"), mistaken).unwrap();
    let output = models(&[model.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_tells(
        &text(&output.stderr),
        &[&format!(
            "mine.toml: its description is malformed in line {line}: "
        )],
    );
}

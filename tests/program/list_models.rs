// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude models`: the list of known models, and descriptions of files.

use crate::support::project;
use std::process::{Command, Output};

/// Runs the program in the folder of the fixture models.
fn models(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
        .arg("models")
        .args(arguments)
        .current_dir(project("tests/fixtures/models"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn assert_contains(text: &str, facts: &[&str]) {
    for fact in facts {
        assert!(text.contains(fact), "no '{fact}' in:\n{text}");
    }
}

#[test]
fn known_and_embedded_models_are_listed() {
    let output = models(&[]);
    assert!(output.status.success());
    assert_contains(
        &text(&output.stdout),
        &[
            "face_detection_yunet_2023mar.onnx\n",
            "emotion-ferplus-8.onnx\n",
            "https://github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB",
            "Apache-2.0",
            "embedded face detector\n",
            "embedded attitude classifier\n",
            "input        luma, 48x48 px",
            "output       positive, neutral, negative\n",
        ],
    );
}

#[test]
fn the_list_needs_no_onnx_runtime() {
    let output = models(&["--onnxruntime", "nowhere.so"]);
    assert!(output.status.success());
    assert_contains(
        &text(&output.stdout),
        &["embedded attitude classifier\n  size ", "  SHA-256 "],
    );
    let warning =
        "Warning: inputs, outputs and times of the embedded models are not shown: no ONNX Runtime";
    assert_contains(&text(&output.stderr), &[warning]);
}

#[test]
fn a_file_is_described() {
    let output = models(&[
        "emotions8.onnx",
        "emotions8-undescribed.onnx",
        "one-face.onnx",
    ]);
    assert!(output.status.success());
    assert_contains(
        &text(&output.stdout),
        &[
            "emotions8.toml",
            "input        luma, 64x64 px\n",
            "output       positive=happiness; neutral=neutral; \
             negative=surprise,sadness,anger,disgust,fear,contempt\n",
            "that of the published emotion-ferplus-8.onnx",
            "NOT that of the published file",
            "luma, width and height any multiple of 32 px",
        ],
    );
}

#[test]
fn emotions_without_a_mapping_are_mapped_by_their_names_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = project("tests/fixtures/models");
    let model = folder.path().join("mine.onnx");
    std::fs::copy(fixtures.join("emotions8.onnx"), &model).unwrap();
    let described = std::fs::read_to_string(fixtures.join("emotions8.toml")).unwrap();
    let (before, after) = described.split_once("[attitude]").unwrap();
    let rest = after
        .split_once("\n[")
        .map_or(String::new(), |(_, rest)| format!("[{rest}"));
    let unmapped = format!("{before}{rest}");
    std::fs::write(model.with_extension("toml"), &unmapped).unwrap();
    let output = models(&[model.to_str().unwrap()]);
    assert_contains(
        &text(&output.stdout),
        &[
            "output       positive=happiness; neutral=neutral; negative=surprise,",
            "mapping      assumed, as the description has no section [attitude]",
        ],
    );
    let unknown = unmapped.replace("\"happiness\"", "\"bored\"");
    std::fs::write(model.with_extension("toml"), unknown).unwrap();
    let output = models(&[model.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let words = "no section [attitude] that maps them to attitudes; add one, such as: [attitude] positive = ";
    assert_contains(&text(&output.stderr), &[words]);
}

#[test]
fn a_file_that_cannot_be_used_is_reported_and_the_others_are_described() {
    let output = models(&["truncated.onnx", "colors.onnx", "not-there.onnx"]);
    assert_eq!(output.status.code(), Some(1));
    assert_contains(&text(&output.stdout), &["colors", "RGB, 48x48 px"]);
    assert_contains(
        &text(&output.stderr),
        &[
            "truncated.onnx: ONNX Runtime rejects it",
            "not-there.onnx: cannot read the file",
        ],
    );
}

#[test]
fn invalid_scores_cause_a_warning() {
    let output = models(&["nan.onnx"]);
    assert_contains(
        &text(&output.stdout),
        &["WARNING      for a gray crop, the output is not a score"],
    );
}

#[test]
fn a_mistake_in_a_description_is_reported_by_file_and_line() {
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
    assert_contains(
        &text(&output.stderr),
        &[&format!("mine.toml is malformed in line {line}: ")],
    );
}

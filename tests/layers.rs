// SPDX-License-Identifier: MPL-2.0

//! The layers keep apart: who may name what, by the sources themselves.

use std::path::{Path, PathBuf};

/// All Rust sources under `folder`, with their text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            found.push((path, text));
        }
    }
    found
}

/// Places under `folder` that name one of `words` in code.
fn offenders(folder: &str, words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for (path, text) in sources(&root.join(folder)) {
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let names = |word: &str| {
                code.match_indices(word).any(|(at, _)| {
                    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                })
            };
            if words.iter().any(|word| names(word)) {
                found.push(format!("{}:{}: {line}", path.display(), index + 1));
            }
        }
    }
    found
}

#[test]
fn the_analysis_names_neither_gstreamer_nor_onnx_runtime() {
    let words = [
        "gst::",
        "gst_video::",
        "gst_base::",
        "glib::",
        "ort::",
        "crate::element",
        "crate::evaluation",
        "crate::inference",
        "crate::record",
    ];
    assert_eq!(offenders("analysis", &words), Vec::<String>::new());
}

#[test]
fn only_the_inference_names_onnx_runtime() {
    for folder in ["element", "record", "evaluation", "analysis", "bin"] {
        assert_eq!(offenders(folder, &["ort::"]), Vec::<String>::new());
    }
}

#[test]
fn of_the_library_only_the_element_names_gstreamer() {
    let words = [
        "gst::",
        "gst_video::",
        "gst_base::",
        "glib::",
        "crate::element",
    ];
    for folder in ["inference", "record", "evaluation"] {
        assert_eq!(offenders(folder, &words), Vec::<String>::new());
    }
}

#[test]
fn record_and_evaluation_build_on_the_analysis_alone() {
    let words = ["crate::inference", "crate::element"];
    for (folder, other) in [
        ("record", "crate::evaluation"),
        ("evaluation", "crate::record"),
    ] {
        let words = [&words[..], &[other]].concat();
        assert_eq!(offenders(folder, &words), Vec::<String>::new());
    }
}

#[test]
fn the_plugin_does_without_the_evaluation() {
    for folder in ["element", "inference"] {
        let found = offenders(folder, &["crate::evaluation"]);
        assert_eq!(found, Vec::<String>::new());
    }
}

#[test]
fn the_search_for_offenders_finds_some() {
    assert!(!offenders("inference", &["ort::"]).is_empty());
    assert!(!offenders("element", &["gst::"]).is_empty());
}

// SPDX-License-Identifier: MPL-2.0

//! Tests of a start with ONNX Runtime missing or unusable.

use std::path::Path;

use crate::support::*;

/// Asserts that the element refuses to start with `library`, with an error that contains `words`.
fn assert_refused(library: &Path, words: &[&str]) {
    let path = library.to_str().unwrap();
    let refusal = refusal(&element(&[("onnxruntime", path)]));
    for word in [path, "setup.sh"].iter().chain(words) {
        assert!(refusal.contains(word), "no '{word}' in: {refusal}");
    }
}

#[test]
fn a_missing_library_is_named() {
    in_own_process(|| {
        assert_refused(Path::new("/nowhere/libonnxruntime.so"), &["no such file"]);
    });
}

#[test]
fn a_file_that_is_not_a_library_is_named() {
    in_own_process(|| {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("libonnxruntime.so");
        std::fs::write(&text, "not a library\n").unwrap();
        assert_refused(&text, &["file too short"]);
    });
}

#[test]
fn an_old_library_is_refused_with_its_version_and_the_required_one() {
    in_own_process(|| {
        let folder = tempfile::tempdir().unwrap();
        let old = c_library(folder.path(), "1.10.0", "&base");
        assert_refused(&old, &["1.10.0", "1.17"]);
    });
}

#[test]
fn a_damaged_library_is_an_error() {
    in_own_process(|| {
        let folder = tempfile::tempdir().unwrap();
        let damaged = c_library(folder.path(), "1.99.0", "0");
        assert_refused(&damaged, &["damaged"]);
    });
}

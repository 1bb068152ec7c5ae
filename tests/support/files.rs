// SPDX-License-Identifier: MPL-2.0

//! Files that tests of all packages use, without GStreamer.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::path::{Path, PathBuf};

/// A file or folder of this repository.
pub fn project(path: impl AsRef<Path>) -> PathBuf {
    // All packages that share this module lie two folders below the root.
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).unwrap();
    root.join(path)
}

pub fn fixture(name: &str) -> PathBuf {
    project("tests/fixtures").join(name)
}

/// A file of the material beside the project; `None`, and a message, where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = project("../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// A library that answers as ONNX Runtime does, with this version, and without the functions that
/// make it one; without even the version where `base` is `0`.
pub fn c_library(folder: &Path, version: &str, base: &str) -> PathBuf {
    let source = folder.join("onnxruntime.c");
    let library = folder.join("libonnxruntime.so");
    std::fs::write(
        &source,
        format!(
            r#"
            struct Base {{
                const void *(*get_api)(unsigned version);
                const char *(*get_version)(void);
            }};
            static const void *get_api(unsigned version) {{ return 0; }}
            static const char *get_version(void) {{ return "{version}"; }}
            static const struct Base base = {{ get_api, get_version }};
            const struct Base *OrtGetApiBase(void) {{ return {base}; }}
            "#
        ),
    )
    .unwrap();
    let compiler = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    assert!(compiler.unwrap().success());
    library
}

// SPDX-License-Identifier: MPL-2.0

//! Loads libraries that a provider needs from a folder that the dynamic linker does not search.

use std::collections::HashSet;
use std::path::Path;

/// Calls `attempt`. If it fails because the dynamic linker does not find a library that is in
/// `folder`, loads this library and calls it again.
///
/// # Errors
/// Returns the error of the last call.
pub(crate) fn with_libraries_in<T, E: std::fmt::Display>(
    folder: Option<&Path>,
    mut attempt: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut tried = HashSet::new();
    loop {
        match attempt() {
            Err(error) if preload_missing(folder, &error.to_string(), &mut tried) => {}
            result => return result,
        }
    }
}

/// Loads the library that is missing according to `message`, and those that it needs, if they are in
/// `folder` and not in `tried`. Returns `false` if there is none to load.
fn preload_missing(folder: Option<&Path>, message: &str, tried: &mut HashSet<String>) -> bool {
    let Some((folder, name)) = folder.zip(missing_library(message)) else {
        return false;
    };
    let library = folder.join(name);
    if !library.exists() || !tried.insert(name.to_owned()) {
        return false;
    }
    while let Err(error) = ort::util::preload_dylib(&library) {
        if !preload_missing(Some(folder), &error.to_string(), tried) {
            break;
        }
    }
    true
}

/// Returns the name of the library that the dynamic linker did not find according to `message`;
/// `None` if the message says something else.
pub(super) fn missing_library(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(": cannot open shared object file")?;
    let name = before.rsplit([' ', '\'', '"']).next()?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_library_is_read_from_the_dynamic_linkers_message() {
        let message = "Failed to load library libonnxruntime_providers_cuda.so with error: \
            libcublasLt.so.13: cannot open shared object file: No such file or directory";
        assert_eq!(missing_library(message), Some("libcublasLt.so.13"));
        for other in [
            "CUDA failure 100: no CUDA-capable device is detected",
            "/opt/libx.so: cannot open shared object file: No such file or directory",
            ": cannot open shared object file",
        ] {
            assert_eq!(missing_library(other), None, "{other}");
        }
    }

    #[test]
    fn a_library_that_cannot_be_loaded_does_not_end_in_a_loop() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libx.so.1"), "not a library").unwrap();
        let mut calls = 0;
        let result: Result<(), _> = with_libraries_in(Some(folder.path()), || {
            calls += 1;
            Err("libx.so.1: cannot open shared object file: No such file or directory")
        });
        assert!(result.is_err());
        assert_eq!(calls, 2);
    }
}

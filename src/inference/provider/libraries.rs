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

/// Loads the libraries in `folder` whose names begin with one of `beginnings`, and those that they
/// need. One that cannot be loaded is not an error: the provider reports it.
pub(crate) fn preload(folder: Option<&Path>, beginnings: &[&str]) {
    let files = folder.and_then(|folder| folder.read_dir().ok());
    for file in files.into_iter().flatten().flatten() {
        let name = file.file_name();
        let is_wanted = |name: &str| beginnings.iter().any(|start| name.starts_with(start));
        if name.to_str().is_some_and(is_wanted) {
            let path = file.path();
            let _ = with_libraries_in(folder, || load(&path));
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
    while let Err(message) = load(&library) {
        if !preload_missing(Some(folder), &message, tried) {
            break;
        }
    }
    true
}

/// Loads a library for the rest of the process.
///
/// # Errors
/// Returns the message of the dynamic linker.
fn load(library: &Path) -> Result<(), String> {
    ort::util::preload_dylib(library).map_err(|error| {
        let message = std::error::Error::source(&error);
        message.map_or(error.to_string(), ToString::to_string)
    })
}

/// Returns the name of the library that the dynamic linker did not find according to `message`;
/// `None` if the message says something else.
pub(super) fn missing_library(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(": cannot open shared object file")?;
    let name = before.rsplit([' ', '\'', '"', '/']).next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_library_is_read_from_the_dynamic_linkers_message() {
        let message = "Failed to load library libonnxruntime_providers_cuda.so with error: \
            libcublasLt.so.13: cannot open shared object file: No such file or directory";
        assert_eq!(missing_library(message), Some("libcublasLt.so.13"));
        let message = "/opt/libx.so: cannot open shared object file: No such file or directory";
        assert_eq!(missing_library(message), Some("libx.so"));
        for other in [
            "CUDA failure 100: no CUDA-capable device is detected",
            ": cannot open shared object file",
        ] {
            assert_eq!(missing_library(other), None, "{other}");
        }
    }

    /// Compiles a library in `folder` that needs those in `needed`, which are there too.
    fn compile(folder: &Path, name: &str, needed: &[&str]) {
        let source = folder.join("source.c");
        std::fs::write(&source, "int answer(void) { return 42; }\n").unwrap();
        let compiled = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-Wl,--no-as-needed", "-o"])
            .arg(folder.join(name))
            .arg(format!("-Wl,-soname,{name}"))
            .arg(&source)
            .args(needed.iter().map(|name| folder.join(name)))
            .status();
        assert!(compiled.unwrap().success());
    }

    #[test]
    fn libraries_are_loaded_with_those_that_they_need_from_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        compile(folder, "libattitudebase.so.1", &[]);
        compile(folder, "libattitudemiddle.so.1", &["libattitudebase.so.1"]);
        compile(folder, "libattitudetop.so.1", &["libattitudemiddle.so.1"]);
        let top = folder.join("libattitudetop.so.1");
        let load_top = || load(&top);
        let message = with_libraries_in(None, load_top).unwrap_err();
        assert_eq!(missing_library(&message), Some("libattitudemiddle.so.1"));
        with_libraries_in(Some(folder), load_top).unwrap();
        compile(folder, "libattitudelate.so.1", &["libattitudetop.so.1"]);
        preload(Some(folder), &["libattitudelate.so."]);
        // The dynamic linker finds a library by its name alone if it is loaded.
        load(Path::new("libattitudelate.so.1")).unwrap();
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

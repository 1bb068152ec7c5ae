// SPDX-License-Identifier: MPL-2.0

//! Searching and loading ONNX Runtime. A process loads it once, so each attempt runs in a process
//! of its own: this test binary with the test `load_in_own_process` and the requests in its
//! environment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use attitude_inference::runtime::{self, RuntimeOptions};

/// Is set in the environment of the processes.
const IS_OWN_PROCESS: &str = "GST_ATTITUDE_TEST_OWN_PROCESS";
/// The libraries to load one after the other, separated by ':'; an empty name to search for one.
const REQUESTS: &str = "GST_ATTITUDE_TEST_REQUESTS";
/// The folder of the plugin.
const PLUGIN_FOLDER: &str = "GST_ATTITUDE_TEST_PLUGIN_FOLDER";
/// Prefix of the result of each request in the output.
const RESULT: &str = "request: ";

#[test]
fn load_in_own_process() {
    if std::env::var_os(IS_OWN_PROCESS).is_none() {
        return;
    }
    let requests = std::env::var(REQUESTS).unwrap_or_default();
    for request in requests.split(':') {
        let result = runtime::load(&RuntimeOptions {
            library: (!request.is_empty()).then(|| request.into()),
            plugin_folder: std::env::var_os(PLUGIN_FOLDER).map(PathBuf::from),
            ..RuntimeOptions::default()
        });
        match result {
            Ok(library) => println!("{RESULT}loaded {}", library.display()),
            Err(error) => println!("{RESULT}{error}"),
        }
    }
}

/// A process whose user has installed nothing.
struct Process {
    command: Command,
    home: tempfile::TempDir,
}

impl Process {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "runtime::load_in_own_process", "--nocapture"])
            .env(IS_OWN_PROCESS, "1")
            .env("HOME", home.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("ORT_DYLIB_PATH");
        Self { command, home }
    }

    fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Returns the result of each request.
    fn results(mut self) -> Vec<String> {
        let output = self.command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        // The test harness may print on the same line.
        let result = |line: &str| Some(line.split_once(RESULT)?.1.to_owned());
        text.lines().filter_map(result).collect()
    }

    /// Returns the result of the only request.
    fn result(self) -> String {
        let results = self.results();
        assert_eq!(results.len(), 1, "{results:?}");
        results[0].clone()
    }
}

/// Returns the file of the library that the other tests use. A system library is loaded by its name
/// alone, but the memory map of this process lists its file.
fn installed() -> PathBuf {
    runtime::load(&RuntimeOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut paths = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]));
    let library = paths.find(|path| path.contains("libonnxruntime.so"));
    library.unwrap().into()
}

/// Creates a link to the installed library in `folder`, with the name that is searched for.
fn link_in(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let link = folder.join("libonnxruntime.so");
    std::os::unix::fs::symlink(installed(), &link).unwrap();
    link
}

/// Creates a file in `folder` that is not a library.
fn text_in(folder: &Path) -> PathBuf {
    let file = folder.join("libtext.so");
    std::fs::write(&file, "not a library\n").unwrap();
    file
}

fn loaded(library: &Path) -> String {
    format!("loaded {}", library.display())
}

#[track_caller]
fn assert_contains(result: &str, words: &[&str]) {
    for word in words {
        assert!(result.contains(word), "no '{word}' in: {result}");
    }
}

#[test]
fn a_requested_library_that_does_not_exist_is_named_and_no_other_is_tried() {
    let result = Process::new().env(REQUESTS, "/nowhere/libort.so").result();
    assert_contains(&result, &["/nowhere/libort.so (no such file)", "setup.sh"]);
    assert!(!result.contains("libonnxruntime.so"), "{result}");
}

#[test]
fn a_requested_file_that_is_not_a_library_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = text_in(folder.path());
    let result = Process::new().env(REQUESTS, &text).result();
    assert_contains(
        &result,
        &["no ONNX Runtime", text.to_str().unwrap(), "setup.sh"],
    );
}

#[test]
fn another_library_is_refused() {
    let result = Process::new().env(REQUESTS, "libm.so.6").result();
    assert_contains(&result, &["no ONNX Runtime", "libm.so.6", "setup.sh"]);
}

#[test]
fn a_library_without_the_functions_of_onnx_runtime_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = crate::files::c_library(folder.path(), "1.99.0", "&base");
    let result = Process::new().env(REQUESTS, &damaged).result();
    assert_contains(&result, &["damaged", damaged.to_str().unwrap(), "setup.sh"]);
}

#[test]
fn a_wrong_ort_dylib_path_is_named_and_no_other_library_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let text = text_in(folder.path());
    let process = Process::new().env("ORT_DYLIB_PATH", &text);
    let result = process.env(PLUGIN_FOLDER, link_in(folder.path()).parent().unwrap());
    assert_contains(
        &result.result(),
        &["no ONNX Runtime", text.to_str().unwrap()],
    );
}

#[test]
fn a_request_precedes_ort_dylib_path_and_that_the_plugins_folder() {
    let folder = tempfile::tempdir().unwrap();
    let [requested, variable, plugin] =
        ["requested", "variable", "plugin"].map(|name| link_in(&folder.path().join(name)));
    let process = || Process::new().env(PLUGIN_FOLDER, plugin.parent().unwrap());
    assert_eq!(process().result(), loaded(&plugin));
    let process = || process().env("ORT_DYLIB_PATH", &variable);
    assert_eq!(process().result(), loaded(&variable));
    let result = process().env(REQUESTS, &requested).result();
    assert_eq!(result, loaded(&requested));
}

#[test]
fn without_any_library_the_error_lists_all_files_tried_and_how_to_install_one() {
    let process = Process::new().env(PLUGIN_FOLDER, "/plugins");
    let data = process
        .home
        .path()
        .join(".local/share/gst-attitude/onnxruntime");
    let result = process.result();
    if result.starts_with("loaded libonnxruntime") {
        println!("skipped: a system library is installed");
        return;
    }
    let data = data.display().to_string();
    assert_contains(
        &result,
        &[
            "/plugins/libonnxruntime.so",
            "libonnxruntime.so.1",
            &data,
            "gst-attitude-onnxruntime",
            "setup.sh",
        ],
    );
}

#[test]
fn the_library_in_the_users_data_folder_is_found_and_precedes_the_systems() {
    for variable in ["HOME", "XDG_DATA_HOME"] {
        let folder = tempfile::tempdir().unwrap();
        let data = match variable {
            "HOME" => folder.path().join(".local/share"),
            _ => folder.path().to_owned(),
        };
        let link = link_in(&data.join("gst-attitude/onnxruntime"));
        let result = Process::new().env(variable, folder.path()).result();
        assert_eq!(result, loaded(&link));
    }
}

#[test]
fn a_second_library_is_refused_but_another_path_of_the_first_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let [first, same] = ["first", "same"].map(|name| link_in(&folder.path().join(name)));
    let other = text_in(folder.path());
    let requests = [&first, &same, &other].map(|path| path.to_str().unwrap().to_owned());
    let results = Process::new().env(REQUESTS, requests.join(":")).results();
    assert_eq!(results[..2], [loaded(&first), loaded(&first)]);
    assert_contains(&results[2], &["already loaded", &requests[0], &requests[2]]);
}

#[test]
fn a_library_installed_after_a_failure_is_found() {
    let requests = format!("/nowhere/libort.so:{}", installed().display());
    let results = Process::new().env(REQUESTS, requests).results();
    assert!(results[0].contains("no such file"), "{results:?}");
    assert_eq!(results[1], loaded(&installed()));
}

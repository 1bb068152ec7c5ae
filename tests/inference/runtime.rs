// SPDX-License-Identifier: MPL-2.0

//! Where ONNX Runtime is looked for. A process loads it once, so each look is one of this test
//! program's own processes: the test `look` with the request in its environment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use attitude_inference::runtime::{Search, environment, loaded_library};

/// Set in processes that are to look.
const LOOK: &str = "GST_ATTITUDE_TEST_LOOK";
/// The libraries to ask for one after the other, apart by ':'; an empty name asks for none.
const REQUESTS: &str = "GST_ATTITUDE_TEST_REQUESTS";
/// The folder of the plugin.
const PLUGIN_FOLDER: &str = "GST_ATTITUDE_TEST_PLUGIN_FOLDER";
/// Prefix of each outcome in the output.
const OUTCOME: &str = "outcome: ";

#[test]
fn look() {
    if std::env::var_os(LOOK).is_none() {
        return;
    }
    let requests = std::env::var(REQUESTS).unwrap_or_default();
    for request in requests.split(':') {
        let found = environment(&Search {
            requested: (!request.is_empty()).then(|| request.into()),
            plugin_folder: std::env::var_os(PLUGIN_FOLDER).map(PathBuf::from),
            log: |_| {},
        });
        match found {
            Ok(_) => println!("{OUTCOME}loaded {}", loaded_library().unwrap().display()),
            Err(error) => println!("{OUTCOME}{error}"),
        }
    }
}

/// A look in a process of its own, on a machine where nothing is installed for the user.
struct Look {
    command: Command,
    home: tempfile::TempDir,
}

impl Look {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "runtime::look", "--nocapture"])
            .env(LOOK, "1")
            .env("HOME", home.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("ORT_DYLIB_PATH");
        Self { command, home }
    }

    fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Returns the outcome of each request.
    fn outcomes(mut self) -> Vec<String> {
        let output = self.command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        // The test harness may have begun the line.
        let outcome = |line: &str| Some(line.split_once(OUTCOME)?.1.to_owned());
        text.lines().filter_map(outcome).collect()
    }

    /// Returns the outcome of the only request.
    fn outcome(self) -> String {
        let outcomes = self.outcomes();
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes[0].clone()
    }
}

/// The file of the library that the other tests run with. Where it is the system's, it was asked
/// for by its name alone, but this process's memory map has the file.
fn installed() -> PathBuf {
    environment(&Search {
        requested: None,
        plugin_folder: None,
        log: |_| {},
    })
    .unwrap_or_else(|error| panic!("{error}"));
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut paths = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]));
    let library = paths.find(|path| path.contains("libonnxruntime.so"));
    library.unwrap().into()
}

/// A link to the installed library in `folder`, under the name that is looked for.
fn link_in(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let link = folder.join("libonnxruntime.so");
    std::os::unix::fs::symlink(installed(), &link).unwrap();
    link
}

/// A file that is no library.
fn text_in(folder: &Path) -> PathBuf {
    let file = folder.join("libtext.so");
    std::fs::write(&file, "not a library\n").unwrap();
    file
}

fn loaded(library: &Path) -> String {
    format!("loaded {}", library.display())
}

fn assert_names(outcome: &str, words: &[&str]) {
    for word in words {
        assert!(outcome.contains(word), "no '{word}' in: {outcome}");
    }
}

#[test]
fn a_requested_library_that_is_not_there_is_named_and_nothing_else_is_tried() {
    let outcome = Look::new().env(REQUESTS, "/nowhere/libort.so").outcome();
    assert_names(&outcome, &["/nowhere/libort.so (not there)", "setup.sh"]);
    assert!(!outcome.contains("libonnxruntime.so"), "{outcome}");
}

#[test]
fn a_requested_file_that_is_no_library_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = text_in(folder.path());
    let outcome = Look::new().env(REQUESTS, &text).outcome();
    assert_names(
        &outcome,
        &["no ONNX Runtime", text.to_str().unwrap(), "setup.sh"],
    );
}

#[test]
fn a_library_of_something_else_is_refused() {
    let outcome = Look::new().env(REQUESTS, "libm.so.6").outcome();
    assert_names(&outcome, &["no ONNX Runtime", "libm.so.6", "setup.sh"]);
}

#[test]
fn a_library_whose_functions_are_missing_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = crate::files::c_library(folder.path(), "1.99.0", "&base");
    let outcome = Look::new().env(REQUESTS, &damaged).outcome();
    assert_names(
        &outcome,
        &["damaged", damaged.to_str().unwrap(), "setup.sh"],
    );
}

#[test]
fn a_wrong_ort_dylib_path_is_named_and_nothing_else_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let text = text_in(folder.path());
    let look = Look::new().env("ORT_DYLIB_PATH", &text);
    let outcome = look.env(PLUGIN_FOLDER, link_in(folder.path()).parent().unwrap());
    assert_names(
        &outcome.outcome(),
        &["no ONNX Runtime", text.to_str().unwrap()],
    );
}

#[test]
fn a_request_comes_before_ort_dylib_path_and_that_before_the_plugins_folder() {
    let folder = tempfile::tempdir().unwrap();
    let [requested, variable, plugin] =
        ["requested", "variable", "plugin"].map(|name| link_in(&folder.path().join(name)));
    let look = || Look::new().env(PLUGIN_FOLDER, plugin.parent().unwrap());
    assert_eq!(look().outcome(), loaded(&plugin));
    let look = || look().env("ORT_DYLIB_PATH", &variable);
    assert_eq!(look().outcome(), loaded(&variable));
    let outcome = look().env(REQUESTS, &requested).outcome();
    assert_eq!(outcome, loaded(&requested));
}

#[test]
fn without_any_all_places_are_named_and_what_installs_one() {
    let look = Look::new().env(PLUGIN_FOLDER, "/plugins");
    let data = look
        .home
        .path()
        .join(".local/share/gst-attitude/onnxruntime");
    let outcome = look.outcome();
    if outcome.starts_with("loaded libonnxruntime") {
        println!("skipped: the system has one");
        return;
    }
    let data = data.display().to_string();
    assert_names(
        &outcome,
        &[
            "/plugins/libonnxruntime.so",
            "libonnxruntime.so.1",
            &data,
            "setup.sh",
        ],
    );
}

#[test]
fn the_one_that_setup_installs_is_found_in_the_users_data_folder() {
    for variable in ["HOME", "XDG_DATA_HOME"] {
        let folder = tempfile::tempdir().unwrap();
        let data = match variable {
            "HOME" => folder.path().join(".local/share"),
            _ => folder.path().to_owned(),
        };
        let link = link_in(&data.join("gst-attitude/onnxruntime"));
        let outcome = Look::new().env(variable, folder.path()).outcome();
        // A system's own comes first.
        assert!(
            outcome == loaded(&link) || outcome.starts_with("loaded libonnxruntime"),
            "{outcome}"
        );
    }
}

#[test]
fn a_second_library_is_refused_while_another_name_of_the_first_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [first, same] = ["first", "same"].map(|name| link_in(&folder.path().join(name)));
    let other = text_in(folder.path());
    let requests = [&first, &same, &other].map(|path| path.to_str().unwrap().to_owned());
    let outcomes = Look::new().env(REQUESTS, requests.join(":")).outcomes();
    assert_eq!(outcomes[..2], [loaded(&first), loaded(&first)]);
    assert_names(
        &outcomes[2],
        &["already loaded", &requests[0], &requests[2]],
    );
}

#[test]
fn a_library_installed_after_a_failure_is_found() {
    let requests = format!("/nowhere/libort.so:{}", installed().display());
    let outcomes = Look::new().env(REQUESTS, requests).outcomes();
    assert!(outcomes[0].contains("not there"), "{outcomes:?}");
    assert_eq!(outcomes[1], loaded(&installed()));
}

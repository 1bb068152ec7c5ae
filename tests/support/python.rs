// SPDX-License-Identifier: MPL-2.0

//! Python interpreters with the packages that a test needs.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's Python, which Debian's bindings of GStreamer are for.
pub const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// Returns `true` if Debian's Python has the bindings of these namespaces of GStreamer; otherwise
/// prints a message.
pub fn has_bindings(namespaces: &[&str]) -> bool {
    let requirements: String = namespaces
        .iter()
        .map(|name| format!("gi.require_version('{name}', '1.0');"))
        .collect();
    let has_bindings = runs(SYSTEM_PYTHON.as_ref(), &format!("import gi;{requirements}"));
    if !has_bindings {
        println!(
            "skipped: {SYSTEM_PYTHON} has no gi with {}",
            namespaces.join(", ")
        );
    }
    has_bindings
}

/// Returns the interpreter that the environment variable `PYTHON` names, otherwise `python3`. Returns
/// `None` and prints a message if it lacks one of the packages.
pub fn python_with(packages: &[&str]) -> Option<PathBuf> {
    let python = std::env::var_os("PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let packages = packages.join(", ");
    if runs(&python, &format!("import {packages}")) {
        return Some(python);
    }
    println!(
        "skipped: {} lacks one of {packages}; PYTHON names an interpreter that has them",
        python.display()
    );
    None
}

/// Returns `true` if `python` exists and runs `code` without an error.
fn runs(python: &Path, code: &str) -> bool {
    let output = Command::new(python).args(["-c", code]).output();
    output.is_ok_and(|output| output.status.success())
}

/// Returns a Python interpreter with Playwright: the one that setup.sh installs, otherwise the
/// system's. Returns `None` and prints a message if there is none, or no browser.
pub fn playwright() -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".local/share")));
    let own = data.map(|data| data.join("gst-attitude/playwright/bin/python"));
    let has_playwright = |python: &PathBuf| runs(python, "import playwright");
    let python = own
        .into_iter()
        .chain(["python3".into()])
        .find(has_playwright);
    let browser = Command::new("chromium").arg("--version").output();
    if python.is_none() || browser.is_err() {
        println!(
            "skipped: no chromium, or no Python with playwright; pipelines/setup.sh --tests installs both"
        );
        return None;
    }
    python
}

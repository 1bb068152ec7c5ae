// SPDX-License-Identifier: MPL-2.0

//! Review by keyboard alone, which `tests/program/review/browser.py` does in Debian's Chromium through
//! Playwright. If one of them is not installed, the test says so and passes.

use super::*;

#[test]
fn a_recording_is_reviewed_by_keyboard_alone() {
    let Some(python) = playwright() else {
        return;
    };
    let bench = Bench::new();
    bench.clip("a.mp4");
    bench.analyze(&["a.mp4"]);
    let server = start(&bench, "out");
    let script = project("tests/program/review/browser.py");
    let output = Command::new(python)
        .arg(script)
        .arg(&server.url)
        .arg(bench.path("out/a"))
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
}

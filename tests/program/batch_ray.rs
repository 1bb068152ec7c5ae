// SPDX-License-Identifier: MPL-2.0

//! `pipelines/batch_ray.py` on a Ray cluster of several nodes on this machine, some of which are
//! lost. If Python lacks the required packages, the test reports that and passes.

use std::path::PathBuf;
use std::process::Command;

use crate::support::*;

/// Those of `ray.txt`.
const PACKAGES: &[&str] = &[
    "duckdb",
    "flask",
    "flask_cors",
    "moto",
    "pandas",
    "pyarrow",
    "ray",
];

fn clip(path: PathBuf, seconds: usize, muxer: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let lumas = [POSITIVE, NEUTRAL, NEGATIVE].iter().cycle();
    let pictures: Vec<Patch> = lumas.take(seconds).map(|&luma| Patch(luma)).collect();
    let encoding = format!("x264enc speed-preset=ultrafast ! {muxer}");
    write_clip(&path, &pictures, &encoding);
}

#[test]
fn the_example_says_how_to_install_ray_if_it_is_missing() {
    let output = Command::new("python3")
        .args(["-I", "-S"])
        .arg(project("pipelines/batch_ray.py"))
        .args(["talk.mp4", "-o", "out"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("has no ray") && text.contains("/bin/pip install ray=="),
        "{text}"
    );
}

#[test]
fn a_cluster_produces_the_same_results_as_one_machine() {
    let Some(python) = python_with(PACKAGES) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let recordings = folder.path().join("in");
    for name in ["a.mp4", "day one/ü.mp4", "poison.mp4"] {
        clip(recordings.join(name), 1, "mp4mux");
    }
    clip(recordings.join("a.mkv"), 2, "matroskamux");
    for name in ["long1.mp4", "long2.mp4"] {
        clip(recordings.join(name), 25, "mp4mux");
    }
    std::fs::write(recordings.join("text.mp4"), "no video").unwrap();
    let output = Command::new(python)
        .arg(project("tests/program/batch_ray.py"))
        .arg(env!("CARGO_BIN_EXE_gst-attitude"))
        .args(["--detector-model", &model("one-face")])
        .args(["--attitude-model", &model("brightness")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

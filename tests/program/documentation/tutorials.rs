// SPDX-License-Identifier: MPL-2.0

//! Runs the commands of the tutorials, in a folder as their reader has it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use super::markdown::{Fence, Page};
use crate::support::*;

const MP4: &str = "videoconvert ! x264enc ! mp4mux";

/// A program in front of gst-attitude in the `PATH`. What a reader ends with Ctrl-C is ended when it has
/// printed what the reader waits for, and servers listen on a free port.
const PROGRAM: &str = r#"#!/bin/sh
case $1 in
    serve) set -- "$@" --listen 127.0.0.1:0 ;;
    review) set -- "$@" --port 0 ;;
    room) ;;
    *) exec "$BUILT_PROGRAM" "$@" ;;
esac
log=$(mktemp "$PWD/log.XXXXXX")
"$BUILT_PROGRAM" "$@" >"$log" 2>&1 &
tries=0
until grep -q "$EXPECTED" "$log" || [ "$tries" = 600 ]; do
    sleep 0.5
    tries=$((tries + 1))
done
kill "$!"
wait "$!"
status=$?
cat "$log"
case $status in 0 | 130 | 143) ;; *) exit "$status" ;; esac
"#;

/// Runs the commands of a tutorial, and returns the problems: commands that fail, and lines of output
/// that are not printed by the commands before them.
fn problems_of(page: &Page) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let mut problems = Vec::new();
    let mut output = String::new();
    let fences = page.fences();
    for (number, fence) in fences.iter().enumerate() {
        let next = fences.get(number + 1);
        let last_line = next.filter(|next| next.language == "text");
        let last_line = last_line.and_then(|next| next.lines.last());
        // Servers print their address.
        let expected = last_line.map_or("http://".to_owned(), |line| {
            without_numbers(line).replace('0', "[0-9]*")
        });
        match fence.language {
            "sh" => match run(fence, folder.path(), &expected) {
                Ok(printed) => output = printed,
                Err(problem) => problems.push(problem),
            },
            "text" => {
                let printed: Vec<_> = output.lines().map(without_numbers).collect();
                let missing = fence.lines.iter().filter(|line| {
                    let line = without_numbers(line);
                    !printed.contains(&line)
                });
                problems.extend(missing.map(|line| format!("not printed: {line}\n{output}")));
            }
            _ => (),
        }
    }
    problems
}

/// Makes what the tutorials expect: the demo's clip, the scripts and the program.
fn prepare(folder: &Path) {
    for name in ["output", "bin", "plugins"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let faces = [
        "neutral", "neutral", "positive", "positive", "negative", "negative",
    ];
    let faces = faces.map(|attitude| Portrait::new(attitude, 80, 16, 160));
    write_clip(&folder.join("output/average-faces.mp4"), &faces, MP4);
    // Scripts use pictures in tests/.
    for name in ["pipelines", "tests"] {
        std::os::unix::fs::symlink(project(name), folder.join(name)).unwrap();
    }
    let program = folder.join("bin/gst-attitude");
    std::fs::write(&program, PROGRAM).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program, executable).unwrap();
}

/// Runs the commands of a fence as a shell does that stops at the first failure, and returns what they
/// print. A program that does not end by itself is ended when it prints the pattern `expected`.
fn run(fence: &Fence, folder: &Path, expected: &str) -> Result<String, String> {
    // There need not be a display for a window.
    let commands = fence.lines.join("\n").replace("autovideosink", "fakesink");
    let script = format!("exec 2>&1\n{commands}");
    let plugins = tempfile::tempdir_in(folder.join("plugins")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = with_plugin("bash", plugins.path())
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .env("EXPECTED", expected)
        .env("BUILT_PROGRAM", env!("CARGO_BIN_EXE_gst-attitude"))
        // Scripts would start this one instead of what is in the PATH.
        .env_remove("PROGRAM")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(printed),
        false => Err(format!("{}\n{printed}", fence.lines.join("\n"))),
    }
}

/// Replaces numbers, such as times and ports.
fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    for letter in line.trim().chars() {
        match letter.is_ascii_digit() {
            true if text.ends_with('0') => (),
            true => text.push('0'),
            false => text.push(letter),
        }
    }
    text
}

#[track_caller]
fn expect_success(tutorial: &str) {
    let page = Page::read(&format!("src/book/tutorials/{tutorial}.md"));
    super::expect_none(problems_of(&page));
}

#[test]
fn the_tutorial_of_a_first_pipeline_works() {
    expect_success("first-pipeline");
}

#[cfg(feature = "serve")]
#[test]
fn the_tutorial_of_a_live_page_works() {
    expect_success("live-page");
}

#[cfg(feature = "serve")]
#[test]
fn the_tutorial_of_interviews_works() {
    expect_success("interviews");
}

#[cfg(feature = "serve")]
#[test]
fn the_tutorial_of_a_meeting_works() {
    let programs = ["janus", "mosquitto"];
    if let Some(missing) = programs.iter().find(|program| !is_installed(program)) {
        println!("skipped: {missing} is not installed");
    } else if has_bindings(&["Gst", "GstWebRTC", "GstSdp"]) {
        expect_success("meeting");
    }
}

#[test]
fn the_tutorial_of_a_study_works() {
    expect_success("study");
}

#[test]
fn every_tutorial_is_tested() {
    let tests = include_str!("tutorials.rs");
    for entry in std::fs::read_dir(project("src/book/tutorials")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".md");
        assert!(
            tests.contains(&format!("expect_success(\"{name}\")")),
            "{name}"
        );
    }
}

#[test]
fn numbers_in_output_are_ignored() {
    let line = "2026-11-29T00:12:47.657577Z  INFO joined room 42";
    assert_eq!(without_numbers(line), "0-0-0T0:0:0.0Z  INFO joined room 0");
}

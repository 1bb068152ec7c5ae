// SPDX-License-Identifier: MPL-2.0

//! Frames in OpenGL's memory, with a software renderer. Each test runs in a process of its own,
//! whose environment selects the renderer. Without GStreamer's OpenGL elements or a renderer, the
//! tests are skipped.

use std::path::Path;
use std::process::Command;

use crate::support::*;

/// Environment in which OpenGL needs no display: Mesa's software renderer.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("GST_GL_PLATFORM", "egl"),
    ("GST_GL_WINDOW", WINDOW),
    ("LIBGL_ALWAYS_SOFTWARE", "1"),
];
/// GStreamer 1.24 renamed it.
const WINDOW: &str = if cfg!(feature = "analytics") {
    "surfaceless"
} else {
    "egl-device"
};

const GL: &str = "video/x-raw(memory:GLMemory)";

/// Runs `test` in a process with OpenGL, if there is OpenGL.
fn with_opengl(test: impl FnOnce()) {
    if std::env::var_os("GST_GL_PLATFORM").is_none() {
        let renders = Command::new("gst-launch-1.0")
            .args("-q videotestsrc num-buffers=1 ! glupload ! gldownload ! fakesink".split(' '))
            .envs(ENVIRONMENT)
            .output()
            .is_ok_and(|output| output.status.success());
        if !renders {
            println!("skipped: OpenGL's elements (gstreamer1.0-gl) or a renderer are missing");
            return;
        }
    }
    in_own_process_with(&ENVIRONMENT, test);
}

/// Returns a source of frames of this size that OpenGL has drawn, so that they are only in its memory.
fn rendered(width: u32, height: u32) -> String {
    format!(
        "videotestsrc num-buffers=4 pattern=smpte75 ! \
         video/x-raw,format=RGBA,width={width},height={height},framerate=5/1 ! glupload ! \
         gleffects effect=identity ! {GL}"
    )
}

fn analysis() -> String {
    format!("faceattitude mode=sync sample-interval=0 {}", tiny_launch())
}

/// Runs a pipeline that writes to `FILE` and returns what it has written.
fn written(description: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    run_pipeline(&description.replace("FILE", file.to_str().unwrap()));
    read(&file)
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap()
}

#[test]
fn records_are_those_of_downloaded_frames() {
    with_opengl(|| {
        for (width, height) in [(320, 192), (641, 361), (1280, 720)] {
            let (source, analysis) = (rendered(width, height), analysis());
            let export = "attitudeexport ! filesink location=FILE";
            let downloaded = written(&format!("{source} ! gldownload ! {analysis} ! {export}"));
            let in_place = written(&format!("{source} ! {analysis} ! {GL} ! {export}"));
            let downloaded = without_stream(&downloaded);
            assert_eq!(downloaded.len(), 4);
            assert_eq!(without_stream(&in_place), downloaded, "{width}x{height}");
        }
    });
}

#[test]
fn frames_pass_untouched_beside_another_branch() {
    with_opengl(|| {
        let (source, analysis) = (rendered(320, 192), analysis());
        let branch = "queue ! gldownload ! video/x-raw,format=RGBA ! filesink location=FILE";
        let plain = written(&format!("{source} ! {branch}"));
        let analyzed = written(&format!(
            "{source} ! tee name=t ! queue ! {analysis} ! {GL} ! fakesink async=false t. ! {branch}"
        ));
        assert!(analyzed == plain);
        let analyzed = written(&format!(
            "{source} ! tee name=t ! queue ! {analysis} ! {GL} ! {branch} t. ! queue ! {analysis} ! fakesink async=false"
        ));
        assert!(analyzed == plain);
    });
}

#[test]
fn downstream_draws_the_overlay() {
    with_opengl(|| {
        let (source, analysis) = (rendered(320, 192), analysis());
        let file = "gldownload ! video/x-raw,format=RGBA ! filesink location=FILE";
        let composition = "video/x-raw(memory:GLMemory,meta:GstVideoOverlayComposition)";
        let plain = written(&format!("{source} ! {file}"));
        for overlay in ["attitudeoverlay", "identity"] {
            let draws = overlay == "identity";
            let drawn = written(&format!(
                "{source} ! {analysis} overlay={draws} ! {overlay} ! {composition} ! gloverlaycompositor ! {file}"
            ));
            let blended = written(&format!(
                "{source} ! gldownload ! {analysis} overlay={draws} ! {overlay} ! video/x-raw,format=RGBA ! \
                 filesink location=FILE"
            ));
            let changed = changed_pixels(&blended, &plain);
            assert!(changed > 500, "{overlay} changes {changed} pixels");
            let different = changed_pixels(&drawn, &blended);
            // OpenGL rounds the edges of text differently.
            assert!(
                different < changed / 10,
                "{overlay}: {different} of {changed}"
            );
        }
    });
}

#[test]
fn without_an_element_that_draws_the_overlay_is_blended_into_the_texture() {
    with_opengl(|| {
        let (source, analysis) = (rendered(320, 192), analysis());
        let file = "video/x-raw,format=RGBA ! filesink location=FILE";
        for drawing in ["attitudeoverlay", "attitudeoverlay blur-faces=true"] {
            let in_system_memory = written(&format!(
                "{source} ! gldownload ! {analysis} ! {drawing} ! {file}"
            ));
            let in_texture = written(&format!(
                "{source} ! {analysis} ! {drawing} ! {GL} ! gldownload ! {file}"
            ));
            assert!(in_texture == in_system_memory, "{drawing}");
        }
    });
}

/// Returns the lines of records without the id of the stream, which differs from one run to the next.
fn without_stream(records: &[u8]) -> Vec<String> {
    let lines = std::str::from_utf8(records).unwrap().lines();
    let after_stream = |line: &str| line.split_once(",\"frame\":").unwrap().1.to_owned();
    lines.map(after_stream).collect()
}

/// Returns the number of pixels that differ visibly.
fn changed_pixels(a: &[u8], b: &[u8]) -> usize {
    assert_eq!(a.len(), b.len());
    let is_visible = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 8;
    let pixels = a.chunks_exact(4).zip(b.chunks_exact(4));
    pixels
        .filter(|(a, b)| a.iter().zip(*b).any(is_visible))
        .count()
}

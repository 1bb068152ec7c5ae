// SPDX-License-Identifier: MPL-2.0

//! Pages in Debian's Chromium, which `tests/program/report/browser.py` controls through Playwright.
//! If one of them is not installed, the test says so and passes.

use super::*;

/// Maximum size of the page of two hours and ten persons.
const MAX_PAGE_BYTES: u64 = 2_000_000;

/// A name that contains markup, a script and an address.
const HOSTILE: &str = "\"'><img src=x onerror=alert(1)>&amp;#?%41 javascript:alert(1)";

/// Writes a recording of a number of frames.
fn film(path: &Path, frames: u32, frames_per_second: u32) {
    init();
    let description = format!(
        "videotestsrc num-buffers={frames} pattern=ball ! video/x-raw,width=64,height=36,framerate={frames_per_second}/1 \
         ! x264enc speed-preset=ultrafast key-int-max=10 ! mp4mux ! filesink location={}",
        path.display()
    );
    run_pipeline(&description);
}

/// Writes a recording whose timestamps begin at 6 s, and its report, with a note.
fn analyze_offset(bench: &Bench) {
    run_pipeline(&format!(
        "videotestsrc num-buffers=250 timestamp-offset=6000000000 ! video/x-raw,width=320,height=192,framerate=25/1 \
         ! vp8enc deadline=1 cpu-used=8 keyframe-max-dist=10 ! webmmux offset-to-zero=false ! filesink location={}",
        bench.path("offset.webm").display()
    ));
    state_end(&bench.path("offset.webm"), 16_000.0);
    let output = Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
        .args([
            "analyze",
            "offset.webm",
            "--output=analyzed",
            "--max-faces=1",
        ])
        .args(["--detector-model", &model("one-face")])
        .args(["--attitude-model", &model("brightness")])
        .current_dir(bench.0.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", problem(&output));
}

/// Sets the duration in the header of a WebM file, in milliseconds. In pieces of a recording, it is the
/// last timestamp, up to which Chromium seeks; GStreamer counts from the first one.
fn state_end(path: &Path, end_ms: f64) {
    let mut content = std::fs::read(path).unwrap();
    let header = [0x44, 0x89, 0x88];
    let found = content.windows(3).position(|bytes| bytes == header);
    let start = found.expect("no duration") + header.len();
    content[start..start + 8].copy_from_slice(&end_ms.to_be_bytes());
    std::fs::write(path, content).unwrap();
}

/// Writes a recording whose sound Chromium plays, but whose picture it cannot decode.
fn film_without_decodable_picture(path: &Path) {
    init();
    run_pipeline(&format!(
        "videotestsrc num-buffers=50 ! video/x-raw,width=64,height=36,framerate=25/1 ! avenc_mpeg4 ! mp4mux name=muxer \
         ! filesink location={} audiotestsrc num-buffers=80 ! audioconvert ! avenc_aac ! muxer.",
        path.display()
    ));
}

/// Returns two hours of ten faces that change all the time.
fn two_hours() -> String {
    let moods = [POSITIVE, NEUTRAL, NEGATIVE, UNCLEAR];
    let lines = (0..7200_usize).map(|second| {
        let faces = (1..=10).filter_map(|track| {
            // Away for three minutes now and then.
            let is_away = (second / 180 + track).is_multiple_of(7);
            let mood = moods[(second / (2 + track) + track) % 4]?;
            (!is_away).then(|| face(track, mood))
        });
        record(second as f64, &faces.collect::<Vec<_>>())
    });
    lines.collect()
}

#[test]
fn pages_work_in_a_browser() {
    let Some(python) = playwright() else {
        return;
    };
    let bench = Bench::new();
    let hostile = format!("{HOSTILE}.mp4");
    film(&bench.path("clip.mp4"), 500, 25);
    film(&bench.path("long.mp4"), 7200, 1);
    film_without_decodable_picture(&bench.path("sound.mp4"));
    std::fs::copy(bench.path("clip.mp4"), bench.path(&hostile)).unwrap();
    let hostile_records = format!("{HOSTILE}.jsonl");
    std::fs::copy(bench.path("clip.mp4"), bench.path("noted.mp4")).unwrap();
    let notes = [(3.0, HOSTILE), (9.0, "second"), (9.1, "\u{202E}third")];
    let notes = notes.map(|(time_s, text)| note(time_s, text)).concat();
    bench
        .write("clip.jsonl", two_faces())
        .write("noted.jsonl", two_faces() + &notes)
        .write("long.jsonl", two_hours())
        .write("sound.jsonl", two_faces())
        .write("broken.mp4", "no recording")
        .write("broken.jsonl", records(5.0, &[&[(0.0, NEGATIVE)]]))
        .write(&hostile_records, two_faces());
    bench.report(&[
        "clip.jsonl",
        "long.jsonl",
        "broken.jsonl",
        &hostile_records,
        "noted.jsonl",
        "sound.jsonl",
        "--video=clip.mp4",
        "--video=long.mp4",
        "--video=broken.mp4",
        &format!("--video={hostile}"),
        "--video=noted.mp4",
        "--video=sound.mp4",
        "--output=pages",
    ]);
    let long = std::fs::metadata(bench.path("pages/long.html")).unwrap();
    assert!(long.len() < MAX_PAGE_BYTES, "{} bytes", long.len());

    analyze_offset(&bench);
    let script = project("tests/program/report/browser.py");
    let output = Command::new(python)
        .arg(script)
        .arg(bench.path("pages"))
        .arg(bench.path("analyzed/offset"))
        .arg(HOSTILE)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", problem(&output));
}

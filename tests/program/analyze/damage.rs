// SPDX-License-Identifier: MPL-2.0

//! Recordings that cannot be read, or not to their end.

use super::http::{Response, has_http_source, serve};
use super::*;

#[test]
fn a_broken_file_is_reported_and_the_others_are_analyzed() {
    let bench = Bench::new();
    bench.clip("in/a.mp4").clip("in/c.mp4");
    std::fs::write(bench.path("in/b.mp4"), "no video").unwrap();
    std::fs::write(bench.path("in/empty.mkv"), "").unwrap();
    bench.run(&["in"]).assert_status(1).assert_said(&[
        "Error: in/b.mp4: it is not a recording that GStreamer can read: it is empty, damaged or another",
        "Error: in/empty.mkv: it is not a recording that GStreamer can read",
        "2 analyzed, 2 failed",
    ]);
    let states: Vec<[String; 2]> = bench
        .summary_table()
        .into_iter()
        .map(|[n, s, _]| [n, s])
        .collect();
    assert_eq!(
        states,
        [
            ["a", "done"],
            ["b", "failed"],
            ["c", "done"],
            ["empty", "failed"]
        ]
    );
    assert!(bench.path("out/c/summary.json").exists());
    assert!(!bench.path("out/b").exists());
    // A file that failed is analyzed again, as it may be complete now.
    bench.clip("in/b.mp4");
    bench
        .run(&["in"])
        .assert_status(1)
        .assert_said(&["1 analyzed, 2 skipped, 1 failed"]);
}

#[test]
fn the_readable_part_of_a_damaged_recording_is_kept() {
    let bench = Bench::new();
    bench.encode("whole.mkv", MATROSKA).clip("other.mp4");
    let whole = std::fs::read(bench.path("whole.mkv")).unwrap();
    std::fs::write(bench.path("cut.mkv"), &whole[..whole.len() * 6 / 10]).unwrap();
    let inputs = ["cut.mkv", "other.mp4"];
    bench
        .run(&inputs)
        .assert_status(1)
        .assert_said(&["cut.mkv: damaged: the file is cut off: it has "]);
    let lines = bench.read("out/cut/records.jsonl").lines().count();
    assert!((3..15).contains(&lines), "{lines}");
    let damage = bench.json("out/cut/summary.json")["damage"].clone();
    assert!(
        damage.as_str().unwrap().starts_with("the file is cut off"),
        "{damage}"
    );
    assert_eq!(bench.summary_table()[0][1], "damaged");
    // The damage is reported in every run.
    bench
        .run(&inputs)
        .assert_status(1)
        .assert_said(&["0 analyzed, 2 skipped, 1 damaged"]);
}

#[test]
fn an_ogg_file_that_is_cut_off_is_damaged() {
    let bench = Bench::new();
    bench.encode("whole.ogv", "theoraenc ! oggmux");
    let whole = std::fs::read(bench.path("whole.ogv")).unwrap();
    std::fs::write(bench.path("cut.ogv"), &whole[..whole.len() - 10]).unwrap();
    bench
        .run(&["whole.ogv", "cut.ogv"])
        .assert_status(1)
        .assert_said(&["cut.ogv: damaged: the file is cut off", "1 damaged"]);
    let states: Vec<String> = bench
        .summary_table()
        .into_iter()
        .map(|row| row[1].clone())
        .collect();
    assert_eq!(states, ["done", "damaged"]);
}

#[test]
fn a_transport_stream_with_a_gap_is_damaged() {
    let bench = Bench::new();
    init();
    run_pipeline(&format!(
        "videotestsrc num-buffers=75 ! video/x-raw,width=320,height=192,framerate=25/1 \
         ! x264enc speed-preset=ultrafast ! mpegtsmux ! filesink location={}",
        bench.path("whole.ts").display()
    ));
    let whole = std::fs::read(bench.path("whole.ts")).unwrap();
    let packets: Vec<&[u8]> = whole.chunks(188).collect();
    // A packet of the video that others of the same frame precede and follow.
    let continues = |packet: &&[u8]| packet[1..3] == [0, 0x41];
    let is_inside = |&index: &usize| packets[index - 1..=index + 1].iter().all(continues);
    let inside: Vec<usize> = (1..packets.len() - 1).filter(is_inside).collect();
    let lost = inside[inside.len() / 2];
    let gap = [&packets[..lost], &packets[lost + 1..]].concat().concat();
    std::fs::write(bench.path("gap.ts"), gap).unwrap();
    bench
        .run(&["whole.ts", "gap.ts"])
        .assert_status(1)
        .assert_said(&[
            "gap.ts: damaged: data are missing or damaged from 0:01.",
            "1 damaged",
        ]);
    let states: Vec<String> = bench
        .summary_table()
        .into_iter()
        .map(|row| row[1].clone())
        .collect();
    assert_eq!(states, ["done", "damaged"]);
}

#[test]
fn a_file_that_is_cut_off_before_its_index_is_reported() {
    let bench = Bench::new();
    bench.clip("whole.mp4");
    let whole = std::fs::read(bench.path("whole.mp4")).unwrap();
    std::fs::write(bench.path("cut.mp4"), &whole[..whole.len() / 2]).unwrap();
    // It fails in one of two ways: GStreamer drops some errors.
    for _ in 0..3 {
        bench
            .run(&["cut.mp4"])
            .assert_status(1)
            .assert_said(&["cut.mp4: the file is cut off: it has "]);
    }
}

#[test]
fn a_missing_decoder_is_reported_with_its_package() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    let decoders = [
        "avdec_h264",
        "openh264dec",
        "vah264dec",
        "vaapih264dec",
        "nvh264dec",
        "v4l2h264dec",
    ];
    let ranks = decoders.map(|decoder| format!("{decoder}:NONE")).join(",");
    let mut command = bench.command(&["talk.mp4"]);
    let run = Run(command
        .env("GST_PLUGIN_FEATURE_RANK", ranks)
        .output()
        .unwrap());
    run.assert_status(1)
        .assert_said(&["talk.mp4: GStreamer has no H.264", "gstreamer1.0-libav"]);
}

#[test]
fn sound_without_video_is_no_recording() {
    let bench = Bench::new();
    init();
    let sound = bench.path("in/sound.mp4");
    std::fs::create_dir(bench.path("in")).unwrap();
    run_pipeline(&format!(
        "audiotestsrc num-buffers=20 ! avenc_aac ! mp4mux ! filesink location={}",
        sound.display()
    ));
    bench.clip("in/talk.mp4");
    for options in [&[][..], &["--annotate"]] {
        bench
            .run(&[&["in", "--verbose"], options].concat())
            .assert_status(0)
            .assert_said(&["in/sound.mp4: ignored: it has no video"]);
    }
    bench
        .run(&["in/sound.mp4"])
        .assert_status(1)
        .assert_said(&["in/sound.mp4: it has no video"]);
}

#[test]
fn a_recording_can_be_downloaded() {
    let bench = Bench::new();
    bench.encode("talk.mkv", MATROSKA);
    if !has_http_source() {
        return;
    }
    let content = std::fs::read(bench.path("talk.mkv")).unwrap();
    let address = serve(move |path| match path {
        "/talk.mkv" => Response::File(content.clone()),
        _ => Response::NotFound,
    });
    bench
        .run(&[&format!("{address}/talk.mkv?token=a/b")])
        .assert_status(0);
    assert_eq!(bench.read("out/talk/records.jsonl").lines().count(), 15);
    bench
        .run(&[&format!("{address}/lost.mkv")])
        .assert_status(1)
        .assert_said(&["lost.mkv: GStreamer cannot read it: ", "Not Found"]);
}

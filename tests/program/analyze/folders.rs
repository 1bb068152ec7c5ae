// SPDX-License-Identifier: MPL-2.0

//! Inputs, names of folders, and folders that cannot be written to.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use super::disturbances::Disk;
use super::*;

#[test]
fn folders_and_patterns_are_searched() {
    let bench = Bench::new();
    bench
        .clip("days/one/talk.mp4")
        .encode("days/two/deep/talk.mkv", MATROSKA);
    std::fs::write(bench.path("days/notes.txt"), "text").unwrap();
    std::fs::copy(fixture("neutral.png"), bench.path("days/picture.png")).unwrap();
    std::fs::write(bench.path("days/.hidden.mp4"), "text").unwrap();
    bench
        .run(&["days", "--verbose"])
        .assert_status(0)
        .assert_said(&[
            "days/notes.txt: ignored: ",
            "days/picture.png: ignored: it is image/png",
            "days/.hidden.mp4: ignored: it is hidden",
            "2 analyzed",
        ]);
    let mut names: Vec<String> = bench
        .summary_table()
        .into_iter()
        .map(|[name, ..]| name)
        .collect();
    names.sort();
    assert_eq!(names, ["talk", "talk.mkv"]);
    // The same files by other paths.
    bench
        .run(&["days/*/*.mp4", "days/one/../one/talk.mp4", "days/two"])
        .assert_status(0)
        .assert_said(&["0 analyzed, 2 skipped"]);
}

#[test]
fn results_are_not_analyzed() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    bench.run(&[".", "--annotate"]).assert_status(0);
    bench
        .run(&[".", "--annotate"])
        .assert_status(0)
        .assert_said(&["0 analyzed, 1 skipped"]);
}

#[test]
fn the_pieces_of_a_stream_are_one_recording() {
    let bench = Bench::new();
    init();
    if gst::ElementFactory::find("hlssink2").is_none() {
        println!("skipped: hlssink2 is not installed");
        return;
    }
    std::fs::create_dir(bench.path("in")).unwrap();
    run_pipeline(&format!(
        "videotestsrc num-buffers=75 ! video/x-raw,width=320,height=192,framerate=25/1 \
         ! x264enc speed-preset=ultrafast key-int-max=25 ! h264parse ! hlssink2 target-duration=1 \
         playlist-length=0 max-files=0 location={0}/piece%d.ts playlist-location={0}/talk.m3u8",
        bench.path("in").display()
    ));
    bench
        .run(&["in", "--verbose"])
        .assert_status(0)
        .assert_said(&["in/piece0.ts: ignored: it is a piece of talk.m3u8"]);
    assert_eq!(bench.summary_table(), [["talk", "done", ""]]);
    let records = bench.read("out/talk/records.jsonl");
    let samples = records.lines().count();
    assert!((14..=16).contains(&samples), "{samples}");
    // The timestamps in the pieces begin later.
    let first: Value = serde_json::from_str(records.lines().next().unwrap()).unwrap();
    assert_eq!(first["stream_time_ns"], 0);
    // While it goes on, the playlist does not list all pieces.
    let playlist = bench.read("in/talk.m3u8").replace("#EXT-X-ENDLIST", "");
    std::fs::write(bench.path("in/talk.m3u8"), playlist).unwrap();
    bench
        .run(&["in", "--verbose"])
        .assert_status(0)
        .assert_said(&["in/talk.m3u8: ignored: it is a playlist whose files are analyzed"]);
}

#[test]
fn results_in_an_input_folder_are_ignored() {
    let bench = Bench::new();
    bench.clip("in/talk.mp4");
    let mut command = bench.command_into("in/earlier", &["in/talk.mp4", "--annotate"]);
    Run(command.output().unwrap()).assert_status(0);
    bench
        .run(&["in", "--verbose"])
        .assert_status(0)
        .assert_said(&[
            "in/earlier/talk: ignored: it has the results of an earlier run",
            "1 analyzed",
        ]);
}

#[test]
fn the_tables_list_all_results_in_the_folder() {
    let bench = Bench::new();
    bench.clip("one/talk.mp4").clip("other/talk.mp4");
    bench.analyze(&["one"]);
    bench.analyze(&["other"]);
    assert_eq!(
        bench.summary_table(),
        [["talk.mp4", "done", ""], ["talk", "done", ""]]
    );
    let index = bench.read("out/index.html");
    for part in ["2 recordings", "talk/report.html", "talk.mp4/report.html"] {
        assert!(index.contains(part), "{part}");
    }
    // Recordings of one name are told apart.
    for path in [">other/talk.mp4<", "/one/talk.mp4<"] {
        assert!(index.contains(path), "{path} is not in {index}");
    }
}

#[test]
fn a_recording_does_not_replace_the_tables() {
    let bench = Bench::new();
    bench.clip("in/summary.csv.mp4").clip("in/index.html.mp4");
    let files = bench.analyze(&["in"]);
    for file in [
        "summary.csv",
        "index.html",
        "summary.csv.mp4/report.html",
        "index.html.mp4/report.html",
    ] {
        assert!(files.contains_key(file), "{file}");
    }
    bench
        .run(&["in/summary.csv.mp4", "--name", "summary.csv"])
        .assert_status(2);
}

#[test]
fn pipes_and_devices_are_refused() {
    let bench = Bench::new();
    bench.clip("in/talk.mp4");
    let pipe = bench.path("in/pipe.mp4");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for (input, kind) in [("in/pipe.mp4", "a pipe"), ("/dev/null", "a device")] {
        bench
            .run(&[input])
            .assert_status(2)
            .assert_said(&[&format!("{input}: it is {kind}, not a file")]);
    }
    bench
        .run(&["in", "--verbose"])
        .assert_status(0)
        .assert_said(&["in/pipe.mp4: ignored: it is a pipe, not a file"]);
}

#[test]
fn names_that_look_like_formulas_are_text_in_tables() {
    let bench = Bench::new();
    bench.clip("=1+1.mp4");
    bench.analyze(&["=1+1.mp4"]);
    let rows = bench.summary_table();
    assert_eq!(rows, [["'=1+1", "done", ""]]);
    let faces = bench.read("out/=1+1/faces.csv");
    assert!(faces.lines().nth(1).unwrap().starts_with("'=1+1,0,"));
    // Numbers are numbers.
    let table = bench.read("out/summary.csv");
    assert!(!table.contains("'-"), "{table}");
}

#[test]
fn hostile_file_names_are_harmless() {
    let bench = Bench::new();
    bench.clip("clip.mp4");
    std::fs::create_dir(bench.path("in")).unwrap();
    let long = format!("{}.mp4", "x".repeat(251));
    let names: [&[u8]; 8] = [
        b"-rf.mp4",
        b"two\nlines \x1b[2J.mp4",
        "Ünïcödé 日本 🙂.mp4".as_bytes(),
        b"no unicode \xff.mp4",
        b"per%20cent #1?.mp4",
        b"; rm 'a' \"b\" $(c) `d`.mp4",
        b" .mp4",
        long.as_bytes(),
    ];
    for name in names {
        let path = bench.path("in").join(OsStr::from_bytes(name));
        std::fs::copy(bench.path("clip.mp4"), path).unwrap();
    }
    let run = bench.run(&["in"]);
    run.assert_status(0);
    assert!(!run.problems().contains('\x1b'));
    let folders: Vec<String> = std::fs::read_dir(bench.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| bench.path("out").join(name).is_dir())
        .collect();
    assert_eq!(folders.len(), names.len(), "{folders:?}");
    for folder in folders {
        assert!(
            !folder.starts_with(['-', '.']) && !folder.contains(char::is_control),
            "{folder:?}"
        );
        for file in FILES {
            assert!(
                bench.path("out").join(&folder).join(file).exists(),
                "{folder:?}"
            );
        }
    }
    // A name that looks like an option.
    std::fs::copy(bench.path("clip.mp4"), bench.path("-v.mp4")).unwrap();
    bench.run(&["--", "-v.mp4"]).assert_status(0);
}

#[test]
fn wrong_inputs_are_refused_before_the_work() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    for (input, problem) in [
        ("lost.mp4", "lost.mp4: there is no such file or folder"),
        ("rtsp://camera/stream", "a live stream is not a recording"),
        ("*.avi", "nothing matches this pattern"),
        (
            "smb://server/talk.mp4",
            "begin with http://, https:// or file://",
        ),
    ] {
        bench
            .run(&["talk.mp4", input])
            .assert_status(2)
            .assert_said(&[problem]);
        assert!(!bench.path("out").exists());
    }
    std::fs::create_dir(bench.path("empty")).unwrap();
    std::fs::write(bench.path("empty/notes.txt"), "text").unwrap();
    bench
        .run(&["empty", "--verbose"])
        .assert_status(1)
        .assert_said(&[
            "empty/notes.txt: ignored: ",
            "there is no recording in the inputs, but 1 ignored file",
        ]);
    bench
        .run(&["talk.mp4", "--blur", "--samples-per-second", "5"])
        .assert_status(2);
}

#[test]
fn containers_that_only_ffmpeg_demuxes_are_recordings() {
    let bench = Bench::new();
    init();
    // With FFmpeg 7, as in Debian 13, GStreamer's libav plugin has no type finders.
    let features = ["avmux_nut", "avdemux_nut", "avtype_nut"];
    let registry = gst::Registry::get();
    if let Some(missing) = features
        .iter()
        .find(|name| registry.lookup_feature(name).is_none())
    {
        println!("skipped: GStreamer has no {missing}");
        return;
    }
    bench.encode("in/talk.nut", "avenc_mpeg4 ! avmux_nut");
    bench
        .run(&["in"])
        .assert_status(0)
        .assert_said(&["1 analyzed"]);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_reported_before_the_work() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    std::fs::write(bench.path("out"), "a file").unwrap();
    bench
        .run(&["talk.mp4"])
        .assert_status(1)
        .assert_said(&["out: it is not a folder; choose another --output"]);
    std::fs::remove_file(bench.path("out")).unwrap();
    let assert_refused = || {
        bench
            .run(&["talk.mp4"])
            .assert_status(1)
            .assert_said(&["out: the folder for the results cannot be written to"]);
        assert_eq!(bench.files("out"), Files::new());
    };
    std::fs::create_dir(bench.path("out")).unwrap();
    let permissions = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(bench.path("out"), permissions(0o555)).unwrap();
    let probe = bench.path("out/probe");
    if File::create(&probe).is_err() {
        return assert_refused();
    }
    // A user who may write to read-only folders may mount disks.
    std::fs::remove_file(probe).unwrap();
    if let Some(_disk) = Disk::mount(bench.path("out"), "ro") {
        assert_refused();
    }
}

#[test]
fn a_full_disk_is_reported_and_leaves_no_incomplete_results() {
    let bench = Bench::new();
    bench.clip("talk.mp4").clip("other.mp4");
    for (bytes, options) in [(12 << 10, &[][..]), (24 << 10, &["--annotate"])] {
        let name = format!("disk{bytes}");
        let Some(_disk) = Disk::mount(bench.path(&name), &format!("size={bytes}")) else {
            return;
        };
        let inputs = ["talk.mp4", "other.mp4"];
        let mut command = bench.command_into(&name, &[&inputs, options].concat());
        let run = Run(command.output().unwrap());
        run.assert_status(1).assert_said(&["o space left on"]);
        assert_eq!(bench.files(&name), Files::new());
    }
}

#[test]
fn a_second_run_in_the_same_folder_is_refused() {
    let bench = Bench::new();
    bench.clip("talk.mp4");
    std::fs::create_dir(bench.path("out")).unwrap();
    let lock = File::create(bench.path("out/.gst-attitude.lock")).unwrap();
    lock.lock().unwrap();
    bench
        .run(&["talk.mp4"])
        .assert_status(1)
        .assert_said(&["another gst-attitude analyze is writing to this folder"]);
    drop(lock);
    bench.run(&["talk.mp4"]).assert_status(0);
}

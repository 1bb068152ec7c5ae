// SPDX-License-Identifier: MPL-2.0

//! The annotated video.

use super::*;

/// Returns the luma of each frame along a row of pixels in the face that the tiny detector finds.
fn rows(path: &Path) -> Vec<Vec<u8>> {
    let (left, top, width, height) = face_rect();
    let played = Played::launch(&format!(
        "filesrc location={} ! decodebin ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink",
        path.display()
    ));
    let row = (top + height / 2) as usize * WIDTH as usize + left as usize;
    played
        .map(|buffer| bytes(&buffer)[row..row + width as usize].to_vec())
        .collect()
}

/// Returns `true` if an MP4 file has sound: a track with a handler of that type.
fn has_sound(path: &Path) -> bool {
    let file = std::fs::read(path).unwrap();
    file.windows(4).any(|bytes| bytes == b"soun")
}

#[test]
fn the_annotated_video_has_all_frames_and_the_sound() {
    let bench = Bench::new();
    bench.clip("silent.mp4");
    run_pipeline(&format!(
        "filesrc location={} ! qtdemux ! h264parse ! queue ! mp4mux name=muxer ! filesink location={} \
         audiotestsrc num-buffers=129 ! avenc_aac ! queue ! muxer.",
        bench.path("silent.mp4").display(),
        bench.path("talk.mp4").display()
    ));
    let plain = bench.analyze(&["talk.mp4", "silent.mp4"]);
    let annotated = bench.analyze(&["talk.mp4", "silent.mp4", "--annotate"]);
    for file in ["records.jsonl", "faces.csv", "attitude.vtt"] {
        let name = format!("talk/{file}");
        assert_eq!(plain[&name], annotated[&name], "{name}");
    }
    let path = bench.path("out/talk/annotated.mp4");
    assert_eq!(rows(&path).len(), 75);
    assert!(has_sound(&path));
    let path = bench.path("out/silent/annotated.mp4");
    assert_eq!(rows(&path).len(), 75);
    assert!(!has_sound(&path));
    // A part of it, from its first frame on.
    bench.analyze(&["talk.mp4", "--annotate", "--from", "1", "--to", "2"]);
    assert_eq!(rows(&bench.path("out/talk/annotated.mp4")).len(), 25);
}

#[test]
fn blurred_faces_are_unrecognizable_on_every_frame() {
    let bench = Bench::new();
    struct Stripes;
    impl Picture for Stripes {
        fn luma(&self, x: u32, _: u32) -> Option<u8> {
            Some(if (x / 2).is_multiple_of(2) { 40 } else { 210 })
        }
    }
    write_clip(&bench.path("talk.mp4"), &[Stripes, Stripes], MP4);
    bench.analyze(&["talk.mp4", "--blur"]);
    assert_eq!(bench.read("out/talk/records.jsonl").lines().count(), 50);
    let contrast = |path: &Path| {
        let rows = rows(path);
        assert_eq!(rows.len(), 50);
        let of_row = |row: &Vec<u8>| {
            let inner = &row[8..40];
            let steps = inner
                .windows(2)
                .map(|pair| u32::from(pair[0].abs_diff(pair[1])));
            steps.sum::<u32>() / 31
        };
        rows.iter().map(of_row).collect::<Vec<_>>()
    };
    assert!(
        contrast(&bench.path("talk.mp4"))
            .iter()
            .all(|&contrast| contrast > 40)
    );
    let blurred = contrast(&bench.path("out/talk/annotated.mp4"));
    assert!(blurred.iter().all(|&contrast| contrast < 10), "{blurred:?}");
}

// SPDX-License-Identifier: MPL-2.0

//! The annotated video.

use super::*;

/// Returns the luma of each frame along a row of pixels in the face that the tiny detector finds.
fn rows(path: &Path) -> Vec<Vec<u8>> {
    rows_in(path, face_rect())
}

/// Returns the luma of each frame along the middle row of a box.
fn rows_in(path: &Path, (left, top, width, height): (u32, u32, u32, u32)) -> Vec<Vec<u8>> {
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

/// Vertical stripes.
struct Stripes;

impl Picture for Stripes {
    fn luma(&self, x: u32, _: u32) -> Option<u8> {
        Some(if (x / 2).is_multiple_of(2) { 40 } else { 210 })
    }
}

/// Returns the mean difference of neighboring pixels in a row.
fn contrast(row: &[u8]) -> u32 {
    let steps = row
        .windows(2)
        .map(|pair| u32::from(pair[0].abs_diff(pair[1])));
    steps.sum::<u32>() / (row.len() as u32 - 1)
}

#[test]
fn a_face_is_hidden_in_the_second_before_it_is_found() {
    let bench = Bench::new();
    let info = info(gst_video::VideoFormat::I420, WIDTH, HEIGHT);
    let stripes = frame(&info, &Stripes);
    let portrait = frame(&info, &Portrait::new("positive", 80, 16, 160));
    let frames = std::iter::repeat_n(stripes, 50).chain(std::iter::repeat_n(portrait, 25));
    write_frames(&bench.path("talk.mp4"), &info, frames, MP4);
    bench
        .run_default_models(&["talk.mp4", "--blur"])
        .assert_status(0)
        .assert_said(&[
            "Note: talk.mp4: faces are hidden in ",
            " precede the first detection of a face",
        ]);
    let rows = rows_in(&bench.path("out/talk/annotated.mp4"), (140, 80, 40, 30));
    assert_eq!(rows.len(), 75);
    let contrasts: Vec<u32> = rows.iter().map(|row| contrast(row)).collect();
    // A second, which is 25 frames, up to the first frame with a face.
    assert!(
        contrasts[..24].iter().all(|&contrast| contrast > 40),
        "{contrasts:?}"
    );
    assert!(
        contrasts[25..].iter().all(|&contrast| contrast < 10),
        "{contrasts:?}"
    );
    assert!(!bench.path("out/talk/hidden-faces.jsonl").exists());
}

#[test]
fn blurred_faces_are_unrecognizable_on_every_frame() {
    let bench = Bench::new();
    write_clip(&bench.path("talk.mp4"), &[Stripes, Stripes], MP4);
    bench.analyze(&["talk.mp4", "--blur"]);
    assert_eq!(bench.read("out/talk/records.jsonl").lines().count(), 50);
    let contrasts = |path: &Path| {
        let rows = rows(path);
        assert_eq!(rows.len(), 50);
        rows.iter()
            .map(|row| contrast(&row[8..40]))
            .collect::<Vec<_>>()
    };
    assert!(
        contrasts(&bench.path("talk.mp4"))
            .iter()
            .all(|&contrast| contrast > 40)
    );
    let blurred = contrasts(&bench.path("out/talk/annotated.mp4"));
    assert!(blurred.iter().all(|&contrast| contrast < 10), "{blurred:?}");
}

// SPDX-License-Identifier: MPL-2.0

//! Segments of videos.

use super::*;

/// Writes a clip of 3 s: a second of each attitude.
fn write_clip(bench: &Bench) {
    let pictures = [POSITIVE, NEUTRAL, NEGATIVE].map(Patch);
    crate::support::write_clip(&bench.path("clip.mp4"), &pictures, "x264enc ! mp4mux");
}

#[test]
fn segments_of_videos_are_classified_by_the_element() {
    let bench = Bench::new();
    write_clip(&bench);
    bench.write(
        "segments.csv",
        "file,start,end,attitude\nclip.mp4,0,1,joyful\nclip.mp4,00:00:01.0,2,neutral\n\
         clip.mp4,2,00:03,sad\n",
    );
    let (detector, brightness, emotions) =
        (model("one-face"), model("brightness"), model("emotions8"));
    let evaluation = bench.evaluate(&[
        "segments.csv",
        "--detector-model",
        &detector,
        "--attitude-model",
        &brightness,
        "--attitude-model",
        &emotions,
        "--mapping",
        "positive=joyful,anger; neutral=neutral",
    ]);
    assert_eq!(evaluation.number("/data/groups"), 1.0);
    let one = [["positive"; 5], ["neutral"; 5], ["negative"; 5]].concat();
    let other = [["negative"; 5], ["neutral"; 5], ["positive"; 5]].concat();
    assert_eq!(evaluation.predicted(), [one, other].concat());
    let file = bench.path("clip.mp4").canonicalize().unwrap();
    assert_eq!(
        evaluation.rows()[5][1..4],
        ["clip.mp4@1.000", file.to_str().unwrap(), "neutral"]
    );
}

#[test]
fn a_video_that_fails_does_not_affect_the_others() {
    let bench = Bench::new();
    write_clip(&bench);
    // A second of silence, 8000 samples of 8 bits.
    let header = b"RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x40\x1f\0\0";
    let sound = [&header[..], &[128; 8000]].concat();
    std::fs::write(bench.path("sound.wav"), sound).unwrap();
    bench.write("text.mp4", "no video").write(
        "segments.csv",
        "file,start,end,label,group\nlost.mp4,0,1,neutral,\ntext.mp4,0,1,neutral,\n\
         sound.wav,0,1,neutral,\nclip.mp4,2,9,negative,\nclip.mp4,1,2,neutral,p\nclip.mp4,0,1,positive,q\n",
    );
    let run = bench.run(&[
        "segments.csv",
        "--no-detector",
        "--detector-model",
        &model("one-face"),
        "--attitude-model",
        &model("brightness"),
    ]);
    run.assert_failed(&[
        "Warning: --no-detector does not apply to videos",
        "lost.mp4: there is no such file",
        "text.mp4: it is not a recording that GStreamer can read: ",
        "sound.wav: it has no video",
        "segments.csv:5: the segment from 2 s to 9 s extends beyond the end of clip.mp4, which is 3.0 s",
    ]);
    assert!(
        run.report().contains("the figures are of 10, in 2 groups"),
        "{}",
        run.report()
    );
    assert!(run.report().contains("segments that failed: 4"));
}

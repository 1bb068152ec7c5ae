// SPDX-License-Identifier: MPL-2.0

//! Test of one pipeline that writes an annotated video, subtitles and tables.

use attitude::record::Record;

use crate::support::*;

/// Returns the cues that GStreamer's own parser finds in a file: start, end and text.
fn parsed(
    location: &std::path::Path,
    demuxer: &str,
) -> Vec<(gst::ClockTime, gst::ClockTime, String)> {
    let buffers = Played::launch(&format!(
        "filesrc location={} ! {demuxer} ! text/x-raw ! appsink name=sink",
        location.display()
    ));
    let cue = |buffer: gst::Buffer| {
        let pts = buffer.pts().unwrap();
        let text = String::from_utf8(bytes(&buffer)).unwrap();
        let text = text.trim_end_matches('\0').to_owned();
        (pts, pts + buffer.duration().unwrap_or_default(), text)
    };
    buffers.map(cue).collect()
}

/// Returns the number of sides of a face that have a pixel of about this color within a few pixels.
/// The frame is in BGRx.
fn colored_sides(frame: &gst::BufferRef, width: u32, bbox: [f32; 4], color: [u8; 3]) -> usize {
    let pixels = frame.map_readable().unwrap();
    let height = (pixels.len() / 4) as i32 / width as i32;
    let is_colored = |(x, y): (i32, i32)| {
        let is_inside = (0..width as i32).contains(&x) && (0..height).contains(&y);
        let at = (y * width as i32 + x) as usize * 4;
        // The encoder shifts colors.
        is_inside && (0..3).all(|c| pixels[at + 2 - c].abs_diff(color[c]) < 40)
    };
    let [x, y, w, h] = bbox.map(|edge| edge.round() as i32);
    let (middle_x, middle_y) = (x + w / 2, y + h / 2);
    let has = |position: &dyn Fn(i32) -> (i32, i32)| (1..12).any(|d| is_colored(position(d)));
    [
        has(&|d| (x - d, middle_y)),
        has(&|d| (x + w + d, middle_y)),
        has(&|d| (middle_x, y - d)),
        has(&|d| (middle_x, y + h + d)),
    ]
    .into_iter()
    .filter(|&is| is)
    .count()
}

/// Writes an annotated video with subtitles and four files in one pass, and checks that all contain
/// the same faces and attitudes for every frame.
fn check_one_pass(source: &str, analyzer: &str, muxer: &str, demuxer: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    run_pipeline(&format!(
        "{source} ! faceattitude {analyzer} ! tee name=t \
         t. ! queue ! attitudeoverlay ! videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast ! \
         queue ! {muxer} name=m ! filesink location={} \
         t. ! queue ! attitudeexport format=text ! queue ! m. \
         t. ! queue ! attitudeexport interval=frame ! filesink location={} \
         t. ! queue ! attitudeexport interval=frame format=csv ! filesink location={} \
         t. ! queue ! attitudeexport format=webvtt ! filesink location={} \
         t. ! queue ! attitudeexport format=srt ! filesink location={}",
        file("video").display(),
        file("jsonl").display(),
        file("csv").display(),
        file("vtt").display(),
        file("srt").display(),
    ));
    let lines = std::fs::read_to_string(file("jsonl")).unwrap();
    let records: Vec<Record> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut reader = csv::Reader::from_path(file("csv")).unwrap();
    let mut rows = reader.records().map(Result::unwrap);
    let whole = parsed(&file("vtt"), "subparse");
    assert_eq!(parsed(&file("srt"), "subparse"), whole);
    let pieces = parsed(&file("video"), demuxer);
    assert!(records.len() > 50);
    let mut frames = Played::launch(&format!(
        // GStreamer 1.26 may crash if it decodes into the next element's memory.
        "filesrc location={} ! {} ! h264parse ! avdec_h264 direct-rendering=false ! \
         videoconvert ! video/x-raw,format=BGRx ! appsink name=sink",
        file("video").display(),
        demuxer.replace("subtitle", "video")
    ));
    let (mut boxes, mut colored) = (0, 0);
    for record in &records {
        let frame = frames.next().unwrap();
        let labels: Vec<_> = record
            .faces
            .iter()
            .map(|face| format!("#{} {}", face.track, face.attitude))
            .collect();
        for face in &record.faces {
            let row = rows.next().unwrap();
            assert_eq!(row[1].parse(), Ok(record.frame));
            assert_eq!(row[8].parse(), Ok(face.track));
            assert_eq!(row[14], *face.attitude.name());
            assert_eq!(row[15].parse(), Ok(face.confidence));
            let sides = colored_sides(
                &frame,
                record.width,
                face.bbox,
                overlay_color(face.attitude.name()),
            );
            boxes += 1;
            colored += usize::from(sides >= 3);
        }
        // In the middle of the frame, as files of subtitles round their times.
        let middle_ns = record.stream_time_ns.unwrap() + 15_000_000;
        let middle = gst::ClockTime::from_nseconds(middle_ns);
        let at = |cues: &[(gst::ClockTime, gst::ClockTime, String)]| {
            let is_shown =
                |(start, end): (gst::ClockTime, gst::ClockTime)| start <= middle && middle < end;
            let cue = cues.iter().find(|(start, end, _)| is_shown((*start, *end)));
            cue.map_or(String::new(), |(_, _, text)| text.trim().to_owned())
        };
        assert_eq!(at(&whole), labels.join("\n"), "frame {}", record.frame);
        assert_eq!(at(&pieces), labels.join("\n"), "frame {}", record.frame);
    }
    assert!(rows.next().is_none() && frames.next().is_none());
    assert_eq!(colored, boxes);
}

#[test]
fn one_pass_writes_a_video_with_subtitles_and_four_files_that_agree_on_every_frame() {
    let generated = format!("videotestsrc num-buffers=60 pattern=white ! {LAUNCH_CAPS}");
    let clip = shared("clips/woman2.mp4").map(|path| {
        format!(
            "filesrc location={} ! decodebin ! videoconvert",
            path.display()
        )
    });
    for (muxer, demuxer) in [("mp4mux", "qtdemux"), ("matroskamux", "matroskademux")] {
        let demuxer = format!("{demuxer} name=demuxer demuxer.subtitle_0");
        check_one_pass(&generated, &tiny_launch(), muxer, &demuxer);
        if let Some(clip) = &clip {
            check_one_pass(clip, "", muxer, &demuxer);
        }
    }
}

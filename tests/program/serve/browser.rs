// SPDX-License-Identifier: MPL-2.0

//! The page in Debian's Chromium, with a camera that shows average faces;
//! `tests/program/serve/browser.py` controls it with Playwright. If one of them is missing, the
//! test reports that and passes.

use std::f32::consts::TAU;
use std::path::Path;

use gstattitude::message::AttitudeMessage;

use super::*;

/// Video format of the camera: twice the size of the rendered frames.
const LARGE: &str = "videoscale ! video/x-raw,width=640,height=384";
const SECONDS: u32 = 12;

/// An average face with a white mark on its left; both move from side to side.
struct Swinging {
    portrait: Portrait,
    left: u32,
}

impl Swinging {
    const TOP: u32 = 30;
    const SIDE: u32 = 130;
    /// Distance of the mark's center from the portrait's left and top edge.
    const MARK: (u32, u32) = (24, 10);
    const MARK_RADIUS: u32 = 6;

    fn at(frame: u32) -> Self {
        let phase = TAU * frame as f32 / 125.0;
        let left = (110.0 + 30.0 * phase.sin()).round() as u32;
        let attitude = if frame < 100 { "neutral" } else { "positive" };
        Self {
            portrait: Portrait::new(attitude, left, Self::TOP, Self::SIDE),
            left,
        }
    }

    fn mark(&self) -> (u32, u32) {
        (self.left - Self::MARK.0, Self::TOP + Self::MARK.1)
    }
}

impl Picture for Swinging {
    fn luma(&self, x: u32, y: u32) -> Option<u8> {
        let (mark_x, mark_y) = self.mark();
        if x.abs_diff(mark_x) <= Self::MARK_RADIUS && y.abs_diff(mark_y) <= Self::MARK_RADIUS {
            return Some(255);
        }
        // The mark is the only white area.
        self.portrait.luma(x, y).map(|luma| luma.min(200))
    }
}

/// Returns the bounding box of the face in the first frame, relative to the mark's center.
fn face(clip: &Path) -> String {
    let description = format!(
        "filesrc location={} ! decodebin ! videoconvert \
         ! faceattitude name=faces mode=sync sample-interval=0 messages=sample ! fakesink",
        clip.display()
    );
    let pipeline = gst::parse::launch(&description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let of_frame = |message: &gst::Message| AttitudeMessage::try_from(message.structure()?).ok();
    let AttitudeMessage(record) = bus
        .iter_timed_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Element],
        )
        .find_map(|message| of_frame(&message))
        .unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    let (mark_x, mark_y) = Swinging::at(0).mark();
    let [left, top, width, height] = record.faces[0].bbox;
    // The center of a pixel is half a pixel right of and below its position.
    let center = |position: u32| 2.0 * (position as f32 + 0.5);
    format!(
        "{},{},{width},{height}",
        left - center(mark_x),
        top - center(mark_y)
    )
}

/// Converts a clip to the format of Chromium's fake camera, which has no timestamps: `slowness`
/// times as many frames play `slowness` times slower.
fn as_camera(clip: &Path, slowness: u32, camera: &Path) {
    run_pipeline(&format!(
        "filesrc location={} ! decodebin ! videoconvert ! videoscale ! videorate \
         ! video/x-raw,format=I420,width=[1,1280],height=[1,720],framerate={}/1 ! jpegenc quality=95 ! filesink location={}",
        clip.display(),
        25 * slowness,
        camera.display()
    ));
}

#[test]
fn the_page_shows_the_attitude_of_the_visitors_face() {
    let Some(python) = playwright() else {
        return;
    };
    if !has_webrtc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let info = info(gst_video::VideoFormat::I420, WIDTH, HEIGHT);
    let frames = (0..25 * SECONDS).map(|number| frame(&info, &Swinging::at(number)));
    let encoding = format!("{LARGE} ! x264enc bframes=2 qp-max=20 ! mp4mux");
    write_frames(&path("source.mp4"), &info, frames, &encoding);
    as_camera(&path("source.mp4"), 1, &path("camera.mjpeg"));
    let mut cameras = Vec::new();
    if let Some(clip) = shared("clips/single_face.mp4") {
        // The face smiles after one second, and the camera repeats the clip.
        as_camera(&clip, 4, &path("single_face.mjpeg"));
        cameras.push(path("single_face.mjpeg"));
    }
    let script = project("tests/program/serve/browser.py");
    let output = Command::new(python)
        .arg("-u")
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_gst-attitude"))
        .arg(folder.path())
        .arg(face(&path("source.mp4")))
        .args(cameras)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    let kept = std::env::var_os("BROWSER_PICTURES");
    if let Some(kept) = kept {
        for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
            if entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "png")
            {
                std::fs::copy(entry.path(), Path::new(&kept).join(entry.file_name())).unwrap();
            }
        }
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

// SPDX-License-Identifier: MPL-2.0

//! A participant in Debian's Chromium, with a camera that shows an average face;
//! `tests/program/room/browser.py` controls it with Playwright.

use super::*;

const FRAMES: u32 = 25;

#[test]
fn the_face_of_a_participant_in_a_browser_is_classified() {
    let Some(python) = playwright() else {
        return;
    };
    let Some(janus) = start_janus() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let camera = folder.path().join("camera.mjpeg");
    let info = info(gst_video::VideoFormat::I420, WIDTH, HEIGHT);
    let portrait = Portrait::new("positive", 90, 30, 140);
    let frames = (0..FRAMES).map(|_| frame(&info, &portrait));
    let encoding = "videoscale ! video/x-raw,width=640,height=384 ! jpegenc quality=95";
    write_frames(&camera, &info, frames, encoding);
    let mut member = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
    member.args(["room", "janus", &janus.url(), "--room", ROOM]);
    let mut member = Member::run(&mut member);
    let mut browser = Command::new(python)
        .arg(project("tests/program/room/browser.py"))
        .args([&janus.url(), ROOM, "dora"])
        .arg(&camera)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the face is positive", || {
        let records = member.records();
        let mut of_browser = records.iter().filter(|record| record["source"] == "dora");
        of_browser.any(|record| record["faces"][0]["attitude"] == "positive")
    });
    // The page closes with its standard input.
    drop(browser.stdin.take());
    assert!(browser.wait().unwrap().success());
    member.wait_for_log("dora left");
    member.interrupt();
}

// SPDX-License-Identifier: MPL-2.0

//! The ways in: protocols and containers of live video.

use gst::prelude::*;

use super::*;

/// A live sender, which ends with the test.
struct Sender(gst::Pipeline);

impl Sender {
    /// Starts to send a picture with a face.
    fn start(encoding: &str) -> Self {
        init();
        let description = format!(
            "videotestsrc is-live=true pattern=white ! {LAUNCH_CAPS} \
             ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! {encoding}"
        );
        let pipeline = gst::parse::launch(&description).unwrap();
        let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        Self(pipeline)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.set_state(gst::State::Null).unwrap();
    }
}

/// Returns a free port for UDP that is even, as RTP requires.
fn free_udp_port() -> u16 {
    loop {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        if port.is_multiple_of(2) {
            return port;
        }
    }
}

#[test]
fn streams_of_all_protocols_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let rtp = free_udp_port();
    let (described, ts) = (free_udp_port(), free_udp_port());
    let srt = free_udp_port();
    let rtmp = free_port();
    let sdp = folder.path().join("camera.sdp");
    let description = format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=video {described} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    );
    fs::write(&sdp, description).unwrap();
    let flv = folder.path().join("loop.flv");
    run_pipeline(&format!(
        "videotestsrc pattern=white num-buffers=500 ! {LAUNCH_CAPS} \
         ! x264enc speed-preset=ultrafast key-int-max=25 ! flvmux ! filesink location={}",
        flv.display()
    ));
    let pay = "rtph264pay config-interval=1 ! udpsink host=127.0.0.1 port";
    let _senders = [
        Sender::start(&format!("{pay}={rtp}")),
        Sender::start(&format!("{pay}={described}")),
        Sender::start(&format!(
            "mpegtsmux alignment=7 ! udpsink host=127.0.0.1 port={ts}"
        )),
        Sender::start(&format!(
            "mpegtsmux alignment=7 ! srtsink uri=srt://127.0.0.1:{srt}?mode=listener wait-for-connection=false"
        )),
    ];
    let rtmp_uri = format!("rtmp://127.0.0.1:{rtmp}/live/camera");
    let server = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-re", "-stream_loop", "-1", "-i"])
        .arg(&flv)
        .args(["-c", "copy", "-f", "flv", "-listen", "1", &rtmp_uri])
        .stdin(Stdio::null())
        .spawn();
    let mut server = server.expect("ffmpeg is installed");
    let watch = Watch::start(&[
        "--source",
        &format!("rtp=rtp://127.0.0.1:{rtp}?encoding-name=H264"),
        "--source",
        &named("sdp", &sdp),
        "--source",
        &format!("udp=udp://127.0.0.1:{ts}"),
        "--source",
        &format!("srt=srt://127.0.0.1:{srt}"),
        "--source",
        &format!("rtmp={rtmp_uri}"),
    ]);
    for source in ["rtp", "sdp", "udp", "srt", "rtmp"] {
        watch.wait_for_records(source, 3);
    }
    let _ = server.kill();
    let _ = server.wait();
}

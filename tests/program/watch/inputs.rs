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
fn streams_by_udp_and_srt_are_watched() {
    let folder = tempfile::tempdir().unwrap();
    let rtp = free_udp_port();
    let (described, ts) = (free_udp_port(), free_udp_port());
    let srt = free_udp_port();
    let sdp = folder.path().join("camera.sdp");
    let description = format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=video {described} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    );
    fs::write(&sdp, description).unwrap();
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
    let mut watch = Watch::start(&[
        "--source",
        &format!("rtp=rtp://127.0.0.1:{rtp}?encoding-name=H264"),
        "--source",
        &named("sdp", &sdp),
        "--source",
        &format!("udp=udp://127.0.0.1:{ts}"),
        "--source",
        &format!("srt=srt://127.0.0.1:{srt}"),
    ]);
    for source in ["rtp", "sdp", "udp", "srt"] {
        watch.wait_for_records(source, 3);
    }
    assert!(watch.end().success());
}

/// Returns an RTMP server, not started; `None` if it is not installed.
fn rtmp_server(folder: &Path) -> Option<(Command, u16)> {
    let module = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
    if !Path::new(module).exists() {
        println!("skipped: nginx has no RTMP; pipelines/setup.sh --tests installs it");
        return None;
    }
    let port = free_port();
    let path = folder.join("nginx.conf");
    let folder = folder.display();
    let text = format!(
        "load_module {module}; daemon off; master_process off; pid {folder}/pid; error_log {folder}/log; events {{}} \
         rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}"
    );
    fs::write(&path, text).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-c").arg(path).stderr(Stdio::null());
    Some((command, port))
}

#[test]
fn a_stream_of_an_rtmp_server_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let Some((mut server, port)) = rtmp_server(folder.path()) else {
        return;
    };
    let mut server = server.spawn().unwrap();
    wait_until("the server listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let uri = format!("rtmp://127.0.0.1:{port}/live/camera");
    let sender = Sender::start(&format!(
        "flvmux streamable=true ! rtmp2sink location={uri}"
    ));
    let mut watch = Watch::start(&["--source", &format!("rtmp={uri}")]);
    watch.wait_for_records("rtmp", 3);
    assert!(watch.end().success());
    drop(sender);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_file_is_watched_by_http() {
    let folder = tempfile::tempdir().unwrap();
    clip(&folder, "hall.mkv");
    let port = free_port();
    let mut server = Command::new(SYSTEM_PYTHON)
        .args([
            "-m",
            "http.server",
            "--bind",
            "127.0.0.1",
            &port.to_string(),
        ])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let uri = format!("hall=http://127.0.0.1:{port}/hall.mkv");
    let mut watch = Watch::start(&["--source", &uri]);
    watch.wait_for_records("hall", 3);
    assert!(watch.end().success());
    server.kill().unwrap();
    server.wait().unwrap();
}

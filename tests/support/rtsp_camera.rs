// SPDX-License-Identifier: MPL-2.0

//! An RTSP server with live streams, which ends with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::{SYSTEM_PYTHON, fixture, free_port, has_bindings, project};

/// An RTSP server with live streams of a picture.
pub struct RtspCamera {
    server: Option<Child>,
    pub port: u16,
}

impl RtspCamera {
    /// Returns `None` and prints a message if the server's Debian packages are missing.
    pub fn start() -> Option<Self> {
        if !has_bindings(&["Gst", "GstRtspServer"]) {
            return None;
        }
        let mut camera = Self {
            server: None,
            port: free_port(),
        };
        camera.restart();
        Some(camera)
    }

    /// Returns the address of a stream; see `rtsp_server.py`.
    pub fn uri(&self, path: &str) -> String {
        format!("rtsp://127.0.0.1:{}/{path}", self.port)
    }

    /// Starts the server again after [`kill`](Self::kill), on the same port.
    pub fn restart(&mut self) {
        let mut server = Command::new(SYSTEM_PYTHON)
            .arg(project("tests/support/rtsp_server.py"))
            .arg(self.port.to_string())
            .arg(fixture("positive.png"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        self.server = Some(server);
        assert!(matches!(lines.next(), Some(Ok(_))), "the server has ended");
    }

    /// Kills the server, as if the camera had lost its power.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Stops or continues the server, as if the camera hung.
    pub fn set_hung(&self, hangs: bool) {
        let id = self.server.as_ref().unwrap().id().to_string();
        let signal = if hangs { "-STOP" } else { "-CONT" };
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        self.kill();
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Servers on the loopback interface, which end with the test.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::wait_until;

/// Returns a port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Returns `false` and prints a message if a program is not installed.
pub fn is_installed(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v \"$0\"", program])
        .stdout(Stdio::null())
        .status();
    let is_installed = found.is_ok_and(|status| status.success());
    if !is_installed {
        println!("skipped: {program} is not installed; pipelines/setup.sh --tests installs it");
    }
    is_installed
}

/// A process that is killed when it is dropped.
pub struct Server {
    child: Option<Child>,
    command: Command,
    pub port: u16,
    pub folder: TempDir,
}

impl Server {
    /// Returns a server that listens on `port`, not started.
    pub fn new(mut command: Command, port: u16, folder: TempDir) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            child: None,
            command,
            port,
            folder,
        }
    }

    /// Starts the server and waits until it listens.
    pub fn start(&mut self) {
        self.child = Some(self.command.spawn().unwrap());
        let port = self.port;
        wait_until("the server listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    /// Kills the server, so that it has no time to store anything.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops the server, or lets it continue, as if it hung.
    pub fn set_hung(&self, hangs: bool) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let signal = if hangs { "-STOP" } else { "-CONT" };
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.unwrap().success());
    }

    /// Ends the server in order.
    pub fn terminate(&mut self) {
        if let Some(mut child) = self.child.take() {
            let id = child.id().to_string();
            assert!(Command::new("kill").arg(id).status().unwrap().success());
            child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

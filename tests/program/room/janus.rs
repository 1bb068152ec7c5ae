// SPDX-License-Identifier: MPL-2.0

//! A Janus server on the loopback interface, and participants of its rooms.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::support::*;

/// The room without a PIN.
pub(super) const ROOM: &str = "42";
/// The room with the PIN `1234`.
pub(super) const ROOM_WITH_PIN: &str = "43";
/// The room for one publisher.
pub(super) const SMALL_ROOM: &str = "44";
/// What moderators of all rooms know.
pub(super) const MODERATOR: &str = "moderator";
/// What administrators know.
pub(super) const ADMINISTRATOR: &str = "administrator";

const CERTIFICATE: &str = "server.pem";
/// The file that describes the rooms.
const ROOMS: &str = "janus.plugin.videoroom.jcfg";

/// Plugins and transports that the tests do not need.
const DISABLED_PLUGINS: &str = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,\
    libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,\
    libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so";
const DISABLED_TRANSPORTS: &str = "libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,\
    libjanus_rabbitmq.so";

/// A server with rooms, which ends with the test.
pub(super) struct Janus {
    pub(super) server: Server,
    pub(super) http_port: u16,
    pub(super) admin_port: u16,
    tls_port: u16,
}

impl Janus {
    /// Starts a server with these lines in the section `general` of its configuration; `None` if it
    /// is not installed.
    pub(super) fn start(general: &str) -> Option<Self> {
        if !is_installed("janus") || !has_bindings(&["Gst", "GstSdp", "GstWebRTC"]) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let [port, http_port, admin_port, tls_port] = std::array::from_fn(|_| free_port());
        let ports = [port, http_port, admin_port, tls_port];
        configure(folder.path(), general, ports);
        let mut command = Command::new("janus");
        command
            .arg("-F")
            .arg(folder.path())
            .current_dir(folder.path())
            .env_remove("G_DEBUG");
        let mut server = Server::new(command, port, folder);
        server.start();
        Some(Self {
            server,
            http_port,
            admin_port,
            tls_port,
        })
    }

    /// Removes all rooms from the configuration of a server that does not run.
    pub(super) fn forget_rooms(&self) {
        std::fs::write(self.server.folder.path().join(ROOMS), "").unwrap();
    }

    /// Returns the address for members.
    pub(super) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.server.port)
    }

    /// Returns the address for members with TLS.
    pub(super) fn tls_url(&self) -> String {
        wait_until("Janus listens with TLS", || {
            std::net::TcpStream::connect(("127.0.0.1", self.tls_port)).is_ok()
        });
        format!("wss://localhost:{}", self.tls_port)
    }

    /// Returns the file of the certificate for TLS.
    pub(super) fn certificate(&self) -> PathBuf {
        self.server.folder.path().join(CERTIFICATE)
    }

    /// Returns the address for participants.
    pub(super) fn http(&self) -> String {
        wait_until("Janus listens for HTTP", || {
            std::net::TcpStream::connect(("127.0.0.1", self.http_port)).is_ok()
        });
        format!("http://127.0.0.1:{}/janus", self.http_port)
    }

    /// Lets a participant join, and waits until it is connected.
    pub(super) fn join(&self, name: &str, arguments: &[&str]) -> Participant {
        self.join_room(ROOM, name, arguments)
    }

    /// Lets a participant join a room, and waits until it is connected.
    pub(super) fn join_room(&self, room: &str, name: &str, arguments: &[&str]) -> Participant {
        let mut child = Command::new(SYSTEM_PYTHON)
            .arg(project("tests/program/room/participant.py"))
            .args([&self.http(), room, name])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let received = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                received.lock().unwrap().push(line);
            }
        });
        let participant = Participant { child, lines };
        wait_until("a participant is connected", || {
            !participant.lines().is_empty()
        });
        participant
    }
}

/// Writes the configuration of a server.
fn configure(folder: &Path, general: &str, [port, http_port, admin_port, tls_port]: [u16; 4]) {
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    let path = folder.display();
    write(
        "janus.jcfg",
        format!(
            "general: {{ configs_folder = \"{path}\"; debug_level = 3; \
             admin_secret = \"{ADMINISTRATOR}\"; {general} }}\n\
             plugins: {{ disable = \"{DISABLED_PLUGINS}\" }}\n\
             transports: {{ disable = \"{DISABLED_TRANSPORTS}\" }}\n"
        ),
    );
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    write(CERTIFICATE, cert.pem());
    write("server.key", signing_key.serialize_pem());
    write(
        "janus.transport.websockets.jcfg",
        format!(
            "general: {{ ws = true; ws_port = {port}; ws_ip = \"127.0.0.1\"; \
             wss = true; wss_port = {tls_port}; wss_ip = \"127.0.0.1\" }}\n\
             certificates: {{ cert_pem = \"{path}/{CERTIFICATE}\"; cert_key = \"{path}/server.key\" }}\n"
        ),
    );
    write(
        "janus.transport.http.jcfg",
        format!(
            "general: {{ http = true; port = {http_port}; ip = \"127.0.0.1\"; base_path = \"/janus\" }}\n\
             admin: {{ admin_http = true; admin_port = {admin_port}; admin_ip = \"127.0.0.1\"; \
             admin_base_path = \"/admin\" }}\n"
        ),
    );
    let room = |id: &str, publishers: u32, more: &str| {
        format!(
            "room-{id}: {{ publishers = {publishers}; secret = \"{MODERATOR}\"; fir_freq = 10; \
             videocodec = \"vp8,vp9,h264\"; {more} }}\n"
        )
    };
    write(
        ROOMS,
        room(ROOM, 20, "") + &room(ROOM_WITH_PIN, 20, "pin = \"1234\"") + &room(SMALL_ROOM, 1, ""),
    );
}

/// A participant, which ends when it is dropped.
pub(super) struct Participant {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Participant {
    /// Returns the lines that it has printed.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Sends a command.
    pub(super) fn tell(&mut self, command: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

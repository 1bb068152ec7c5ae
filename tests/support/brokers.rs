// SPDX-License-Identifier: MPL-2.0

//! Brokers and servers on the loopback interface, which end with the test.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::project;

/// Maximum time for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

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

/// Returns Mosquitto with these lines in its configuration, not started; `None` if it is not
/// installed.
pub fn mosquitto(configuration: &str) -> Option<Server> {
    if !is_installed("mosquitto") || !is_installed("mosquitto_sub") {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let path = folder.path().join("mosquitto.conf");
    let store = folder.path().display();
    let text = format!(
        "listener {port} 127.0.0.1\npersistence true\npersistence_location {store}/\nuser root\n{configuration}\n"
    );
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new("mosquitto");
    command.arg("-c").arg(path);
    Some(Server::new(command, port, folder))
}

/// Returns a Redis server that stores every entry at once, not started.
pub fn redis(arguments: &[&str]) -> Option<Server> {
    if !is_installed("redis-server") {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut command = Command::new("redis-server");
    command
        .args([
            "--bind",
            "127.0.0.1",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ])
        .args(["--port", &port.to_string(), "--dir"])
        .arg(folder.path())
        .args(arguments);
    Some(Server::new(command, port, folder))
}

/// Returns the records in a Redis stream; the password is empty if the server needs none.
pub fn redis_entries(port: u16, key: &str, password: &str) -> Vec<String> {
    let mut command = Command::new("redis-cli");
    if !password.is_empty() {
        command.env("REDISCLI_AUTH", password);
    }
    let output = command
        .args(["-p", &port.to_string(), "--raw", "XRANGE", key, "-", "+"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(str::to_owned)
        .collect()
}

/// Returns a NATS server, not started.
pub fn nats(arguments: &[&str]) -> Option<Server> {
    if !is_installed("nats-server") {
        return None;
    }
    let port = free_port();
    let mut command = Command::new("nats-server");
    command
        .args(["--addr", "127.0.0.1", "--port", &port.to_string()])
        .args(arguments);
    Some(Server::new(command, port, tempfile::tempdir().unwrap()))
}

/// Returns a web server, not started, that appends each request to the file `requests` in its
/// folder. It responds with the lines of the file `statuses` one after the other, then with 200.
pub fn webhook(statuses: &str) -> Option<Server> {
    if !is_installed("python3") {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("statuses"), statuses).unwrap();
    let port = free_port();
    let mut command = Command::new("python3");
    command
        .arg(project("tests/support/webhook.py"))
        .arg(folder.path())
        .arg(port.to_string());
    Some(Server::new(command, port, folder))
}

/// Returns the requests that a web server has received.
pub fn requests(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("requests")).unwrap_or_default();
    let lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Starts the servers that are installed, one per protocol, which accept the user `alice` with this
/// password. Returns them and their locations, which name a file with the password.
pub fn servers_with_password(password: &str) -> Vec<(Server, String)> {
    let mqtt = mosquitto("allow_anonymous false").inspect(|server| {
        let passwords = server.folder.path().join("passwords");
        let written = Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(&passwords)
            .args(["alice", password])
            .status();
        assert!(written.unwrap().success());
        let path = server.folder.path().join("mosquitto.conf");
        let mut configuration = std::fs::read_to_string(&path).unwrap();
        configuration += &format!("password_file {}\n", passwords.display());
        std::fs::write(path, configuration).unwrap();
    });
    let servers = [
        ("mqtt", "alice@", mqtt),
        ("redis", "", redis(&["--requirepass", password])),
        (
            "nats",
            "alice@",
            nats(&["--user", "alice", "--pass", password]),
        ),
        ("http", "alice@", webhook("")),
    ];
    let start = |(scheme, user, server): (&str, &str, Option<Server>)| {
        let mut server = server?;
        server.start();
        let file = server.folder.path().join("password");
        std::fs::write(&file, password).unwrap();
        let separator = if scheme == "http" { '#' } else { '?' };
        let location = format!(
            "{scheme}://{user}127.0.0.1:{}{separator}password-file={}",
            server.port,
            file.display()
        );
        Some((server, location))
    };
    servers.into_iter().filter_map(start).collect()
}

// SPDX-License-Identifier: MPL-2.0

//! Redis, whose streams receive records.

use std::process::Command;

use super::super::{Server, free_port, is_installed};

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

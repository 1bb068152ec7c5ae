// SPDX-License-Identifier: MPL-2.0

//! Brokers and web servers that receive records, on the loopback interface.

use std::process::Command;

use super::Server;

mod mosquitto;
mod nats;
mod redis;
mod webhook;

pub use mosquitto::*;
pub use nats::*;
pub use redis::*;
pub use webhook::*;

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

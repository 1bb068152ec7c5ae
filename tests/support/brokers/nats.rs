// SPDX-License-Identifier: MPL-2.0

//! The server of NATS.

use std::process::Command;

use super::super::{Server, free_port, is_installed};

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

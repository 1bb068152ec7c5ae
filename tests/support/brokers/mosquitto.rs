// SPDX-License-Identifier: MPL-2.0

//! Mosquitto, a broker of MQTT.

use std::process::Command;

use super::super::{Server, free_port, is_installed};

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

// SPDX-License-Identifier: MPL-2.0

//! A web server that receives records.

use std::path::Path;
use std::process::Command;

use super::super::{Server, free_port, is_installed, project};

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

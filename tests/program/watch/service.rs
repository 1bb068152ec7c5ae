// SPDX-License-Identifier: MPL-2.0

//! The program as a service of systemd.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::*;

#[test]
fn systemd_is_notified_of_start_life_reload_and_end() {
    let folder = tempfile::tempdir().unwrap();
    clip(&folder, "hall.mkv");
    let config = folder.path().join("watch.toml");
    let uri = folder.path().join("hall.mkv");
    fs::write(&config, format!("[sources.hall]\nuri = {uri:?}\n")).unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let receive = |wanted: &str| {
        let mut bytes = [0; 4096];
        loop {
            let length = socket.recv(&mut bytes);
            let length = length.unwrap_or_else(|error| panic!("no {wanted}: {error}"));
            let message = String::from_utf8(bytes[..length].to_vec()).unwrap();
            if message.lines().any(|line| line == wanted) {
                return message;
            }
        }
    };
    let mut command = command(&["--config", config.to_str().unwrap()]);
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "400000");
    let mut watch = Watch::run(&mut command);
    receive("READY=1");
    let sign = receive("WATCHDOG=1");
    assert!(sign.contains("of 1 sources live"), "{sign}");
    watch.signal("-HUP");
    let reloading = receive("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    receive("READY=1");
    assert!(watch.end().success());
    receive("STOPPING=1");
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut watch = Watch::start(&[&format!("rtsp://127.0.0.1:{}/camera", free_port())]);
    watch.signal("-INT");
    watch.signal("-INT");
    wait_until("it has ended", || {
        // A signal to a process that has ended and is not reaped has no effect.
        fs::read_to_string(format!("/proc/{}/stat", watch.child.id()))
            .is_ok_and(|stat| stat.contains(") Z"))
    });
    assert!(watch.child.wait().unwrap().code().is_some());
}

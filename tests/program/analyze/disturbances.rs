// SPDX-License-Identifier: MPL-2.0

//! Signals to runs and their workers, and disks that are full or read-only.

use std::time::{Duration, Instant};

use super::*;

/// Options with which a long clip takes long.
pub(super) const SLOW: [&str; 4] = ["--jobs", "1", "--samples-per-second", "0"];

/// Waits until `find` finds something.
#[track_caller]
pub(super) fn wait_for<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the process that plays the recordings of `run`.
pub(super) fn worker(run: &Child) -> Option<u32> {
    let parent = format!("PPid:\t{}", run.id());
    let processes = std::fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.into_iter().find(|id: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status"));
        status.is_ok_and(|status| status.lines().any(|line| line == parent))
    })
}

pub(super) fn send(signal: &str, process: u32) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Waits until `run` has samples of the recording `name`, and sends `signal` to its worker.
pub(super) fn disturb(bench: &Bench, run: &Child, name: &str, signal: &str) {
    // The remains of an earlier run are removed before.
    wait_for("worker", || worker(run));
    let records = bench.path(&format!("out/.partial-{name}/records.jsonl"));
    wait_for("sample", || {
        let bytes = records.metadata().ok()?.len();
        (bytes > 0).then_some(())
    });
    let worker = worker(run).unwrap();
    send(signal, worker);
    if signal == "SEGV" {
        // Rust's handler of stack overflows returns from the first one, as an instruction that
        // crashes is repeated.
        std::thread::sleep(Duration::from_millis(50));
        send(signal, worker);
    }
}

/// A file system that is mounted for a test.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// Returns `None` if this user may not mount one.
    pub(super) fn mount(path: PathBuf, options: &str) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        if !mount(&path, options) {
            println!("skipped: this user cannot mount a file system");
            return None;
        }
        Some(Self(path))
    }

    /// Changes the options.
    pub(super) fn remount(&self, options: &str) {
        assert!(mount(&self.0, &format!("remount,{options}")));
    }
}

fn mount(path: &Path, options: &str) -> bool {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(path)
        .output();
    mounted.is_ok_and(|output| output.status.success())
}

impl Drop for Disk {
    fn drop(&mut self) {
        // After a test that failed, a run may still write to it.
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(unmounted.unwrap().success());
    }
}

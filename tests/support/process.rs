// SPDX-License-Identifier: MPL-2.0

//! GStreamer in this process, and processes that tests start.

use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Initializes GStreamer and registers the plugin. At the end of the process, GStreamer is shut
/// down, so that its tracer `leaks`, if `GST_TRACERS` enables it, warns of objects that were not
/// freed; `G_DEBUG=fatal_warnings` makes that a failure.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstattitude::plugin_register_static().unwrap();
        // SAFETY: The function does not unwind, and `exit` is called once all tests have ended.
        assert_eq!(unsafe { atexit(shut_down) }, 0);
    });
}

/// Variable with the name of the test, set in a process that [`in_own_process`] starts.
const OWN_PROCESS: &str = "GST_ATTITUDE_TEST_OWN_PROCESS";

/// Runs `test`, the whole body of a test function, in a process of its own, so that it shares no
/// networks, threads or counters with other tests.
pub fn in_own_process<F: FnOnce()>(test: F) {
    in_own_process_with(&[], test);
}

/// Runs `test` as [`in_own_process`] does, with these variables in the environment.
pub fn in_own_process_with<F: FnOnce()>(environment: &[(&str, &str)], test: F) {
    // Such as `plugin::engine::elements_share_networks::{{closure}}`.
    let path = std::any::type_name::<F>();
    let (_, name) = path.split_once("::").unwrap();
    let name = name.strip_suffix("::{{closure}}").unwrap();
    if std::env::var_os(OWN_PROCESS).is_some_and(|requested| requested == name) {
        return test();
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(OWN_PROCESS, name)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

unsafe extern "C" {
    fn atexit(callback: extern "C" fn()) -> std::ffi::c_int;
}

static IS_KEPT: AtomicBool = AtomicBool::new(false);

/// Keeps GStreamer running at the end of the process: it never frees its objects for DTLS, and its
/// tracer would warn of them.
pub fn keep_gstreamer() {
    IS_KEPT.store(true, Ordering::Relaxed);
}

extern "C" fn shut_down() {
    if IS_KEPT.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: All tests have ended, so GStreamer is not in use.
    unsafe { gst::deinit() }
}

/// Returns a command that runs `program` with the plugin that was built with this test program in
/// its plugin path. `folder` is an empty folder for a link to the plugin and for the registry.
pub fn with_plugin(program: &str, folder: &Path) -> std::process::Command {
    let tests = std::env::current_exe().unwrap();
    let plugin = tests.with_file_name("libgstattitude.so");
    assert!(plugin.exists(), "{} is not there", plugin.display());
    // The folder of the plugin itself has libraries that are not plugins.
    std::os::unix::fs::symlink(plugin, folder.join("libgstattitude.so")).unwrap();
    let mut command = std::process::Command::new(program);
    command
        .env("GST_PLUGIN_PATH", folder)
        .env("GST_REGISTRY", folder.join("registry.bin"));
    command
}

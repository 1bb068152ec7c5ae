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

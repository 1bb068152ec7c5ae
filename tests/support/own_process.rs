// SPDX-License-Identifier: MPL-2.0

//! Tests that run in a process of their own.

#![allow(dead_code)] // Each test binary uses a part of it.

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

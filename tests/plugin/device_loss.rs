// SPDX-License-Identifier: MPL-2.0

//! A GPU that is lost while frames pass, as after a reset of its driver. The GPU is SwiftShader, behind
//! a Vulkan driver that reports the loss; without it, the test is skipped.

use std::path::{Path, PathBuf};

use gst::prelude::*;

use crate::support::*;

/// The variables that `lost_device.c` reads.
const DRIVER: &str = "GST_ATTITUDE_TEST_DRIVER";
const LOST: &str = "GST_ATTITUDE_TEST_LOST_DEVICE";

/// Compiles the driver in `folder` and returns its description for the Vulkan loader.
fn compile_driver(folder: &Path) -> PathBuf {
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([folder.join("liblost.so"), fixture("lost_device.c")])
        .arg("-ldl")
        .status();
    assert!(compiled.unwrap().success());
    let description = folder.join("lost.json");
    let text = r#"{"file_format_version": "1.0.0", "ICD": {"library_path": "./liblost.so", "api_version": "1.1.0"}}"#;
    std::fs::write(&description, text).unwrap();
    description
}

#[test]
fn if_the_device_is_lost_the_cpu_continues_with_the_same_frame_until_the_restart() {
    let swiftshader = Path::new(SWIFTSHADER).with_file_name("libvk_swiftshader.so");
    let Some(runtime) = installed("onnxruntime-webgpu/libonnxruntime.so") else {
        return;
    };
    if !present(&swiftshader) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let driver = compile_driver(folder.path());
    let lost = folder.path().join("lost");
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (runtime, driver, lost, swiftshader) = (
        path(&runtime),
        path(&driver),
        path(&lost),
        path(&swiftshader),
    );
    let mut environment = vulkan(&driver).to_vec();
    environment.extend([
        ("ORT_DYLIB_PATH", &*runtime),
        (DRIVER, &swiftshader),
        (LOST, &lost),
    ]);
    in_own_process_with(&environment, || {
        let mut rig = Rig::tiny(&[
            ("execution-provider", "webgpu"),
            ("fallback", "warn"),
            ("messages", "sample"),
            ("sample-interval", "0"),
            ("smoothing", "0"),
        ]);
        let element = rig.element.clone();
        let active_provider = || element.property::<String>("active-provider");
        assert_eq!(active_provider(), "webgpu");
        let mut label = |luma| regions(&rig.pass_face(luma)).remove(0).label;
        assert_eq!(label(POSITIVE), "positive");
        let lost = std::env::var_os(LOST).unwrap();
        std::fs::write(&lost, "").unwrap();
        for (luma, expected) in [(NEGATIVE, "negative"), (POSITIVE, "positive")] {
            assert_eq!(label(luma), expected);
        }
        let warnings: Vec<String> =
            std::iter::from_fn(|| rig.bus.pop_filtered(&[gst::MessageType::Warning]))
                .map(|message| problem(&message))
                .collect();
        let [warning] = &warnings[..] else {
            panic!("{warnings:?}");
        };
        let expected = "the device of the execution provider failed: the driver has lost the device; the CPU runs";
        assert!(warning.contains(expected), "{warning}");
        assert_eq!(rig.stat("samples"), 3);
        assert_eq!(active_provider(), "cpu");
        std::fs::remove_file(lost).unwrap();
        element.set_state(gst::State::Ready).unwrap();
        element.set_state(gst::State::Paused).unwrap();
        assert_eq!(active_provider(), "webgpu");
    });
}

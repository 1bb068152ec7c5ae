// SPDX-License-Identifier: MPL-2.0

//! Builds of ONNX Runtime that `pipelines/setup.sh --tests` installs, and Vulkan without a GPU.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::path::{Path, PathBuf};

/// SwiftShader's description for the Vulkan loader, in Debian's package chromium-common.
pub const SWIFTSHADER: &str = "/usr/lib/chromium/vk_swiftshader_icd.json";

/// Returns the environment in which Vulkan has the driver that `file` describes, and WebGPU accepts
/// one that renders in software.
pub fn vulkan(file: &str) -> [(&'static str, &str); 3] {
    [
        ("VK_DRIVER_FILES", file),
        // The variable of older loaders.
        ("VK_ICD_FILENAMES", file),
        ("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "1"),
    ]
}

/// Returns a file that `setup.sh --tests` installs; `None` if it is missing.
pub fn installed(file: &str) -> Option<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".local/share")));
    let path = data?.join("gst-attitude/test-providers").join(file);
    present(&path).then_some(path)
}

/// Returns `true` if `path` exists; else prints that the test is skipped.
pub fn present(path: &Path) -> bool {
    let exists = path.exists();
    if !exists {
        println!("skipped: {} is missing", path.display());
    }
    exists
}

// SPDX-License-Identifier: MPL-2.0
//! Computes the digests of the embedded models, which would otherwise cost time at each start.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Files in the folder of the models, and the variables with their digests.
const MODELS: [(&str, &str); 3] = [
    ("face-detector.onnx", "FACE_DETECTOR_SHA256"),
    ("attitude.onnx", "ATTITUDE_SHA256"),
    ("attitude-int8.onnx", "ATTITUDE_INT8_SHA256"),
];

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    for (file, variable) in MODELS {
        let path = format!("models/{file}");
        println!("cargo:rerun-if-changed={path}");
        let digest = Sha256::digest(std::fs::read(path)?);
        let hexadecimal = digest.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        println!("cargo:rustc-env={variable}={hexadecimal}");
    }
    Ok(())
}

// SPDX-License-Identifier: MPL-2.0

//! Identity of a model file.

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of `bytes`, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

// SPDX-License-Identifier: MPL-2.0

//! What nobody can guess.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::ring;

/// 128 bits by the system's cryptographic source, in letters that an address takes as they are.
pub fn secret() -> Result<String, String> {
    let mut bytes = [0; 16];
    let source = ring::default_provider().secure_random;
    source
        .fill(&mut bytes)
        .map_err(|_| "the system has no random numbers to give".to_owned())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_one_is_another() {
        let [first, second] = [secret().unwrap(), secret().unwrap()];
        assert_eq!(first.len(), 22);
        assert_ne!(first, second);
    }
}

// SPDX-License-Identifier: MPL-2.0

//! The certificate and key of https://, out of files.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};

/// What a server with this certificate and its key, both PEM files, offers. Errors name the file.
pub fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let wrong = |path: &Path, problem: &str| format!("{}: {problem}", path.display());
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(certificate, &format!("it is no PEM file: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong(
            certificate,
            "there is no certificate in it; it must have a line -----BEGIN CERTIFICATE-----",
        ));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| match error {
        PemError::NoItemsFound => wrong(
            key,
            "there is no private key in it that needs no password; it must have a line -----BEGIN PRIVATE KEY-----",
        ),
        error => wrong(key, &format!("it is no PEM file: {error}")),
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = builder
        .with_no_client_auth()
        .with_single_cert(certificates, private);
    let mut config = config.map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => wrong(
            key,
            &format!("this is not the key of {}", certificate.display()),
        ),
        rustls::Error::InvalidCertificate(error) => wrong(
            certificate,
            &format!("its certificate cannot be read: {error:?}"),
        ),
        error => wrong(key, &format!("its key cannot be used: {error}")),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

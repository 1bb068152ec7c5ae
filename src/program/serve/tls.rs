// SPDX-License-Identifier: MPL-2.0

//! TLS for https://: reads the certificate and its key.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, InconsistentKeys, ServerConfig};

/// The certificate or the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    #[error("{0} is not a PEM file: {1}")]
    NotPem(PathBuf, PemError),
    #[error("{0} contains no certificate; expected a line -----BEGIN CERTIFICATE-----")]
    NoCertificate(PathBuf),
    #[error(
        "{0} contains no private key without a password; expected a line -----BEGIN PRIVATE KEY-----"
    )]
    NoKey(PathBuf),
    #[error("{key} is not the key of {certificate}")]
    OtherKey { key: PathBuf, certificate: PathBuf },
    #[error("the certificate in {0} cannot be used: {1:?}")]
    BadCertificate(PathBuf, CertificateError),
    #[error("the key in {0} cannot be used")]
    BadKey(PathBuf, #[source] rustls::Error),
    #[error("TLS cannot be configured")]
    Config(#[source] rustls::Error),
}

/// Returns the configuration of a server with this certificate chain and key, both PEM files.
pub(crate) fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::NotPem(certificate.into(), error))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(certificate.into()));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| match error {
        PemError::NoItemsFound => TlsError::NoKey(key.into()),
        error => TlsError::NotPem(key.into(), error),
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?;
    let config = builder
        .with_no_client_auth()
        .with_single_cert(certificates, private);
    let mut config = config.map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::OtherKey {
            key: key.into(),
            certificate: certificate.into(),
        },
        rustls::Error::InvalidCertificate(error) => {
            TlsError::BadCertificate(certificate.into(), error)
        }
        error => TlsError::BadKey(key.into(), error),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Read(path.into(), error))
}

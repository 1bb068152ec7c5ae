// SPDX-License-Identifier: MPL-2.0

//! TLS of clients: certificates are always verified, by the system's roots or those in `ca-file`.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, Error, RootCertStore,
};

use crate::error::LocationError;
use crate::location::Location;

/// Options of locations with TLS.
pub(crate) const OPTIONS: [&str; 3] = ["ca-file", "certificate-file", "key-file"];

/// Returns the configuration for a location.
pub(crate) fn client_config(location: &Location) -> Result<ClientConfig, LocationError> {
    let builder = builder(roots(location)?)?;
    let identity = (
        location.read_file("certificate-file")?,
        location.read_file("key-file")?,
    );
    match identity {
        (Some(certificates), Some(key)) => {
            let certificates = certificates_in("certificate-file", &certificates)?;
            let key = PrivateKeyDer::from_pem_slice(&key)
                .map_err(|error| LocationError::Tls(format!("key-file has no key: {error}")))?;
            let config = builder.with_client_auth_cert(certificates, key);
            config.map_err(|error| LocationError::Tls(error.to_string()))
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(LocationError::Tls(
            "certificate-file and key-file are needed together".to_owned(),
        )),
    }
}

/// Returns the configuration of a client without a certificate of its own, which trusts the
/// certificates in `ca_file`, in PEM; by default the system's.
///
/// # Errors
/// Returns an error if there are no certificates.
pub fn tls_client_config(ca_file: Option<&[u8]>) -> Result<ClientConfig, LocationError> {
    Ok(builder(trusted(ca_file)?)?.with_no_client_auth())
}

fn builder(
    roots: RootCertStore,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, LocationError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| LocationError::Tls(error.to_string()))?;
    Ok(builder.with_root_certificates(roots))
}

/// Returns what a user can do about a connection that failed for `reason`; `None` if certificates are
/// not the reason. The libraries of the protocols pass on the texts of rustls, but not its errors.
pub(crate) fn advice(reason: &str) -> Option<&'static str> {
    let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    let is_about = |error: Error| reason.contains(&error.to_string());
    if is_about(unknown) {
        return Some("set ca-file to the certificate of the authority that signed the server's");
    }
    // Servers report differently that the client has no certificate, or one that they do not trust.
    let alerts = [
        AlertDescription::CertificateRequired,
        AlertDescription::BadCertificate,
        AlertDescription::UnknownCA,
    ];
    let is_refused = alerts
        .into_iter()
        .any(|alert| is_about(Error::AlertReceived(alert)));
    is_refused
        .then_some("set certificate-file and key-file to a certificate that the server trusts")
}

fn roots(location: &Location) -> Result<RootCertStore, LocationError> {
    match location.read_file("ca-file")? {
        // Nothing is verified, but the client needs a configuration.
        None if location.scheme() == "http" => Ok(RootCertStore::empty()),
        pem => trusted(pem.as_deref()),
    }
}

/// Returns the certificates in `pem`, by default the system's.
fn trusted(pem: Option<&[u8]>) -> Result<RootCertStore, LocationError> {
    let mut roots = RootCertStore::empty();
    match pem {
        Some(pem) => {
            for certificate in certificates_in("ca-file", pem)? {
                let added = roots.add(certificate);
                added.map_err(|error| LocationError::Tls(format!("ca-file: {error}")))?;
            }
        }
        None => {
            // A damaged certificate of the system only means that servers that need it are refused.
            let certificates = rustls_native_certs::load_native_certs().certs;
            if roots.add_parsable_certificates(certificates).0 == 0 {
                return Err(LocationError::Tls(
                    "the system has no root certificates; install ca-certificates or set ca-file"
                        .to_owned(),
                ));
            }
        }
    }
    Ok(roots)
}

fn certificates_in(
    option: &str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, LocationError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(LocationError::Tls(format!(
            "{option} contains no certificate; expected a line -----BEGIN CERTIFICATE-----"
        ))),
        Err(error) => Err(LocationError::Tls(format!("{option}: {error}"))),
    }
}

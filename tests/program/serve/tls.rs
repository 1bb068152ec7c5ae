// SPDX-License-Identifier: MPL-2.0

//! HTTPS, and certificates and keys that cannot be used.

use std::path::{Path, PathBuf};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use super::*;

/// Files of a certificate and its key.
struct Files {
    folder: TempDir,
    certificate: PathBuf,
    key: PathBuf,
    trusted: RootCertStore,
}

impl Files {
    fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut trusted = RootCertStore::empty();
        trusted.add(cert.der().clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        Self {
            certificate: file("server.pem", cert.pem()),
            key: file("server.key", signing_key.serialize_pem()),
            trusted,
            folder,
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn arguments<'a>(certificate: &'a Path, key: &'a Path) -> [&'a str; 4] {
    let text = |path: &'a Path| path.to_str().unwrap();
    [
        "--tls-certificate",
        text(certificate),
        "--tls-key",
        text(key),
    ]
}

#[test]
fn the_server_uses_tls_with_a_certificate() {
    let files = Files::new();
    let mut server = Server::listen("0.0.0.0:0", &arguments(&files.certificate, &files.key));
    assert!(server.url.starts_with("https://"), "{}", server.url);
    assert!(wait_until(|| server.output().contains("Warning")));
    assert!(!server.output().contains("without TLS"));
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(files.trusted.clone())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, client::connect(server.address()));
    let path = format!("/settings?token={}", server.token().unwrap());
    let bytes = Request::new("GET", &path).bytes("localhost");
    let response = client::exchange(&mut stream, &bytes).expect("no response");
    assert_eq!(response.status, 200);
    assert!(response.json()["limits"].is_object());

    // A client without TLS gets no response and does not stop the server.
    let plain = Request::new("GET", "/healthz").bytes("localhost");
    assert!(client::exchange(&mut client::connect(server.address()), &plain).is_none());
    assert_eq!(server.child.try_wait().unwrap(), None);
}

#[test]
fn an_unusable_certificate_or_key_is_reported_with_the_reason() {
    let [files, others] = [Files::new(), Files::new()];
    let nothing = files.file("nothing.pem", "nothing\n");
    let broken = files.file(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    );
    let foreign = files.file(
        "foreign.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let missing = files.folder.path().join("missing.pem");
    for (certificate, key, named, expected) in [
        (&missing, &files.key, &missing, "No such file"),
        (&files.certificate, &missing, &missing, "No such file"),
        (&nothing, &files.key, &nothing, "contains no certificate"),
        (
            &files.key,
            &files.key,
            &files.key,
            "contains no certificate",
        ),
        (&broken, &files.key, &broken, "not a PEM file"),
        (&foreign, &files.key, &foreign, "cannot be used"),
        (
            &files.certificate,
            &nothing,
            &nothing,
            "contains no private key",
        ),
        (
            &files.certificate,
            &files.certificate,
            &files.certificate,
            "contains no private key",
        ),
        (
            &files.certificate,
            &others.key,
            &others.key,
            "not the key of",
        ),
    ] {
        let mut all = vec!["--listen", "127.0.0.1:0"];
        all.extend(arguments(certificate, key));
        let problem = problem(&all);
        let named = named.to_str().unwrap();
        assert!(
            problem.contains(named) && problem.contains(expected),
            "{problem}"
        );
    }
    let alone = problem(&["--tls-key", files.key.to_str().unwrap()]);
    assert!(alone.contains("--tls-certificate"), "{alone}");
}

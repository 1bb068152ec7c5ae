// SPDX-License-Identifier: MPL-2.0

//! TLS: servers and clients that identify each other, and those that do not.

use std::process::{Command, Stdio};

use super::*;

/// Certificates of two authorities, and of a server at 127.0.0.1 and a client that the first one
/// has signed.
struct Certificates(tempfile::TempDir);

impl Certificates {
    fn new() -> Self {
        let script = "
            authority() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj \"/CN=$1\" -keyout $1.key -out $1.pem; }
            certificate() {
                openssl req -newkey rsa:2048 -nodes -subj \"/CN=$1\" -keyout $1.key -out $1.csr
                printf \"subjectAltName=$2\" > extensions
                openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out $1.pem
            }
            set -e
            authority ca
            authority other
            certificate server IP:127.0.0.1
            certificate client DNS:client
            chmod 644 server.key";
        let folder = tempfile::tempdir().unwrap();
        let openssl = Command::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .status();
        assert!(openssl.unwrap().success());
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Returns the options of a client that trusts an authority and has a certificate.
    fn options(&self, authority: &str) -> String {
        format!(
            "ca-file={}&certificate-file={}&key-file={}",
            self.path(authority),
            self.path("client.pem"),
            self.path("client.key")
        )
    }

    /// Returns Mosquitto with TLS, and further lines of its configuration.
    fn mosquitto(&self, configuration: &str) -> Option<Server> {
        mosquitto(&format!(
            "cafile {}\ncertfile {}\nkeyfile {}\n{configuration}",
            self.path("ca.pem"),
            self.path("server.pem"),
            self.path("server.key")
        ))
    }

    /// Returns all servers that are installed, which require certificates of their clients, and
    /// their locations without options.
    fn servers(&self) -> Vec<(Server, String)> {
        let [ca, certificate, key] =
            ["ca.pem", "server.pem", "server.key"].map(|name| self.path(name));
        let redis_port = free_port().to_string();
        let redis_arguments = [
            ["--tls-port", &redis_port],
            ["--tls-auth-clients", "yes"],
            ["--tls-ca-cert-file", &ca],
            ["--tls-cert-file", &certificate],
            ["--tls-key-file", &key],
        ];
        let nats_arguments = [
            "--tls",
            "--tlsverify",
            "--tlscacert",
            &ca,
            "--tlscert",
            &certificate,
            "--tlskey",
            &key,
        ];
        let webhook = webhook("");
        if let Some(server) = &webhook {
            for name in ["ca.pem", "server.pem", "server.key"] {
                std::fs::copy(self.path(name), server.folder.path().join(name)).unwrap();
            }
        }
        let servers = [
            (
                "mqtts",
                self.mosquitto("require_certificate true\nallow_anonymous true"),
                None,
            ),
            (
                "rediss",
                redis(&redis_arguments.concat()),
                Some(redis_port.clone()),
            ),
            ("natss", nats(&nats_arguments), None),
            ("https", webhook, None),
        ];
        let start = |(scheme, server, port): (&str, Option<Server>, Option<String>)| {
            let mut server = server?;
            server.start();
            let port = port.unwrap_or_else(|| server.port.to_string());
            Some((server, format!("{scheme}://127.0.0.1:{port}")))
        };
        servers.into_iter().filter_map(start).collect()
    }
}

/// Returns a location with options.
fn with_options(location: &str, options: &str) -> String {
    let separator = if location.starts_with("http") {
        '#'
    } else {
        '?'
    };
    format!("{location}{separator}{options}")
}

#[test]
fn servers_and_clients_identify_each_other_by_certificates() {
    let certificates = Certificates::new();
    for (server, location) in certificates.servers() {
        let options = certificates.options("ca.pem");
        let mut publishing = Publishing::new(&with_options(&location, &options), &[]);
        publishing.pass(3);
        publishing.end();
        assert_eq!(
            publishing.stat("delivered"),
            3,
            "{location}: {:?}",
            publishing.warnings()
        );
        match location.split_once(':').unwrap().0 {
            "rediss" => assert_eq!(redis_entries(server.port, "gst-attitude", "").len(), 3),
            "https" => assert_eq!(
                requests(server.folder.path()).iter().flat_map(body).count(),
                3
            ),
            _ => {}
        }
    }
}

#[test]
fn servers_and_clients_without_the_right_certificate_are_refused() {
    let certificates = Certificates::new();
    for (_server, location) in certificates.servers() {
        let ca = format!("ca-file={}", certificates.path("ca.pem"));
        let named = location.replace("127.0.0.1", "localhost");
        for (location, options, expected) in [
            (&location, certificates.options("other.pem"), "set ca-file"),
            // The authorities of the system.
            (&location, String::new(), "set ca-file"),
            (&named, certificates.options("ca.pem"), "localhost"),
            (&location, ca, "set certificate-file"),
        ] {
            let mut publishing = Publishing::new(&with_options(location, &options), &[]);
            publishing.pass(3);
            let warning = publishing.wait_for_warning("cannot publish");
            assert!(warning.contains(expected), "{location}: {warning}");
            assert_eq!(publishing.stat("delivered"), 0);
        }
    }
}

#[test]
fn mqtt_logs_in_by_user_and_password() {
    let certificates = Certificates::new();
    let passwords = certificates.path("passwords");
    let Some(mut broker) = certificates.mosquitto(&format!("password_file {passwords}")) else {
        return;
    };
    let written = Command::new("mosquitto_passwd")
        .args(["-b", "-c", &passwords, "alice", "hunter2"])
        .status();
    assert!(written.unwrap().success());
    for (name, password) in [("password", "hunter2\n"), ("wrong", "hunter3\n")] {
        std::fs::write(certificates.path(name), password).unwrap();
    }
    broker.start();
    let ca = certificates.path("ca.pem");
    let login = ["-u", "alice", "-P", "hunter2", "--cafile", &ca];
    let subscriber = Subscriber::mqtt(broker.port, &login);
    let location = |user: &str, password: &str| {
        let password = match password {
            "" => String::new(),
            name => format!("&password-file={}", certificates.path(name)),
        };
        format!(
            "mqtts://{user}127.0.0.1:{}?ca-file={ca}{password}",
            broker.port
        )
    };
    let mut publishing = Publishing::new(&location("alice@", "password"), &[]);
    publishing.pass(3);
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 3);
    subscriber.wait_for(3);
    for (user, password) in [("alice@", "wrong"), ("alice:hunter3@", ""), ("", "")] {
        let mut publishing = Publishing::new(&location(user, password), &[]);
        publishing.pass(3);
        let warning = publishing.wait_for_warning("cannot publish");
        assert!(warning.contains("NotAuthorized"), "{warning}");
        assert!(!warning.contains("hunter"), "{warning}");
        assert_eq!(publishing.stat("delivered"), 0);
    }
}

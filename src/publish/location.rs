// SPDX-License-Identifier: MPL-2.0

//! Locations: a URI whose scheme selects the protocol, with options.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

use crate::error::LocationError;
use crate::protocol;

/// The URI of a broker or webhook. Its text contains no secrets.
#[derive(Clone)]
pub struct Location {
    url: Url,
    options: BTreeMap<String, String>,
}

/// A user and a password.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Location {
    /// Returns the scheme, which selects the protocol.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Returns `true` if the URI itself contains a password, which other users of the machine can
    /// read in a list of processes.
    pub fn contains_password(&self) -> bool {
        self.url.password().is_some()
    }

    pub(crate) fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port_or(&self, default: u16) -> u16 {
        self.url.port().unwrap_or(default)
    }

    /// Returns the path without its first slash.
    pub(crate) fn path(&self) -> &str {
        self.url.path().trim_start_matches('/')
    }

    /// Returns the URI without user, password and options, for HTTP.
    #[cfg(feature = "http")]
    pub(crate) fn http_url(&self) -> Url {
        let mut url = self.url.clone();
        url.set_fragment(None);
        // Both succeed for a URI with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url
    }

    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Parses the value of an option; returns `default` if it is missing.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        option: &'static str,
        expected: &'static str,
        default: T,
        is_valid: impl Fn(&T) -> bool,
    ) -> Result<T, LocationError> {
        let Some(text) = self.option(option) else {
            return Ok(default);
        };
        let value = text.parse().ok().filter(is_valid);
        value.ok_or_else(|| LocationError::Value {
            option,
            value: text.to_owned(),
            expected,
        })
    }

    /// Returns the path in an option.
    pub(crate) fn file(&self, option: &str) -> Option<PathBuf> {
        self.option(option).map(PathBuf::from)
    }

    /// Reads the file in an option.
    pub(crate) fn read_file(&self, option: &str) -> Result<Option<Vec<u8>>, LocationError> {
        let Some(path) = self.file(option) else {
            return Ok(None);
        };
        read(option, &path).map(Some)
    }

    /// Returns the secret that `{name}-file` or `{name}-env` names.
    pub(crate) fn secret(&self, name: &'static str) -> Result<Option<String>, LocationError> {
        let (file, env) = (format!("{name}-file"), format!("{name}-env"));
        match (self.file(&file), self.option(&env)) {
            (Some(_), Some(_)) => Err(LocationError::TwoSecrets { name }),
            (Some(path), None) => {
                let bytes = read(&file, &path)?;
                let text = String::from_utf8_lossy(&bytes);
                Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            (None, Some(variable)) => match std::env::var(variable) {
                Ok(secret) => Ok(Some(secret)),
                Err(_) => Err(LocationError::Variable {
                    option: env,
                    variable: variable.to_owned(),
                }),
            },
            (None, None) => Ok(None),
        }
    }

    /// Returns user and password; `None` if there is no user and no password.
    pub(crate) fn credentials(&self) -> Result<Option<Credentials>, LocationError> {
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = match self.secret("password")? {
            Some(password) => Some(password),
            None => self.url.password().map(decoded),
        };
        let user = decoded(self.url.username());
        match (user.is_empty(), password) {
            (true, None) => Ok(None),
            // Redis has a default user.
            (true, Some(_)) if !self.scheme().starts_with("redis") => Err(LocationError::NoUser),
            (_, password) => Ok(Some(Credentials {
                user,
                password: password.unwrap_or_default(),
            })),
        }
    }
}

fn read(option: &str, path: &Path) -> Result<Vec<u8>, LocationError> {
    std::fs::read(path).map_err(|error| LocationError::Read {
        option: option.to_owned(),
        path: path.to_owned(),
        error,
    })
}

impl FromStr for Location {
    type Err = LocationError;

    /// Parses a URI and checks the names of its options, but not their values.
    ///
    /// The options are the query of the URI, such as `?qos=0&retain=true`. The query of `http` and
    /// `https` belongs to the server; there, the options are the fragment, such as `#batch=10`.
    fn from_str(text: &str) -> Result<Self, LocationError> {
        let url = Url::parse(text).map_err(LocationError::NotAUri)?;
        let scheme = url.scheme();
        let Some(known) = protocol::options(scheme) else {
            return Err(match scheme {
                "kafka" | "kafkas" => LocationError::WithoutKafka,
                _ => LocationError::Scheme(scheme.to_owned()),
            });
        };
        let options = match scheme {
            "http" | "https" => url.fragment(),
            _ => url.query(),
        };
        let options: BTreeMap<_, _> =
            form_urlencoded::parse(options.unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        if let Some(option) = options.keys().find(|option| !known.contains(option)) {
            return Err(LocationError::Option {
                scheme: scheme.to_owned(),
                option: option.clone(),
                known: known.join(", "),
            });
        }
        let location = Self { options, url };
        match location.host().is_empty() {
            true => Err(LocationError::NoHost(location.to_string())),
            false => Ok(location),
        }
    }
}

impl fmt::Display for Location {
    /// Formats the URI without its password and options. Those of webhooks are also without path
    /// and query, which often contain a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://", self.scheme())?;
        if !self.url.username().is_empty() {
            write!(formatter, "{}@", self.url.username())?;
        }
        formatter.write_str(self.url.host_str().unwrap_or_default())?;
        if let Some(port) = self.url.port() {
            write!(formatter, ":{port}")?;
        }
        let is_webhook = self.scheme().starts_with("http");
        match self.path() {
            "" => Ok(()),
            _ if is_webhook => formatter.write_str("/..."),
            path => write!(formatter, "/{path}"),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Location({self})")
    }
}

#[cfg(all(test, feature = "mqtt", feature = "http"))]
mod tests {
    use super::*;

    fn location(text: &str) -> Location {
        text.parse().unwrap()
    }

    fn problem(text: &str) -> String {
        text.parse::<Location>().unwrap_err().to_string()
    }

    #[test]
    fn the_text_contains_no_secrets() {
        let mqtt = location("mqtts://alice:hunter2@broker:8883/?qos=0");
        assert!(mqtt.contains_password());
        assert_eq!(mqtt.to_string(), "mqtts://alice@broker:8883");
        assert_eq!(format!("{mqtt:?}"), "Location(mqtts://alice@broker:8883)");
        let webhook = location("https://hooks.example/T0/s3cret?key=hunter2#batch=5");
        assert_eq!(webhook.to_string(), "https://hooks.example/...");
        assert_eq!(
            webhook.http_url().as_str(),
            "https://hooks.example/T0/s3cret?key=hunter2"
        );
        assert_eq!(webhook.option("batch"), Some("5"));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        for (text, expected) in [
            ("broker:1883", "unknown protocol 'broker'"),
            ("/dev/null", "not a URI"),
            ("ftp://broker", "the protocols are"),
            ("mqtt://broker?qso=1", "no option 'qso'; the options are"),
            ("mqtt:topic", "no host"),
        ] {
            assert!(
                problem(text).contains(expected),
                "{text}: {}",
                problem(text)
            );
        }
        let wrong = location("mqtt://broker?qos=3").parsed("qos", "0, 1 or 2", 1, |qos| *qos < 3);
        assert_eq!(
            wrong.unwrap_err().to_string(),
            "the option qos is '3'; expected 0, 1 or 2"
        );
    }

    #[cfg(not(feature = "kafka"))]
    #[test]
    fn a_build_without_kafka_names_the_feature() {
        assert!(problem("kafkas://broker").contains("the feature kafka"));
    }

    #[test]
    fn errors_contain_no_secrets() {
        for text in [
            "mqtt://a:hunter2@h?password=hunter2",
            "x://a:hunter2@h",
            "mqtt://a:hunter2@",
        ] {
            assert!(!problem(text).contains("hunter2"), "{}", problem(text));
        }
    }

    #[test]
    fn passwords_are_read_from_files_and_decoded_in_uris() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        let with_file = format!("mqtt://alice@broker?password-file={}", path.display());
        let credentials = location(&with_file).credentials().unwrap().unwrap();
        assert_eq!(credentials.user, "alice");
        assert_eq!(credentials.password, "hunter2");
        let inline = location("mqtt://al%40ice:hunter%2F2@broker");
        let credentials = inline.credentials().unwrap().unwrap();
        assert_eq!(credentials.user, "al@ice");
        assert_eq!(credentials.password, "hunter/2");
        let missing = location("mqtt://a@b?password-env=NO_SUCH_VARIABLE").credentials();
        let missing = missing.err().unwrap().to_string();
        assert!(missing.contains("NO_SUCH_VARIABLE"), "{missing}");
        let no_user = format!("mqtt://broker?password-file={}", path.display());
        assert!(location(&no_user).credentials().is_err());
    }

    #[test]
    fn addresses_of_ipv6_have_no_brackets() {
        let location = location("mqtt://[::1]:1884");
        assert_eq!((location.host(), location.port_or(1883)), ("::1", 1884));
        assert_eq!(location.to_string(), "mqtt://[::1]:1884");
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Who may ask: who has the token, and no page of another site.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use subtle::ConstantTimeEq;

use super::arguments::Arguments;
use super::secret::secret;

/// What is asked of those who connect.
#[derive(Debug)]
pub struct Access {
    token: Option<String>,
    /// Whether only programs of this machine can connect.
    is_local: bool,
    is_encrypted: bool,
}

impl Access {
    /// As the arguments say, with a token where others can connect.
    pub fn new(arguments: &Arguments) -> Result<Self, String> {
        let is_local = arguments.listen.ip().to_canonical().is_loopback();
        let token = match &arguments.token {
            Some(token) => Some(token.clone()),
            None if is_local => None,
            None => Some(secret()?),
        };
        Ok(Self {
            token,
            is_local,
            is_encrypted: arguments.tls_certificate.is_some(),
        })
    }

    /// Whether the token is there, in the address or in the header `Authorization`, or none is needed.
    pub fn has_token(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let is_right = |given: &[u8]| -> bool { token.as_bytes().ct_eq(given).into() };
        let queries = uri.query().unwrap_or_default().split('&');
        let mut in_address = queries.filter_map(|query| query.strip_prefix("token="));
        let mut in_headers = headers.get_all(header::AUTHORIZATION).iter();
        in_address.any(|given| is_right(given.as_bytes()))
            || in_headers.any(|given| bearer(given.as_bytes()).is_some_and(is_right))
    }

    /// Whether this machine is asked under a name that it has. A page whose own name was made to lead to
    /// this machine would count as one of ours otherwise; but it has no token.
    pub fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let is_own = |host: Authority| is_this_machine(&host);
        // What is no browser may tell no host.
        self.token.is_some() || hosts.all(|host| authority(host.as_bytes()).is_some_and(is_own))
    }

    /// Whether no page of another site asks.
    pub fn is_own_origin(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST);
        let host = host.and_then(|host| authority(host.as_bytes()));
        headers.get_all(header::ORIGIN).iter().all(|origin| {
            let origin = Uri::try_from(origin.as_bytes()).ok();
            let origin = origin.as_ref().and_then(Uri::authority);
            origin.is_some() && origin == host.as_ref()
        })
    }

    /// The page's addresses, where the server listens at `listening`.
    pub fn addresses(&self, listening: SocketAddr) -> Vec<String> {
        let hosts = match listening.ip() {
            ip if ip.is_unspecified() => {
                let own = match ip {
                    IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                    IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
                };
                vec![Some(own), in_network(ip)]
            }
            ip => vec![Some(ip)],
        };
        let scheme = if self.is_encrypted { "https" } else { "http" };
        let query = self.token.as_ref().map(|token| format!("?token={token}"));
        let query = query.unwrap_or_default();
        let hosts = hosts.into_iter().flatten();
        hosts
            .map(|ip| {
                let host = SocketAddr::new(ip, listening.port());
                format!("{scheme}://{host}/{query}")
            })
            .collect()
    }

    /// What it means that others than this machine can connect, where they can.
    pub fn warning(&self, source: Option<&str>) -> Option<String> {
        let can = match source {
            Some(source) => format!("see the video of {source}"),
            None => "have this machine analyse video".to_owned(),
        };
        let open = match (self.is_encrypted, source) {
            (true, _) => "",
            (false, Some(_)) => "; without TLS all of it can be read on the way",
            (false, None) => {
                "; without TLS all of it can be read on the way, and browsers give no camera to the page"
            }
        };
        (!self.is_local).then(|| format!("whoever has this address can {can}{open}"))
    }
}

/// What a header `Authorization` brings.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

fn authority(text: &[u8]) -> Option<Authority> {
    Authority::try_from(text).ok()
}

/// Whether no other name than one of this machine leads to `host`.
fn is_this_machine(host: &Authority) -> bool {
    let host = host.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// This machine's address in the network that leads to others.
fn in_network(unspecified: IpAddr) -> Option<IpAddr> {
    // Addresses that are nobody's. To connect tells the way to them, and sends nothing.
    let nobody = match unspecified {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    };
    let socket = UdpSocket::bind((unspecified, 0)).ok()?;
    socket.connect((nobody, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

// SPDX-License-Identifier: MPL-2.0

//! Access control: the token, and requests that pages of other sites make.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::crypto::ring;
use subtle::ConstantTimeEq;

use super::responses::problem;

/// Rules for who may connect.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    token: Option<String>,
    /// What a client without the token must do.
    advice: &'static str,
    /// Name of the cookie that may contain the token, too.
    cookie: Option<String>,
    /// Set if only programs of this machine can connect.
    is_local: bool,
    is_encrypted: bool,
}

impl Access {
    /// Creates the rules. A server that other machines can reach gets a random token, unless it has
    /// one.
    ///
    /// # Errors
    /// Returns an error if a token is needed, and the system has no random numbers.
    pub(crate) fn new(
        listening: SocketAddr,
        token: Option<&str>,
        is_encrypted: bool,
    ) -> Result<Self, RandomError> {
        let is_local = listening.ip().to_canonical().is_loopback();
        let token = match token {
            Some(token) => Some(token.to_owned()),
            None if is_local => None,
            None => Some(random_id()?),
        };
        Ok(Self {
            token,
            advice: "open the whole address that the server printed when it started",
            cookie: None,
            is_local,
            is_encrypted,
        })
    }

    /// Returns the same rules with another token, if there is one, and `advice` for clients without
    /// it.
    pub(crate) fn with_token(&self, token: Option<String>, advice: &'static str) -> Self {
        Self {
            token: token.or_else(|| self.token.clone()),
            advice,
            ..self.clone()
        }
    }

    /// Creates the rules of a server at `listening` for one user, with a random token, which a
    /// cookie remembers for the links and pictures of pages.
    ///
    /// # Errors
    /// Returns an error if the system has no random numbers.
    pub(crate) fn personal(listening: SocketAddr) -> Result<Self, RandomError> {
        let access = Self::new(listening, Some(&random_id()?), false)?;
        // Browsers send cookies to all ports of an address.
        let cookie = Some(format!("gst-attitude-{}", listening.port()));
        Ok(Self { cookie, ..access })
    }

    /// Returns the value of the header `Set-Cookie` that remembers the token; `None` if there is no
    /// cookie.
    fn set_cookie(&self) -> Option<HeaderValue> {
        let (name, token) = (self.cookie.as_ref()?, self.token.as_ref()?);
        let cookie = format!("{name}={token}; HttpOnly; SameSite=Strict; Path=/");
        HeaderValue::from_str(&cookie).ok()
    }

    /// Returns true if no token is needed, or the query, the header `Authorization` or the cookie
    /// contains it.
    fn has_token(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let is_token = |value: &[u8]| -> bool { token.as_bytes().ct_eq(value).into() };
        let queries = uri.query().unwrap_or_default().split('&');
        let mut in_query = queries.filter_map(|query| query.strip_prefix("token="));
        let mut in_headers = headers.get_all(header::AUTHORIZATION).iter();
        in_query.any(|value| is_token(value.as_bytes()))
            || in_headers.any(|value| bearer(value.as_bytes()).is_some_and(is_token))
            || self
                .cookies(headers)
                .any(|value| is_token(value.as_bytes()))
    }

    /// Returns the values of the cookie with the token.
    fn cookies<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        let values = headers.get_all(header::COOKIE).iter();
        let cookies = values.filter_map(|value| value.to_str().ok());
        let cookies = cookies.flat_map(|cookies| cookies.split(';'));
        cookies.filter_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (Some(name) == self.cookie.as_deref()).then_some(value)
        })
    }

    /// Returns true unless the request's `Host` may be the name of another site, whose page would
    /// then count as the server's own (DNS rebinding). A token protects against such pages, so any
    /// name is accepted with one.
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let is_own = |host: Authority| is_this_machine(&host);
        // Clients that are not browsers may send no host.
        self.token.is_some() || hosts.all(|host| authority(host.as_bytes()).is_some_and(is_own))
    }

    /// Returns true if requests need a token.
    pub(crate) fn requires_token(&self) -> bool {
        self.token.is_some()
    }

    /// Returns the addresses of the page, for a server that listens at `listening`.
    pub(crate) fn addresses(&self, listening: SocketAddr) -> Vec<String> {
        let query = self.token.as_ref().map(|token| format!("?token={token}"));
        self.endpoints(listening, &format!("/{}", query.unwrap_or_default()))
    }

    /// Returns the addresses of `path`, for a server that listens at `listening`.
    pub(crate) fn endpoints(&self, listening: SocketAddr, path: &str) -> Vec<String> {
        let hosts = match listening.ip() {
            ip if ip.is_unspecified() => {
                let loopback = match ip {
                    IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                    IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
                };
                vec![Some(loopback), network_address(ip)]
            }
            ip => vec![Some(ip)],
        };
        let scheme = if self.is_encrypted { "https" } else { "http" };
        let hosts = hosts.into_iter().flatten();
        hosts
            .map(|ip| {
                let host = SocketAddr::new(ip, listening.port());
                format!("{scheme}://{host}{path}")
            })
            .collect()
    }

    /// Returns a warning for the user if other machines can connect.
    pub(crate) fn warning(&self, source: Option<&str>) -> Option<String> {
        if self.is_local {
            return None;
        }
        let can = match source {
            Some(source) => format!("see the video of {source}"),
            None => "use this machine to analyze video".to_owned(),
        };
        let without_tls = match (self.is_encrypted, source) {
            (true, _) => "",
            (false, Some(_)) => "; without TLS others in the network can read everything",
            (false, None) => {
                "; without TLS others in the network can read everything, and browsers give the page \
                 no camera"
            }
        };
        Some(format!(
            "anyone who has this address can {can}{without_tls}"
        ))
    }
}

/// Middleware that refuses requests from pages of other sites, and from pages that were loaded
/// under another site's name.
pub(crate) async fn refuse_other_sites(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    if !access.is_own_host(request.headers()) {
        tracing::warn!(host = ?request.headers().get(header::HOST), "refused: unknown host name");
        return problem(
            StatusCode::FORBIDDEN,
            "the request's host name is not one of this server; open the page as 127.0.0.1 or localhost",
        );
    }
    if !request.method().is_safe() && !is_same_origin(request.headers()) {
        tracing::warn!(origin = ?request.headers().get(header::ORIGIN), "refused: page of another site");
        return problem(
            StatusCode::FORBIDDEN,
            "pages of other sites may not do this; open the server's own page",
        );
    }
    next.run(request).await
}

/// Middleware that refuses requests without the token.
pub(crate) async fn require_token(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    if access.has_token(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(
        path = request.uri().path(),
        "refused: no token, or a wrong one"
    );
    let text = format!("the token is missing or wrong; {}", access.advice);
    let mut response = problem(StatusCode::UNAUTHORIZED, text);
    let scheme = HeaderValue::from_static("Bearer");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, scheme);
    response
}

/// Middleware that remembers the token in the browser. It is inside of [`require_token`].
pub(crate) async fn remember_token(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Some(cookie) = access.set_cookie() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Returns true if the request has no `Origin`, or that of the host it is sent to.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| authority(host.as_bytes()));
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let origin = Uri::try_from(origin.as_bytes()).ok();
        let origin = origin.as_ref().and_then(Uri::authority);
        origin.is_some() && origin == host.as_ref()
    })
}

/// Returns the token in the value of a header `Authorization`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

fn authority(text: &[u8]) -> Option<Authority> {
    Authority::try_from(text).ok()
}

/// Returns true if `host` is an IP address or `localhost`, which no other site can claim.
fn is_this_machine(host: &Authority) -> bool {
    let host = host.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Returns this machine's address in the network of its default route.
fn network_address(unspecified: IpAddr) -> Option<IpAddr> {
    // Addresses for documentation. Connecting a UDP socket chooses the route and sends nothing.
    let destination = match unspecified {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
    };
    let socket = UdpSocket::bind((unspecified, 0)).ok()?;
    socket.connect((destination, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The system has no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system provides no random numbers")]
pub(crate) struct RandomError;

/// Returns 128 random bits of the system's cryptographic generator, as 22 characters that a URL can
/// contain.
pub(crate) fn random_id() -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    let generator = ring::default_provider().secure_random;
    generator.fill(&mut bytes).map_err(|_| RandomError)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_differ() {
        let [first, second] = [random_id().unwrap(), random_id().unwrap()];
        assert_eq!(first.len(), 22);
        assert_ne!(first, second);
    }

    #[test]
    fn a_personal_server_accepts_its_token_from_the_address_and_from_its_cookie_only() {
        let listening: SocketAddr = "127.0.0.1:8090".parse().unwrap();
        let access = Access::personal(listening).unwrap();
        let token = access.token.clone().unwrap();
        let cookie = access.set_cookie().unwrap();
        let cookie = cookie.to_str().unwrap();
        assert_eq!(
            cookie,
            format!("gst-attitude-8090={token}; HttpOnly; SameSite=Strict; Path=/")
        );
        let is_allowed = |path: &str, cookie: &str| {
            let headers =
                HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())]);
            access.has_token(&path.parse().unwrap(), &headers)
        };
        assert!(is_allowed(&format!("/?token={token}"), ""));
        assert!(is_allowed("/", &format!("a=b; gst-attitude-8090={token}")));
        for wrong in [
            "",
            &token,
            &format!("gst-attitude-8091={token}"),
            "gst-attitude-8090=",
        ] {
            assert!(!is_allowed("/", wrong), "{wrong}");
        }
        let open = Access::new(listening, None, false).unwrap();
        assert!(
            open.set_cookie().is_none()
                && open.has_token(&Uri::from_static("/"), &HeaderMap::new())
        );
    }
}

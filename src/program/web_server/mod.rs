// SPDX-License-Identifier: MPL-2.0

//! Parts that the web servers of several subcommands share: their address, access control, limits
//! on connections, and responses.

use std::net::SocketAddr;
use std::time::Duration;

use axum_server::Server;

pub(crate) use connection_limit::ConnectionLimit;

pub(crate) mod access;
mod connection_limit;
pub(crate) mod responses;

use crate::parsing::ValueError;

/// Maximum time for a connection without a request, and for the headers of a request.
const MAX_SILENCE: Duration = Duration::from_secs(15);

/// Limits a server to HTTP/1.1, and closes connections that are silent.
pub(crate) fn limited<A>(server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let mut server = server.http1_only();
    let mut http = server.http_builder().http1();
    http.header_read_timeout(MAX_SILENCE);
    server
}

/// Parses the address of a server to listen on.
///
/// # Errors
/// Returns an error if `text` is not an IP address and a port.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, ValueError> {
    text.parse().map_err(|_| {
        ValueError(
            "an IP address and a port, such as 127.0.0.1:8080 (this machine only), 0.0.0.0:8080 (all \
             addresses) or [::1]:8080; host names are not resolved",
        )
    })
}

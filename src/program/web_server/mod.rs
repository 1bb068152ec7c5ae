// SPDX-License-Identifier: MPL-2.0

//! Parts that the web servers of several subcommands share: limits on connections, and responses.

use std::net::SocketAddr;
use std::time::Duration;

use axum_server::Server;

pub(crate) use connection_limit::ConnectionLimit;

mod connection_limit;
pub(crate) mod responses;

/// Maximum time for a connection without a request, and for the headers of a request.
const MAX_SILENCE: Duration = Duration::from_secs(15);

/// Limits a server to HTTP/1.1, and closes connections that are silent.
pub(crate) fn limited<A>(server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let mut server = server.http1_only();
    let mut http = server.http_builder().http1();
    http.header_read_timeout(MAX_SILENCE);
    server
}

// SPDX-License-Identifier: MPL-2.0

//! Limits on TCP connections, so that they leave file descriptors for the sessions, and nobody can
//! hold all of them.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attitude::sync::lock;
use axum::{Extension, Router};
use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutWriter;

/// Maximum number of connections.
const MAX_CONNECTIONS: usize = 256;
/// Maximum number of connections from one address; browsers open up to six.
const MAX_CONNECTIONS_PER_ADDRESS: usize = 64;
/// Maximum time for a client to read a part of a response.
const MAX_WRITE: Duration = Duration::from_secs(15);

/// Accepts connections up to the limits, and closes further ones at once. Closes those whose client
/// stops reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionLimit(Arc<Mutex<Connections>>);

/// The numbers of open connections, in total and by address.
#[derive(Debug, Default)]
struct Connections {
    open: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that counts until it is dropped.
struct Permit {
    connections: Arc<Mutex<Connections>>,
    address: IpAddr,
}

impl ConnectionLimit {
    /// Counts a connection from `address`; returns `None` if that exceeds a limit.
    fn acquire(&self, address: IpAddr) -> Option<Permit> {
        let address = client(address);
        let mut connections = lock(&self.0);
        let of_address = connections.by_address.get(&address).copied().unwrap_or(0);
        if connections.open >= MAX_CONNECTIONS || of_address >= MAX_CONNECTIONS_PER_ADDRESS {
            return None;
        }
        connections.open += 1;
        connections.by_address.insert(address, of_address + 1);
        Some(Permit {
            connections: self.0.clone(),
            address,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut connections = lock(&self.connections);
        connections.open -= 1;
        if let Some(of_address) = connections.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                connections.by_address.remove(&self.address);
            }
        }
    }
}

impl Accept<TcpStream, Router> for ConnectionLimit {
    type Stream = Pin<Box<TimeoutWriter<TcpStream>>>;
    type Service = Router;
    type Future = Ready<io::Result<(Self::Stream, Router)>>;

    fn accept(&self, stream: TcpStream, routes: Router) -> Self::Future {
        ready(stream.peer_addr().and_then(|peer| {
            let permit = self.acquire(peer.ip()).ok_or_else(|| {
                tracing::warn!("connection closed: too many connections");
                io::Error::other("too many connections")
            })?;
            let mut stream = TimeoutWriter::new(stream);
            stream.set_timeout(Some(MAX_WRITE));
            // A connection keeps its routes, and with them the permit, for as long as it lasts.
            Ok((Box::pin(stream), routes.layer(Extension(Arc::new(permit)))))
        }))
    }
}

/// Returns the address that stands for a client: with IPv6, a client has a whole network of 64 bits.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            const NETWORK: u128 = !0 << 64;
            Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> IpAddr {
        format!("192.0.2.{number}").parse().unwrap()
    }

    #[test]
    fn an_address_has_a_limit_and_gets_its_permits_back() {
        let limit = ConnectionLimit::default();
        let mut permits: Vec<_> = (0..MAX_CONNECTIONS_PER_ADDRESS)
            .map(|_| limit.acquire(address(1)).unwrap())
            .collect();
        assert!(limit.acquire(address(1)).is_none());
        assert!(limit.acquire(address(2)).is_some());
        permits.pop();
        assert!(limit.acquire(address(1)).is_some());
        drop(permits);
        assert!(lock(&limit.0).by_address.is_empty());
    }

    #[test]
    fn all_addresses_together_have_a_limit() {
        let limit = ConnectionLimit::default();
        let permits: Vec<_> = (0..MAX_CONNECTIONS)
            .map(|number| limit.acquire(address(number % 8)).unwrap())
            .collect();
        assert!(limit.acquire(address(9)).is_none());
        drop(permits);
        assert!(limit.acquire(address(9)).is_some());
    }

    #[test]
    fn clients_of_one_ipv6_network_are_one() {
        let [first, second, other] = ["2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1"]
            .map(|address| client(address.parse().unwrap()));
        assert_eq!(first, second);
        assert_ne!(first, other);
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(client(mapped), address(1));
    }
}

// SPDX-License-Identifier: MPL-2.0

//! Limits on connections, and on clients that do not read.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, TcpStream};

use tokio::net::TcpSocket;

use super::*;

/// More connections than one address may have.
const MANY: usize = 80;

/// Connects from the address 127.0.0.`number`.
fn connect_from(number: u8, address: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, number));
        socket.bind((source, 0).into()).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TIMEOUT)).unwrap();
    stream
}

/// Returns true if the server responds to a request from 127.0.0.`number`.
fn serves(server: &Server, number: u8) -> bool {
    let mut stream = connect_from(number, server.address());
    let request = Request::new("GET", "/healthz").bytes("127.0.0.1");
    client::exchange(&mut stream, &request).is_some_and(|response| response.status == 200)
}

#[test]
fn one_address_cannot_take_all_connections() {
    let server = Server::start(&[]);
    let connections: Vec<_> = (0..MANY)
        .map(|_| connect_from(2, server.address()))
        .collect();
    assert!(wait_until(|| !serves(&server, 2)));
    assert!(serves(&server, 3));
    drop(connections);
    assert!(wait_until(|| serves(&server, 2)));
}

#[test]
fn a_connection_whose_client_does_not_read_is_closed() {
    let server = Server::start(&[]);
    let mut stream = connect_from(2, server.address());
    let request = b"GET /page/main.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let begin = Instant::now();
    // The server stops to receive once it cannot send, and closes the connection later.
    while stream.write_all(request).is_ok() {
        assert!(
            begin.elapsed() < 2 * TIMEOUT,
            "the connection is still open"
        );
    }
    assert!(wait_until(|| serves(&server, 2)));
}

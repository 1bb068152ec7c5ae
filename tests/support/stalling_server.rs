// SPDX-License-Identifier: MPL-2.0

//! A server that stops sending.

use std::io::{Read, Write};
use std::net::TcpListener;

/// Starts a server that sends `content` of a file of `len` bytes, and then nothing; returns the
/// address of the file.
pub fn serve_forever(content: Vec<u8>, len: usize) -> String {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut connections = Vec::new();
        for connection in server.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            if !content.is_empty() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n");
                let _ = connection.write_all(head.as_bytes());
                let _ = connection.write_all(&content);
            }
            connections.push(connection);
        }
    });
    format!("http://{address}/talk.mkv")
}

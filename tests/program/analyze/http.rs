// SPDX-License-Identifier: MPL-2.0

//! A server with recordings.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

/// What the server sends.
pub(super) enum Response {
    /// The whole file.
    File(Vec<u8>),
    /// The first part of a larger file, and then nothing, without an end.
    Part(Vec<u8>),
    /// Nothing at all, without an end.
    Nothing,
    NotFound,
}

/// Starts a server, which responds by the path of each request. Returns its address.
pub(super) fn serve(respond: impl Fn(&str) -> Response + Send + 'static) -> String {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for connection in server.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let len = connection.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..len]);
            let target = request.split(' ').nth(1).unwrap_or_default();
            let path = target.split('?').next().unwrap_or_default();
            match respond(path) {
                Response::File(content) => send(&mut connection, "200 OK", content.len(), &content),
                Response::NotFound => send(&mut connection, "404 Not Found", 0, &[]),
                Response::Part(content) => {
                    send(&mut connection, "200 OK", 2 * content.len(), &content);
                    open.push(connection);
                }
                Response::Nothing => open.push(connection),
            }
        }
    });
    format!("http://{address}")
}

fn send(connection: &mut TcpStream, status: &str, len: usize, content: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n");
    // A client that has read enough closes the connection.
    let _ = connection.write_all(head.as_bytes());
    let _ = connection.write_all(content);
}

/// Returns `false` and prints a message if GStreamer cannot read from a server.
pub(super) fn has_http_source() -> bool {
    init();
    let is_there = gst::ElementFactory::find("souphttpsrc").is_some();
    if !is_there {
        println!("skipped: souphttpsrc is not installed");
    }
    is_there
}

// SPDX-License-Identifier: MPL-2.0

//! An HTTP client that can also send malformed requests.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use serde_json::Value;

use super::TIMEOUT;

/// A request, which is sent on a new connection.
#[derive(Clone)]
pub struct Request {
    start: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            start: format!("{method} {path} HTTP/1.1"),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.to_string())
    }

    /// Returns the request in bytes. Adds the header `Host` unless the request has one.
    pub fn bytes(&self, host: &str) -> Vec<u8> {
        let has = |name: &str| {
            self.headers
                .iter()
                .any(|(header, _)| header.eq_ignore_ascii_case(name))
        };
        let mut text = format!("{}\r\nConnection: close\r\n", self.start);
        if !has("Host") {
            text += &format!("Host: {host}\r\n");
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !has("Content-Length") && !has("Transfer-Encoding") {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        let mut bytes = (text + "\r\n").into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

/// A response of the server.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    head: String,
    body: Vec<u8>,
}

impl Response {
    /// Returns `None` if `bytes` is not an HTTP response.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let mut response = Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head,
            body: bytes[end + 4..].to_vec(),
        };
        if response.header("Transfer-Encoding") == Some("chunked") {
            response.body = join_chunks(&response.body)?;
        }
        Some(response)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find_map(|(header, value)| header.eq_ignore_ascii_case(name).then_some(value))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the description of the error, which must have the format that the page reads.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("Content-Type"), Some("application/json"));
        let problem = self.json()["problem"].as_str().map(str::to_owned);
        problem.unwrap_or_else(|| panic!("no problem in: {}", self.text()))
    }
}

/// Returns the content of a chunked body; `None` if it is incomplete.
fn join_chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n")?;
        let length = std::str::from_utf8(&body[..end]).ok()?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(content);
        }
        content.extend(body.get(end + 2..end + 2 + length)?);
        body = body.get(end + 2 + length + 2..)?;
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TIMEOUT)).unwrap();
    stream
}

pub fn send(address: SocketAddr, request: &Request) -> Response {
    let bytes = request.bytes(&address.to_string());
    let response = exchange(&mut connect(address), &bytes);
    response.expect("no response")
}

/// Sends `bytes` and reads until the server closes the connection. Returns `None` if the response
/// is not HTTP.
pub fn exchange(stream: &mut (impl Read + Write), bytes: &[u8]) -> Option<Response> {
    // A server that refuses a request need not read all of it.
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    let mut response = Vec::new();
    match stream.read_to_end(&mut response) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            panic!("the server does not respond")
        }
        _ => Response::parse(&response),
    }
}

/// Sends `bytes`, closes the sending direction, and reads the response as [`exchange`] does.
pub fn send_bytes(address: SocketAddr, bytes: &[u8]) -> Option<Response> {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    exchange(&mut stream, &[])
}

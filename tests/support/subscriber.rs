// SPDX-License-Identifier: MPL-2.0

//! Subscribers of brokers on the loopback interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::wait_until;

/// Received messages, as topic and payload.
pub type Received = Arc<Mutex<Vec<(String, String)>>>;

/// A subscriber, which ends when it is dropped.
pub struct Subscriber {
    child: Option<Child>,
    received: Received,
}

impl Subscriber {
    /// Subscribes to all topics of Mosquitto. The session survives a restart of the broker.
    pub fn mqtt(port: u16, arguments: &[&str]) -> Self {
        let port = port.to_string();
        let mut child = Command::new("mosquitto_sub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-t",
                "#",
                "-F",
                "%r %t %p",
                "-q",
                "2",
            ])
            .args(["-c", "-i", "subscriber"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let received = Received::default();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let messages = received.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut parts = line.splitn(3, ' ').skip(1).map(str::to_owned);
                messages
                    .lock()
                    .unwrap()
                    .push((parts.next().unwrap(), parts.next().unwrap()));
            }
        });
        let subscriber = Self {
            child: Some(child),
            received,
        };
        wait_until("the subscriber receives", || {
            let published = Command::new("mosquitto_pub")
                .args(["-h", "127.0.0.1", "-p", &port, "-t", "probe", "-m", "-"])
                .args(arguments)
                .status();
            assert!(published.unwrap().success());
            !subscriber.received.lock().unwrap().is_empty()
        });
        subscriber
    }

    /// Subscribes to a subject of NATS.
    pub fn nats(port: u16, subject: &str, connect: &str) -> Self {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = format!("CONNECT {connect}\r\nSUB {subject} 1\r\nPING\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::new(connection);
        let mut line = String::new();
        while line.trim_end() != "PONG" {
            line.clear();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the server refused");
        }
        let received = Received::default();
        let messages = received.clone();
        std::thread::spawn(move || {
            loop {
                let mut line = String::new();
                if lines.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                // The server disconnects clients that do not respond.
                if line.starts_with("PING") && lines.get_mut().write_all(b"PONG\r\n").is_err() {
                    return;
                }
                if let ["MSG", subject, .., len] = line.split_whitespace().collect::<Vec<_>>()[..] {
                    let mut payload = vec![0; len.parse::<usize>().unwrap() + 2];
                    lines.read_exact(&mut payload).unwrap();
                    let payload = String::from_utf8(payload).unwrap().trim_end().to_owned();
                    messages.lock().unwrap().push((subject.to_owned(), payload));
                }
            }
        });
        Self {
            child: None,
            received,
        }
    }

    /// Returns the messages so far, without probes.
    pub fn messages(&self) -> Vec<(String, String)> {
        let received = self.received.lock().unwrap();
        received
            .iter()
            .filter(|(topic, _)| topic != "probe")
            .cloned()
            .collect()
    }

    /// Waits for `count` messages and returns them.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<(String, String)> {
        wait_until("messages arrive", || self.messages().len() >= count);
        self.messages()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

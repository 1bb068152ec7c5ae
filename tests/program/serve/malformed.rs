// SPDX-License-Identifier: MPL-2.0

//! Malformed requests and session descriptions; the server must survive all of them.

use std::io::{Read, Write};

use super::*;

/// Methods and paths of the API, and one that does not exist.
const ROUTES: [(&str, &str); 10] = [
    ("GET", "/"),
    ("GET", "/page/main.js"),
    ("GET", "/settings"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("POST", "/sessions"),
    ("POST", "/sessions/none/answer"),
    ("DELETE", "/sessions/none"),
    ("POST", "/export/csv"),
    ("GET", "/nowhere"),
];

/// A pseudo-random generator with a fixed seed.
struct Random(u64);

impl Random {
    /// Returns a number less than `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

/// Returns a request to `path` with a chunked body.
fn chunked(path: &str, body: &str) -> Vec<u8> {
    let host = "Host: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked";
    format!("POST {path} HTTP/1.1\r\n{host}\r\n\r\n{body}").into_bytes()
}

#[test]
fn malformed_http_does_not_stop_the_server() {
    let mut server = Server::start(&[]);
    let address = server.address();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut all: Vec<Vec<u8>> = [
        &b""[..],
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /sessions/x/answer HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /sessions/x/answer HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /sessions/x/answer HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.com:80 HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET /page/../../../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /page/%2e%2e%2fCargo.toml HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ]
    .map(<[u8]>::to_vec)
    .into();
    all.push(chunked("/sessions/x/answer", "ffffffffffffffffff\r\nx"));
    all.push(chunked("/sessions/x/answer", "zz\r\nx\r\n0\r\n\r\n"));
    all.push(
        [
            b"GET /".to_vec(),
            vec![b'a'; 1 << 20],
            b" HTTP/1.1\r\n\r\n".to_vec(),
        ]
        .concat(),
    );
    all.push([b"GET / HTTP/1.1\r\n".to_vec(), b"a: b\r\n".repeat(100_000)].concat());
    all.extend((0..100).map(|length| random.bytes(length * 7)));
    let request = Request::new("POST", "/sessions/none/answer").json(&json!({"answer": "v=0"}));
    let request = request.bytes("127.0.0.1");
    all.extend((0..200).map(|_| {
        let mut bytes = request.clone();
        for _ in 0..=random.below(4) {
            let position = random.below(bytes.len());
            bytes[position] = random.below(256) as u8;
        }
        bytes
    }));
    for bytes in &all {
        let response = client::send_bytes(address, bytes);
        let status = response.map_or(400, |response| response.status);
        assert!((200..500).contains(&status), "{status}: {:.200?}", bytes);
    }
    server.assert_serves();
}

#[test]
fn unknown_paths_and_methods_are_named() {
    let server = Server::start(&[]);
    for (method, path, expected) in [
        ("GET", "/nowhere", "there is no /nowhere"),
        (
            "GET",
            "/sessions",
            "/sessions does not support GET; use POST",
        ),
        (
            "POST",
            "/settings",
            "/settings does not support POST; use GET or HEAD",
        ),
    ] {
        let response = server.send(&Request::new(method, path));
        assert_eq!(response.problem(), expected);
    }
}

#[test]
fn invalid_requests_are_refused_with_an_explanation() {
    let mut server = Server::start(&[]);
    let path = "/sessions/none/answer";
    let json = |text: &str| {
        Request::new("POST", path)
            .header("Content-Type", "application/json")
            .body(text)
    };
    let deep = "[".repeat(60_000);
    let huge = format!("{{\"answer\":\"{}\"}}", "x".repeat(8 << 20));
    for (request, status) in [
        (json(""), 400),
        (json("{"), 400),
        (json("null"), 422),
        (json("{}"), 422),
        (json("{\"answer\":1}"), 422),
        (json("{\"answer\":\"\",\"answer\":\"\"}"), 422),
        (json("{\"answer\":\"\\ud800\"}"), 400),
        (json(&deep), 422),
        (json(&huge), 413),
        (Request::new("POST", path).body("{\"answer\":\"\"}"), 415),
        (json("{\"answer\":\"v=0\"}"), 404),
        (Request::new("GET", "/sessions"), 405),
        (Request::new("BREW", "/settings"), 405),
        (Request::new("DELETE", "/sessions/%ff"), 400),
        (Request::new("GET", "/page/%00"), 404),
        (Request::new("GET", "/settings/"), 404),
    ] {
        let response = server.send(&request);
        let problem = response.problem();
        assert_eq!(response.status, status, "{problem}");
        assert!(problem.len() > 10, "{problem}");
    }
    server.assert_serves();
}

#[test]
fn an_arbitrary_body_causes_no_internal_error() {
    let mut server = Server::start(&["--max-sessions", "1"]);
    let mut random = Random(7);
    for (method, path) in ROUTES {
        for length in [1, 1000, 1 << 20] {
            let request = Request::new(method, path)
                .header(
                    "Content-Type",
                    random.pick(&["application/json", "text/plain", "é"]),
                )
                .header(
                    "Authorization",
                    random.pick(&["Bearer", "Basic Og==", "\u{1}", ""]),
                )
                .body(random.bytes(length));
            let bytes = request.bytes("127.0.0.1");
            // If the server does not read the body, the connection may be reset before the response
            // arrives.
            let response = client::exchange(&mut client::connect(server.address()), &bytes);
            let status = response.map_or(400, |response| response.status);
            assert!(status != 500, "{method} {path}: {status}");
        }
    }
    server.assert_serves();
}

#[test]
fn slow_and_silent_clients_are_disconnected() {
    let mut server = Server::start(&[]);
    let begin = Instant::now();
    let head = b"POST /sessions/none/answer HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    let body = b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let connections = [vec![], head.to_vec(), [&head[..], body].concat()].map(|bytes| {
        let mut stream = client::connect(server.address());
        stream.write_all(&bytes).unwrap();
        std::thread::spawn(move || client::exchange(&mut stream, &[]))
    });
    let [_, _, slow] = connections.map(|connection| connection.join().unwrap());
    assert_eq!(slow.expect("no response").status, 408);
    assert!(begin.elapsed() < Duration::from_secs(45));
    server.assert_serves();
}

#[test]
fn excess_connections_are_closed_at_once() {
    let mut server = Server::start(&[]);
    let streams: Vec<_> = (0..300)
        .map(|_| client::connect(server.address()))
        .collect();
    let mut last = streams.last().unwrap();
    let begin = Instant::now();
    assert_eq!(last.read(&mut [0]).unwrap_or(0), 0);
    assert!(begin.elapsed() < Duration::from_secs(10));
    drop(streams);
    assert!(wait_until(|| {
        let bytes = Request::new("GET", "/healthz").bytes("127.0.0.1");
        client::send_bytes(server.address(), &bytes).is_some()
    }));
    server.assert_serves();
}

/// Returns a valid answer to `offer`.
fn answer_to(offer: &str) -> String {
    let lines = offer.lines().map(|line| match line.split(':').next() {
        Some("m=application 0 UDP/DTLS/SCTP webrtc-datachannel") => {
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
        }
        Some("a=setup") => "a=setup:active",
        Some("a=recvonly") => "a=sendonly",
        Some("a=ice-ufrag") => "a=ice-ufrag:abcd",
        Some("a=ice-pwd") => "a=ice-pwd:abcdefghijklmnopqrstuvwx",
        Some("a=candidate") => "a=candidate:1 1 UDP 2015363327 127.0.0.1 9 typ host",
        _ => line,
    });
    lines.map(|line| format!("{line}\r\n")).collect()
}

/// Valid and invalid parts of session descriptions.
const WORDS: [&str; 24] = [
    "",
    "0",
    "-1",
    "4294967296",
    "99999999999999999999",
    "%n%s",
    "é",
    " ",
    ":",
    "=",
    "audio",
    "video",
    "application",
    "sendrecv",
    "inactive",
    "actpass",
    "passive",
    "127.0.0.1",
    "::1",
    "example.local",
    "96",
    "sha-1",
    "rtx",
    "application1",
];
const LINES: [&str; 32] = [
    "m=",
    "m=video",
    "m=video 9 UDP/TLS/RTP/SAVPF",
    "m=video 0 UDP/TLS/RTP/SAVPF 96",
    "m=text 1 x y",
    "v=1",
    "c=",
    "b=AS:",
    "t=",
    "a=",
    "a=:",
    "x",
    "a=mid:",
    "a=mid:video0",
    "a=mid:application1",
    "a=group:BUNDLE",
    "a=group:BUNDLE video0 video0",
    "a=candidate:1 97 UDP 1 127.0.0.1 9 typ host",
    "a=candidate:",
    "a=ssrc:4294967295 cname:x",
    "a=ssrc:1",
    "a=ssrc-group:FID 1",
    "a=simulcast:send 1;2",
    "a=rtpmap:96",
    "a=rtpmap:96 VP8/0",
    "a=fmtp:97 apt=",
    "a=extmap:300 urn:x",
    "a=sctp-port:99999999",
    "a=max-message-size:0",
    "a=ice-pwd:",
    "a=fingerprint:sha-256 zz",
    "a=ice-lite",
];

fn mutate(answer: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = answer.lines().map(str::to_owned).collect();
    for _ in 0..=random.below(5) {
        let position = random.below(lines.len());
        let other = random.below(lines.len());
        match random.below(8) {
            _ if lines.is_empty() => (),
            0 => drop(lines.remove(position)),
            1 => lines.insert(position, lines[other].clone()),
            2 => lines.insert(position, random.pick(&LINES).to_owned()),
            3 => lines[position] = random.pick(&LINES).to_owned(),
            4 => lines.swap(position, other),
            5 => {
                let mut words: Vec<_> = lines[position].split(' ').collect();
                let word = random.below(words.len());
                words[word] = random.pick(&WORDS);
                lines[position] = words.join(" ");
            }
            6 => {
                let (name, _) = lines[position].split_once(':').unwrap_or_default();
                lines[position] = format!("{name}:{}", random.pick(&WORDS));
            }
            _ => lines.truncate(position),
        }
    }
    lines.join("\r\n")
}

#[test]
fn malformed_sdp_answers_do_not_stop_the_server() {
    const ROUNDS: usize = 60;
    if !has_webrtc() {
        return;
    }
    let mut server = Server::start(&["--max-sessions", "32"]);
    let mut random = Random(1);
    let mut accepted = 0;
    for round in 0..ROUNDS {
        let (id, offer) = server.open();
        let valid = answer_to(&offer);
        let answer = match round {
            0 => valid,
            1 => offer,
            2 => String::from_utf8_lossy(&random.bytes(2000)).into_owned(),
            3 => "v=0\r\n".repeat(1000),
            4 => valid.repeat(10),
            _ => mutate(&valid, &mut random),
        };
        let begin = Instant::now();
        let answered = server.answer(&id, &answer);
        match answered.status {
            204 => accepted += 1,
            400 => drop(answered.problem()),
            status => panic!("{status}: {answer}"),
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "{answer}");
        if round > 0 {
            server.close(&id);
        }
        server.assert_serves();
    }
    // The first answer is valid, and some of the others are valid enough.
    assert!((1..ROUNDS).contains(&accepted), "{accepted}");
    let open = || server.metric("gst_attitude_sessions");
    assert!(wait_until(|| open() <= 1.0), "{} are left", open());
}

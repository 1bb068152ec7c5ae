// SPDX-License-Identifier: MPL-2.0

//! The export of a session's JSON lines to other formats.

use attitude::record::formats::jsonl;
use attitude::record::{FaceRecord, Record};
use attitude::{Label, Scores};

use super::*;

const S: u64 = 1_000_000_000;

/// Maximum number of bytes of a session.
const MAX_BYTES: usize = 64 << 20;

/// Returns a session of ten seconds with one face, which is lost for two seconds, and two notes.
fn session() -> Vec<u8> {
    let mut lines = Vec::new();
    for index in (0..50).filter(|index| !(20..30).contains(index)) {
        let time_ns = index * S / 5;
        let scores = Scores {
            positive: 0.8,
            neutral: 0.1,
            negative: 0.1,
        };
        let face = FaceRecord {
            track: if index < 20 { 1 } else { 2 },
            bbox: [100.0, 20.0, 40.0, 50.0],
            attitude: Label::POSITIVE,
            scores,
            ..FaceRecord::default()
        };
        let record = Record {
            schema: 1,
            stream: "camera".to_owned(),
            running_time_ns: Some(time_ns),
            stream_time_ns: Some(time_ns),
            utc: (index > 5).then(|| {
                format!(
                    "2026-11-25T16:30:{}.{}Z",
                    40 + time_ns / S,
                    time_ns % S / 100_000_000
                )
            }),
            width: 640,
            height: 360,
            faces: vec![face],
            ..Record::default()
        };
        jsonl::write_line(&record, &mut lines).unwrap();
        if index == 10 {
            lines.extend(
                b"{\"note\":\"asked about <the> budget\",\"running_time_ns\":2000000000}\n",
            );
        }
    }
    lines.extend(b"{\"note\":\"the end\",\"running_time_ns\":9900000000}\n");
    lines
}

fn export(server: &Server, format: &str, session: impl Into<Vec<u8>>) -> Response {
    let path = format!("/export/{format}");
    let request = Request::new("POST", &path).header("Content-Type", "application/x-ndjson");
    server.send(&request.body(session))
}

#[test]
fn a_session_is_exported_in_all_formats() {
    let server = Server::start(&[]);
    for (format, media_type, parts) in [
        (
            "csv",
            "text/csv; charset=utf-8",
            &["stream,frame,", "\ncamera,0,,9800000000,"][..],
        ),
        (
            "vtt",
            "text/vtt; charset=utf-8",
            &[
                "WEBVTT\n\n00:00:00.000 --> 00:00:04.000\n#1 positive\n\n",
                "00:00:02.000 --> 00:00:07.000\nNote: asked about &lt;the&gt; budget\n\n",
                "00:00:06.000 --> 00:00:10.000\n#2 positive\n\n",
            ],
        ),
        (
            "srt",
            "application/x-subrip; charset=utf-8",
            &["1\n00:00:00,000 --> 00:00:04,000\n#1 positive\n\n\
                 2\n00:00:02,000 --> 00:00:07,000\nNote: asked about <\u{2060}the> budget\n\n\
                 3\n00:00:06,000 --> 00:00:10,000\n#2 positive\n\n"],
        ),
        (
            "html",
            "text/html; charset=utf-8",
            &[
                "<h1>Live session</h1>",
                "live, without a recording",
                "2026-11-25 16:30:40 UTC",
                "asked about &lt;the&gt; budget",
                "Joined from 2 tracks",
            ],
        ),
    ] {
        let response = export(&server, format, session());
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("Content-Type"), Some(media_type));
        let disposition = format!("attachment; filename=\"session.{format}\"");
        assert_eq!(response.header("Content-Disposition"), Some(&*disposition));
        let text = response.text();
        for part in parts {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }
}

#[test]
fn an_invalid_session_is_refused_and_the_line_is_reported() {
    let server = Server::start(&[]);
    for (session, expected) in [
        (String::new(), "the file contains no record"),
        ("no session".to_owned(), "line 1: the line is not a record"),
        (
            "{\"note\":\"x\"}\n".to_owned(),
            "line 1: the line is not a note",
        ),
    ] {
        for format in ["csv", "vtt", "html"] {
            let response = export(&server, format, session.clone());
            assert_eq!(response.status, 400);
            assert!(response.problem().contains(expected), "{}", response.text());
        }
    }
    let response = export(&server, "pdf", session());
    assert_eq!(response.status, 404);
    assert!(response.problem().contains("cannot export to 'pdf'"));
    let response = server.send(&Request::new("GET", "/export/csv"));
    assert_eq!(response.status, 405);
}

#[test]
fn a_session_that_is_too_large_is_refused_before_it_is_uploaded() {
    let server = Server::start(&[]);
    let announced = (MAX_BYTES + 1).to_string();
    let request = Request::new("POST", "/export/csv").header("Content-Length", &announced);
    let response = server.send(&request);
    assert_eq!(response.status, 413, "{}", response.text());
    assert!(
        response.problem().contains("64 MiB") && response.problem().contains("gst-attitude report")
    );
}

/// Returns a session whose table is larger than the buffers of a connection.
fn long_session() -> Vec<u8> {
    let session = session();
    let line = session
        .split_inclusive(|&byte| byte == b'\n')
        .next()
        .unwrap();
    line.repeat((48 << 20) / line.len())
}

#[test]
fn exports_that_are_not_read_keep_their_places_and_lose_them_after_a_time() {
    let server = Server::start(&[]);
    let session = long_session();
    let request = Request::new("POST", "/export/csv").body(&session[..]);
    let request = request.bytes("127.0.0.1");
    let unread: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = client::connect(server.address());
            std::io::Write::write_all(&mut stream, &request).unwrap();
            // The response has begun: the export is in memory.
            stream.peek(&mut [0]).unwrap();
            stream
        })
        .collect();
    let refused = export(&server, "csv", self::session());
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("Retry-After").is_some());
    assert!(wait_until(|| export(&server, "csv", self::session())
        .status
        == 200));
    drop(unread);
}

#[test]
fn other_requests_are_answered_while_large_sessions_are_exported() {
    let server = Server::start(&[]);
    let mut large = session();
    let blank = " ".repeat((1 << 20) - 1) + "\n";
    large.extend(blank.repeat(63).into_bytes());
    assert!(large.len() <= MAX_BYTES);
    std::thread::scope(|scope| {
        let exports = [(); 4].map(|()| scope.spawn(|| export(&server, "html", large.clone())));
        let response = server.send(&Request::new("GET", "/healthz"));
        assert_eq!(response.text(), "ok");
        for export in exports {
            let response = export.join().unwrap();
            assert_eq!(response.status, 200, "{}", response.text());
        }
    });
}

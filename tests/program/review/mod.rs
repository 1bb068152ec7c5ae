// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude review`: what it serves, and how it saves.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::analyze::Bench;
use crate::serve::Server;
use crate::serve::client::{Request, Response, exchange};
use crate::support::*;

mod browser;

const NAMED: &str = "version = 1\n\n[[person]]\nnumber = 1\nname = \"Ann\"\n";

/// Returns a bench with the results of two recordings.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.clip("a.mp4").clip("b &#'%.mp4");
    bench.analyze(&["a.mp4", "b &#'%.mp4"]);
    bench
}

fn start(bench: &Bench, results: &str) -> Server {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gst-attitude"));
    command
        .args(["review", "--port", "0"])
        .arg(bench.path(results))
        .stdin(Stdio::null());
    Server::run(&mut command)
}

/// Returns the path of a file of the bench in the addresses of the server.
fn path(bench: &Bench, name: &str) -> String {
    let path = bench.path(name);
    let folder = path.parent().unwrap().canonicalize().unwrap();
    format!(
        "{}/{}",
        folder.display(),
        path.file_name().unwrap().display()
    )
}

/// Returns a request with the token.
fn request(server: &Server, method: &str, path: &str) -> Request {
    let token = format!("Bearer {}", server.token().unwrap());
    Request::new(method, path).header("Authorization", &token)
}

fn get(server: &Server, path: &str) -> Response {
    server.send(&request(server, "GET", path))
}

/// Saves `text` over the revision `expected`.
fn put(server: &Server, path: &str, text: &str, expected: &str) -> Response {
    let request = request(server, "PUT", path).header("If-Match", expected);
    server.send(&request.body(text))
}

#[test]
fn only_pages_recordings_and_corrections_are_served_and_only_with_the_token() {
    let bench = bench();
    let server = start(&bench, "out");
    let report = path(&bench, "out/a/report.html");
    for name in [
        "out/a/report.html",
        "out/index.html",
        "a.mp4",
        "out/a/corrections.toml",
    ] {
        let path = path(&bench, name);
        assert_eq!(
            server.send(&Request::new("GET", &path)).status,
            401,
            "{path}"
        );
        assert!([200, 204].contains(&get(&server, &path).status), "{path}");
    }
    for name in ["out/a/records.jsonl", "out/summary.csv", "out", "none"] {
        assert_eq!(get(&server, &path(&bench, name)).status, 404, "{name}");
    }
    // The address that is printed leads to the list, and a cookie remembers the token.
    let first = server.send(&Request::new(
        "GET",
        &format!("/?token={}", server.token().unwrap()),
    ));
    assert_eq!(
        (first.status, first.header("Location")),
        (303, Some(&*path(&bench, "out/index.html")))
    );
    let cookie = first
        .header("Set-Cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let with_cookie =
        |path: &str| server.send(&Request::new("GET", path).header("Cookie", &cookie));
    assert_eq!(with_cookie(&report).status, 200);
    // Relative addresses in the pages lead to what is served.
    let index = with_cookie(&path(&bench, "out/index.html")).text();
    let link = index
        .split("<a href=\"")
        .nth(2)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let folder = path(&bench, "out/index.html").replace("index.html", "");
    let page = with_cookie(&format!("{folder}{link}"));
    assert_eq!(page.status, 200, "{link}");
    assert!(page.text().contains("id=\"editor-data\""));
    let media = page.text();
    let media = media
        .split("preload=\"metadata\" src=\"../../")
        .nth(1)
        .unwrap();
    let media = media.split('"').next().unwrap();
    let media = path(&bench, "a.mp4").replace("a.mp4", media);
    let part = server.send(
        &Request::new("GET", &media)
            .header("Cookie", &cookie)
            .header("Range", "bytes=4-7"),
    );
    assert_eq!((part.status, &*part.text()), (206, "ftyp"), "{media}");
    // Pages of other sites may not save.
    let foreign = request(&server, "PUT", &path(&bench, "out/a/corrections.toml"));
    let foreign = foreign
        .header("If-Match", "\"none\"")
        .header("Origin", "http://example.org");
    assert_eq!(server.send(&foreign.body(NAMED)).status, 403);
}

#[test]
fn corrections_are_saved_over_the_revision_that_was_loaded_only() {
    let bench = bench();
    let mut server = start(&bench, "out");
    let file = path(&bench, "out/a/corrections.toml");
    let loaded = get(&server, &file);
    assert_eq!(loaded.header("ETag"), Some("\"none\""));
    let without = server.send(&request(&server, "PUT", &file).body(NAMED));
    assert_eq!(without.status, 428);
    let saved = put(&server, &file, NAMED, "\"none\"");
    assert_eq!(saved.status, 204, "{}", saved.text());
    assert_eq!(bench.read("out/a/corrections.toml"), NAMED);
    // A second page that was loaded before, and an editor of text, lose nothing.
    let late = put(&server, &file, "version = 1\n", "\"none\"");
    assert_eq!(late.status, 412);
    assert!(late.problem().contains("load it again"));
    let revision = saved.header("ETag").unwrap();
    let wrong = put(&server, &file, "version = 1\nx = 2\n", revision);
    assert_eq!(wrong.status, 400);
    assert!(wrong.problem().contains("line 2: unknown field `x`"));
    let large = put(&server, &file, &"#".repeat((1 << 20) + 1), revision);
    assert_eq!(large.status, 413);
    assert_eq!(bench.read("out/a/corrections.toml"), NAMED);
    // The page applies them when it is loaded.
    let page = get(&server, &path(&bench, "out/a/report.html"));
    assert!(page.text().contains("Ann"));
    assert_eq!(
        bench.json("out/a/summary.json")["persons"][0]["name"],
        "Ann"
    );
    // Those of the other recording are applied at the end.
    let other = path(&bench, "out/b &#'%/corrections.toml");
    let other = other
        .replace('%', "%25")
        .replace(' ', "%20")
        .replace('#', "%23");
    assert_eq!(put(&server, &other, NAMED, "\"none\"").status, 204);
    server.signal("-TERM");
    assert!(server.end().success());
    assert!(
        server
            .output()
            .contains("applied the corrections of 1 recording"),
        "{}",
        server.output()
    );
    assert_eq!(
        bench.json("out/b &#'%/summary.json")["persons"][0]["name"],
        "Ann"
    );
}

#[test]
fn a_kill_leaves_the_old_or_the_new_corrections() {
    let bench = Bench::new();
    bench.clip("a.mp4");
    bench.analyze(&["a.mp4"]);
    let file = path(&bench, "out/a/corrections.toml");
    let text = |letter: &str| format!("{NAMED}# {}\n", letter.repeat(500_000));
    let texts = [text("a"), text("b")];
    for round in 0..10 {
        let mut server = start(&bench, "out/a");
        let (address, bearer) = (
            server.address(),
            format!("Bearer {}", server.token().unwrap()),
        );
        let send = |request: Request| {
            let bytes = request
                .header("Authorization", &bearer)
                .bytes(&address.to_string());
            exchange(&mut TcpStream::connect(address).ok()?, &bytes)
        };
        let save = |text: &str| {
            let loaded = send(Request::new("GET", &file))?;
            let revision = loaded.header("ETag").unwrap();
            let request = Request::new("PUT", &file).header("If-Match", revision);
            send(request.body(text))
        };
        std::thread::scope(|scope| {
            scope.spawn(|| texts.iter().cycle().find(|text| save(text).is_none()));
            std::thread::sleep(Duration::from_millis(30 + 17 * round));
            server.signal("-KILL");
            server.end();
        });
        let path = bench.path("out/a/corrections.toml");
        if let Ok(found) = std::fs::read_to_string(path) {
            assert!(texts.contains(&found), "{} bytes", found.len());
        }
    }
    bench.run(&["a.mp4"]).assert_status(0);
}

#[test]
fn a_folder_without_results_is_refused() {
    let bench = Bench::new();
    let output = Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
        .arg("review")
        .arg(bench.path(""))
        .output()
        .unwrap();
    let problem = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        problem.contains("it contains no results of gst-attitude analyze"),
        "{problem}"
    );
}

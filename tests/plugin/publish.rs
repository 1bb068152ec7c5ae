// SPDX-License-Identifier: MPL-2.0

//! Tests of `attitudepublish` with real brokers on the loopback interface. A test is skipped, with a
//! message, if its broker is not installed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use attitude::record::Record;
use gst::prelude::*;
use gst_video::VideoFormat;

use crate::support::*;

/// An `attitudepublish` whose frames have no faces, unless a test passes those of a `faceattitude`.
struct Publishing(Rig);

impl Publishing {
    /// Creates an element that publishes every frame, with these properties.
    fn new(location: &str, properties: &[(&str, &str)]) -> Self {
        let element = make_element("attitudepublish", &[("interval", "frame")]);
        element.set_property("location", location);
        set_properties(&element, properties);
        Self(Rig::new(element, info(VideoFormat::Gray8, 64, 64)))
    }

    /// Passes frames, and returns the longest time that one of them took.
    fn pass(&mut self, frames: usize) -> Duration {
        let pass = |_| {
            let begin = Instant::now();
            self.0.pass();
            begin.elapsed()
        };
        (0..frames).map(pass).max().unwrap_or_default()
    }

    fn end(&mut self) {
        assert!(self.0.harness.push_event(gst::event::Eos::new()));
    }

    fn stat(&self, name: &str) -> u64 {
        self.0.stat(name)
    }

    fn is_connected(&self) -> bool {
        let stats: gst::Structure = self.0.element.property("stats");
        stats.get("connected").unwrap()
    }

    /// Returns the warnings since the last call.
    fn warnings(&self) -> Vec<String> {
        let messages = std::iter::from_fn(|| self.0.bus.pop_filtered(&[gst::MessageType::Warning]));
        let text = |message: gst::Message| match message.view() {
            gst::MessageView::Warning(warning) => warning.error().message().to_owned(),
            _ => unreachable!("only warnings are popped"),
        };
        messages.map(text).collect()
    }

    /// Waits for a warning that contains `text`.
    #[track_caller]
    fn wait_for_warning(&self, text: &str) -> String {
        let found = std::cell::RefCell::new(None);
        wait_until(&format!("a warning contains '{text}'"), || {
            let mut warnings = self.warnings().into_iter();
            *found.borrow_mut() = warnings.find(|warning| warning.contains(text));
            found.borrow().is_some()
        });
        found.take().unwrap()
    }
}

/// Returns the error of an element with these properties at READY->PAUSED.
fn start_error(properties: &[(&str, &str)]) -> String {
    let element = make_element("attitudepublish", properties);
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    assert!(element.set_state(gst::State::Paused).is_err());
    let message = bus.pop_filtered(&[gst::MessageType::Error]).unwrap();
    element.set_state(gst::State::Null).unwrap();
    // The element holds the bus, whose messages hold the element.
    element.set_bus(None);
    match message.view() {
        gst::MessageView::Error(error) => error.error().message().to_owned(),
        _ => unreachable!("only errors are popped"),
    }
}

fn frame_number(payload: &str) -> u64 {
    serde_json::from_str::<Record>(payload).unwrap().frame
}

fn frame_numbers(payloads: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<u64> {
    let payloads = payloads.into_iter();
    payloads
        .map(|payload| frame_number(payload.as_ref()))
        .collect()
}

/// Removes the numbers of messages that were delivered again.
fn retain_first(frames: &mut Vec<u64>) {
    let mut next = 0;
    frames.retain(|&frame| {
        let is_first = frame >= next;
        next = next.max(frame + 1);
        is_first
    });
}

/// Returns the records in the body of a request.
fn body(request: &serde_json::Value) -> Vec<Record> {
    serde_json::from_str(request["body"].as_str().unwrap()).unwrap()
}

#[test]
fn mqtt_messages_are_records_with_source_and_tags() {
    let Some(mut broker) = mosquitto("allow_anonymous true") else {
        return;
    };
    broker.start();
    for options in [
        "",
        "?qos=0",
        "?qos=2",
        "?version=5",
        "?version=5&qos=2",
        "?version=5&qos=0",
    ] {
        let subscriber = Subscriber::mqtt(broker.port, &[]);
        let mut analysis = Rig::tiny(&[("smoothing", "0"), ("messages", "sample")]);
        let location = format!("mqtt://127.0.0.1:{}{options}", broker.port);
        let properties = [
            ("interval", "sample"),
            ("topic", "rooms/{source}"),
            ("source", "hall 1"),
            ("tags", "room=42,participant=alice"),
        ];
        let mut publishing = Publishing::new(&location, &properties);
        publishing.0.set_video(analysis.info.clone());
        for _ in 0..20 {
            let frame = analysis.pass();
            let passed = publishing.0.push(frame.clone());
            assert_eq!(passed.as_ptr(), frame.as_ptr(), "the frame was copied");
        }
        publishing.end();
        assert_eq!(publishing.stat("delivered"), 4, "{options}");
        let messages = subscriber.wait_for(4);
        let expected = analysis.records();
        assert_eq!(messages.len(), expected.len());
        for ((topic, payload), mut expected) in messages.into_iter().zip(expected) {
            assert_eq!(topic, "rooms/hall-1");
            let record: Record = serde_json::from_str(&payload).unwrap();
            expected.stream.clone_from(&record.stream);
            expected.source = Some("hall 1".to_owned());
            expected.tags = "room=42,participant=alice".parse().unwrap();
            assert_eq!(record, expected, "{options}");
        }
    }
}

#[test]
fn every_face_has_its_topic_and_the_last_state_is_retained() {
    let Some(mut broker) = mosquitto("allow_anonymous true") else {
        return;
    };
    broker.start();
    let mut analysis = Rig::tiny(&[("smoothing", "0")]);
    let location = format!("mqtt://127.0.0.1:{}?retain=true", broker.port);
    let properties = [("interval", "sample"), ("topic", "faces/{track}")];
    let mut publishing = Publishing::new(&location, &properties);
    for _ in 0..10 {
        let frame = analysis.pass();
        publishing.0.push(frame);
    }
    publishing.end();
    let subscriber = Subscriber::mqtt(broker.port, &[]);
    let messages = subscriber.wait_for(1);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0].0, "faces/1");
    let record: Record = serde_json::from_str(&messages[0].1).unwrap();
    assert_eq!((record.frame, record.faces.len()), (5, 1));
}

/// Writes a certificate for 127.0.0.1, its key and the certificate of its authority.
fn write_certificates(folder: &Path) {
    let script = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem \
        && openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout server.key -out server.csr \
        && printf 'subjectAltName=IP:127.0.0.1' > extensions \
        && openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions \
            -out server.pem && chmod 644 server.key";
    let openssl = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    assert!(openssl.unwrap().success());
}

#[test]
fn mqtt_verifies_the_broker_and_logs_in() {
    let Some(mut broker) = mosquitto("") else {
        return;
    };
    let folder = broker.folder.path().to_owned();
    let path = |name: &str| folder.join(name).display().to_string();
    write_certificates(&folder);
    let passwords = Command::new("mosquitto_passwd")
        .args(["-b", "-c", &path("passwords"), "alice", "hunter2"])
        .status();
    assert!(passwords.unwrap().success());
    let configuration = std::fs::read_to_string(path("mosquitto.conf")).unwrap();
    let configuration = format!(
        "{configuration}cafile {}\ncertfile {}\nkeyfile {}\npassword_file {}\nallow_anonymous false\n",
        path("ca.pem"),
        path("server.pem"),
        path("server.key"),
        path("passwords")
    );
    std::fs::write(path("mosquitto.conf"), configuration).unwrap();
    std::fs::write(path("password"), "hunter2\n").unwrap();
    std::fs::write(path("wrong"), "hunter3\n").unwrap();
    broker.start();
    let login = ["-u", "alice", "-P", "hunter2", "--cafile", &path("ca.pem")];
    let subscriber = Subscriber::mqtt(broker.port, &login);
    let location =
        |user: &str, options: &str| format!("mqtts://{user}127.0.0.1:{}?{options}", broker.port);
    let with_ca = format!("ca-file={}", path("ca.pem"));

    let good = format!("{with_ca}&password-file={}", path("password"));
    let mut publishing = Publishing::new(&location("alice@", &good), &[]);
    publishing.pass(3);
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 3);
    subscriber.wait_for(3);

    let wrong = format!("{with_ca}&password-file={}", path("wrong"));
    for (user, options, expected) in [
        ("alice@", wrong.as_str(), "NotAuthorized"),
        ("", with_ca.as_str(), "NotAuthorized"),
        // The system does not know the authority.
        ("alice:hunter2@", "", "certificate"),
    ] {
        let mut publishing = Publishing::new(&location(user, options), &[]);
        publishing.pass(3);
        let warning = publishing.wait_for_warning("cannot publish");
        assert!(warning.contains(expected), "{warning}");
        assert!(!warning.contains("hunter"), "{warning}");
        assert_eq!(publishing.stat("delivered"), 0);
    }
}

#[test]
fn webhooks_receive_signed_batches() {
    let Some(mut server) = webhook("") else {
        return;
    };
    server.start();
    let secret = server.folder.path().join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let location = format!(
        "http://127.0.0.1:{}/hook?key=1#batch=4&batch-ms=60000&secret-file={}",
        server.port,
        secret.display()
    );
    let mut publishing = Publishing::new(&location, &[("tags", "room=42")]);
    publishing.pass(10);
    // The end does not wait for the last batch to be complete.
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 10);
    let requests = requests(server.folder.path());
    let batches: Vec<usize> = requests.iter().map(|request| body(request).len()).collect();
    assert_eq!(batches, [4, 4, 2]);
    let records: Vec<Record> = requests.iter().flat_map(body).collect();
    assert!(records.iter().map(|record| record.frame).eq(0..10));
    assert_eq!(records[0].tags.0["room"], "42");
    let headers = &requests[0]["headers"];
    assert_eq!(headers["content-type"], "application/json");
    assert!(
        headers["webhook-signature"]
            .as_str()
            .unwrap()
            .starts_with("v1,")
    );
    assert!(headers["webhook-id"] != requests[1]["headers"]["webhook-id"]);
    assert_eq!(requests[0]["path"], "/hook?key=1");
}

#[test]
fn a_webhook_that_fails_is_tried_again_and_a_refused_record_is_dropped() {
    // The whole batch is refused, then the second of its records.
    let Some(mut server) = webhook("503 500 400 200 422") else {
        return;
    };
    server.start();
    let location = format!(
        "http://127.0.0.1:{}/hook#batch=3&batch-ms=60000",
        server.port
    );
    let mut publishing = Publishing::new(&location, &[]);
    publishing.pass(3);
    publishing.end();
    assert_eq!(
        (publishing.stat("delivered"), publishing.stat("rejected")),
        (2, 1)
    );
    let requests = requests(server.folder.path());
    let frames = |request| {
        body(request)
            .iter()
            .map(|record| record.frame)
            .collect::<Vec<_>>()
    };
    let frames: Vec<_> = requests.iter().map(frames).collect();
    assert_eq!(
        frames,
        [
            vec![0, 1, 2],
            vec![0, 1, 2],
            vec![0, 1, 2],
            vec![0],
            vec![1],
            vec![2]
        ]
    );
    let ids: Vec<_> = requests
        .iter()
        .map(|request| &request["headers"]["webhook-id"])
        .collect();
    assert_eq!(ids[0], ids[1]);
    let warnings = publishing.warnings();
    assert!(
        warnings.iter().any(|warning| warning.contains("503")),
        "{warnings:?}"
    );
}

#[test]
fn redis_streams_have_an_entry_per_record_in_order() {
    let Some(mut server) = redis(&["--requirepass", "hunter2"]) else {
        return;
    };
    server.start();
    let password = server.folder.path().join("password");
    std::fs::write(&password, "hunter2").unwrap();
    let location = format!("redis://127.0.0.1:{}/0", server.port);
    let refused = Publishing::new(&location, &[]);
    refused.wait_for_warning("NOAUTH");
    drop(refused);
    let location = format!("{location}?password-file={}", password.display());
    let mut publishing =
        Publishing::new(&location, &[("topic", "faces:{source}"), ("source", "a/b")]);
    publishing.pass(250);
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 250);
    let entries = redis_entries(server.port, "faces:a-b", "hunter2");
    assert!(frame_numbers(entries).into_iter().eq(0..250));
}

#[test]
fn nats_subjects_receive_records() {
    let Some(mut server) = nats(&["--auth", "t0ken-of-the-test"]) else {
        return;
    };
    server.start();
    let connect = r#"{"verbose":false,"auth_token":"t0ken-of-the-test"}"#;
    let subscriber = Subscriber::nats(server.port, "cameras.>", connect);
    let location = format!("nats://127.0.0.1:{}", server.port);
    let refused = Publishing::new(&location, &[]);
    let warning = refused.wait_for_warning("cannot publish").to_lowercase();
    assert!(warning.contains("authorization"), "{warning}");
    drop(refused);
    let token = server.folder.path().join("token");
    std::fs::write(&token, "t0ken-of-the-test\n").unwrap();
    let location = format!("{location}?token-file={}", token.display());
    let properties = [("topic", "cameras.{source}"), ("source", "hall.1")];
    let mut publishing = Publishing::new(&location, &properties);
    publishing.pass(250);
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 250);
    let messages = subscriber.wait_for(250);
    assert!(
        messages
            .iter()
            .all(|(subject, _)| subject == "cameras.hall-1")
    );
    let payloads = messages.iter().map(|(_, payload)| payload);
    assert!(frame_numbers(payloads).into_iter().eq(0..250));
}

#[test]
fn a_broker_that_is_down_costs_the_oldest_messages_but_no_frame() {
    let Some(mut broker) = mosquitto("allow_anonymous true") else {
        return;
    };
    let location = format!("mqtt://127.0.0.1:{}", broker.port);
    let properties = [("max-queue", "10"), ("flush-timeout", "30000000000")];
    let mut publishing = Publishing::new(&location, &properties);
    let begin = Instant::now();
    let longest = publishing.pass(2000);
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert_eq!(publishing.stat("dropped"), 1990);
    let warning = publishing.wait_for_warning("messages were dropped");
    assert!(warning.contains("refused"), "{warning}");
    // One warning per second, which may be 0.9 s apart at the start.
    let max_warnings = begin.elapsed().as_secs() as usize + 2;
    assert!(publishing.warnings().len() <= max_warnings);
    broker.start();
    let subscriber = Subscriber::mqtt(broker.port, &[]);
    publishing.end();
    // The last ten, unless the subscriber came too late for them.
    assert_eq!(publishing.stat("delivered"), 10);
    drop(subscriber);
    assert_eq!(publishing.stat("waiting"), 0);
}

#[test]
fn a_broker_that_does_not_answer_holds_up_neither_frames_nor_the_end() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for scheme in ["mqtt", "redis", "nats", "http"] {
        let location = format!("{scheme}://127.0.0.1:{port}");
        let mut publishing = Publishing::new(&location, &[("flush-timeout", "300000000")]);
        let longest = publishing.pass(100);
        assert!(longest < Duration::from_secs(2), "{scheme}: {longest:?}");
        let begin = Instant::now();
        publishing.end();
        let ended = begin.elapsed();
        assert!(ended >= Duration::from_millis(300), "{scheme}: {ended:?}");
        assert!(ended < Duration::from_secs(4), "{scheme}: {ended:?}");
        let begin = Instant::now();
        publishing.0.element.set_state(gst::State::Null).unwrap();
        assert!(begin.elapsed() < Duration::from_secs(2), "{scheme}");
        assert_eq!(publishing.stat("waiting"), 100, "{scheme}");
    }
}

#[test]
fn a_change_of_state_interrupts_the_flush() {
    let location = format!("mqtt://127.0.0.1:{}", free_port());
    let publishing = Publishing::new(&location, &[("flush-timeout", "60000000000")]);
    let mut publishing = publishing;
    publishing.pass(1);
    let element = publishing.0.element.clone();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            element.set_state(gst::State::Ready).unwrap();
        });
        publishing.0.harness.push_event(gst::event::Eos::new());
    });
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn nothing_is_lost_when_redis_is_killed_in_mid_stream() {
    let Some(mut server) = redis(&[]) else {
        return;
    };
    server.start();
    let spool = server.folder.path().join("spool");
    let location = format!("redis://127.0.0.1:{}", server.port);
    let properties = [
        ("delivery", "buffered"),
        ("spool-location", spool.to_str().unwrap()),
        ("max-queue", "5000"),
        ("flush-timeout", "60000000000"),
    ];
    let mut publishing = Publishing::new(&location, &properties);
    for _ in 0..3 {
        wait_until("connected", || publishing.is_connected());
        publishing.pass(200);
        server.kill();
        publishing.pass(200);
        wait_until("spooled", || publishing.stat("spool-bytes") > 0);
        server.start();
    }
    publishing.end();
    assert_eq!(
        (publishing.stat("dropped"), publishing.stat("waiting")),
        (0, 0)
    );
    let mut frames = frame_numbers(redis_entries(server.port, "gst-attitude", ""));
    // What Redis stored but could not acknowledge was sent again.
    assert!(frames.len() >= 1200);
    retain_first(&mut frames);
    assert!(
        frames.into_iter().eq(0..1200),
        "a message is missing or late"
    );
}

#[test]
fn mqtt_delivers_what_was_published_while_the_broker_restarted() {
    let Some(mut broker) = mosquitto("allow_anonymous true") else {
        return;
    };
    broker.start();
    let subscriber = Subscriber::mqtt(broker.port, &[]);
    let location = format!("mqtt://127.0.0.1:{}", broker.port);
    let mut publishing = Publishing::new(&location, &[("flush-timeout", "60000000000")]);
    wait_until("connected", || publishing.is_connected());
    publishing.pass(50);
    subscriber.wait_for(50);
    broker.terminate();
    wait_until("disconnected", || !publishing.is_connected());
    publishing.pass(50);
    broker.start();
    publishing.end();
    assert_eq!(publishing.stat("delivered"), 100);
    assert_eq!(publishing.stat("connections"), 2);
    let received = || {
        let payloads = subscriber.messages().into_iter();
        let mut frames = frame_numbers(payloads.map(|(_, payload)| payload));
        retain_first(&mut frames);
        frames
    };
    wait_until("all messages arrive", || received().last() == Some(&99));
    let frames = received();
    assert!(frames.iter().copied().eq(0..100), "{frames:?}");
}

#[test]
fn a_spool_survives_kill_9_of_the_process() {
    let Some(mut server) = redis(&[]) else {
        return;
    };
    init();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let location = format!("redis://127.0.0.1:{}", server.port);
    let launch = format!(
        "videotestsrc is-live=true ! video/x-raw,framerate=100/1,width=64,height=64 ! attitudepublish \
         location={location} interval=frame delivery=buffered spool-location={} ! fakesink",
        spool.display()
    );
    let mut pipeline = with_plugin("gst-launch-1.0", &plugins)
        .args(["-q"])
        .args(launch.split_whitespace())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Written while the server is down, in the middle of the stream.
    wait_until("messages are spooled", || {
        spool.metadata().is_ok_and(|spool| spool.len() > 40_000)
    });
    pipeline.kill().unwrap();
    pipeline.wait().unwrap();

    server.start();
    let properties = [
        ("delivery", "buffered"),
        ("spool-location", spool.to_str().unwrap()),
        ("flush-timeout", "60000000000"),
    ];
    let mut publishing = Publishing::new(&location, &properties);
    let spooled = usize::try_from(publishing.stat("published")).unwrap();
    assert!(spooled > 50, "{spooled}");
    publishing.pass(1);
    publishing.end();
    let frames = frame_numbers(redis_entries(server.port, "gst-attitude", ""));
    assert!(
        frames[..spooled].iter().copied().eq(0..spooled as u64),
        "{frames:?}"
    );
    assert_eq!(frames[spooled..], [0]);
}

#[test]
fn wrong_settings_are_reported_before_the_first_frame() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let spool = spool.to_str().unwrap();
    for (properties, expected) in [
        (&[][..], "no location is set"),
        (&[("location", "broker")], "not a URI"),
        (
            &[("location", "kafka://broker")],
            "unknown protocol 'kafka'",
        ),
        (
            &[("location", "mqtt://broker?qos=7")],
            "the option qos is '7'",
        ),
        (
            &[("location", "mqtts://broker?ca-file=/none.pem")],
            "cannot read /none.pem",
        ),
        (&[("location", "mqtt://broker"), ("topic", "a/#")], "'#'"),
        (
            &[("location", "mqtt://broker"), ("topic", "{room}")],
            "{room}",
        ),
        (
            &[("location", "mqtt://broker"), ("topic", "{source}")],
            "no source is set",
        ),
        (
            &[("location", "mqtt://broker"), ("tags", "room")],
            "property tags",
        ),
        (
            &[("location", "mqtt://broker"), ("delivery", "buffered")],
            "spool-location",
        ),
        (
            &[
                ("location", "mqtt://broker"),
                ("delivery", "buffered"),
                ("spool-location", "/none/spool"),
            ],
            "cannot open the spool",
        ),
    ] {
        let error = start_error(properties);
        assert!(error.contains(expected), "{properties:?}: {error}");
    }
    let location = format!("mqtt://127.0.0.1:{}", free_port());
    let properties = [("delivery", "buffered"), ("spool-location", spool)];
    let first = Publishing::new(&location, &properties);
    let second = [&[("location", location.as_str())], &properties[..]].concat();
    assert!(start_error(&second).contains("in use"));
    drop(first);
    // The spool is free again.
    drop(Publishing::new(&location, &properties));
}

#[test]
fn a_password_cannot_be_read_back() {
    let element = make_element("attitudepublish", &[]);
    element.set_property("location", "mqtts://alice:hunter2@broker.example/?qos=1");
    let location: String = element.property("location");
    assert_eq!(location, "mqtts://alice@broker.example");
    element.set_property("location", "alice:hunter2@broker");
    let location: String = element.property("location");
    assert!(!location.contains("hunter2"), "{location}");
}

#[test]
fn all_caps_pass() {
    let location = format!("mqtt://127.0.0.1:{}", free_port());
    let element = make_element("attitudepublish", &[("location", &location)]);
    let mut harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
    harness.set_src_caps_str("video/x-h264, stream-format=byte-stream");
    let passed = harness
        .push_and_pull(gst::Buffer::from_slice([0, 0, 1]))
        .unwrap();
    assert_eq!(passed.size(), 3);
    element.set_state(gst::State::Null).unwrap();
}

// SPDX-License-Identifier: MPL-2.0

//! Brokers that are unavailable, and messages that wait for them.

use std::process::Stdio;

use super::*;

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
fn a_spool_that_cannot_be_written_costs_messages_and_no_frame() {
    init();
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let launch = format!(
        "videotestsrc is-live=true num-buffers=300 ! video/x-raw,framerate=100/1,width=64,height=64 ! attitudepublish \
         location=mqtt://127.0.0.1:{} interval=frame delivery=buffered spool-location={} flush-timeout=0 ! fakesink",
        free_port(),
        folder.path().join("spool").display()
    );
    // No file may have more than 16 KiB, as if the disk were full.
    let output = with_plugin("sh", &plugins)
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 32; exec gst-launch-1.0 \"$@\"",
        ])
        .arg("gst-launch-1.0")
        .args(launch.split_whitespace())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("cannot write"), "{text}");
}

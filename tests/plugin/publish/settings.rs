// SPDX-License-Identifier: MPL-2.0

//! Settings of the element, right and wrong.

use super::*;

#[test]
fn wrong_settings_are_reported_before_the_first_frame() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let spool = spool.to_str().unwrap();
    for (properties, expected) in [
        (&[][..], "no location is set"),
        (&[("location", "broker")], "not a URI"),
        (&[("location", "amqp://broker")], "unknown protocol 'amqp'"),
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
fn logs_and_messages_contain_no_password() {
    init();
    let password = "s3cret-of-the-test";
    for (_server, location) in servers_with_password(password) {
        let folder = tempfile::tempdir().unwrap();
        let launch = format!(
            "videotestsrc num-buffers=3 ! attitudepublish location={location} interval=frame ! fakesink"
        );
        let output = with_plugin("gst-launch-1.0", folder.path())
            .args(["--verbose", "--messages"])
            .args(launch.split(' '))
            .env("GST_DEBUG", "*:6")
            .output()
            .unwrap();
        assert!(output.status.success(), "{location}");
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        assert!(printed.contains("attitudepublish"), "the log is empty");
        assert!(!printed.contains("cannot publish"), "{location}");
        // As it is, and as base64 with the user.
        for secret in [password, "YWxpY2U6czNjcmV0LW9mLXRoZS10ZXN0"] {
            assert!(!printed.contains(secret), "{location}");
        }
    }
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

// SPDX-License-Identifier: MPL-2.0

//! Records on standard output, in files and at a broker.

use super::*;

#[test]
fn records_of_two_sources_reach_the_broker_with_their_names_and_tags() {
    let Some(mut broker) = mosquitto("allow_anonymous true") else {
        return;
    };
    broker.start();
    let folder = tempfile::tempdir().unwrap();
    let (hall, door) = (clip(&folder, "hall.mkv"), clip(&folder, "door.mkv"));
    let subscriber = Subscriber::mqtt(broker.port, &[]);
    let uri = format!("mqtt://127.0.0.1:{}", broker.port);
    let mut watch = Watch::start(&[
        "--source",
        &named("hall", &hall),
        "--source",
        &named("door", &door),
        "--publish",
        &uri,
        "--topic",
        "faces/{source}",
        "--tags",
        "site=north",
        "--format",
        "none",
    ]);
    for topic in ["faces/hall", "faces/door"] {
        let of_topic = || {
            let messages = subscriber.messages();
            messages
                .into_iter()
                .filter(|(name, _)| name == topic)
                .collect::<Vec<_>>()
        };
        wait_until("messages arrive", || of_topic().len() >= 5);
        let record: Record = serde_json::from_str(&of_topic()[3].1).unwrap();
        assert_eq!(
            record.source,
            topic.strip_prefix("faces/").map(str::to_owned)
        );
        assert_eq!(record.stream, record.source.unwrap());
        assert_eq!(record.tags.to_string(), "site=north");
        assert_eq!(record.faces.len(), 1);
    }
    assert!(watch.metric("gst_attitude_published_delivered_total") >= 10.0);
    assert!(watch.end().success());
    assert!(watch.output.all().is_empty());
    // Everything that was published before the end has been delivered.
    assert_eq!(watch.log.find("could not be published"), None);
}

#[test]
fn a_broker_that_is_absent_does_not_hold_up_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let hall = named("hall", &clip(&folder, "hall.mkv"));
    let uri = format!("mqtt://127.0.0.1:{}", free_port());
    let mut watch = Watch::start(&["--source", &hall, "--publish", &uri]);
    watch.wait_for_records("hall", 10);
    watch.wait_for_log("publishing: ");
    assert!(watch.end().success());
    watch.wait_for_log("could not be published");
}

#[test]
fn text_has_a_line_for_each_change_of_a_face() {
    let folder = tempfile::tempdir().unwrap();
    let hall = named("hall", &clip(&folder, "hall.mkv"));
    let file = folder.path().join("changes.txt");
    fs::write(&file, "earlier\n").unwrap();
    let output = file.to_str().unwrap();
    let mut watch = Watch::start(&["--source", &hall, "--format", "text", "--output", output]);
    let text = || fs::read_to_string(&file).unwrap();
    wait_until("a face appears", || {
        text().contains("hall: face 1 appears: ")
    });
    wait_until("the clip plays again", || {
        text().contains("hall: face 2 appears: ")
    });
    assert!(text().starts_with("earlier\n"));
    assert!(watch.end().success());
}

#[test]
fn watching_ends_when_nobody_reads_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let hall = named("hall", &clip(&folder, "hall.mkv"));
    let mut child = command(&["--source", &hall])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    drop(output);
    assert!(line.starts_with('{'), "{line}");
    assert!(child.wait().unwrap().success());
}

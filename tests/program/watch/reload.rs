// SPDX-License-Identifier: MPL-2.0

//! The configuration file, and reading it again.

use super::*;

struct Config {
    folder: TempDir,
    path: PathBuf,
}

impl Config {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watch.toml");
        let config = Self { folder, path };
        config.write(text);
        config
    }

    /// Writes the file; `{folder}` stands for the folder of clips.
    fn write(&self, text: &str) {
        let folder = self.folder.path().to_str().unwrap();
        fs::write(&self.path, text.replace("{folder}", folder)).unwrap();
    }

    fn start(&self, arguments: &[&str]) -> Watch {
        let config = ["--config", self.path.to_str().unwrap()];
        Watch::start(&[&config[..], arguments].concat())
    }
}

const HALL: &str = "[sources.hall]\nuri = '{folder}/hall.mkv'\ntags = { floor = '2' }\n";
const DOOR: &str = "[sources.door]\nuri = '{folder}/door.mkv'\n";

#[test]
fn a_reload_adds_and_removes_sources_without_touching_the_others() {
    let config = Config::new(HALL);
    clip(&config.folder, "hall.mkv");
    clip(&config.folder, "door.mkv");
    // Tags need no broker.
    let mut watch = config.start(&["--tags", "site=north"]);
    let records = watch.wait_for_records("hall", 3);
    assert_eq!(records[0].tags.to_string(), "floor=2,site=north");

    config.write(&format!("{HALL}{DOOR}"));
    watch.signal("-HUP");
    watch.wait_for_records("door", 3);

    config.write("[sources.door]\nurl = 'x'\n");
    watch.signal("-HUP");
    watch.wait_for_log("the sources stay as they are");
    let error = watch.log.find("the sources stay as they are").unwrap();
    assert!(
        error.contains("watch.toml:2: unknown field `url`"),
        "{error}"
    );
    watch.wait_for_records("door", 3);

    let (before, frames) = (watch.records("hall").len(), watch.frames("hall"));
    let restarts = watch.restarts("hall");
    config.write(HALL);
    watch.signal("-HUP");
    watch.wait_for_log("door: removed");
    let records = watch.wait_for_records("hall", 5);
    assert!(watch.frames("hall") > frames);
    if watch.restarts("hall") == restarts {
        let (last, next) = (&records[before - 1], &records[before]);
        assert!(next.frame > last.frame);
        assert_eq!(next.faces[0].track, last.faces[0].track);
    }
    assert!(!watch.get("/metrics").text().contains("door"));
    assert!(watch.end().success());
}

#[test]
fn options_of_the_command_line_replace_those_of_the_file() {
    let config = Config::new(&format!(
        "format = 'text'\nsample-interval = '40ms'\n{HALL}"
    ));
    clip(&config.folder, "hall.mkv");
    let mut watch = config.start(&["--format", "jsonl"]);
    let records = watch.wait_for_records("hall", 10);
    let times: Vec<_> = records.iter().filter_map(|record| record.pts_ns).collect();
    let steps: Vec<_> = times
        .windows(2)
        .map(|pair| pair[1].abs_diff(pair[0]))
        .collect();
    assert!(steps.contains(&40_000_000), "{steps:?}");
    assert!(watch.end().success());
}

#[test]
fn a_wrong_file_is_refused_with_the_line() {
    for (text, expected) in [
        ("\nmax-faces = 0\n", "watch.toml:2: invalid value '0'"),
        ("\n\nmax-face = 1\n", "watch.toml:3: unknown key 'max-face'"),
        ("topic = 'a'\n", "watch.toml do not fit the command line"),
        (
            "[sources.a]\nuri = 'nonsense://a'\n",
            "source a: cannot use nonsense://a",
        ),
    ] {
        let config = Config::new(text);
        let problem = problem(&["--config", config.path.to_str().unwrap()]);
        assert!(problem.contains(expected), "{text}: {problem}");
    }
    let problem = problem(&["--config", "/nonexistent/watch.toml"]);
    assert!(
        problem.contains("cannot read /nonexistent/watch.toml"),
        "{problem}"
    );
}

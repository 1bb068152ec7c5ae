// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude completions` and `gst-attitude man`, tried with the shell and with `man`.

use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn bash_completes_subcommands_and_options() {
    let script = program(&["completions", "bash"]);
    assert!(script.status.success());
    let script = String::from_utf8(script.stdout).unwrap();
    let completed = |words: &str, position: usize| {
        let call = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={position}\n\
             function=$(complete -p gst-attitude | sed 's/.*-F \\([^ ]*\\) .*/\\1/')\n\
             $function gst-attitude \"${{COMP_WORDS[$COMP_CWORD]}}\" \"${{COMP_WORDS[$COMP_CWORD-1]}}\"\n\
             echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash")
            .args(["-c", &call])
            .stderr(Stdio::inherit())
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert_eq!(completed("gst-attitude ana", 1).trim(), "analyze");
    let options = completed("gst-attitude analyze --sample", 2);
    assert!(options.contains("--sample-interval"), "{options}");
}

#[test]
fn each_subcommand_has_a_manual_page_that_man_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let output = program(&["man", pages.to_str().unwrap()]);
    assert!(output.status.success());
    for (name, option) in [
        ("gst-attitude", "--log"),
        ("gst-attitude-analyze", "--sample-interval"),
        ("gst-attitude-watch", "--config"),
    ] {
        let page = pages.join(format!("{name}.1"));
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.replace('\\', "").contains(option), "{name}: {text}");
        let shown = Command::new("man")
            .args(["--warnings", "--local-file"])
            .arg(&page)
            .output();
        match shown {
            Ok(shown) => assert!(shown.stderr.is_empty(), "{name}: {shown:?}"),
            Err(_) => eprintln!("skipped what man says: it is not installed"),
        }
    }
    assert!(!pages.join("gst-attitude-worker.1").exists(), "is internal");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let output = program(&["man", "/proc/manuals"]);
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("cannot write manual pages into /proc/manuals"),
        "{error}"
    );
}

// SPDX-License-Identifier: MPL-2.0

//! Tests of reading and writing.

use super::*;

const NOTE: &str = "version = 1\n[[note]]\ntime = \"0:01\"\ntext = \"x\"\n";

fn problem(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn mistakes_are_named_with_their_lines() {
    for (text, expected) in [
        ("", "line 1: missing field `version`"),
        (
            "version = 1\n\n[[person]]\nnumber = 1\nnme = 2\n",
            "line 5: unknown field `nme`",
        ),
        (
            "version = 1\n[[note]]\ntime = \"noon\"\ntext = \"x\"",
            "line 3: invalid value: string \"noon\"",
        ),
        ("version = 1\n[[note]]\ntime = 1\ntext = \"", "line 4: "),
        ("version = 3\n", "version is 3"),
        (
            "version = 1\n[[merge]]\nperson = 1\nwith = [1]\n",
            "[[merge]] no. 1: person 1 is merged with itself",
        ),
    ] {
        let found = problem(text);
        assert!(
            found.contains(expected) && !found.contains('\n'),
            "{text:?}: {found}"
        );
    }
}

#[test]
fn a_second_writer_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let none = revision(folder).unwrap();
    assert_eq!(CorrectionsFile::read(folder).unwrap().sha256(), None);
    let first = write(folder, NOTE, &none).unwrap();
    assert_eq!(revision(folder).unwrap(), first);
    let conflict = write(folder, "version = 1\n", &none).unwrap_err();
    assert!(matches!(conflict, WriteError::Conflict), "{conflict}");
    let wrong = write(folder, "version = 2\n", &first).unwrap_err();
    assert!(matches!(wrong, WriteError::Parse(_)), "{wrong}");
    let file = CorrectionsFile::read(folder).unwrap();
    assert_eq!(file.sha256().as_ref(), Some(&first));
    assert_eq!(file.corrections.notes.len(), 1);
    assert_ne!(write(folder, "version = 1\n", &first).unwrap(), first);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn what_is_not_a_file_of_corrections_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let problem = || {
        let error = CorrectionsFile::read(folder.path()).unwrap_err();
        crate::console::chain(&error)
    };
    std::fs::create_dir(&path).unwrap();
    assert!(problem().contains("it is not a file"), "{}", problem());
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, "#".repeat(MAX_BYTES + 1)).unwrap();
    assert!(problem().contains("1048576 bytes"), "{}", problem());
    std::fs::write(&path, b"\xff").unwrap();
    assert!(problem().contains("cannot read"), "{}", problem());
    std::fs::write(&path, "version = 1\nperson = 3").unwrap();
    assert!(
        problem().contains("corrections.toml: line 2: "),
        "{}",
        problem()
    );
}

#[test]
fn a_sentence_describes_what_is_applied() {
    let applied = AppliedCorrections {
        counts: CorrectionCounts {
            persons: 2,
            merges: 1,
            ..CorrectionCounts::default()
        },
        ..AppliedCorrections::default()
    };
    assert_eq!(
        describe(&applied),
        "corrections by a person are applied: 2 named, assigned or excluded persons, 1 merge"
    );
}

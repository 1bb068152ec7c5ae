// SPDX-License-Identifier: MPL-2.0

//! Runs the fuzz targets on their corpora, and on random changes of them, always the same ones;
//! on more of them with `HARDENING_ROUNDS`.

use std::fs;
use std::path::Path;

use gst_attitude_hardening::{Random, TARGETS};

/// Changed inputs per file of a corpus.
const CHANGES: u64 = 400;
/// Bytes that mean something in the inputs.
const USUAL: &[u8] = b"\0\xff\x7f\x80{}[]\":,;=\n\r.-0e\\";

#[test]
fn targets_accept_their_corpora_and_changes_of_them() {
    let rounds = std::env::var("HARDENING_ROUNDS").ok();
    let rounds: u64 = rounds.map_or(1, |rounds| rounds.parse().expect("a whole number"));
    for target in &TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpora")
            .join(target.name);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        for path in files {
            let original = fs::read(&path).unwrap();
            println!("{}", path.display());
            (target.run)(&original);
            let mut random = Random::new(original.len() as u64);
            for _ in 0..rounds * CHANGES {
                let mut bytes = original.clone();
                random.change(&mut bytes, USUAL);
                (target.run)(&bytes);
            }
        }
    }
}

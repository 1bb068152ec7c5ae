// SPDX-License-Identifier: MPL-2.0

//! Runs the fuzz targets on their corpora, and on random changes of them, always the same ones.

use std::fs;
use std::path::Path;

use gst_attitude_hardening::TARGETS;

/// Changed inputs per file of a corpus.
const CHANGES: u64 = 400;
/// Bytes that mean something in the inputs.
const USUAL: &[u8] = b"\0\xff\x7f\x80{}[]\":,;=\n\r.-0e\\";

/// A generator of random numbers (Vigna, "An experimental exploration of Marsaglia's xorshift
/// generators, scrambled", 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Returns a number below `limit`, which is at least 1.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 32) as usize % limit
    }
}

/// Changes, removes, inserts or repeats some bytes.
fn changed(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        let len = random.below(1 + (bytes.len() - at).min(16));
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] = random.next() as u8,
            1 if at < bytes.len() => bytes[at] = USUAL[random.below(USUAL.len())],
            2 => drop(bytes.drain(at..at + len)),
            3 => {
                let copy = bytes[at..at + len].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => bytes.insert(at, random.next() as u8),
        }
    }
    bytes
}

#[test]
fn targets_accept_their_corpora_and_changes_of_them() {
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
            let mut random = Random(1 + original.len() as u64);
            for _ in 0..CHANGES {
                (target.run)(&changed(&original, &mut random));
            }
        }
    }
}

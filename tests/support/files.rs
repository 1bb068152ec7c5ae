// SPDX-License-Identifier: MPL-2.0

//! Files that the tests of all packages use, without GStreamer.

#![allow(dead_code)] // Each test binary uses a part of it.

use std::path::{Path, PathBuf};

/// Returns the path of a file or folder of this repository.
pub fn project(path: impl AsRef<Path>) -> PathBuf {
    // All packages that share this module lie two folders below the root.
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).unwrap();
    root.join(path)
}

/// Returns the path of a fixture.
pub fn fixture(name: &str) -> PathBuf {
    project("tests/fixtures").join(name)
}

/// Returns the path of a file in the folder `shared` beside the project. Returns `None` and prints
/// a message if it does not exist.
pub fn shared(path: &str) -> Option<PathBuf> {
    let path = project("../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} does not exist", path.display());
    None
}

/// Compiles a library in `folder` that reports to be ONNX Runtime of this version but has no other
/// functions. `base` is the C expression that `OrtGetApiBase()` returns: `&base`, or `0` for a
/// library without even a version.
pub fn c_library(folder: &Path, version: &str, base: &str) -> PathBuf {
    let source = folder.join("onnxruntime.c");
    let library = folder.join("libonnxruntime.so");
    std::fs::write(
        &source,
        format!(
            r#"
            struct Base {{
                const void *(*get_api)(unsigned version);
                const char *(*get_version)(void);
            }};
            static const void *get_api(unsigned version) {{ return 0; }}
            static const char *get_version(void) {{ return "{version}"; }}
            static const struct Base base = {{ get_api, get_version }};
            const struct Base *OrtGetApiBase(void) {{ return {base}; }}
            "#
        ),
    )
    .unwrap();
    let compiler = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    assert!(compiler.unwrap().success());
    library
}

/// One of the average faces in the fixtures: a square picture.
pub struct AverageFace {
    /// Width and height in pixels.
    pub side: usize,
    /// Rows of red, green and blue.
    pub rgb: Vec<u8>,
}

impl AverageFace {
    /// Loads the average face of an attitude.
    pub fn load(attitude: &str) -> Self {
        let file = std::fs::File::open(fixture(&format!("{attitude}.png"))).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(file));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgb);
        let side = info.width as usize;
        Self { side, rgb }
    }

    /// Returns red, green and blue of a pixel.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let start = 3 * (y * self.side + x);
        [0, 1, 2].map(|channel| self.rgb[start + channel])
    }
}

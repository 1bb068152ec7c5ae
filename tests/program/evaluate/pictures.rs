// SPDX-License-Identifier: MPL-2.0

//! Formats of pictures, and files that are not pictures.

use image::codecs::gif::GifEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, Frame, ImageFormat};

use super::*;

fn face(attitude: &str) -> DynamicImage {
    image::open(fixture(&format!("{attitude}.png"))).unwrap()
}

impl Bench {
    /// Creates the folder of a file; returns its path.
    fn new_file(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn picture(&self, picture: &DynamicImage, name: &str, format: ImageFormat) -> &Self {
        let path = self.new_file(name);
        picture.save_with_format(path, format).unwrap();
        self
    }
}

#[test]
fn pictures_of_all_usual_formats_are_read_whatever_their_names_are() {
    let bench = Bench::new();
    let (color, gray) = (face("positive"), face("positive").grayscale());
    let deep = DynamicImage::from(gray.to_luma16());
    bench
        .picture(&color, "faces/happy/a.bmp", ImageFormat::Bmp)
        .picture(&color, "faces/happy/b.gif", ImageFormat::Gif)
        .picture(&color, "faces/happy/c.JPG", ImageFormat::Jpeg)
        .picture(&gray, "faces/happy/d.pgm", ImageFormat::Pnm)
        .picture(&color, "faces/happy/e.ppm", ImageFormat::Pnm)
        .picture(&gray, "faces/happy/f.tiff", ImageFormat::Tiff)
        .picture(&deep, "faces/happy/g.TIF", ImageFormat::Tiff)
        .picture(&color, "faces/happy/h.webp", ImageFormat::WebP)
        .picture(&color, "faces/happy/subject01.glasses", ImageFormat::Gif)
        .picture(&color, "faces/happy/subject02", ImageFormat::Pnm);
    let evaluation = bench.evaluate(&["faces"]);
    assert_eq!(evaluation.predicted(), ["positive"; 10]);
    assert_eq!(evaluation.number("/data/skipped_files"), 0.0);
}

#[test]
fn pictures_that_cannot_be_read_fail_with_a_reason() {
    let bench = Bench::new();
    bench
        .face("positive", "faces/happy/a.png")
        .write("faces/happy/b.heic", "\0\0\0\u{1c}ftypheic")
        .write("faces/happy/c.AVIF", "\0\0\0\u{1c}ftypavif");
    let file = std::fs::File::create(bench.new_file("faces/happy/d.gif")).unwrap();
    let frame = Frame::new(face("positive").into_rgba8());
    let mut encoder = GifEncoder::new(file);
    encoder.encode_frames([frame.clone(), frame]).unwrap();
    drop(encoder);
    let format = "it is not a picture in a supported format (gif, jpg, png, ";
    let run = bench.run(&["faces"]);
    run.assert_failed(&[
        &format!("Error: cannot read faces/happy/b.heic: {format}"),
        &format!("Error: cannot read faces/happy/c.AVIF: {format}"),
        "Error: cannot read faces/happy/d.gif: it is an animation",
    ]);
    assert!(run.report().contains("pictures that cannot be read: 3"));
    assert!(run.report().contains("the figures are of 1"));
}

#[test]
fn files_that_are_not_pictures_cause_a_warning() {
    let bench = Bench::new();
    bench
        .face("positive", "faces/happy/a.png")
        .write("faces/happy/notes.txt", "no picture");
    let problems = || bench.run(&["faces"]).problems();
    let warning = "faces/happy/notes.txt: this file is ignored: it is not a picture";
    assert!(problems().contains(warning), "{}", problems());
    bench.write("faces/readme.txt", "no folder");
    let warning = "faces/happy/notes.txt and 1 more file are ignored: they are not pictures";
    assert!(problems().contains(warning), "{}", problems());
}

#[test]
fn a_face_that_fills_its_picture_is_found_with_a_smaller_detector() {
    let bench = Bench::new();
    let face = face("positive").resize(1280, 1280, FilterType::Nearest);
    bench.picture(&face, "faces/happy/a.png", ImageFormat::Png);
    let evaluation = bench.evaluate(&["faces", "--detector-size", "1280"]);
    assert_eq!(evaluation.predicted(), ["positive"]);
    assert_eq!(evaluation.number("/data/at_smaller_size"), 1.0);
    let line = "- found only with a smaller detector size: 1";
    assert!(
        evaluation.markdown.contains(line),
        "{}",
        evaluation.markdown
    );
    let evaluation = bench.evaluate(&["faces"]);
    assert_eq!(evaluation.number("/data/at_smaller_size"), 0.0);
    assert!(!evaluation.markdown.contains("smaller detector"));
}

// SPDX-License-Identifier: MPL-2.0

//! `gst-attitude evaluate`: pictures.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use attitude::Attitude;
use gst_video::VideoFormat;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::*;

mod mistakes;
mod pictures;
mod videos;

/// A folder for the data of a test, in which the program runs.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// Writes the average face of `attitude` to the file `name`.
    fn face(&self, attitude: &str, name: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(fixture(&format!("{attitude}.png")), path).unwrap();
        self
    }

    /// Writes all three average faces, to `positive.png` and so on.
    fn faces(&self) -> &Self {
        for attitude in Attitude::ALL.map(Attitude::name) {
            self.face(attitude, &format!("{attitude}.png"));
        }
        self
    }

    /// Writes a gray picture of even brightness, which the fixture models can classify as a whole.
    fn patch(&self, luma: u8, name: &str) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), 48, 48);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[luma; 48 * 48]).unwrap();
        self
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
            .arg("evaluate")
            .args(arguments)
            .current_dir(self.0.path())
            .output();
        Run(output.unwrap())
    }

    /// Returns the files of a successful run with `--output`.
    fn evaluate(&self, arguments: &[&str]) -> Evaluation {
        let run = self.run(&[arguments, &["--output", "out"]].concat());
        assert!(run.0.status.success(), "{}", run.problems());
        Evaluation::read(&self.path("out"))
    }
}

struct Run(Output);

impl Run {
    fn problems(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    fn report(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    /// Asserts that it failed and said each of `words`.
    fn assert_failed(&self, words: &[&str]) {
        assert_eq!(self.0.status.code(), Some(1), "{}", self.report());
        for word in words {
            let problems = self.problems();
            assert!(problems.contains(word), "no '{word}' in: {problems}");
        }
    }
}

/// The files that a run wrote.
#[derive(Debug, PartialEq)]
struct Evaluation {
    json: Value,
    markdown: String,
    predictions: String,
}

impl Evaluation {
    fn read(folder: &Path) -> Self {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        Self {
            json: serde_json::from_str(&read("evaluation.json")).unwrap(),
            markdown: read("evaluation.md"),
            predictions: read("predictions.csv"),
        }
    }

    fn value(&self, pointer: &str) -> &Value {
        let value = self.json.pointer(pointer);
        value.unwrap_or_else(|| panic!("no {pointer} in {:#}", self.json))
    }

    fn number(&self, pointer: &str) -> f64 {
        self.value(pointer).as_f64().unwrap()
    }

    /// Returns the cells of the predictions, by row.
    fn rows(&self) -> Vec<Vec<&str>> {
        let lines = self.predictions.lines().skip(1);
        lines.map(|line| line.split(',').collect()).collect()
    }

    /// Returns the prediction of each model for each face.
    fn predicted(&self) -> Vec<&str> {
        self.rows().iter().map(|row| row[5]).collect()
    }
}

/// Attitudes in the order of labels in data.
const IN_ORDER: [&str; 3] = ["positive", "neutral", "negative"];

#[test]
fn a_folder_with_a_folder_per_label_is_classified_by_the_default_models() {
    let bench = Bench::new();
    bench
        .face("positive", "faces/happy/a.png")
        .face("neutral", "faces/neutral/a.png")
        .face("negative", "faces/sad/a.PNG")
        .write("faces/sad/notes.txt", "no picture")
        .write("faces/readme.txt", "no folder");
    let evaluation = bench.evaluate(&["faces"]);
    assert_eq!(evaluation.predicted(), IN_ORDER);
    assert_eq!(evaluation.number("/models/0/figures/accuracy/value"), 1.0);
    assert_eq!(evaluation.number("/models/0/figures/mcc/value"), 1.0);
    assert_eq!(evaluation.number("/data/skipped_files"), 2.0);
    assert_eq!(evaluation.value("/data/labels/sad/attitude"), "negative");
    for words in [
        "3 labeled faces",
        "| happy | positive | 1 | 1 |",
        "| accuracy | 1.000 [1.000, 1.000] |",
        "files that are not pictures: 2",
        "opinions",
    ] {
        let markdown = &evaluation.markdown;
        assert!(markdown.contains(words), "no '{words}' in {markdown}");
    }
}

#[test]
fn the_scores_are_those_of_the_element() {
    let bench = Bench::new();
    bench.faces().write(
        "faces.csv",
        "file,label\npositive.png,positive\nneutral.png,neutral\nnegative.png,negative\n",
    );
    let evaluation = bench.evaluate(&["faces.csv"]);
    for (row, attitude) in evaluation.rows().iter().zip(IN_ORDER) {
        let element = element(&[("mode", "sync"), ("messages", "sample")]);
        let mut rig = Rig::new(element, info(VideoFormat::Rgb, 320, 320));
        let mut buffer = gst::Buffer::from_slice(AverageFace::load(attitude).rgb);
        buffer.make_mut().set_pts(gst::ClockTime::ZERO);
        rig.push(buffer);
        let raw = rig.records()[0].faces[0].raw;
        let scores = [&row[6], &row[7], &row[8]].map(|cell| cell.parse::<f32>().unwrap());
        for (found, expected) in scores.iter().zip([raw.positive, raw.neutral, raw.negative]) {
            assert!((found - expected).abs() < 1e-5, "{scores:?} {raw:?}");
        }
    }
}

#[test]
fn boxes_select_a_face_and_are_cropped_if_none_is_found() {
    let bench = Bench::new();
    // The detector finds one face: x 64, y 32, 48x48 px. A box elsewhere is cropped directly.
    let rgb: Vec<u8> = (0..192)
        .flat_map(|_| (0..320).map(|x| if x < 160 { POSITIVE } else { NEGATIVE }))
        .collect();
    let file = std::fs::File::create(bench.path("two.png")).unwrap();
    let mut encoder = png::Encoder::new(file, 320, 192);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&rgb).unwrap();
    drop(writer);
    bench.write(
        "faces.csv",
        "file,label,x,y,width,height,group\n\
         two.png,positive,60,30,50,50,p\n\
         two.png,negative,220,30,50,50,p\n\
         two.png,positive,,,,,\n",
    );
    bench.write(
        "faces.jsonl",
        "{\"file\": \"two.png\", \"label\": \"happy\"}\n\n\
         {\"file\": \"two.png\", \"label\": \"sad\", \"box\": [220, 30, 50, 50], \"group\": 7}\n\
         {\"file\": \"two.png\", \"label\": \"sad\", \
          \"landmarks\": [[230, 60], [250, 60], [240, 70], [232, 80], [248, 80]]}\n",
    );
    let models = [
        "--detector-model",
        &model("one-face"),
        "--attitude-model",
        &model("brightness"),
    ];
    let evaluation = bench.evaluate(&[&["faces.csv"], &models[..]].concat());
    assert_eq!(evaluation.predicted(), ["positive", "negative", "positive"]);
    assert_eq!(evaluation.number("/data/groups"), 2.0);
    assert_eq!(evaluation.number("/data/by_box"), 1.0);
    let line = "cropped by the labeled box, as the detector found no face there: 1";
    assert!(evaluation.markdown.contains(line));
    let evaluation = bench.evaluate(&[&["faces.jsonl"], &models[..]].concat());
    assert_eq!(evaluation.predicted(), ["positive", "negative", "negative"]);
    assert_eq!(evaluation.rows()[1][2], "7");
    let blind = [&["faces.jsonl", "--no-detector"], &models[2..]].concat();
    // The whole picture's middle is half bright, half dark.
    assert_eq!(
        bench.evaluate(&blind).predicted(),
        ["neutral", "negative", "negative"]
    );
}

#[test]
fn faces_that_are_not_found_or_not_classified_are_counted() {
    let bench = Bench::new();
    bench.faces().patch(128, "gray.png").write(
        "faces.csv",
        "file,label,x,y,width,height\npositive.png,positive,,,,\ngray.png,neutral,,,,\n\
         gray.png,neutral,-40,0,48,48\n",
    );
    let run = bench.run(&["faces.csv", "--output", "out"]);
    assert_eq!(run.0.status.code(), Some(0), "{}", run.problems());
    assert!(
        run.problems()
            .contains("no compared face is labeled neutral")
    );
    let evaluation = Evaluation::read(&bench.path("out"));
    assert_eq!(run.report(), evaluation.markdown);
    let counts = ["faces", "compared", "not_found", "not_judged", "no_scores"];
    let counts = counts.map(|count| evaluation.number(&format!("/data/{count}")));
    assert_eq!(counts, [3.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(
        std::fs::read_to_string(bench.path("out/left-out.csv")).unwrap(),
        "file,group,truth,truth_attitude,reason\n\
         gray.png,,neutral,neutral,no face found\n\
         gray.png,,neutral,neutral,\"not classified, as it is cut off or turned away\"\n"
    );
}

#[test]
fn a_mapping_applies_to_labels_models_and_predictions() {
    let bench = Bench::new();
    // Below a mean of 102 the model predicts anger, above 153 happiness.
    bench
        .patch(20, "faces/bored/dark.png")
        .patch(128, "faces/calm/gray.png")
        .patch(230, "faces/happiness/bright.png")
        .write(
            "service.csv",
            "file,bored,Calm,happiness\nbored/dark.png,80,0,20\ncalm/gray.png,0,9,1\n\
             happiness/bright.png,0.2,0,0.2\n",
        );
    let model = model("emotions8");
    let arguments = [
        "faces",
        "--no-detector",
        "--attitude-model",
        &model,
        "--predictions",
        "service=service.csv",
    ];
    bench
        .run(&arguments)
        .assert_failed(&["faces/bored: the label 'bored' is neither", "--mapping"]);
    let mapped = |mapping| bench.evaluate(&[&arguments[..], &["--mapping", mapping]].concat());
    let evaluation = mapped("positive=happiness; neutral=calm,neutral; negative=bored");
    assert_eq!(
        evaluation.predicted(),
        [
            "negative", "neutral", "positive", "negative", "neutral", "positive"
        ]
    );
    assert_eq!(evaluation.rows()[3][6..], ["0.2", "0", "0.8"]);
    assert_eq!(evaluation.value("/setup/data/0"), "faces");
    assert_eq!(evaluation.value("/setup/detector"), &Value::Null);
    assert_eq!(evaluation.value("/setup/models/0/file"), &*model);
    let digest = evaluation.value("/setup/models/0/sha256").as_str().unwrap();
    assert_eq!(digest.len(), 64);
    for words in [
        "- data: faces",
        "- mapping: positive=happiness; ",
        "- detector: none",
        digest,
    ] {
        let markdown = &evaluation.markdown;
        assert!(markdown.contains(words), "no '{words}' in {markdown}");
    }
    let evaluation = mapped("positive=anger, bored; neutral=calm,neutral");
    assert_eq!(
        evaluation.predicted(),
        [
            "positive", "neutral", "negative", "positive", "neutral", "positive"
        ]
    );
}

#[test]
fn models_and_others_are_compared_on_their_common_faces() {
    let bench = Bench::new();
    for (label, luma) in [
        ("negative", NEGATIVE),
        ("neutral", NEUTRAL),
        ("positive", POSITIVE),
    ] {
        for number in 0..4 {
            bench.patch(luma, &format!("faces/{label}/{number}.png"));
        }
    }
    let predictions: String = (0..4)
        .map(|n| format!("negative/{n}.png,sad\nneutral/{n}.png,happy\npositive/{n}.png,happy\n"))
        .collect();
    bench.write(
        "service.csv",
        &format!("file,label\n{predictions}").replace("positive/3.png,happy", "positive/3.png,"),
    );
    let evaluation = bench.evaluate(&[
        "faces",
        "--no-detector",
        "--attitude-model",
        &model("brightness"),
        "--attitude-model",
        &model("emotions8"),
        "--predictions",
        "service=service.csv",
    ]);
    assert_eq!(evaluation.number("/data/compared"), 11.0);
    assert_eq!(evaluation.number("/data/unanswered/service"), 1.0);
    let accuracy = |index| evaluation.number(&format!("/models/{index}/figures/accuracy/value"));
    assert_eq!([accuracy(0), accuracy(1)], [1.0; 2]);
    assert!((accuracy(2) - 7.0 / 11.0).abs() < 1e-9);
    assert_eq!(evaluation.value("/models/2/coverage"), &Value::Null);
    assert_eq!(
        evaluation
            .value("/models/2/figures")
            .get("calibration_error"),
        None
    );
    assert_eq!(
        evaluation.number("/differences/0/figures/accuracy/value"),
        0.0
    );
    let less = evaluation.value("/differences/1/figures/accuracy");
    assert!(less["low"].as_f64() < less["value"].as_f64() && less["high"].as_f64() < Some(0.0));
    assert!(evaluation.markdown.contains("service − brightness"));
}

#[test]
fn the_programs_own_predictions_can_be_read() {
    let bench = Bench::new();
    bench
        .patch(POSITIVE, "faces/positive/a.png")
        .patch(NEGATIVE, "faces/positive/b.png");
    let (brightness, emotions) = (model("brightness"), model("emotions8"));
    let data = ["faces", "--no-detector", "--attitude-model", &brightness];
    bench.evaluate(&data);
    std::fs::rename(bench.path("out/predictions.csv"), bench.path("own.csv")).unwrap();
    let again = ["--predictions", "again=own.csv"];
    let evaluation = bench.evaluate(&[&data[..], &again].concat());
    for figure in ["accuracy", "calibration_error"] {
        let of = |index| evaluation.number(&format!("/models/{index}/figures/{figure}/value"));
        assert!((of(0) - of(1)).abs() < 1e-6, "{figure}");
    }
    assert_eq!(evaluation.number("/models/1/figures/accuracy/value"), 0.5);
    bench.evaluate(&[&data[..], &["--attitude-model", &emotions]].concat());
    let both = ["--predictions", "both=out/predictions.csv"];
    bench.run(&[&data[..], &both].concat()).assert_failed(&[
        "out/predictions.csv:4: there are predictions of 'brightness' and 'emotions8'",
        "awk -F, 'NR == 1 || $1 == \"brightness\"'",
    ]);
}

#[test]
fn the_files_are_the_same_for_any_number_of_jobs() {
    let bench = Bench::new();
    for number in 0..40 {
        bench.face(
            IN_ORDER[number % 3],
            &format!("faces/{}/{number}.png", IN_ORDER[number % 2]),
        );
    }
    let one = bench.evaluate(&["faces", "--jobs", "1"]);
    let two = bench.evaluate(&["faces", "--jobs", "2"]);
    assert_eq!(one.rows().len(), 40);
    assert_eq!(one, two);
}

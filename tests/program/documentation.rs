// SPDX-License-Identifier: MPL-2.0

//! Compares the Markdown pages with the code: properties, options, examples, links and messages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use attitude::Label;
use attitude::baseline::BaselineState;
use attitude::pose::HeadPose;
use attitude::record::exports::{EXPORTS, segments};
use attitude::record::{FaceRecord, Record, formats};
use attitude::trend::Trend;
use gst::prelude::*;
use gstattitude::message::AttitudeMessage;

use crate::support::*;
use markdown::{Page, rows};
use shell::commands;

mod markdown;
mod shell;
mod tutorials;

const ELEMENTS: &str = "src/plugin/README.md";
const PROGRAM: &str = "src/program/README.md";
const PUBLISH: &str = "src/publish/README.md";
const REVIEW: &str = "src/program/review/README.md";
const ROOM: &str = "src/program/room/README.md";
const SERVE: &str = "src/program/serve/README.md";
const STUDY: &str = "src/program/study/README.md";
const SUMMARY: &str = "src/book/SUMMARY.md";
const WATCH: &str = "src/program/watch/README.md";
const TROUBLESHOOTING: &str = "src/TROUBLESHOOTING.md";

/// Properties that every GStreamer element has.
const COMMON_PROPERTIES: [&str; 2] = ["name", "parent"];
const COMMON_OPTIONS: [&str; 2] = ["--help", "--version"];

/// Fails with all of `problems`, if there are any.
#[track_caller]
fn expect_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_property_is_documented_with_its_default() {
    init();
    let page = Page::read(ELEMENTS);
    let mut problems = Vec::new();
    for name in [
        "faceattitude",
        "attitudeoverlay",
        "attitudeexport",
        "attitudepublish",
    ] {
        let element = gst::ElementFactory::make(name).build().unwrap();
        let rows = rows(page.section(&format!("### Properties of {name}")));
        let row_of = |property: &str| {
            rows.iter()
                .find(|cells| cells[0] == format!("`{property}`"))
        };
        for property in element.list_properties() {
            let property_name = property.name();
            if COMMON_PROPERTIES.contains(&property_name) {
                continue;
            }
            let Some(cells) = row_of(property_name) else {
                problems.push(format!("{name}: no row for {property_name}"));
                continue;
            };
            let default = default(&property);
            if !cells[1].starts_with(&default) {
                let found = &cells[1];
                problems.push(format!(
                    "{name}: {property_name} has the default {default}, not {found}"
                ));
            }
            if cells.len() == 4 && cells[2] != state(&property) {
                problems.push(format!(
                    "{name}: {property_name} can be set in {}",
                    state(&property)
                ));
            }
            let text = page.section(&format!("## {name}"));
            let missing = values(&property)
                .into_iter()
                .filter(|value| !text.contains(&format!("`{value}`")));
            problems.extend(missing.map(|value| format!("{name}: {property_name} can be {value}")));
        }
        let is_known =
            |cells: &Vec<String>| element.find_property(cells[0].trim_matches('`')).is_some();
        let unknown = rows.iter().filter(|cells| !is_known(cells));
        problems.extend(unknown.map(|cells| format!("{name} has no property {}", cells[0])));
    }
    expect_none(problems);
}

/// Returns the default as the page shows it; an empty string for structures.
fn default(property: &glib::ParamSpec) -> String {
    let value = property.default_value();
    let text = if let Some((_, value)) = glib::EnumValue::from_value(value) {
        value.nick().to_owned()
    } else if let Ok(text) = value.get::<Option<String>>() {
        text.unwrap_or_else(|| "null".to_owned())
    } else if value.type_() == gst::Structure::static_type() {
        return String::new();
    } else if let Ok(flag) = value.get::<bool>() {
        flag.to_string()
    } else if let Ok(number) = value.get::<f32>() {
        number.to_string()
    } else if property.name().ends_with("-color") {
        format!("0x{:08X}", value.get::<u32>().unwrap())
    } else {
        value.transform::<String>().unwrap().get().unwrap()
    };
    format!("`{text}`")
}

/// Returns the highest state in which the property can be set.
fn state(property: &glib::ParamSpec) -> &'static str {
    let flags = property.flags();
    if !flags.contains(glib::ParamFlags::WRITABLE) {
        "read-only"
    } else if flags.contains(gst::PARAM_FLAG_MUTABLE_READY) {
        "READY"
    } else {
        "PLAYING"
    }
}

/// Returns the names of the values that an enumeration has.
fn values(property: &glib::ParamSpec) -> Vec<String> {
    let class = glib::EnumClass::with_type(property.value_type());
    let values = class.iter().flat_map(|class| class.values());
    values.map(|value| value.nick().to_owned()).collect()
}

#[test]
fn every_field_of_messages_and_records_is_documented() {
    init();
    let page = Page::read(ELEMENTS);
    let messages = page.section("### Messages");
    let record = Record {
        source: Some(String::new()),
        tags: "room=42".parse().unwrap(),
        trend: Some(Trend::default()),
        faces: vec![FaceRecord {
            pose: Some(HeadPose::default()),
            valence: Some(0.0),
            quality: Some(0.0),
            trend: Some(Trend::default()),
            baseline: Some(BaselineState::Known),
            valence_change: Some(0.0),
            attitude_change: Some(Label::NEUTRAL),
            ..FaceRecord::default()
        }],
        ..Record::default()
    };
    let message = gst::Structure::from(AttitudeMessage(record.clone()));
    let faces: gst::List = message.get("faces").unwrap();
    let face: gst::Structure = faces[0].get().unwrap();
    let pose: gst::Structure = face.get("pose").unwrap();
    let trend: gst::Structure = face.get("trend").unwrap();
    let fields = message.fields().chain(face.fields()).chain(pose.fields());
    let fields = fields.chain(trend.fields());
    let missing = fields.filter(|field| !messages.contains(&format!("`{field}`")));
    let mut problems: Vec<_> = missing.map(|field| format!("message: {field}")).collect();
    let json = serde_json::to_value(&record).unwrap();
    let (json, face) = (
        json.as_object().unwrap(),
        json["faces"][0].as_object().unwrap(),
    );
    let keys = json.keys().chain(face.keys());
    let missing = keys.filter(|key| !messages.contains(&format!("\"{key}\":")));
    problems.extend(missing.map(|key| format!("record: {key}")));
    expect_none(problems);
}

#[test]
fn every_column_of_tables_is_documented() {
    let page = Page::read(ELEMENTS);
    let formats = page.section("### Formats");
    let mut table = formats::Output::default();
    let mut writer = (formats::csv::FORMAT.writer)(formats::Timing::Frames).unwrap();
    let record = Record::default();
    let frame = formats::TimedRecord::sample(&record);
    writer.begin(frame.span, &mut table).unwrap();
    let header = String::from_utf8(table.into_bytes()).unwrap();
    let missing = header
        .trim()
        .split(',')
        .filter(|column| !formats.contains(&format!("`{column}`")));
    expect_none(missing.map(str::to_owned).collect());
}

#[test]
fn every_option_is_documented() {
    let shared_options = options_in(&shared_sections());
    let mut problems = Vec::new();
    for (subcommand, options) in options() {
        let section = section_of(&subcommand);
        let documented = options_in(&section);
        let mut missing: BTreeSet<_> = options.difference(&documented).collect();
        missing.retain(|option| !shared_options.contains(*option));
        problems.extend(
            missing
                .iter()
                .map(|option| format!("{subcommand} {option} is missing")),
        );
        let unknown = documented.difference(&options);
        problems.extend(
            unknown
                .filter(|option| !shared_options.contains(*option))
                .map(|option| format!("{subcommand} has no {option}")),
        );
    }
    expect_none(problems);
}

#[test]
fn every_column_of_the_programs_tables_is_documented() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("broken.mp4"), "no video").unwrap();
    std::fs::create_dir_all(path("faces/neutral")).unwrap();
    std::fs::copy(fixture("neutral.png"), path("faces/neutral/a.png")).unwrap();
    for arguments in [
        &["analyze", "broken.mp4", "-o", "results"][..],
        &[
            "evaluate",
            "faces",
            "-o",
            "evaluation",
            "--resamples",
            "100",
        ],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_gst-attitude"))
            .args(arguments)
            .current_dir(folder.path())
            .output();
        // The broken recording fails, but is in the table.
        assert!(output.unwrap().status.code().is_some());
    }
    let page = Page::read(PROGRAM);
    let mut problems = Vec::new();
    for (section, file) in [
        ("### Results", "results/summary.csv"),
        ("## evaluate", "evaluation/predictions.csv"),
        ("## evaluate", "evaluation/left-out.csv"),
    ] {
        let text = std::fs::read_to_string(path(file)).unwrap();
        let rows = rows(page.section(section));
        let documented: String = rows.iter().map(|cells| cells[0].as_str()).collect();
        let columns = text.lines().next().unwrap().split(',');
        let missing = columns.filter(|column| !documented.contains(&format!("`{column}`")));
        problems.extend(missing.map(|column| format!("{file}: {column}")));
    }
    // The files of recordings have no rows without a recording.
    let exports = page.section("#### Exports");
    let missing = segments::SCHEMA
        .columns
        .iter()
        .filter(|column| !exports.contains(&format!("`{}`", column.name)));
    problems.extend(missing.map(|column| format!("segments.csv: {}", column.name)));
    expect_none(problems);
}

#[test]
fn defaults_of_options_are_documented() {
    let shared = rows(&shared_sections());
    let mut problems = Vec::new();
    for subcommand in options().into_keys() {
        let own = rows(&section_of(&subcommand));
        for (option, default) in option_defaults(&help(&[&subcommand])) {
            let mut rows = own.iter().chain(&shared);
            let row =
                rows.find(|cells| cells.len() == 3 && long_options(&cells[0]).contains(&option));
            match row {
                Some(cells) if cells[1].trim_start_matches('`').starts_with(&default) => {}
                Some(cells) => problems.push(format!(
                    "{subcommand}: {option} has the default {default}, not {}",
                    cells[1]
                )),
                None => problems.push(format!("{subcommand}: no row for {option}")),
            }
        }
    }
    expect_none(problems);
}

/// Returns the options with a default, and the defaults, as the help of a subcommand lists them.
fn option_defaults(help: &str) -> Vec<(String, String)> {
    let mut option = None;
    let mut defaults = Vec::new();
    for line in help.lines().map(str::trim) {
        if line.starts_with('-') {
            option = long_options(line).into_iter().next();
        }
        let default = line.strip_prefix("[default: ");
        if let (Some(default), Some(option)) = (default, &option) {
            defaults.push((option.clone(), default.trim_end_matches(']').to_owned()));
        }
    }
    defaults
}

/// Returns the text that documents a subcommand.
fn section_of(subcommand: &str) -> String {
    match subcommand {
        "review" => Page::read(REVIEW).text,
        "room" => Page::read(ROOM).text,
        "serve" => Page::read(SERVE).text,
        "study" => Page::read(STUDY).text,
        "watch" => Page::read(WATCH).text,
        other => Page::read(PROGRAM)
            .section(&format!("## {other}"))
            .to_owned(),
    }
}

/// Returns the text that documents the options of several subcommands.
fn shared_sections() -> String {
    let page = Page::read(PROGRAM);
    let beginning = page.text.split("\n## ").next().unwrap();
    let networks = page.section("### Options of the networks");
    format!("{beginning}\n{networks}")
}

/// Returns the options in the first cells of tables.
fn options_in(text: &str) -> BTreeSet<String> {
    let rows = rows(text);
    let cells = rows.iter().filter(|cells| cells[0].starts_with("`-"));
    cells.flat_map(|cells| long_options(&cells[0])).collect()
}

/// Returns the words of `text` that are long options.
fn long_options(text: &str) -> Vec<String> {
    let is_letter =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let words = text.split(|letter| !is_letter(letter));
    let options = words.filter(|word| word.starts_with("--") && word.len() > 2);
    options.map(str::to_owned).collect()
}

/// Returns the long options of each subcommand, as its help lists them.
fn options() -> BTreeMap<String, BTreeSet<String>> {
    let help = help(&[]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    // A description may continue on the following lines.
    let commands = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = commands.filter_map(|line| line.split_whitespace().next());
    let options_of = |name: &str| {
        let help = self::help(&[name]);
        let lines = help
            .lines()
            .filter(|line| line.trim_start().starts_with('-'));
        let definitions =
            lines.map(|line| line.trim_start().split("  ").next().unwrap().to_owned());
        let options = definitions.flat_map(|definition| long_options(&definition));
        options
            .filter(|option| !COMMON_OPTIONS.contains(&option.as_str()))
            .collect()
    };
    names
        .filter(|name| *name != "help")
        .map(|name| (name.to_owned(), options_of(name)))
        .collect()
}

fn help(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_gst-attitude");
    let output = Command::new(program)
        .args(arguments)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?} --help fails");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_file_of_a_recording_is_documented() {
    let program = Page::read(PROGRAM);
    let results = program.section("### Results");
    let files = formats::recording_files().map(|(_, file)| file.name);
    let exports = EXPORTS.iter().flat_map(|export| export.files());
    let files = files.chain(exports.map(|(name, _)| name));
    let missing = files.filter(|file| !results.contains(&format!("/{file}`")));
    expect_none(missing.map(str::to_owned).collect());
}

#[test]
fn commands_in_examples_use_existing_options_and_elements() {
    init();
    let options = options();
    let mut problems = Vec::new();
    for page in Page::all() {
        for fence in page.fences() {
            let path = page.path.display();
            if fence.language.is_empty() && page.path != Path::new("models/train/log.md") {
                problems.push(format!("{path}: a fence without a language"));
            }
            if fence.language != "sh" {
                continue;
            }
            for words in commands(&fence.lines) {
                if let Err(problem) = check_command(&words, &options) {
                    problems.push(format!("{path}: {}: {problem}", words.join(" ")));
                }
            }
        }
    }
    expect_none(problems);
}

#[test]
fn data_in_examples_can_be_read() {
    let mut problems = Vec::new();
    for page in Page::all() {
        for fence in page.fences() {
            let text = fence.lines.join("\n");
            let problem = match fence.language {
                // An ellipsis stands for values that vary.
                "json" if !text.contains('…') => {
                    let values = serde_json::Deserializer::from_str(&text);
                    let mut values = values.into_iter::<serde_json::Value>();
                    values.find_map(Result::err).map(|error| error.to_string())
                }
                "toml" => text
                    .parse::<toml::Table>()
                    .err()
                    .map(|error| error.to_string()),
                _ => None,
            };
            problems.extend(problem.map(|problem| format!("{}: {problem}", page.path.display())));
        }
    }
    expect_none(problems);
}

#[test]
fn python_in_examples_can_be_compiled() {
    let mut problems = Vec::new();
    for page in Page::all() {
        for fence in page
            .fences()
            .iter()
            .filter(|fence| fence.language == "python")
        {
            let compile = "import sys; compile(sys.argv[1], 'example', 'exec')";
            let output = Command::new("python3")
                .args(["-c", compile, &fence.lines.join("\n")])
                .output()
                .unwrap();
            if !output.status.success() {
                let reason = String::from_utf8_lossy(&output.stderr);
                problems.push(format!("{}: {reason}", page.path.display()));
            }
        }
    }
    expect_none(problems);
}

#[test]
fn every_page_is_in_the_documentation_site() {
    let book = Path::new(SUMMARY).parent().unwrap();
    let pages = Page::all();
    let targets = |page: &Page| -> Vec<_> {
        let links = page.links().into_iter();
        let files = links.map(|link| link.split('#').next().unwrap().to_owned());
        files.map(|file| page.resolve(&file)).collect()
    };
    let mut in_site = targets(&Page::read(SUMMARY));
    for page in pages.iter().filter(|page| page.path.starts_with(book)) {
        let includes = page
            .text
            .lines()
            .filter(|line| line.starts_with("[include]("));
        let text = includes.collect::<Vec<_>>().join("\n");
        let path = page.path.clone();
        in_site.extend(targets(&Page { path, text }));
    }
    let missing = pages.iter().map(|page| &page.path);
    let missing = missing.filter(|path| !in_site.contains(path) && *path != Path::new(SUMMARY));
    let problem = |path: &PathBuf| format!("{} is not in {SUMMARY}", path.display());
    expect_none(missing.map(problem).collect());
}

fn check_command(
    words: &[String],
    options: &BTreeMap<String, BTreeSet<String>>,
) -> Result<(), String> {
    let arguments = &words[1..];
    match words[0].as_str() {
        "gst-launch-1.0" => check_pipeline(arguments),
        "gst-attitude" => {
            let subcommand = arguments.first().ok_or("no subcommand")?;
            let known = options.get(subcommand).ok_or("no such subcommand")?;
            let given = arguments.iter().filter(|word| word.starts_with("--"));
            let given = given.map(|word| word.split('=').next().unwrap());
            match given.into_iter().find(|option| !known.contains(*option)) {
                Some(option) => Err(format!("no option {option}")),
                None => Ok(()),
            }
        }
        program if program.contains('/') => match project(program).is_file() {
            true => Ok(()),
            false => Err("no such file".to_owned()),
        },
        _ => Ok(()),
    }
}

/// Creates the pipeline without starting it.
fn check_pipeline(arguments: &[String]) -> Result<(), String> {
    let arguments = arguments.iter().skip_while(|word| word.starts_with('-'));
    let words: Vec<_> = arguments.map(String::as_str).collect();
    let mut context = gst::ParseContext::new();
    let flags = gst::ParseFlags::FATAL_ERRORS;
    match gst::parse::launchv_full(&words, Some(&mut context), flags) {
        Ok(_) => Ok(()),
        Err(error) => {
            let missing = context.missing_elements();
            if missing.is_empty() || missing.iter().any(|name| name.contains("attitude")) {
                return Err(error.to_string());
            }
            eprintln!(
                "skipped, without {}: {}",
                missing.join(", "),
                words.join(" ")
            );
            Ok(())
        }
    }
}

#[test]
fn targets_of_links_exist() {
    let pages = Page::all();
    let anchors: BTreeMap<_, _> = pages
        .iter()
        .map(|page| (page.path.clone(), page.anchors()))
        .collect();
    let mut problems = Vec::new();
    for page in &pages {
        for link in page.links() {
            if link.contains("://") {
                continue;
            }
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = match target {
                "" => page.path.clone(),
                target => page.resolve(target),
            };
            let has_anchor = || {
                anchors
                    .get(&path)
                    .is_some_and(|of| of.iter().any(|it| it == anchor))
            };
            if !project(&path).exists() || !anchor.is_empty() && !has_anchor() {
                problems.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    expect_none(problems);
}

#[test]
fn paths_in_sentences_exist() {
    let mut problems = Vec::new();
    for page in Page::all() {
        for span in page.code_spans() {
            let is_letter =
                |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
            let is_path = ["src/", "tests/", "models/", "pipelines/"]
                .iter()
                .any(|folder| span.starts_with(folder));
            if is_path && span.chars().all(is_letter) && !project(&span).exists() {
                problems.push(format!("{}: {span}", page.path.display()));
            }
        }
    }
    expect_none(problems);
}

#[test]
fn tests_of_failures_exist() {
    let code = sources_in(&["src", "tests"]);
    let mut problems = Vec::new();
    for page in [PUBLISH, ROOM, SERVE, WATCH] {
        let rows = rows(Page::read(page).section("## Failures"));
        assert!(!rows.is_empty(), "{page}");
        for cells in &rows {
            let tested_by = cells.last().unwrap();
            let tests = tested_by.split('`').skip(1).step_by(2);
            let missing = tests.filter(|test| !code.contains(&format!("fn {test}(")));
            problems.extend(missing.map(|test| format!("{page}: no test is named {test}")));
            if !tested_by.contains('`') {
                problems.push(format!("{page}: no test of: {}", cells[0]));
            }
        }
    }
    expect_none(problems);
}

#[test]
fn messages_in_troubleshooting_are_those_of_the_code() {
    let code = sources_in(&["src", "pipelines"]);
    let mut problems = Vec::new();
    for cells in rows(&Page::read(TROUBLESHOOTING).text) {
        // Messages of GStreamer itself are marked as such behind the code span.
        let message = cells[0]
            .strip_prefix('`')
            .and_then(|cell| cell.strip_suffix('`'));
        let parts = message.into_iter().flat_map(|message| message.split('…'));
        let parts = parts.map(|part| part.trim_matches([' ', '\'', ':', '.', ';']));
        let unknown = parts.filter(|part| part.len() > 3 && !code.contains(*part));
        problems.extend(unknown.map(|part| format!("no source has: {part}")));
    }
    expect_none(problems);
}

/// Returns the source code in some folders; string literals that span several lines are joined.
fn sources_in(folders: &[&str]) -> String {
    let mut code = String::new();
    let mut folders: Vec<_> = folders.iter().map(project).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|of| ["rs", "sh", "js", "html"].iter().any(|it| of == *it))
            {
                code += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let lines: Vec<_> = code.lines().map(str::trim).collect();
    let code = lines.join("\n").replace("\\\n", "").replace("\" +\n\"", "");
    code.replace("\\\"", "\"")
}

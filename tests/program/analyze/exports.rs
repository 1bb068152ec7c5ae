// SPDX-License-Identifier: MPL-2.0

//! Exports of segments, read by other programs.

use super::*;

/// Compares the segments in each export with those in `summary.json`, and checks the rules of the
/// schema of EAF 3.0 that pympi does not check.
const COMPARE: &str = r##"
import json, pathlib, sys, urllib.parse
import xml.etree.ElementTree as xml
import duckdb, numpy, pandas, pympi
from praatio import textgrid

folder = pathlib.Path(sys.argv[1])
summary = json.loads((folder / "summary.json").read_text())
segments = {"Scene": summary["scene"]["segments"]}
segments |= {f"Person {person['id']}": person["segments"] for person in summary["persons"]}
assert len(segments["Person 1"]) > 1, segments

eaf = pympi.Elan.Eaf(str(folder / "attitude.eaf"))
assert set(eaf.get_tier_names()) == set(segments)
for name, expected in segments.items():
    found = sorted(annotation[:3] for annotation in eaf.get_annotation_data_for_tier(name))
    assert found == [(s["start_ns"] // 10**6, s["end_ns"] // 10**6, s["attitude"]) for s in expected], name
(media,) = eaf.get_linked_files()
link = folder / urllib.parse.unquote(media["RELATIVE_MEDIA_URL"])
assert link.resolve() == pathlib.Path(sys.argv[2]).resolve(), link

root = xml.parse(folder / "attitude.eaf").getroot()
order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LANGUAGE", "CONTROLLED_VOCABULARY"]
assert list(dict.fromkeys(element.tag for element in root)) == order
ids = [element.get(key) for element in root.iter() for key in ("TIME_SLOT_ID", "ANNOTATION_ID") if element.get(key)]
assert len(ids) == len(set(ids)) > 0
times = [int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
assert times == sorted(times)
types = {element.get("LINGUISTIC_TYPE_ID") for element in root.iter("LINGUISTIC_TYPE")}
assert {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")} == types
entries = {entry.get("CVE_ID"): entry.find("CVE_VALUE").text for entry in root.iter("CV_ENTRY_ML")}
for annotation in root.iter("ALIGNABLE_ANNOTATION"):
    assert entries[annotation.get("CVE_REF")] == annotation.find("ANNOTATION_VALUE").text

grid = textgrid.openTextgrid(str(folder / "attitude.TextGrid"), includeEmptyIntervals=True)
assert grid.tierNames == tuple(segments)
for name, expected in segments.items():
    entries = grid.getTier(name).entries
    assert entries[0].start == 0 and entries[-1].end == grid.maxTimestamp
    assert all(one.end == other.start for one, other in zip(entries, entries[1:])), name
    found = [(entry.start, entry.end, entry.label) for entry in entries if entry.label]
    assert found == [(s["start_ns"] / 1e9, s["end_ns"] / 1e9, s["attitude"]) for s in expected], name

table = pandas.read_csv(folder / "segments.csv")
assert set(table["recording"]) == {folder.name}
for name, expected in segments.items():
    rows = table[table["person"] == int(name[7:])] if name != "Scene" else table[table["subject"] == "scene"]
    found = list(rows[["start_ns", "end_ns", "attitude"]].itertuples(index=False, name=None))
    assert found == [(s["start_ns"], s["end_ns"], s["attitude"]) for s in expected], name
    assert (rows["duration_ns"] == rows["end_ns"] - rows["start_ns"]).all()
    assert list(rows["segment"]) == list(range(1, len(expected) + 1))
parquet = pandas.read_parquet(folder / "segments.parquet")
pandas.testing.assert_frame_equal(table, parquet, check_dtype=False)
assert parquet["corrected"].dtype == bool
query = f"select attitude, sum(duration_ns) as total from '{folder}/segments.parquet' where subject = 'scene' group by all"
totals = dict(duckdb.sql(query.replace("a 'talk'", "a ''talk''")).fetchall())
scene = table[table["subject"] == "scene"].groupby("attitude")["duration_ns"].sum()
assert totals == scene.to_dict(), totals

codebook = pandas.read_csv(folder.parent / "codebook.csv")
for name, columns in [
    ("segments", table.columns),
    ("faces", pandas.read_csv(folder / "faces.csv").columns),
    ("summary", pandas.read_csv(folder.parent / "summary.csv").columns),
]:
    assert list(codebook[codebook["table"] == name]["column"]) == list(columns), name
assert codebook["description"].str.len().min() > 5
labels = pandas.read_csv(folder.parent / "value-labels.csv")
attitudes = labels[(labels["table"] == "segments") & (labels["column"] == "attitude")]
assert set(table["attitude"]) <= set(attitudes["value"])

# The scores, as ELAN finds and reads them.
links = [pathlib.Path(file["RELATIVE_LINK_URL"]) for file in eaf.get_secondary_linked_files()]
scores, tracks = [folder / link for link in links]
assert tracks.name.endswith("_tsconf.xml")
source = xml.parse(tracks).getroot().find("tracksource")
assert source.get("source-url") == eaf.get_secondary_linked_files()[0]["LINK_URL"]
lines = [line.split(",") for line in scores.read_text().splitlines() if not line.startswith("#")]
series = numpy.array(lines, dtype=float)
times_ms = series[:, int(source.get("time-column"))]
assert (numpy.diff(times_ms) > 0).all() and (times_ms % 1 == 0).all()
columns = {track.get("name"): int(track.find("sample-position/pos").get("col")) for track in source.iter("track")}
assert set(columns) == {f"{tier}: {name}" for tier in segments for name in ["valence", "positive", "neutral", "negative"]}
for track in source.iter("track"):
    values = series[:, columns[track.get("name")]]
    low, high = [float(track.find("range").get(end)) for end in ["min", "max"]]
    assert ((values >= low) & (values <= high) | numpy.isnan(values)).all(), track.get("name")
faces = pandas.read_csv(folder / "faces.csv")
seen = faces[faces["valence"].notna()]
found = dict(zip(times_ms, series[:, columns["Person 1: valence"]]))
for _, face in seen[seen["track"] == seen["track"].iloc[0]].iterrows():
    assert abs(found[face["stream_time_ns"] // 10**6] - face["valence"]) < 1e-3, face
"##;

/// Opens the project as BORIS does, and compares its events with the segments in `summary.json`.
const COMPARE_BORIS: &str = r#"
import json, pathlib, sys
from boris import project_functions

folder = pathlib.Path(sys.argv[1])
summary = json.loads((folder / "summary.json").read_text())
segments = {"Scene": summary["scene"]["segments"]}
segments |= {f"Person {person['id']}": person["segments"] for person in summary["persons"]}

path = str(folder / "attitude.boris")
_, is_changed, project, message = project_functions.open_project_json(path)
assert not is_changed and not message and "error" not in project, (message, project)
problems = project_functions.check_project_integrity(project, "hh:mm:ss", path)
assert not problems.replace("<br>", ""), problems
(observation,) = project["observations"].values()
events = project_functions.events_start_stop(project["behaviors_conf"], observation["events"], observation["type"])
for name, expected in segments.items():
    of_subject = [event for event in events if event[1] == name]
    assert [event[-1] for event in of_subject] == ["START", "STOP"] * len(expected), of_subject
    found = [(float(start[0]), float(stop[0]), start[2]) for start, stop in zip(of_subject[::2], of_subject[1::2])]
    assert found == [(round(s["start_ns"] / 1e9, 3), round(s["end_ns"] / 1e9, 3), s["attitude"]) for s in expected], name
"#;

#[test]
fn boris_opens_the_segments() {
    let Some(python) = python_with(&["boris"]) else {
        return;
    };
    let bench = Bench::new();
    let recording = "a 'talk' & more.mp4";
    bench.clip(recording);
    bench.analyze(&[recording, "--formats", "attitude.boris"]);
    let output = Command::new(python)
        .args(["-c", COMPARE_BORIS])
        .arg(bench.path("out/a 'talk' & more"))
        .env("QT_QPA_PLATFORM", "offscreen")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn other_programs_read_the_segments() {
    let Some(python) = python_with(&["duckdb", "pandas", "praatio", "pyarrow", "pympi"]) else {
        return;
    };
    let bench = Bench::new();
    let recording = "a 'talk' & more.mp4";
    bench.clip(recording);
    bench.analyze(&[
        recording,
        "--formats",
        "faces.csv,segments.csv,segments.parquet,attitude.eaf,attitude.TextGrid",
    ]);
    let output = Command::new(python)
        .args(["-c", COMPARE])
        .arg(bench.path("out/a 'talk' & more"))
        .arg(bench.path(recording))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

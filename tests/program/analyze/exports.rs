// SPDX-License-Identifier: MPL-2.0

//! Exports of segments, read by other programs.

use super::*;

/// Compares the segments in each export with those in `summary.json`, and checks the rules of the
/// schema of EAF 3.0 that pympi does not check.
const COMPARE: &str = r#"
import json, pathlib, sys, urllib.parse
import xml.etree.ElementTree as xml
import pandas, pympi
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
"#;

#[test]
fn other_programs_read_the_segments() {
    let Some(python) = python_with(&["pandas", "praatio", "pympi"]) else {
        return;
    };
    let bench = Bench::new();
    let recording = "a 'talk' & more.mp4";
    bench.clip(recording);
    bench.analyze(&[
        recording,
        "--formats",
        "segments.csv,attitude.eaf,attitude.TextGrid",
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

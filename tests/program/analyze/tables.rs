// SPDX-License-Identifier: MPL-2.0

//! Parquet files read by other programs, and memory use.

use std::time::Duration;

use super::*;

/// Compares both tables, cell by cell.
const COMPARE: &str = r#"
import sys
import duckdb, pandas

folder = sys.argv[1]
csv, parquet = f"{folder}/faces.csv", f"{folder}/faces.parquet"
table = pandas.read_parquet(parquet)
text = pandas.read_csv(csv, keep_default_na=False, na_values=[""])
assert list(table.columns) == list(text.columns), "columns"
assert len(table) == len(text) > 0, "rows"
for name in table.columns:
    for one, other in zip(table[name], text[name]):
        same = pandas.isna(one) and pandas.isna(other) or one == other
        near = isinstance(one, float) and abs(one - float(other)) <= 1e-6 * max(1, abs(one))
        assert same or near, (name, one, other)
types = dict(duckdb.sql(f"select column_name, column_type from (describe from '{parquet}')").fetchall())
assert (types["stream"], types["pts_ns"], types["left"], types["fresh"]) == ("VARCHAR", "BIGINT", "FLOAT", "BOOLEAN"), types
query = "select count(*), sum(track), max(pts_ns), count(utc), round(sum(positive), 3), min(attitude) from '{}'"
one, other = (duckdb.sql(query.format(path)).fetchall()[0] for path in (parquet, csv))
assert [str(value) for value in one] == [str(value) for value in other], (one, other)
"#;

#[test]
fn pandas_and_duckdb_read_the_same_from_parquet_and_csv() {
    let Some(python) = python_with(&["duckdb", "pandas", "pyarrow"]) else {
        return;
    };
    let bench = Bench::new();
    bench.clip("talk.mp4");
    bench.analyze(&["talk.mp4", "--samples-per-second", "0"]);
    let output = Command::new(python)
        .args(["-c", COMPARE])
        .arg(bench.path("out/talk"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Returns the maximum memory of a run, in KiB.
fn peak_kib(bench: &Bench, input: &str) -> u64 {
    let mut run = bench.start(&[input, "--samples-per-second", "0"]);
    let mut peak_kib = 0;
    while run.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", run.id()));
        let peak = status.unwrap_or_default();
        let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        peak_kib = peak_kib.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(10));
    }
    bench.end(run).assert_status(0);
    peak_kib
}

#[test]
fn memory_does_not_grow_with_the_recording() {
    let bench = Bench::new();
    bench.long_clip("short.mp4", 20).long_clip("long.mp4", 240);
    let (short, long) = (peak_kib(&bench, "short.mp4"), peak_kib(&bench, "long.mp4"));
    println!("{short} KiB, {long} KiB");
    // 32 bytes a sample in the summary, a group of rows, and the container's index.
    assert!(long < short + 16 * 1024, "{short} KiB, {long} KiB");
}

// SPDX-License-Identifier: MPL-2.0

//! The example of a study, from its recordings to the figures.

use super::*;

#[test]
fn known_effects_are_found_and_known_nulls_are_not() {
    let bench = Bench::new();
    let make = project("pipelines/study/make_study.py");
    succeed(Command::new(make).arg(bench.path("made")));
    let output = bench.study(&["made/study.toml", "-o", "results"]);
    assert!(output.status.success(), "{}", problem(&output));
    assert!(problem(&output).contains("12 recordings of 12 participants in 2 conditions"));

    let comparisons = bench.table("results/comparisons.csv");
    let compared = |event: &str| {
        let values = [("aligned_to", event), ("measure", "valence")];
        row(&comparisons, &values)
    };
    let feedback = compared("feedback");
    assert_eq!(
        (feedback["first"].as_str(), feedback["design"].as_str()),
        ("praised", "between")
    );
    assert!(number(feedback, "difference") > 0.5, "{feedback:?}");
    assert!(number(feedback, "low") > 0.3 && number(feedback, "hedges_g") > 2.0);
    assert!(number(feedback, "p_holm") < 0.05);
    let question = compared("question");
    assert!(
        number(question, "low") < 0.0 && number(question, "high") > 0.0,
        "{question:?}"
    );
    assert!(number(question, "p_holm") > 0.05);

    let conditions = bench.table("results/conditions.csv");
    let change = |condition: &str| {
        let values = [
            ("aligned_to", "feedback"),
            ("condition", condition),
            ("measure", "valence"),
        ];
        number(row(&conditions, &values), "mean")
    };
    assert!(change("praised") > 0.25 && change("criticized") < -0.25);

    // A second run analyzes nothing again, and gives the same.
    let tables = [
        "averages.csv",
        "comparisons.csv",
        "methods.txt",
        "study.html",
    ];
    let before = tables.map(|name| bench.read(&format!("results/{name}")));
    let again = bench.study(&["made/study.toml", "-o", "results"]);
    assert!(
        again.status.success() && !problem(&again).contains("analyzing"),
        "{}",
        problem(&again)
    );
    assert_eq!(
        tables.map(|name| bench.read(&format!("results/{name}"))),
        before
    );

    let Some(python) = python_with(&["matplotlib", "pandas", "pyarrow"]) else {
        return;
    };
    let figures = project("pipelines/study/figures.py");
    succeed(
        Command::new(&python)
            .arg(figures)
            .arg(bench.path("results")),
    );
    let figure = std::fs::read(bench.path("results/figures.png")).unwrap();
    assert!(figure.starts_with(b"\x89PNG") && figure.len() > 10_000);
    succeed(
        Command::new(&python)
            .args(["-c", COMPARE_FORMATS])
            .arg(bench.path("results")),
    );
}

/// Checks that each table is the same as CSV and as Parquet, and in the codebook.
const COMPARE_FORMATS: &str = r#"
import pathlib, sys
import pandas

folder = pathlib.Path(sys.argv[1])
codebook = pandas.read_csv(folder / "codebook.csv")
tables = ["recordings", "events", "participants", "averages", "conditions", "comparisons"]
assert set(tables) < set(codebook["table"])
for name in tables:
    csv, parquet = pandas.read_csv(folder / f"{name}.csv"), pandas.read_parquet(folder / f"{name}.parquet")
    assert len(csv) > 0, name
    pandas.testing.assert_frame_equal(csv, parquet, check_dtype=False)
    assert list(codebook[codebook["table"] == name]["column"]) == list(csv.columns), name
"#;

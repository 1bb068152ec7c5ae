# SPDX-License-Identifier: MPL-2.0
"""Tests of the installed Python package; tests/wheel.sh runs them in environments without other packages.

The working directory contains interview.mp4, in which an average face is neutral, positive and negative for two seconds
each. The environment variable SOURCES has the folder src/python.
"""

import contextlib
import doctest
import gc
import importlib.metadata
import io
import itertools
import os
import pathlib
import re
import subprocess
import sys
import typing
import unittest
from unittest import mock

import gst_attitude
from gst_attitude import analysis, environment

CLIP = "interview.mp4"
# Options that the function sets, or that are not for one recording.
OTHER_OPTIONS = {"collect", "destination", "help", "jobs", "json", "log", "name", "origin", "output", "plan", "quiet"}
OTHER_OPTIONS |= {"verbose", "version"}


def run(*command: str | os.PathLike[str], **options: typing.Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class Function(unittest.TestCase):
    def test_a_recording_becomes_a_data_frame(self) -> None:
        faces = gst_attitude.analyze(CLIP).to_pandas()
        self.assertGreater(len(faces), 20)
        self.assertEqual(set(faces["track"]), {1})
        seen = [label for label, _ in itertools.groupby(faces["attitude"]) if label != "unknown"]
        self.assertEqual(seen, ["neutral", "positive", "negative"])

    def test_polars_and_pandas_read_the_same_table(self) -> None:
        results = gst_attitude.analyze(CLIP, to="1")
        pandas, polars = results.to_pandas(), results.to_polars()
        self.assertEqual(polars.columns, list(pandas.columns))
        self.assertEqual(polars["confidence"].to_list(), pandas["confidence"].to_list())

    def test_results_stay_in_a_chosen_folder(self) -> None:
        results = gst_attitude.analyze(CLIP, "results", formats=["segments.csv"], annotate=False, max_faces=2)
        self.assertEqual(results.folder, pathlib.Path("results/interview"))
        self.assertEqual(results.summary["analysis"]["max_faces"], 2)
        files = {path.name for path in results.folder.iterdir()}
        self.assertEqual(files, {"faces.parquet", "report.html", "segments.csv", "summary.json"})
        self.assertTrue(results.report.is_file())
        again = gst_attitude.analyze(CLIP, "results", formats=["segments.csv"], max_faces=2)
        self.assertEqual(again, results)

    def test_a_temporary_folder_is_deleted_with_the_results(self) -> None:
        results = gst_attitude.analyze(CLIP, to="1")
        folder = results.folder
        self.assertTrue(folder.is_dir())
        del results
        gc.collect()
        self.assertFalse(folder.exists())

    def test_a_damaged_recording_keeps_what_could_be_read(self) -> None:
        whole = pathlib.Path(CLIP).with_suffix(".mkv").read_bytes()
        pathlib.Path("cut.mkv").write_bytes(whole[: len(whole) // 2])
        results = gst_attitude.analyze("cut.mkv")
        self.assertIn("cut off", results.damage or "")
        self.assertGreater(len(results.to_pandas()), 3)

    def test_what_cannot_be_analyzed_is_an_error_with_its_reason(self) -> None:
        pathlib.Path("notes.mp4").write_text("no video", encoding="utf-8")
        with self.assertRaisesRegex(gst_attitude.AnalysisError, "notes.mp4: it is not a recording"):
            gst_attitude.analyze("notes.mp4")
        with self.assertRaisesRegex(FileNotFoundError, "lost.mp4"):
            gst_attitude.analyze("lost.mp4")
        with self.assertRaisesRegex(IsADirectoryError, "python -m gst_attitude"):
            gst_attitude.analyze(".")

    def test_a_wrong_option_is_an_error_that_names_it(self) -> None:
        with self.assertRaisesRegex(gst_attitude.AnalysisError, "--max-faces"):
            gst_attitude.analyze(CLIP, max_faces=-3)
        with self.assertRaisesRegex(gst_attitude.AnalysisError, "--sample-rate"):
            gst_attitude.analyze(CLIP, sample_rate="1s")  # type: ignore[call-arg]

    def test_options_are_those_of_the_program(self) -> None:
        help_text = run(sys.executable, "-m", "gst_attitude", "analyze", "--help").stdout
        options = set(re.findall(r"^\s+(?:-\w, )?--([a-z-]+)", help_text, re.MULTILINE)) - OTHER_OPTIONS
        self.assertEqual({name.replace("_", "-") for name in gst_attitude.Options.__annotations__}, options)

    def test_examples_in_docstrings_work(self) -> None:
        for module in (gst_attitude, analysis, environment):
            with mock.patch.dict(os.environ):
                failures, attempts = doctest.testmod(module)
            self.assertEqual(failures, 0)
            self.assertGreater(attempts, 0)

    def test_examples_in_the_readme_work(self) -> None:
        text = pathlib.Path(os.environ["SOURCES"], "README.md").read_text(encoding="utf-8")
        examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        self.assertTrue(examples)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            for example in examples:
                exec(example, {})
        self.assertIn("neutral", output.getvalue())


class Program(unittest.TestCase):
    def test_module_and_console_script_run_the_program(self) -> None:
        script = pathlib.Path(sys.executable).with_name("gst-attitude")
        version = f"gst-attitude {importlib.metadata.version('gst-attitude')}"
        for command in ([sys.executable, "-m", "gst_attitude"], [script]):
            self.assertEqual(run(*command, "--version").stdout.strip(), version)
            self.assertEqual(run(*command, "analyze").returncode, 2)

    def test_records_are_those_of_the_build_that_was_packed(self) -> None:
        built = os.environ.get("BUILT_PROGRAM")
        if not built:
            self.skipTest("BUILT_PROGRAM is not set")
        run(sys.executable, "-m", "gst_attitude", "analyze", CLIP, "-o", "packed").check_returncode()
        run(built, "analyze", CLIP, "-o", "built", env=environment.program_environment()).check_returncode()
        packed, expected = (pathlib.Path(folder, "interview", "records.jsonl") for folder in ("packed", "built"))
        self.assertEqual(packed.read_bytes(), expected.read_bytes())


class Environment(unittest.TestCase):
    def test_onnxruntime_is_found_without_importing_it(self) -> None:
        code = "import sys, gst_attitude; gst_attitude.plugin_environment(); sys.exit('onnxruntime' in sys.modules)"
        self.assertEqual(run(sys.executable, "-c", code).returncode, 0)
        library = pathlib.Path(gst_attitude.plugin_environment()["ORT_DYLIB_PATH"])
        self.assertTrue(library.is_relative_to(sys.prefix), library)
        with mock.patch.dict(os.environ, ORT_DYLIB_PATH="/opt/libonnxruntime.so"):
            self.assertEqual(gst_attitude.plugin_environment()["ORT_DYLIB_PATH"], "/opt/libonnxruntime.so")

    def test_plugins_of_the_user_are_kept(self) -> None:
        with mock.patch.dict(os.environ, GST_PLUGIN_PATH="/opt/plugins"):
            once = gst_attitude.plugin_environment()["GST_PLUGIN_PATH"]
        self.assertEqual(once, f"{environment.PLUGIN_FOLDER}:/opt/plugins")
        with mock.patch.dict(os.environ, GST_PLUGIN_PATH=once):
            self.assertEqual(gst_attitude.plugin_environment()["GST_PLUGIN_PATH"], once)

    def test_gstreamers_tools_find_the_plugin(self) -> None:
        settings = f'eval "$({sys.executable} -m gst_attitude.environment)"'
        pipeline = "filesrc location=interview.mp4 ! decodebin ! videoconvert ! faceattitude ! attitudeexport ! fdsink"
        result = run("sh", "-c", f"{settings} && gst-launch-1.0 --quiet {pipeline}")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('"attitude":"positive"', result.stdout)

    def test_a_missing_library_is_an_error_with_the_command_that_installs_it(self) -> None:
        with (
            mock.patch.object(environment, "_LIBRARIES", ("libgstlost-1.0.so.0",)),
            self.assertRaisesRegex(gst_attitude.GStreamerError, r"libgstlost-1\.0\.so\.0.*apt-get install"),
        ):
            gst_attitude.analyze(CLIP)

    def test_all_libraries_of_gstreamer_that_are_linked_are_checked_or_come_with_those(self) -> None:
        linked = run("ldd", environment.PROGRAM).stdout
        self.assertNotIn("not found", linked)
        checked = [name for name in environment._LIBRARIES if name in linked]
        self.assertEqual(checked, list(environment._LIBRARIES))


if __name__ == "__main__":
    unittest.main(verbosity=2)

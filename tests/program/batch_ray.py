#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Tests `pipelines/batch_ray.py` on a cluster with the recordings in the folder `in`, which batch_ray.rs creates.

tests/program/batch_ray.py GST_ATTITUDE OPTION...
"""

import contextlib
import csv
import glob
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import duckdb
import pandas
from moto.server import ThreadedMotoServer
from pyarrow import fs

BATCH_RAY = pathlib.Path(__file__).parents[2] / "pipelines/batch_ray.py"
TIMEOUT_S = 180
# The program crashes on one recording while this file exists.
POISON = "poisoned"
PROGRAM = """#!/bin/sh
case "$*" in *poison.mp4*) [ ! -e {poison} ] || kill -SEGV $$ ;; esac
exec {program} "$@"
"""

program, *options = sys.argv[1:]
options += ["--samples-per-second", "0"]


def wait_for(condition):
    """Waits until the condition is true. Returns its value."""
    end = time.monotonic() + TIMEOUT_S
    while not (value := condition()):
        assert time.monotonic() < end, "timeout"
        time.sleep(0.005)
    return value


def analyze_locally(output, *arguments):
    subprocess.run([program, "analyze", *options, "--quiet", "--output", output, *arguments], check=False)


def start(output, *inputs):
    command = [sys.executable, BATCH_RAY, "--json", "--retries", "2", "--program", "./program", "-o", output, *inputs]
    return subprocess.Popen([*command, "--address", cluster.address, "--", *options], stdout=subprocess.PIPE)


def end(run, status):
    """Waits for the end of a run. Returns its summary."""
    summary, _ = run.communicate(timeout=TIMEOUT_S)
    assert run.returncode == status, run.returncode
    return json.loads(summary) if summary else None


def parent(process):
    stat = pathlib.Path(f"/proc/{process}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def catch(name):
    """Suspends the program while it analyzes a recording. Returns its process id."""

    def find():
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().split(b"\0")
                if words[0] == program.encode() and name.encode() in words:
                    output = os.fsdecode(words[words.index(b"--output") + 1])
                    if os.path.exists(f"{output}/.partial-{name}/records.jsonl"):
                        return int(path.parent.name)

    process = wait_for(find)
    os.kill(process, signal.SIGSTOP)
    return process


def is_gone(process):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def kill_worker(process):
    os.kill(parent(process), signal.SIGKILL)
    wait_for(lambda: is_gone(process))


def remove_node(process):
    raylet = parent(parent(process))
    nodes = {node.all_processes["raylet"][0].process.pid: node for node in cluster.worker_nodes}
    cluster.remove_node(nodes[raylet], allow_graceful=False)
    wait_for(lambda: is_gone(process))


def files(folder):
    """Returns the content of all files except the data set and the lock."""
    paths = [path for path in pathlib.Path(folder).rglob("*") if path.is_file() and path.name != ".gst-attitude.lock"]
    names = {str(path.relative_to(folder)): path for path in paths}
    return {name: path.read_bytes() for name, path in names.items() if not name.startswith("faces.parquet/")}


def assert_same(one, other, but=()):
    one, other = (
        {name: data for name, data in files.items() if name.split("/")[0] not in but} for files in (one, other)
    )
    assert one.keys() == other.keys(), one.keys() ^ other.keys()
    different = [name for name in one if one[name] != other[name]]
    assert not different, different


def table(folder):
    with open(f"{folder}/summary.csv") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def lost_attempts_do_not_change_results():
    analyze_locally("one", "in")
    pathlib.Path(POISON).touch()
    run = start("many", "in")
    first, second = catch("long1"), catch("long2")
    kill_worker(first)
    remove_node(second)
    summary = end(run, 1)
    assert [failed["input"] for failed in summary["failed"]] == ["in/poison.mp4", "in/text.mp4"], summary
    assert "SIGSEGV" in summary["failed"][0]["reason"], summary
    assert summary["lost_attempts"] == 1 + 1 + 3, summary
    one, many = table("one"), table("many")
    assert many.pop("poison")["status"] == "failed" and one.pop("poison")["status"] == "done"
    assert one == many
    assert_same(files("one"), files("many"), but=["index.html", "summary.csv", "poison"])


def a_second_run_resumes_the_first():
    os.remove(POISON)
    summary = end(start("many", "in"), 1)
    assert (summary["done_before"], summary["analyzed"], len(summary["failed"])) == (5, 1, 1), summary
    assert_same(files("one"), files("many"))
    names = {name for name, row in table("one").items() if row["status"] == "done"}
    assert set(pandas.read_parquet("many/faces.parquet").stream) == names
    rows = duckdb.sql("select count(*) from 'many/faces.parquet/*.parquet'").fetchall()
    assert rows == [(sum(int(row["faces"] or 0) for row in table("one").values()),)]


def a_stopped_run_leaves_no_partial_results():
    run = start("stopped", "in/long1.mp4")
    process = catch("long1")
    run.kill()
    wait_for(lambda: is_gone(process))
    run = start("stopped", "in/long1.mp4")
    process = catch("long1")
    run.send_signal(signal.SIGINT)
    assert end(run, 130) is None
    assert is_gone(process)
    assert files("stopped") == {}


def results_in_buckets_are_the_same():
    bucket, _ = fs.FileSystem.from_uri("s3://bucket?allow_bucket_creation=true")
    bucket.create_dir("bucket")
    names = ["a.mp4", "a.mkv", "day one/ü.mp4", "long1.mp4", "text.mp4"]
    local = fs.LocalFileSystem()
    for name in names:
        fs.copy_files(f"in/{name}", f"bucket/in/{name}", source_filesystem=local, destination_filesystem=bucket)
        copy = pathlib.Path("copy/bucket/in", name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(pathlib.Path("in", name).read_bytes())
        os.utime(copy, ns=(0, bucket.get_file_info(f"bucket/in/{name}").mtime_ns))
    analyze_locally("one_s3", "copy/bucket/in", "--origin", "copy", "s3://")
    run = start("s3://bucket/out", "s3://bucket/in")
    kill_worker(catch("long1"))
    summary = end(run, 1)
    assert [failed["input"] for failed in summary["failed"]] == ["s3://bucket/in/text.mp4"], summary
    assert summary["lost_attempts"] == 1, summary
    # Results in the input folder are not taken for recordings.
    summary = end(start("s3://bucket/out", "s3://bucket"), 1)
    assert (summary["recordings"], summary["done_before"]) == (5, 4), summary
    fs.copy_files("bucket/out", "many_s3", source_filesystem=bucket, destination_filesystem=local)
    assert_same(files("one_s3"), files("many_s3"))
    assert len(set(pandas.read_parquet("bucket/out/faces.parquet", filesystem=bucket).stream)) == 4
    assert not glob.glob(f"{tempfile.gettempdir()}/gst-attitude-ray-*")


def invalid_arguments_are_reported():
    for arguments, status in [(["lost.mp4"], 2), (["s3://bucket/lost"], 2), (["in/a.mp4", "--cpus", "x"], 2)]:
        assert end(start("wrong", *arguments), status) is None


with open("program", "w") as file:
    file.write(PROGRAM.format(poison=os.path.abspath(POISON), program=program))
os.chmod("program", 0o755)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": "http://{}:{}".format(*server.get_host_and_port()),
    "RAY_USAGE_STATS_ENABLED": "0",
}
from ray.cluster_utils import Cluster  # noqa: E402 (reads the environment)

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
try:
    for _ in range(3):
        cluster.add_node(num_cpus=1)
    for case in [
        lost_attempts_do_not_change_results,
        a_second_run_resumes_the_first,
        a_stopped_run_leaves_no_partial_results,
        results_in_buckets_are_the_same,
        invalid_arguments_are_reported,
    ]:
        started = time.monotonic()
        case()
        print(f"{case.__name__}: {time.monotonic() - started:.0f} s", flush=True)
finally:
    cluster.shutdown()
    server.stop()

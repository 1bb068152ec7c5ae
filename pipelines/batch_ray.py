#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Runs `gst-attitude analyze` on a Ray cluster, with one task per recording.

    pipelines/batch_ray.py -o results interviews
    pipelines/batch_ray.py --address auto --cpus 4 -o /shared/results '/shared/day?/*.mp4' -- --annotate
    pipelines/batch_ray.py --gpus 0.25 -o s3://bucket/results s3://bucket/interviews

The options after `--` are passed to `gst-attitude analyze`; see its help. The results are byte-identical to those of a
single machine: one folder per recording, which appears when it is complete, summary.csv and index.html. At the end, the
data set `faces.parquet` is updated; it contains all recordings in OUTPUT, also those of earlier runs, and names the
recording in the column `stream`:

    duckdb.sql("select stream, count(*) from 'results/faces.parquet/*.parquet' group by stream")
    pandas.read_parquet("results/faces.parquet")

The data set is a flat folder with one file per recording: a new recording adds a file, and no file is rewritten.

If the program crashes, or a worker or a node is lost, the recording is retried up to --retries times. A recording that
cannot be read is not retried. One that stalls is ended by gst-attitude, after its option --stall-timeout; --timeout
limits an attempt that does not end for another reason. The other recordings continue, and failures are reported at the
end with their reasons. Running the same command again resumes an interrupted run. Without --address or RAY_ADDRESS, Ray
runs on this machine.

Files and folders must have the same path on all nodes, as on a shared file system. s3:// is accessed through pyarrow,
which takes AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and credentials from the environment of each node. Objects in an s3://
folder are recognized as recordings by their names, and each is copied to the TMPDIR of a node while it is analyzed.
Buckets cannot be locked: do not run two commands with the same s3:// OUTPUT at the same time.

The exit status is 0 on success, 1 if a recording failed or is damaged, 2 if the arguments are invalid, and 130 if the
run was stopped by Ctrl-C or SIGTERM.

Requires gst-attitude on each node (pipelines/setup.sh). The Python environments of this script and of the cluster need
the same versions of Ray and, for s3://, pyarrow.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

if TYPE_CHECKING:
    from pyarrow import fs

VENV = "~/.cache/gst-attitude/ray"
PACKAGES = "ray==2.60.0 pyarrow==26.0.1"
S3 = "s3://"
LOCK = ".gst-attitude.lock"
# `gst-attitude analyze` removes entries with the first prefix and restores those with the second.
PARTIAL = ".partial-"
REPLACED = ".replaced-"
SCRATCH = "gst-attitude-ray-"
SUMMARY = "summary.json"
TABLE = "faces.parquet"
MAX_TRANSFERS = 16

# A recording in the output of `gst-attitude analyze --plan`, or an event of `gst-attitude analyze --json`.
JsonObject = dict[str, Any]


class UsageError(Exception):
    """An error in the arguments or the names of recordings, which the user has to correct."""


def say(text: str) -> None:
    """Prints a message on stderr."""
    print(f"batch_ray: {text}", file=sys.stderr, flush=True)


def fingerprint(folder: str) -> str | None:
    """Returns the fingerprint of the results in a folder, or None if there are none."""
    try:
        with open(os.path.join(folder, SUMMARY)) as file:
            return json.load(file)["fingerprint"]
    except (OSError, ValueError, KeyError):
        return None


@contextlib.contextmanager
def locked(path: str, flags: int = os.O_RDONLY) -> Iterator[None]:
    """Locks a file or folder exclusively."""
    lock = os.open(path, flags)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    """Creates a temporary folder on this node, after removing those of killed processes."""
    parent = tempfile.gettempdir()
    for name in os.listdir(parent):
        if name.startswith(SCRATCH):
            with contextlib.suppress(OSError), locked(os.path.join(parent, name)):
                shutil.rmtree(os.path.join(parent, name))
    created = tempfile.mkdtemp()
    folder = os.path.join(parent, SCRATCH + os.path.basename(created))
    with locked(created):
        os.rename(created, folder)  # Visible to others only once it is locked.
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Folder:
    """Results in a folder that all nodes share."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)

    def known(self, _scratch: str) -> str:
        """Returns the output folder for `gst-attitude analyze`, with the existing results."""
        return self.path

    def destination(self) -> list[str]:
        """Returns the arguments for the final location of the results, to which links to recordings are relative."""
        return ["--destination", self.path]

    def keep_tables(self, _known: str) -> None:
        """Does nothing: the tables are in the folder already."""

    def attempt(self) -> AbstractContextManager[str]:
        """Creates a folder for one attempt, which is removed afterwards, or by the next run."""
        return tempfile.TemporaryDirectory(prefix=PARTIAL, dir=self.path, ignore_cleanup_errors=True)

    def has(self, recording: JsonObject) -> bool:
        """Returns true if the planned results exist."""
        return fingerprint(os.path.join(self.path, recording["name"])) == recording["fingerprint"]

    def put(self, results: str, recording: JsonObject, force: bool) -> None:
        """Moves results into the folder atomically; if another attempt was faster, its results are kept."""
        target = os.path.join(self.path, recording["name"])
        replaced = os.path.join(self.path, REPLACED + recording["name"])
        while True:
            try:
                os.rename(results, target)
                break
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            if self.has(recording) and not force:
                return
            shutil.rmtree(replaced, ignore_errors=True)
            os.rename(target, replaced)
        shutil.rmtree(replaced, ignore_errors=True)

    def update_data_set(self) -> None:
        """Updates the data set with hard links, or with copies on file systems without them."""
        data_set = os.path.join(self.path, TABLE)
        tables = {}
        for name in os.listdir(self.path):
            table = os.path.join(self.path, name, TABLE)
            if os.path.exists(table) and not name.startswith("."):
                tables[table_name(name)] = table
        if tables:
            os.makedirs(data_set, exist_ok=True)
        for name in os.listdir(data_set) if os.path.isdir(data_set) else []:
            if is_table(name) and name not in tables:
                os.remove(os.path.join(data_set, name))
        for name, table in tables.items():
            target, hidden = os.path.join(data_set, name), os.path.join(data_set, PARTIAL + name)
            if os.path.exists(target) and size_and_time(target) == size_and_time(table):
                continue
            with contextlib.suppress(FileNotFoundError):
                os.remove(hidden)
            try:
                os.link(table, hidden)
            except OSError:
                shutil.copy2(table, hidden)
            os.replace(hidden, target)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Locks the folder against other runs."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(os.path.join(self.path, LOCK), os.O_RDWR))
            except BlockingIOError:
                sys.exit(f"batch_ray: {self.path} is in use by another run; wait for it, or use another folder")
            except OSError as error:  # Some network file systems do not support locks.
                say(f"cannot lock {self.path} ({error}); make sure that no other run writes to this folder")
            yield

    def clear(self) -> None:
        """Removes the folders of killed attempts."""
        for name in os.listdir(self.path) if os.path.isdir(self.path) else []:
            if name.startswith(PARTIAL):
                shutil.rmtree(os.path.join(self.path, name), ignore_errors=True)


class Bucket:
    """Results in an S3 bucket; those of a recording are complete when summary.json exists, which is written last."""

    def __init__(self, uri: str) -> None:
        self.path = s3_path(uri)

    def files(self) -> dict[str, fs.FileInfo]:
        """Returns all files by their paths relative to OUTPUT."""
        from pyarrow import fs

        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        found = s3(self.path).get_file_info(selector)
        return {info.path[len(self.path) + 1 :]: info for info in found if info.type == fs.FileType.File}

    def known(self, scratch: str) -> str:
        """Creates a folder with the summaries of all existing results."""
        known = os.path.join(scratch, "results")
        os.mkdir(known)
        bucket = s3(self.path)
        with ThreadPoolExecutor(MAX_TRANSFERS) as threads:
            summaries = [f"{name}/{SUMMARY}" for name in with_results(self.files())]
            list(threads.map(lambda name: fetch(bucket, f"{self.path}/{name}", os.path.join(known, name)), summaries))
        return known

    def destination(self) -> list[str]:
        """Returns the arguments for the final location of the results; links to recordings do not work from there."""
        return ["--destination", S3 + self.path]

    def keep_tables(self, known: str) -> None:
        """Uploads the tables of the run."""
        for entry in os.scandir(known):
            if entry.is_file() and not entry.name.startswith("."):
                upload(s3(self.path), entry.path, f"{self.path}/{entry.name}")

    def attempt(self) -> AbstractContextManager[str]:
        """Creates a temporary folder on this node for one attempt."""
        return scratch()

    def has(self, recording: JsonObject) -> bool:
        """Returns true if the planned results exist."""
        try:
            with s3(self.path).open_input_stream(f"{self.path}/{recording['name']}/{SUMMARY}") as file:
                return json.load(file)["fingerprint"] == recording["fingerprint"]
        except FileNotFoundError:
            return False

    def put(self, results: str, recording: JsonObject, force: bool) -> None:
        """Uploads results; attempts that do so at the same time write the same bytes."""
        from pyarrow import fs

        if self.has(recording) and not force:
            return
        bucket, target = s3(self.path), f"{self.path}/{recording['name']}"
        names = sorted(os.listdir(results), key=lambda name: name == SUMMARY)
        old = bucket.get_file_info(fs.FileSelector(target, allow_not_found=True))
        for info in sorted(old, key=lambda info: info.base_name != SUMMARY):
            if info.base_name == SUMMARY or info.base_name not in names:
                bucket.delete_file(info.path)
        for name in names:
            upload(bucket, os.path.join(results, name), f"{target}/{name}")

    def update_data_set(self) -> None:
        """Updates the data set with copies that are made within the bucket."""
        bucket, files = s3(self.path), self.files()
        tables = {f"{TABLE}/{table_name(name)}": files.get(f"{name}/{TABLE}") for name in with_results(files)}
        for name in files:
            folder, _, file = name.rpartition("/")
            if folder == TABLE and is_table(file) and not tables.get(name):
                bucket.delete_file(f"{self.path}/{name}")

        def copy(name: str, table: fs.FileInfo | None) -> None:
            existing = files.get(name)
            if table and (not existing or existing.size != table.size or existing.mtime < table.mtime):
                bucket.copy_file(table.path, f"{self.path}/{name}")

        with ThreadPoolExecutor(MAX_TRANSFERS) as threads:
            list(threads.map(copy, tables, tables.values()))

    def exclusive(self) -> AbstractContextManager[None]:
        """Does nothing: buckets cannot be locked."""
        return contextlib.nullcontext()

    def clear(self) -> None:
        """Does nothing: the files of killed attempts are on the nodes, and removed there."""


def size_and_time(path: str) -> tuple[int, int]:
    """Returns what a file has in common with its links and copies."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def table_name(recording: str) -> str:
    """Returns the name of a table in the data set; without a prefix, readers would ignore names that start with `_`."""
    return f"faces-{recording}.parquet"


def is_table(name: str) -> bool:
    """Returns true if a file of the data set is the table of a recording."""
    return name.startswith("faces-") and name.endswith(".parquet")


def with_results(files: Iterable[str]) -> list[str]:
    """Returns the folders with results among these paths."""
    return [name.split("/")[0] for name in files if name.count("/") == 1 and name.endswith("/" + SUMMARY)]


def s3_path(uri: str) -> str:
    """Returns the bucket and key of a URI as a path of pyarrow."""
    return uri[len(S3) :].strip("/")


def s3(path: str) -> fs.FileSystem:
    """Returns the file system with the bucket of a path."""
    from pyarrow import fs

    return fs.FileSystem.from_uri(S3 + path.split("/", maxsplit=1)[0])[0]


def fetch(bucket: fs.FileSystem, path: str, file: str) -> None:
    """Copies an object to a file with the same modification time."""
    from pyarrow import fs

    info = bucket.get_file_info(path)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    fs.copy_files(path, file, source_filesystem=bucket, destination_filesystem=fs.LocalFileSystem())
    set_time(file, info)


def upload(bucket: fs.FileSystem, file: str, path: str) -> None:
    """Copies a file to an object."""
    from pyarrow import fs

    fs.copy_files(file, path, source_filesystem=fs.LocalFileSystem(), destination_filesystem=bucket)


def state(path: str) -> tuple[fs.FileType, int, int]:
    """Returns what changes when an object is overwritten."""
    info = s3(path).get_file_info(path)
    return info.type, info.size, info.mtime_ns


def set_time(file: str, info: fs.FileInfo) -> None:
    """Sets the modification time of an object in whole seconds: some servers report fractions only in listings."""
    time_ns = info.mtime_ns // 10**9 * 10**9
    os.utime(file, ns=(time_ns, time_ns))


def create_placeholders(uri: str, folder: str, excluded: str) -> str:
    """Creates files in `folder` with the names, sizes and times of the objects at `uri`, without their content.

    Skips the objects in the folder `excluded`. Returns the path of the placeholder for `uri`.
    """
    from pyarrow import fs

    path = s3_path(uri)
    found = s3(path).get_file_info(path)
    if found.type == fs.FileType.NotFound:
        raise UsageError(f"{uri}: no such object or folder")
    is_folder = found.type == fs.FileType.Directory
    if is_folder:
        os.makedirs(os.path.join(folder, path), exist_ok=True)
    for info in s3(path).get_file_info(fs.FileSelector(path, recursive=True)) if is_folder else [found]:
        if info.type != fs.FileType.File or info.path.startswith(f"{excluded}/"):
            continue
        file = os.path.join(folder, info.path)
        if os.path.normpath(file) != file:
            raise UsageError(f"{S3}{info.path}: not a valid file name; rename the object")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as empty:
            empty.truncate(info.size)
        set_time(file, info)
    return os.path.join(folder, path)


class Job:
    """Parameters of a run, which are passed to each task."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.program = os.path.abspath(arguments.program) if "/" in arguments.program else arguments.program
        self.options = list(arguments.options)
        self.inputs = arguments.inputs
        self.timeout = arguments.timeout
        self.folder = os.getcwd()
        is_bucket = arguments.output.startswith(S3)
        self.results = Bucket(arguments.output) if is_bucket else Folder(arguments.output)
        self.force = "--force" in self.options
        has_provider = any(option.split("=")[0] == "--execution-provider" for option in self.options)
        if arguments.gpus and not has_provider:
            self.options += ["--execution-provider", "cuda"]

    def call(
        self, output: str, *arguments: str, inputs: list[str], timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs `gst-attitude analyze`, which is killed when this process ends."""
        command = ["setpriv", "--pdeathsig", "KILL", self.program, "analyze", "--json", "--quiet", *self.options]
        return subprocess.run(
            [*command, "--output", output, *arguments, "--", *inputs],
            cwd=self.folder if os.path.isdir(self.folder) else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )

    def call_for_all(self, scratch: str, *arguments: str) -> tuple[str, subprocess.CompletedProcess[str]]:
        """Runs `gst-attitude analyze` with all inputs and their existing results."""
        known = self.results.known(scratch)
        copies = os.path.join(scratch, "recordings")
        inputs = [
            create_placeholders(uri, copies, self.results.path) if uri.startswith(S3) else uri for uri in self.inputs
        ]
        origin = ["--origin", copies, S3] if inputs != self.inputs else []
        return known, self.call(known, *arguments, *origin, inputs=inputs)


def events(run: subprocess.CompletedProcess[str]) -> Iterator[JsonObject]:
    """Yields the events that the program printed; the last line may be incomplete."""
    for line in run.stdout.splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def last_line(run: subprocess.CompletedProcess[str]) -> str:
    """Returns the last line that the program printed on stderr, which is its error."""
    lines = run.stderr.strip().splitlines() or [f"gst-attitude ended with status {run.returncode}"]
    return lines[-1].removeprefix("Error: ")


def plan(job: Job) -> tuple[int, str, list[JsonObject]]:
    """Plans the run, as a task: on a node that can run the same networks as the nodes that analyze.

    Returns the exit status and the messages of the program, and the recordings.
    """
    if not shutil.which(job.program):
        problem = f"cannot find {job.program} on node {socket.gethostname()}"
        return 1, f"batch_ray: {problem}; run pipelines/setup.sh there, or set --program\n", []
    try:
        with scratch() as folder:
            _, run = job.call_for_all(folder, "--plan")
    except UsageError as error:
        return 2, f"batch_ray: {error}\n", []
    return run.returncode, run.stderr, list(events(run))


def analyze(job: Job, recording: JsonObject) -> JsonObject:
    """Makes one attempt to analyze a recording, as a task. Returns the last event."""
    # The worker of an earlier attempt may have died after storing the results.
    if job.results.has(recording) and not job.force:
        return {"event": "done"}
    uri, origin = recording["uri"], []
    with job.results.attempt() as folder, contextlib.ExitStack() as stack:
        if uri.startswith(S3):
            path = urllib.parse.unquote(s3_path(uri))
            copies = stack.enter_context(scratch())
            uri = os.path.join(copies, path)
            origin = ["--origin", copies, S3]
            before = state(path)
            fetch(s3(path), path, uri)
        try:
            named = ["--name", recording["name"], *job.results.destination()]
            run = job.call(folder, *named, *origin, inputs=[uri], timeout=job.timeout)
        except subprocess.TimeoutExpired:
            return {"event": "lost", "reason": f"not finished within {job.timeout:g} s"}
        if run.returncode < 0:
            return {"event": "lost", "reason": f"gst-attitude was killed by {signal.Signals(-run.returncode).name}"}
        ends = [event for event in events(run) if event["event"] in ("done", "failed")]
        if not ends:
            return {"event": "lost", "reason": last_line(run)}
        end = {**ends[-1], "node": socket.gethostname()}
        if end["event"] == "failed":
            return end
        results = os.path.join(folder, recording["name"])
        if origin and state(path) != before:
            return {"event": "failed", "reason": "changed during the analysis; run again when it is complete"}
        if fingerprint(results) != recording["fingerprint"]:
            reason = (
                f"changed after planning, or gst-attitude or a model on node {end['node']} differs from other nodes"
            )
            return {"event": "failed", "reason": reason}
        job.results.put(results, recording, job.force)
        return end


def collect(job: Job, outcomes: list[JsonObject]) -> tuple[int, str, list[JsonObject]]:
    """Writes the tables of the run and updates the data set, as a task after all recordings.

    Returns the exit status, the messages and the events of the program.
    """
    with scratch() as folder:
        file = os.path.join(folder, "outcomes")
        with open(file, "w") as lines:
            lines.writelines(json.dumps(outcome) + "\n" for outcome in outcomes)
        known, run = job.call_for_all(folder, "--collect", file)
        job.results.keep_tables(known)
        job.results.update_data_set()
    return run.returncode, run.stderr, list(events(run))


def reason_of(error: Exception) -> str:
    """Returns the first sentence of a Ray error, or the exception that a task raised."""
    cause = getattr(error, "cause", None)
    text = f"{type(cause).__name__}: {cause}" if cause else str(error)
    return text.strip().split(". ")[0].splitlines()[0]


def spread(task: Any, job: Any, recordings: list[JsonObject], retries: int) -> tuple[list[JsonObject], int]:
    """Analyzes all recordings. Returns the outcome of each and the number of lost attempts.

    Args:
        task: remote function `analyze`
        job: reference to the `Job` in Ray's object store
        recordings: the recordings without results
        retries: maximum number of retries of a recording after a lost attempt
    """
    import ray

    outcomes = []
    lost = 0
    running = {task.remote(job, recording): (recording, 1) for recording in recordings}
    while running:
        # Python drops an exception of a handler that it calls during a callback of Ray.
        if is_stopped.is_set():
            raise KeyboardInterrupt
        ready, _ = ray.wait(list(running), num_returns=len(running), timeout=1)
        for reference in ready:
            recording, number = running.pop(reference)
            name = recording["input"]
            try:
                end = ray.get(reference)
            except ray.exceptions.RayError as error:
                end = {"event": "lost", "reason": reason_of(error)}
            if end["event"] == "lost":
                lost += 1
                say(f"{name}: attempt {number} was lost: {end['reason']}")
                if number <= retries:
                    running[task.remote(job, recording)] = recording, number + 1
                    continue
                end["reason"] += f" (attempt {number})"
            outcomes.append({"uri": recording["uri"], "reason": end.get("reason"), "code": end.get("code")})
            count = f"[{len(outcomes)}/{len(recordings)}] {name}"
            if end.get("reason"):
                say(f"{count}: {end['reason']}")
            elif "samples" in end:
                details = f"{end['faces']} faces in {end['samples']} samples; {end['seconds']:.0f} s on {end['node']}"
                say(f"{count}: {details}")
            else:
                say(f"{count}: done")
    return outcomes, lost


def run(job: Job, arguments: argparse.Namespace, output: TextIO) -> NoReturn:
    """Plans the run, spreads the recordings over the cluster, collects the results and exits."""
    import ray

    started = time.monotonic()
    required = {"CPU": arguments.cpus, "GPU": arguments.gpus}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(all(node.get(name, 0) >= amount for name, amount in required.items()) for node in nodes):
        say(f"no node has {arguments.cpus:g} cores and {arguments.gpus:g} GPUs as required per recording; waiting")
    remote = ray.remote(num_cpus=arguments.cpus, num_gpus=arguments.gpus)
    shared = ray.put(job)
    status, problems, recordings = ray.get(remote(plan).remote(shared))
    if status != 0:
        sys.stderr.write(problems)
        sys.exit(2 if status == 2 else 1)
    if any(recording["name"] == TABLE for recording in recordings):
        raise UsageError(f"the folder of a recording would be {TABLE}, the name of the data set; rename the recording")
    pending = [recording for recording in recordings if not recording["done"]]
    say(f"{len(recordings)} recordings, {len(recordings) - len(pending)} skipped because their results are up to date")
    with job.results.exclusive():
        outcomes, lost = spread(remote(analyze).options(max_retries=0), shared, pending, arguments.retries)
    outcomes += [{"uri": recording["uri"]} for recording in recordings if recording["done"]]
    status, problems, reported = ray.get(remote(collect).remote(shared, outcomes))
    sys.stderr.write(problems)
    failed = [event for event in reported if event["event"] == "failed"]
    damaged = [event for event in reported if event.get("damage")]
    seconds = time.monotonic() - started
    analyzed = sum(not outcome.get("reason") for outcome in outcomes[: len(pending)])
    say(f"{analyzed} analyzed, {len(failed)} failed, {len(damaged)} damaged, {lost} attempts lost; {seconds:.0f} s")
    if arguments.json:
        summary = {
            "recordings": len(recordings),
            "analyzed": analyzed,
            "done_before": len(recordings) - len(pending),
            "failed": [{"input": event["input"], "reason": event["reason"]} for event in failed],
            "damaged": [{"input": event["input"], "reason": event["damage"]} for event in damaged],
            "lost_attempts": lost,
            "seconds": round(seconds, 1),
        }
        print(json.dumps(summary), file=output, flush=True)
    sys.exit(0 if status == 0 else 1)


def parse() -> argparse.Namespace:
    """Parses the command line; `options` are those after `--`."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [options] -o OUTPUT INPUT... [-- OPTION...]",
    )
    add = parser.add_argument
    add(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file, folder, pattern, http:// URL, or s3:// object or folder",
    )
    add("-o", "--output", required=True, help="folder for the results, or s3://")
    add("--cpus", type=float, default=1, help="cores per recording (default: 1)")
    add("--gpus", type=float, default=0, help="GPUs per recording, such as 0.25; implies --execution-provider cuda")
    add("--retries", type=int, default=3, help="maximum number of retries after a lost attempt (default: 3)")
    add("--timeout", type=float, metavar="SECONDS", help="maximum duration of an attempt")
    add("--address", help="address of the cluster, as for ray.init")
    add("--program", default="gst-attitude", help="path of gst-attitude on the nodes (default: gst-attitude)")
    add("--json", action="store_true", help="print a summary of the run as a JSON object on stdout")
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, options = arguments[:split], arguments[split + 1 :]
    return parser.parse_args(arguments, argparse.Namespace(options=options))


is_stopped = threading.Event()


def stop(*_: Any) -> NoReturn:
    """Handles Ctrl-C and SIGTERM."""
    is_stopped.set()
    raise KeyboardInterrupt


def main() -> None:
    arguments = parse()
    needed = "ray, pyarrow" if any(path.startswith(S3) for path in [*arguments.inputs, arguments.output]) else "ray"
    try:
        for name in needed.split(", "):
            __import__(name)
    except ImportError as error:
        sys.exit(
            f"batch_ray: this Python has no {error.name}; create an environment with it:\n"
            f"    python3 -m venv {VENV} && {VENV}/bin/pip install {PACKAGES}\n    {VENV}/bin/python {sys.argv[0]} ..."
        )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    job = Job(arguments)
    try:
        # Ray reports lost nodes on stdout, even after the end: redirect that to stderr.
        output = os.fdopen(os.dup(sys.stdout.fileno()), "w")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        ray.init(address=arguments.address, log_to_driver=False, logging_level="ERROR")
        run(job, arguments, output)
    except UsageError as error:
        say(error)
        sys.exit(2)
    except (ConnectionError, ray.exceptions.RayError) as error:
        sys.exit(f"batch_ray: {reason_of(error)}")
    except KeyboardInterrupt:
        ray.shutdown()  # Ends the tasks and their programs.
        job.results.clear()
        say("stopped")
        sys.exit(130)


if __name__ == "__main__":
    main()

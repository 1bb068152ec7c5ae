#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Analyses recordings on a Ray cluster, a recording a task: `gst-attitude analyze` on many machines.

    pipelines/batch_ray.py -o results interviews
    pipelines/batch_ray.py --address auto --cpus 4 -o /shared/results '/shared/day?/*.mp4' -- --annotate
    pipelines/batch_ray.py --gpus 0.25 -o s3://bucket/results s3://bucket/interviews

What is behind `--` goes to `gst-attitude analyze`, which has a help of its own. Results are those of one machine, byte for
byte: a folder for each recording, which appears when it is whole, summary.csv and index.html. Beside them, at the end, is
`faces.parquet`, the data set of all recordings in OUTPUT, those of earlier runs too; its column `stream` is the recording:

    duckdb.sql("select stream, count(*) from 'results/faces.parquet/*.parquet' group by stream")
    pandas.read_parquet("results/faces.parquet")

It is a flat folder with a file for each recording, so that a new recording is a new file and none is ever rewritten.

A recording whose program crashes, or whose worker or node is lost, is begun anew, --retries times; one that cannot be read
is not. The others go on, and at the end all that failed are told with the reason. The same command again goes on where it
was stopped. Without --address or RAY_ADDRESS, Ray runs on this machine.

Files and folders have the same path on all nodes: a shared file system. s3:// is read and written by way of pyarrow, which
takes AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and credentials from each node's environment; which objects in a folder are
recordings is told by their names, and a recording is copied to the node's TMPDIR while it is analysed. A bucket cannot be
locked: see to it that two runs do not write to the same OUTPUT.

The exit status is 0 if all went well, 1 if something was lost or damaged, 2 if the arguments are wrong, and 130 if it was
stopped by Ctrl-C or SIGTERM.

Needs the program on each node (pipelines/setup.sh), and Ray and, for s3://, pyarrow in the Python that runs this and in
those of the cluster, all of one version.
"""

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
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

VENV = "~/.cache/gst-attitude/ray"
PACKAGES = "ray==2.60.0 pyarrow==26.0.1"
S3 = "s3://"
LOCK = ".gst-attitude.lock"
# `gst-attitude analyze` clears away what is called so, and puts back what was to be replaced.
PARTIAL = ".partial-"
REPLACED = ".replaced-"
SCRATCH = "gst-attitude-ray-"
SUMMARY = "summary.json"
TABLE = "faces.parquet"
FILES_AT_A_TIME = 16


class Mistake(Exception):
    """What the user has to change."""


def say(text):
    print(f"batch_ray: {text}", file=sys.stderr, flush=True)


def fingerprint(folder):
    """That of the results in a folder, None where there are none."""
    try:
        with open(os.path.join(folder, SUMMARY)) as file:
            return json.load(file)["fingerprint"]
    except (OSError, ValueError, KeyError):
        return None


@contextlib.contextmanager
def locked(path, flags=os.O_RDONLY):
    """Has a file or folder for this process alone."""
    lock = os.open(path, flags)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def scratch():
    """A folder on this node's disk. Those of processes that were killed are removed first."""
    place = tempfile.gettempdir()
    for name in os.listdir(place):
        if name.startswith(SCRATCH):
            with contextlib.suppress(OSError), locked(os.path.join(place, name)):
                shutil.rmtree(os.path.join(place, name))
    made = tempfile.mkdtemp()
    folder = os.path.join(place, SCRATCH + os.path.basename(made))
    with locked(made):
        os.rename(made, folder)  # Only now may others find it.
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Folder:
    """Results in a folder that all nodes have."""

    def __init__(self, path):
        self.path = os.path.abspath(path)

    def known(self, _scratch):
        """The folder for `gst-attitude analyze`."""
        return self.path

    def destination(self):
        """Arguments that say where results are to be in the end, from where pages lead to the recordings."""
        return ["--destination", self.path]

    def keep_tables(self, _known):
        """They are where they belong."""

    def attempt(self):
        """A folder for one attempt, removed with it or by the next run."""
        return tempfile.TemporaryDirectory(prefix=PARTIAL, dir=self.path, ignore_cleanup_errors=True)

    def has(self, recording):
        """Whether there are the results that were planned."""
        return fingerprint(os.path.join(self.path, recording["name"])) == recording["fingerprint"]

    def put(self, results, recording, force):
        """Moves results into their place, at once; if another attempt was first, its own stay."""
        whole = os.path.join(self.path, recording["name"])
        replaced = os.path.join(self.path, REPLACED + recording["name"])
        while True:
            try:
                os.rename(results, whole)
                break
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            if self.has(recording) and not force:
                return
            shutil.rmtree(replaced, ignore_errors=True)
            os.rename(whole, replaced)
        shutil.rmtree(replaced, ignore_errors=True)

    def share_tables(self):
        """Brings the data set up to date: links, which take no room, or copies where there are none."""
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
            place, hidden = os.path.join(data_set, name), os.path.join(data_set, PARTIAL + name)
            if os.path.exists(place) and size_and_time(place) == size_and_time(table):
                continue
            with contextlib.suppress(FileNotFoundError):
                os.remove(hidden)
            try:
                os.link(table, hidden)
            except OSError:
                shutil.copy2(table, hidden)
            os.replace(hidden, place)

    @contextlib.contextmanager
    def alone(self):
        """Keeps other runs out."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(os.path.join(self.path, LOCK), os.O_RDWR))
            except BlockingIOError:
                sys.exit(f"batch_ray: {self.path}: another run is writing to this folder; wait for it, or take another")
            except OSError as error:  # Some network file systems know no locks.
                say(f"{self.path} cannot be locked ({error}): see to it that no other run writes to this folder")
            yield

    def clear(self):
        """Removes what attempts that were killed have left."""
        for name in os.listdir(self.path) if os.path.isdir(self.path) else []:
            if name.startswith(PARTIAL):
                shutil.rmtree(os.path.join(self.path, name), ignore_errors=True)


class Bucket:
    """Results in an S3 bucket. A recording's are there when its summary.json is, which is written last."""

    def __init__(self, uri):
        self.path = s3_path(uri)

    def files(self):
        """All files, with their paths within this place."""
        from pyarrow import fs

        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        found = s3(self.path).get_file_info(selector)
        return {info.path[len(self.path) + 1 :]: info for info in found if info.type == fs.FileType.File}

    def known(self, scratch):
        """A folder with the summaries of all results."""
        known = os.path.join(scratch, "results")
        os.mkdir(known)
        bucket = s3(self.path)
        with ThreadPoolExecutor(FILES_AT_A_TIME) as threads:
            summaries = [f"{name}/{SUMMARY}" for name in with_results(self.files())]
            list(threads.map(lambda name: fetch(bucket, f"{self.path}/{name}", os.path.join(known, name)), summaries))
        return known

    def destination(self):
        """A place from where no page leads to a recording."""
        return ["--destination", S3 + self.path]

    def keep_tables(self, known):
        """Puts the tables of the run into the bucket."""
        for entry in os.scandir(known):
            if entry.is_file() and not entry.name.startswith("."):
                upload(s3(self.path), entry.path, f"{self.path}/{entry.name}")

    def attempt(self):
        return scratch()

    def has(self, recording):
        try:
            with s3(self.path).open_input_stream(f"{self.path}/{recording['name']}/{SUMMARY}") as file:
                return json.load(file)["fingerprint"] == recording["fingerprint"]
        except FileNotFoundError:
            return False

    def put(self, results, recording, force):
        """Attempts that write at the same time write the same."""
        from pyarrow import fs

        if self.has(recording) and not force:
            return
        bucket, place = s3(self.path), f"{self.path}/{recording['name']}"
        names = sorted(os.listdir(results), key=lambda name: name == SUMMARY)
        old = bucket.get_file_info(fs.FileSelector(place, allow_not_found=True))
        for info in sorted(old, key=lambda info: info.base_name != SUMMARY):
            if info.base_name == SUMMARY or info.base_name not in names:
                bucket.delete_file(info.path)
        for name in names:
            upload(bucket, os.path.join(results, name), f"{place}/{name}")

    def share_tables(self):
        """Brings the data set up to date: the copies are made within the bucket."""
        bucket, files = s3(self.path), self.files()
        tables = {f"{TABLE}/{table_name(name)}": files.get(f"{name}/{TABLE}") for name in with_results(files)}
        for name in files:
            folder, _, file = name.rpartition("/")
            if folder == TABLE and is_table(file) and not tables.get(name):
                bucket.delete_file(f"{self.path}/{name}")

        def copy(name, table):
            there = files.get(name)
            if table and (not there or there.size != table.size or there.mtime < table.mtime):
                bucket.copy_file(table.path, f"{self.path}/{name}")

        with ThreadPoolExecutor(FILES_AT_A_TIME) as threads:
            list(threads.map(copy, tables, tables.values()))

    def alone(self):
        return contextlib.nullcontext()

    def clear(self):
        """What attempts have left is on the nodes, and removed there."""


def size_and_time(path):
    """What a link has in common with its file, and a copy too."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def table_name(recording):
    """With something in front, as readers pass over files whose names begin with `_`."""
    return f"faces-{recording}.parquet"


def is_table(name):
    return name.startswith("faces-") and name.endswith(".parquet")


def with_results(files):
    """The folders with results among these paths."""
    return [name.split("/")[0] for name in files if name.count("/") == 1 and name.endswith("/" + SUMMARY)]


def s3_path(uri):
    """Bucket and key."""
    return uri[len(S3) :].strip("/")


def s3(path):
    """The file system that this bucket is in."""
    from pyarrow import fs

    return fs.FileSystem.from_uri(S3 + path.split("/")[0])[0]


def fetch(bucket, path, file):
    """Copies an object into a file, which gets its time."""
    from pyarrow import fs

    info = bucket.get_file_info(path)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    fs.copy_files(path, file, source_filesystem=bucket, destination_filesystem=fs.LocalFileSystem())
    set_time(file, info)


def upload(bucket, file, path):
    from pyarrow import fs

    fs.copy_files(file, path, source_filesystem=fs.LocalFileSystem(), destination_filesystem=bucket)


def state(path):
    """What changes with an object."""
    info = s3(path).get_file_info(path)
    return info.type, info.size, info.mtime_ns


def set_time(file, info):
    """The object's time; some servers tell more than the second only where they list it."""
    time_ns = info.mtime_ns // 10**9 * 10**9
    os.utime(file, ns=(time_ns, time_ns))


def sketch(uri, folder, but):
    """Files in `folder` with names, sizes and times of the objects at `uri`, but for those in `but`, and nothing in them."""
    from pyarrow import fs

    path = s3_path(uri)
    found = s3(path).get_file_info(path)
    if found.type == fs.FileType.NotFound:
        raise Mistake(f"{uri}: there is no such object or folder")
    is_folder = found.type == fs.FileType.Directory
    if is_folder:
        os.makedirs(os.path.join(folder, path), exist_ok=True)
    for info in s3(path).get_file_info(fs.FileSelector(path, recursive=True)) if is_folder else [found]:
        if info.type != fs.FileType.File or info.path.startswith(f"{but}/"):
            continue
        file = os.path.join(folder, info.path)
        if os.path.normpath(file) != file:
            raise Mistake(f"{S3}{info.path}: this cannot be the name of a file; rename it")
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as empty:
            empty.truncate(info.size)
        set_time(file, info)
    return os.path.join(folder, path)


class Job:
    """What a run is to do; the tasks get it."""

    def __init__(self, arguments):
        self.program = os.path.abspath(arguments.program) if "/" in arguments.program else arguments.program
        self.options = list(arguments.options)
        self.inputs = arguments.inputs
        self.timeout = arguments.timeout
        self.folder = os.getcwd()
        is_bucket = arguments.output.startswith(S3)
        self.results = Bucket(arguments.output) if is_bucket else Folder(arguments.output)
        self.force = "--force" in self.options
        is_told = any(option.split("=")[0] == "--execution-provider" for option in self.options)
        if arguments.gpus and not is_told:
            self.options += ["--execution-provider", "cuda"]

    def call(self, output, *arguments, inputs, timeout=None):
        """Runs `gst-attitude analyze`, which ends when this process does, however that ends."""
        command = ["setpriv", "--pdeathsig", "KILL", self.program, "analyze", "--json", "--quiet", *self.options]
        return subprocess.run(
            [*command, "--output", output, *arguments, "--", *inputs],
            cwd=self.folder if os.path.isdir(self.folder) else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )

    def call_for_all(self, scratch, *arguments):
        """The same with all inputs and what is known of their results."""
        known = self.results.known(scratch)
        copies = os.path.join(scratch, "recordings")
        inputs = [sketch(uri, copies, self.results.path) if uri.startswith(S3) else uri for uri in self.inputs]
        origin = ["--origin", copies, S3] if inputs != self.inputs else []
        return known, self.call(known, *arguments, *origin, inputs=inputs)


def events(run):
    """What the program has told, as far as it got."""
    for line in run.stdout.splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)


def last_line(run):
    lines = run.stderr.strip().splitlines() or [f"gst-attitude ended with status {run.returncode}"]
    return lines[-1].removeprefix("Error: ")


def plan(job):
    """A task: what there is to do. On a node like those of the recordings, which runs the same networks."""
    if not shutil.which(job.program):
        where = f"{socket.gethostname()} has no {job.program} in PATH"
        return 1, f"batch_ray: {where}; run pipelines/setup.sh there, or say --program\n", []
    try:
        with scratch() as folder:
            _, run = job.call_for_all(folder, "--plan")
    except Mistake as mistake:
        return 2, f"batch_ray: {mistake}\n", []
    return run.returncode, run.stderr, list(events(run))


def analyze(job, recording):
    """A task: one attempt at a recording. Says what became of it."""
    # The worker of an earlier attempt may have died once all was done.
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
            return {"event": "lost", "reason": f"it takes more than {job.timeout:g} s"}
        if run.returncode < 0:
            return {"event": "lost", "reason": f"gst-attitude was ended by {signal.Signals(-run.returncode).name}"}
        ends = [event for event in events(run) if event["event"] in ("done", "failed")]
        if not ends:
            return {"event": "lost", "reason": last_line(run)}
        end = {**ends[-1], "node": socket.gethostname()}
        if end["event"] == "failed":
            return end
        results = os.path.join(folder, recording["name"])
        if origin and state(path) != before:
            return {"event": "failed", "reason": "it changed while it was analysed; run this again when it is complete"}
        if fingerprint(results) != recording["fingerprint"]:
            reason = f"it has changed since it was planned, or gst-attitude or a model on {end['node']} differs from others"
            return {"event": "failed", "reason": reason}
        job.results.put(results, recording, job.force)
        return end


def collect(job, fates):
    """A task: the tables of the run and the data set, when all recordings have been seen to."""
    with scratch() as folder:
        file = os.path.join(folder, "fates")
        with open(file, "w") as lines:
            lines.writelines(json.dumps(fate) + "\n" for fate in fates)
        known, run = job.call_for_all(folder, "--collect", file)
        job.results.keep_tables(known)
        job.results.share_tables()
    return run.returncode, run.stderr, list(events(run))


def reason_of(error):
    """What Ray says in a sentence, or what a task has raised."""
    cause = getattr(error, "cause", None)
    text = f"{type(cause).__name__}: {cause}" if cause else str(error)
    return text.strip().split(". ")[0].splitlines()[0]


def spread(task, job, recordings, retries):
    """Has all recordings analysed. Gives what became of each, and how many attempts were lost."""
    import ray

    fates = []
    lost = 0
    running = {task.remote(job, recording): (recording, 1) for recording in recordings}
    while running:
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
                say(f"{name}: attempt {number} is lost: {end['reason']}")
                if number <= retries:
                    running[task.remote(job, recording)] = recording, number + 1
                    continue
                end["reason"] += f" (attempt {number})"
            fates.append({"uri": recording["uri"], "reason": end.get("reason")})
            count = f"[{len(fates)}/{len(recordings)}] {name}"
            if end.get("reason"):
                say(f"{count}: {end['reason']}")
            elif "samples" in end:
                say(f"{count}: {end['faces']} faces in {end['samples']} samples; {end['seconds']:.0f} s on {end['node']}")
            else:
                say(f"{count}: done")
    return fates, lost


def run(job, arguments, output):
    """Plans, spreads and collects; ends the program."""
    import ray

    started = time.monotonic()
    needs = {"CPU": arguments.cpus, "GPU": arguments.gpus}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(all(node.get(name, 0) >= need for name, need in needs.items()) for node in nodes):
        say(f"no node has {arguments.cpus:g} cores and {arguments.gpus:g} GPUs for a recording; waiting for one")
    remote = ray.remote(num_cpus=arguments.cpus, num_gpus=arguments.gpus)
    shared = ray.put(job)
    status, problems, recordings = ray.get(remote(plan).remote(shared))
    if status != 0:
        sys.stderr.write(problems)
        sys.exit(2 if status == 2 else 1)
    if any(recording["name"] == TABLE for recording in recordings):
        raise Mistake(f"a recording's folder would be called {TABLE}, as the data set is; rename the recording")
    ahead = [recording for recording in recordings if not recording["done"]]
    say(f"{len(recordings)} recordings, {len(recordings) - len(ahead)} done before")
    with job.results.alone():
        fates, lost = spread(remote(analyze).options(max_retries=0), shared, ahead, arguments.retries)
    fates += [{"uri": recording["uri"]} for recording in recordings if recording["done"]]
    status, problems, told = ray.get(remote(collect).remote(shared, fates))
    sys.stderr.write(problems)
    failed = [event for event in told if event["event"] == "failed"]
    damaged = [event for event in told if event.get("damage")]
    seconds = time.monotonic() - started
    analysed = sum(not fate.get("reason") for fate in fates[: len(ahead)])
    say(f"{analysed} analysed, {len(failed)} failed, {len(damaged)} damaged, {lost} attempts lost; {seconds:.0f} s")
    if arguments.json:
        summary = {
            "recordings": len(recordings),
            "analysed": analysed,
            "done_before": len(recordings) - len(ahead),
            "failed": [{"input": event["input"], "reason": event["reason"]} for event in failed],
            "damaged": [{"input": event["input"], "reason": event["damage"]} for event in damaged],
            "lost_attempts": lost,
            "seconds": round(seconds, 1),
        }
        print(json.dumps(summary), file=output, flush=True)
    sys.exit(0 if status == 0 else 1)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [options] -o OUTPUT INPUT... [-- OPTION...]",
    )
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="files, folders, patterns, http:// addresses, s3:// objects and folders")
    add("-o", "--output", required=True, help="folder for the results, or s3://")
    add("--cpus", type=float, default=1, help="cores for a recording (default: 1)")
    add("--gpus", type=float, default=0, help="GPUs for a recording, such as 0.25; implies --execution-provider cuda")
    add("--retries", type=int, default=3, help="attempts after the first, where one is lost (default: 3)")
    add("--timeout", type=float, metavar="SECONDS", help="longest that an attempt may take")
    add("--address", help="the cluster, as ray.init takes it")
    add("--program", default="gst-attitude", help="its path on the nodes (default: gst-attitude)")
    add("--json", action="store_true", help="a summary of the run on stdout, as a JSON object")
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, options = arguments[:split], arguments[split + 1 :]
    return parser.parse_args(arguments, argparse.Namespace(options=options))


def stop(*_):
    raise KeyboardInterrupt


def main():
    arguments = parse()
    needed = "ray, pyarrow" if any(place.startswith(S3) for place in [*arguments.inputs, arguments.output]) else "ray"
    try:
        for name in needed.split(", "):
            __import__(name)
    except ImportError as error:
        sys.exit(
            f"batch_ray: this Python has no {error.name}; make one that has:\n"
            f"    python3 -m venv {VENV} && {VENV}/bin/pip install {PACKAGES}\n    {VENV}/bin/python {sys.argv[0]} ..."
        )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    signal.signal(signal.SIGTERM, stop)
    job = Job(arguments)
    try:
        # Ray tells on stdout of nodes that are lost, also after the end: let that go to stderr.
        output = os.fdopen(os.dup(sys.stdout.fileno()), "w")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        ray.init(address=arguments.address, log_to_driver=False, logging_level="ERROR")
        run(job, arguments, output)
    except Mistake as mistake:
        say(mistake)
        sys.exit(2)
    except (ConnectionError, ray.exceptions.RayError) as error:
        sys.exit(f"batch_ray: {reason_of(error)}")
    except KeyboardInterrupt:
        ray.shutdown()  # Its tasks end, and the programs with them.
        job.results.clear()
        say("stopped")
        sys.exit(130)


if __name__ == "__main__":
    main()

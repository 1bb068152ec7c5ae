# SPDX-License-Identifier: MPL-2.0
"""Measures a program that analyzes live streams and publishes the records to a Mosquitto."""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import build

CONNECT_S = 10
CLIP_S = 300
ENCODE = ["-an", "-vf", "scale=640:360", "-r", "30", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "30"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def encode(clip, folder):
    path = folder / "clip.mkv"
    command = ["ffmpeg", "-loglevel", "error", "-stream_loop", "-1", "-i", clip, *ENCODE, "-t", str(CLIP_S), path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


@contextlib.contextmanager
def mosquitto():
    """Runs a broker of its own. Yields its port."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as configuration:
        configuration.write(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        configuration.flush()
        broker = subprocess.Popen(["mosquitto", "-c", configuration.name], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            yield port
        finally:
            broker.terminate()


def receive(port, messages):
    """Appends the time of arrival and the record of each message to `messages`."""
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", "faces/#", "-F", "%U %p"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def read():
        for line in process.stdout:
            arrival, payload = line.split(" ", 1)
            messages.append((float(arrival), json.loads(payload)))

    threading.Thread(target=read, daemon=True).start()
    return process


def delay_ms(arrival, record):
    # Python 3.11 parses six digits of a second at most.
    captured = datetime.datetime.fromisoformat(record["utc"][:26] + "+00:00")
    return 1000 * (arrival - captured.timestamp())


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status(pid, name):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def health(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()


def measure(command, count, seconds, broker):
    """Runs `command`, which analyzes `count` streams, and returns a row of the table."""
    monitor = free_port()
    options = ["--format=none", f"--listen=127.0.0.1:{monitor}", "--topic=faces/{source}"]
    messages = []
    subscriber = receive(broker, messages)
    program = subprocess.Popen([*command, *options, f"--publish=mqtt://127.0.0.1:{broker}"])
    try:
        time.sleep(CONNECT_S)
        first, before = len(messages), cpu_s(program.pid)
        started = time.monotonic()
        time.sleep(seconds)
        cpu = (cpu_s(program.pid) - before) / (time.monotonic() - started)
        last = len(messages)
        memory, threads = status(program.pid, "VmRSS:") / 1024, status(program.pid, "Threads:")
        if (problem := health(monitor)) != "ok":
            sys.exit(f"with {count} streams: {problem}")
    finally:
        program.terminate()
        program.wait()
        subscriber.terminate()
    delays = [delay_ms(*message) for message in messages[first:last] if message[1]["utc"]]
    if not delays:
        sys.exit(f"with {count} streams: no message has a time of capture")
    p95 = statistics.quantiles(delays, n=20)[18]
    rate = (last - first) / seconds / count
    return [
        count,
        f"{rate:.1f}",
        f"{statistics.median(delays):.0f} ms",
        f"{p95:.0f} ms",
        f"{100 * cpu / count:.1f}%",
        f"{memory:.0f} MB",
        threads,
    ]


def arguments(description, streams):
    """Parses the command line, which names the clip and the numbers of `streams`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("clip")
    parser.add_argument(f"--{streams}", dest="counts", type=int, action="append")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--program")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("output/bench"))
    parsed = parser.parse_args()
    parsed.counts = parsed.counts or [1, 16]
    if parsed.program is None:
        parsed.program = build.release("--package", "gst-attitude", "--bins") / "gst-attitude"
    return parsed


def report(name, stream, rows, folder):
    """Prints the table of `rows` and writes it to `folder`."""
    columns = [f"{stream}s", f"messages/s per {stream}", "delay, median", "delay, p95", f"CPU per {stream}", "memory"]
    table = [[*columns, "threads"], ["---"] * 7, *rows]
    text = "".join(f"| {' | '.join(map(str, row))} |\n" for row in table)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    print(text, end="")

#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Measures `gst-attitude watch` on RTSP streams: the delay from the capture of a frame to its message, and the cost.

    tests/bench/watch.py CLIP [--sources N]... [--seconds N] [--program FILE] [--output FOLDER]

Encodes the clip as 640x360 at 30 frames per second without B-frames, streams it again and again from an RTSP server of
its own, watches it as one source and as several, and publishes to a Mosquitto of its own. Prints a Markdown table and
writes it to watch.md. Fails if a source was down at the end.

    --sources   number of sources; can be repeated (default: 1 and 16)
    --seconds   duration of each measurement (default: 30), after 10 seconds to connect
    --program   program to measure, instead of a release build of this repository
    --output    folder for the results (default: output/bench)

The delay is the time of arrival at a subscriber minus `utc`, the time of capture by the server's clock, which is that
of this machine. Runs with Debian's Python; requires what `pipelines/setup.sh --tests` installs.
"""

import argparse
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
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CONNECT_S = 10
CLIP_S = 300
ENCODE = ["-an", "-vf", "scale=640:360", "-r", "30", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "30"]
MEDIA = '( filesrc location="{}" ! matroskademux ! h264parse ! rtph264pay name=pay0 config-interval=1 )'


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def encode(clip, folder):
    path = folder / "clip.mkv"
    command = ["ffmpeg", "-loglevel", "error", "-stream_loop", "-1", "-i", clip, *ENCODE, "-t", str(CLIP_S), path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def serve(path):
    """Streams the file by RTSP in a thread. Returns the address."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(str(port := free_port()))
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(MEDIA.format(path))
    factory.set_shared(True)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    return f"rtsp://127.0.0.1:{port}/camera"


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


def measure(program, uri, count, seconds, broker):
    """Returns a row of the table."""
    monitor = free_port()
    command = [program, "watch", "--format=none", f"--listen=127.0.0.1:{monitor}", "--topic=faces/{source}"]
    command.append(f"--publish=mqtt://127.0.0.1:{broker}")
    for number in range(count):
        command += ["--source", f"camera-{number}={uri}"]
    messages = []
    subscriber = receive(broker, messages)
    watch = subprocess.Popen(command)
    try:
        time.sleep(CONNECT_S)
        first, before = len(messages), cpu_s(watch.pid)
        started = time.monotonic()
        time.sleep(seconds)
        cpu = (cpu_s(watch.pid) - before) / (time.monotonic() - started)
        last = len(messages)
        memory, threads = status(watch.pid, "VmRSS:") / 1024, status(watch.pid, "Threads:")
        if (problem := health(monitor)) != "ok":
            sys.exit(f"with {count} sources: {problem}")
    finally:
        watch.terminate()
        watch.wait()
        subscriber.terminate()
    delays = [delay_ms(*message) for message in messages[first:last] if message[1]["utc"]]
    if not delays:
        sys.exit(f"with {count} sources: no message has a time of capture")
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


def main():
    description = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("clip")
    parser.add_argument("--sources", type=int, action="append")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--program")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("output/bench"))
    arguments = parser.parse_args()
    program = arguments.program
    if program is None:
        program = build.release("--package", "gst-attitude", "--bins") / "gst-attitude"
    header = ["sources", "messages/s per source", "delay, median", "delay, p95", "CPU per source", "memory", "threads"]
    table = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        uri = serve(encode(arguments.clip, folder))
        port = free_port()
        configuration = folder / "mosquitto.conf"
        configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        broker = subprocess.Popen(["mosquitto", "-c", configuration], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            for count in arguments.sources or [1, 16]:
                row = measure(program, uri, count, arguments.seconds, port)
                table.append(f"| {' | '.join(map(str, row))} |")
        finally:
            broker.terminate()
    text = "\n".join(table) + "\n"
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "watch.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()

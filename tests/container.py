#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Runs the last stage of pipelines/deploy/Containerfile in a chroot, step by step, and tries the result.

    tests/container.py PROGRAM ONNXRUNTIME

PROGRAM is a release build of gst-attitude, ONNXRUNTIME the folder of its library; they take the place of those that the
first stage builds. Creates a chroot of Debian 12 in a temporary folder (1 GB), runs each RUN, copies each COPY, and
starts the image's command as its user, with a configuration of one source: a test picture. Succeeds if the health
check does. Needs root and debootstrap.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONTAINERFILE = ROOT / "pipelines/deploy/Containerfile"
CONFIGURATION = """
format = "none"
listen = "127.0.0.1:9090"
[sources.door]
uri = "/var/lib/gst-attitude/door.mkv"
"""
MAX_START_S = 60


def instructions():
    """Returns the instructions of the last stage, as pairs of keyword and text."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE)
    lines = [line.split(maxsplit=1) for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    last = max(index for index, (keyword, _) in enumerate(lines) if keyword == "FROM")
    return lines[last:]


class Image:
    """A chroot, and what the instructions have set."""

    def __init__(self, folder, copies):
        self.folder, self.copies = folder, copies
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        self.user, self.work, self.command, self.health = "0", "/", [], []

    def run(self, *command, **options):
        words = ["chroot", f"--userspec={self.user}:{self.user}", self.folder, "env", "-i", "-C", self.work]
        words += [f"{name}={value}" for name, value in self.environment.items()]
        return subprocess.Popen([*words, *command], **options)

    def execute(self, keyword, text):
        print(f"== {keyword} {text}", flush=True)
        if keyword == "RUN" and self.run("sh", "-c", text, stdin=subprocess.DEVNULL).wait() != 0:
            sys.exit(f"container.py: failed: {text}")
        elif keyword == "COPY":
            _, source, target = text.split()
            target = self.folder / target.lstrip("/")
            if source.endswith("/"):
                shutil.copytree(self.copies[source], target, symlinks=True)
            else:
                shutil.copy2(self.copies[source], target)
        elif keyword == "ENV":
            self.environment |= dict(word.split("=", 1) for word in shlex.split(text))
        elif keyword == "USER":
            self.user = text
        elif keyword == "WORKDIR":
            self.work = text
        elif keyword == "HEALTHCHECK":
            self.health = json.loads(text[text.index("[") :])
        elif keyword in ("ENTRYPOINT", "CMD"):
            self.command += json.loads(text)


def main():
    program, onnxruntime = map(pathlib.Path, sys.argv[1:])
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "image"
        packages = "--include=ca-certificates"
        subprocess.run(["debootstrap", "--variant=minbase", packages, "bookworm", folder], check=True)
        folder.chmod(0o755)
        pathlib.Path(temporary).chmod(0o755)
        shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
        copies = {"/opt/bin/gst-attitude": program, "/opt/data/gst-attitude/onnxruntime/": onnxruntime}
        image = Image(folder, copies)
        for keyword, text in instructions()[1:]:
            image.execute(keyword, text)
        (folder / "etc/gst-attitude").mkdir()
        (folder / "etc/gst-attitude/watch.toml").write_text(CONFIGURATION)
        clip = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=15", "-t", "5"]
        subprocess.run([*clip, folder / "var/lib/gst-attitude/door.mkv"], check=True, stdin=subprocess.DEVNULL)
        started = image.run(*image.command)
        try:
            deadline = time.monotonic() + MAX_START_S
            while image.run(*image.health).wait() != 0:
                if started.poll() is not None or time.monotonic() > deadline:
                    sys.exit("container.py: the health check fails")
                time.sleep(1)
        finally:
            started.terminate()
            started.wait(20)
    if started.returncode != 0:
        sys.exit(f"container.py: the command ended with status {started.returncode}")
    print("container.py: the image's command runs, is healthy, and ends by SIGTERM")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Adds sources to `gst-attitude watch` and removes them while it runs, and reports what it keeps.

    churn.py [--visits N] [--minutes MINUTES] PROGRAM [-- OPTION...]

Starts an RTSP server of its own. One source stays. The others are added to the configuration file, analyzed, and
removed, three at a time, each time with SIGHUP. Prints threads, open files and memory of the program every 50 sources.
Exits with an error if there are more threads or files at the end than after the first 50.
"""

import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[2] / "support"))
import visits

TESTS = pathlib.Path(__file__).parents[2]


def main():
    arguments = visits.arguments(__doc__.splitlines()[0])
    port = visits.free_port()
    picture = TESTS / "fixtures/positive.png"
    server = subprocess.Popen(
        [TESTS / "support/rtsp_server.py", str(port), picture], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    server.stdout.readline()
    folder = tempfile.TemporaryDirectory()
    config = pathlib.Path(folder.name) / "watch.toml"

    def write(names):
        uri = f"rtsp://127.0.0.1:{port}/camera"
        config.write_text("".join(f'[sources.{name}]\nuri = "{uri}"\n' for name in [visits.RESIDENT, *names]))

    write([])
    program = visits.Program([arguments.program, "watch", "--config", config, *arguments.options])

    def come(names):
        write(names)
        program.process.send_signal(signal.SIGHUP)

    def go(_):
        come([])

    try:
        visits.run(program, arguments, come, go)
    finally:
        program.end()
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()

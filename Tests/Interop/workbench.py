"""The real program on a terminal of its own, for tests that use it as a person does."""
import os
import re
import select
import tempfile
import time

import ptyprocess
import pyte
from conftest import LATHE, SAMPLES

SAMPLE = [SAMPLES / "shapes.onnx", "--data", SAMPLES / "test.yaml", "--train-data", SAMPLES / "train.yaml"]


class Screen:
    """A program on a terminal, with what it shows; the program is `lathe`, or that of `command` with its arguments."""

    def __init__(self, *arguments, columns=120, rows=36, command=(LATHE,), **environment):
        clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "COLORTERM")}
        # What the program remembers stays out of the user's own files.
        self.state = tempfile.TemporaryDirectory()
        clean.update(
            {"TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_STATE_HOME": self.state.name} | environment)
        self.started = time.perf_counter()
        self.process = ptyprocess.PtyProcess.spawn(
            [*map(str, command), *map(str, arguments)], dimensions=(rows, columns), env=clean)
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""

    def pump(self, seconds):
        """Reads what comes within a time; says whether anything did."""
        ready, _, _ = select.select([self.process.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.process.fd, 65536)
        except OSError:
            return False
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, pattern, seconds=20):
        self.wait_until(lambda: re.search(pattern, self.text()), pattern, seconds)

    def wait_until(self, holds, what="it", seconds=20):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if holds():
                return
            self.pump(0.01)
        raise AssertionError(f"never saw {what}:\n{self.text()}")

    def send(self, keys):
        self.process.write(keys.encode())

    def settle(self, quiet=0.2):
        while self.pump(quiet):
            pass

    def resize(self, columns, rows):
        self.process.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def end(self):
        end = time.perf_counter() + 15
        while self.process.isalive():
            self.pump(0.1)
            if time.perf_counter() > end:
                self.process.terminate(force=True)
                raise AssertionError(f"does not end:\n{self.text()}")
        while self.pump(0.2):
            pass
        return self.process.exitstatus

    def ticks(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def main_thread(self):
        """Of the thread that draws: nanoseconds on a processor, and how often it was put on one."""
        fields = open(f"/proc/{self.process.pid}/task/{self.process.pid}/schedstat").read().split()
        return int(fields[0]), int(fields[2])

    def modes_left(self):
        """Private modes that are switched on now, and 25 where the cursor is hidden.

        Not: 7, wrapping, which is on before too; 12, whether the cursor blinks; 1034, an old form of the meta key.
        """
        left = set()
        for modes, what in re.findall(rb"\x1b\[\?([0-9;]+)([hl])", self.raw):
            for mode in modes.decode().split(";"):
                if mode not in ("7", "12", "1034"):
                    (left.discard if (what == b"h") == (mode == "25") else left.add)(mode)
        return left

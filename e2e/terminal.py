"""Commands in a terminal of a given width, as a person sees them."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    """A program on a pseudo terminal of its own, with what it has shown so far."""

    def __init__(self, *command, columns=80, lines=24, environment=None, cwd=None):
        self.screen = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = dict(os.environ if environment is None else environment) | {"TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=environment,
            start_new_session=True, preexec_fn=self._as_from_a_login,
        )  # fmt: skip
        os.close(slave)

    @staticmethod
    def _as_from_a_login():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # Whoever runs the tests in the background of a script has these ignored.
        for number in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.master)

    def _read(self, seconds):
        """`False` once nothing will come any more."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.screen += ESCAPES.sub("", data.decode(errors="replace")).replace("\r\n", "\n").replace("\r", "\n")
        return bool(data)

    def wait_for(self, pattern, seconds=30, since=0):
        """Until what the screen has shown `since` then matches; returns the match."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.screen[since:])):
            assert time.monotonic() < deadline and self._read(0.1), f"not shown: {pattern!r}\n{self.screen}"
        return found

    def type(self, line):
        os.write(self.master, line.encode() + b"\n")

    def press(self, key):
        os.write(self.master, key)

    def finish(self, seconds=60):
        """Reads to the end; returns the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.1):
            assert time.monotonic() < deadline, f"still running:\n{self.screen}"
            if self.process.poll() is not None and not select.select([self.master], [], [], 0)[0]:
                break
        return self.process.wait(max(1, deadline - time.monotonic()))


CTRL_C = b"\x03"

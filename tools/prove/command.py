"""Runs commands with a time limit and records them."""

import contextlib
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 10  # between SIGTERM and SIGKILL
TAIL_CHARACTERS = 2000


@dataclass
class Outcome:
    """The result of a command; `status` is None if it was killed at its time limit."""

    line: str  # as typed in a shell
    status: int | None
    seconds: float
    text: str  # standard output and standard error together

    def record(self):
        return {
            "command": self.line,
            "status": self.status,
            "seconds": round(self.seconds, 2),
            "output_tail": self.text[-TAIL_CHARACTERS:],
        }

    def last_line(self):
        return (self.text.strip().splitlines() or ["it printed nothing"])[-1]

    def failure(self):
        return f"exited with status {self.status}: {self.last_line()}"


def kill(process):
    """Kills a command and everything it started."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(GRACE_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(command, log, limit, environment, folder):
    """Runs a command for at most `limit` seconds (None: no limit); its output goes to the file `log`."""
    start = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            cwd=folder,
            start_new_session=True,
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
            kill(process)
        except BaseException:
            kill(process)
            raise
    words = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    line = " ".join(words + [shlex.quote(str(word)) for word in command])
    return Outcome(line, status, time.monotonic() - start, Path(log).read_text(encoding="utf-8", errors="replace"))

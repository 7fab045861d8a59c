"""Commands with a time limit, recorded."""

import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass

GRACE_SECONDS = 10  # between asking a command to end and ending it
TAIL_CHARACTERS = 2000


@dataclass
class Outcome:
    """What became of a command; `status` is None where it was ended by its time limit."""

    line: str  # as one would type it
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
        lines = self.text.strip().splitlines()
        return lines[-1] if lines else "it printed nothing"


def written_out(command, environment):
    """The command as one would type it, with the variables that are set for it alone."""
    words = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    return " ".join(words + [shlex.quote(str(word)) for word in command])


def end(process):
    """Ends a command and all that it started: asks first, insists after a while."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    except ProcessLookupError:
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run(command, log, limit, environment=None, folder=None):
    """Runs a command for at most `limit` seconds, its output going to the file `log` as it comes."""
    environment = environment or {}
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
            end(process)
        except BaseException:
            end(process)
            raise
    seconds = time.monotonic() - start
    with open(log, encoding="utf-8", errors="replace") as output:
        text = output.read()
    return Outcome(written_out(command, environment), status, seconds, text)

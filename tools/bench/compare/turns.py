"""Alternates between programs that run steps on request, so that a temporary slowdown of the machine affects all.

Such a program answers each line `run N` on its standard input with one JSON line, {"seconds": s, "images": n}. Other
lines, which its libraries may print, are ignored.
"""

import json
import os
import select
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

SETTLE_SECONDS = 0.05  # libgomp's threads spin for some milliseconds after the last parallel region, then sleep
STEP_SECONDS = 600  # timeout of a round
PATIENCE_SECONDS = 10  # that a program gets to exit before it is killed


class SideFailed(Exception):
    """A program exited or did not answer; the message is the reason."""


class Side:
    """One variant to measure: a child process that runs steps on request. Its answers may replace `name`, not `way`."""

    def __init__(self, way, name, command, threads, library_path=""):
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        if library_path:
            self.environment["LD_LIBRARY_PATH"] = library_path
        self.way, self.name = way, name
        self.command = command
        self.rates = []
        self.idle_seconds = self.idle_share = 0.0
        self.failure = ""
        self.unread = b""
        self.process = None

    def start(self):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            bufsize=0,
            env=self.environment,
            start_new_session=True,
        )

    def run(self, steps, limit=STEP_SECONDS):
        """Images per second over `steps` steps."""
        try:
            self.process.stdin.write(f"run {steps}\n".encode())
        except BrokenPipeError:
            raise SideFailed(self.last_words()) from None
        answer = self.answer(limit)
        self.name = answer.get("name", self.name)
        return answer["images"] / answer["seconds"]

    def answer(self, limit):
        """The next line that begins with a brace. Unbuffered, because select() does not see a reader's buffer."""
        deadline = time.monotonic() + limit
        while True:
            while b"\n" in self.unread:
                line, _, self.unread = self.unread.partition(b"\n")
                if line.startswith(b"{"):
                    return json.loads(line)
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                raise SideFailed(f"no answer within {limit:.0f} s")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise SideFailed(self.last_words())
            self.unread += piece

    def last_words(self):
        """The exit status of the program and its last line on standard error."""
        try:
            status = self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            return "closed its output"
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f"exited with status {status}" + (f": {lines[-1]}" if lines else "")

    def cpu_seconds(self):
        """CPU time of all threads so far; 0 if the program is gone, which its next turn reports."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self, patience=PATIENCE_SECONDS):
        """Closes the program's input, waits, then kills it and its children. Does nothing if it was never started."""
        if self.process is None:
            return
        try:
            self.process.communicate(timeout=patience)
        except (subprocess.TimeoutExpired, BrokenPipeError, ValueError):
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.errors.close()


def attempt(side, work):
    """Returns whether `work` succeeded. If not, notes the reason and kills the side."""
    try:
        work()
        return True
    except SideFailed as failure:
        side.failure = str(failure)
        side.close(0)
        return False


def take_turns(sides, rounds, steps, warm_up, set_up_seconds):
    """Fills `rates` of every side, one entry per round. A side that fails has a `failure` and no rates."""
    for side in sides:
        side.start()
    working = [side for side in sides if attempt(side, lambda side=side: side.run(warm_up, set_up_seconds))]
    total = 0.0
    for round_number in range(rounds):
        for side in list(working[::-1] if round_number % 2 else working):
            time.sleep(SETTLE_SECONDS)
            idle = [other for other in working if other is not side]
            before = [other.cpu_seconds() for other in idle]
            start = time.perf_counter()
            if not attempt(side, lambda side=side: side.rates.append(side.run(steps))):
                side.rates = []
                working.remove(side)
                continue
            total += time.perf_counter() - start
            for other, used in zip(idle, before):
                other.idle_seconds += max(0.0, other.cpu_seconds() - used)
    for side in working:
        side.close()
    for side in sides:
        side.idle_share = side.idle_seconds / total if total else 0.0


def one_at_a_time(sides, rounds, steps, warm_up, set_up_seconds):
    """The same for sides that cannot run at the same time: each starts when the one before it has exited."""

    def all_rounds(side):
        side.run(warm_up, set_up_seconds)
        side.rates = [side.run(steps) for _ in range(rounds)]

    for side in sides:
        side.start()
        attempt(side, lambda side=side: all_rounds(side))
        side.close()


def rows_of(sides, engine_sides, batch):
    """One dictionary per side. Ratios are relative to the fastest of the engine's sides."""
    measured = [side for side in engine_sides if side.rates]
    best = max(measured, key=lambda side: statistics.median(side.rates)) if measured else None
    rows = []
    for side in sides:
        row = {"side": side.name, "way": side.way, "engine": side in engine_sides}
        row["command"] = [str(word) for word in side.command]
        if not side.rates:
            rows.append(row | {"failure": side.failure})
            continue
        rates, median = side.rates, statistics.median(side.rates)
        row.update(median=median, min=min(rates), max=max(rates), rates=rates, idle_cpu_share=side.idle_share)
        row["ms_per_step"] = 1000 * batch / median
        if best is not None and side not in engine_sides:
            # The rates of one round are close in time, so that the median of their ratios is steadier than the ratio
            # of the medians.
            row["engine_ratio"] = statistics.median(mine / theirs for mine, theirs in zip(best.rates, rates))
        rows.append(row)
    return rows


def print_heads(width):
    heads = f"{'median':>9} {'min':>9} {'max':>9} {'ms/step':>9} {'engine/':>8}"
    print(f"{'network':<10} {'mode':<6} {'variant':<{width}} {heads}")


def print_rows(rows, width):
    """Rows of rows_of() with a network and a mode, below print_heads()."""
    for row in rows:
        start = f"{row['network']:<10} {row['mode']:<6} {row['side']:<{width}}"
        if "failure" in row:
            print(f"{start} failed: {row['failure']}", flush=True)
            continue
        ratio = f"{row['engine_ratio']:.2f}" if "engine_ratio" in row else "-"
        rates = f"{row['median']:>9.1f} {row['min']:>9.1f} {row['max']:>9.1f}"
        print(f"{start} {rates} {row['ms_per_step']:>9.3f} {ratio:>8}", flush=True)
        if row["idle_cpu_share"] > 0.02:
            print(f"  warning: this variant used {row['idle_cpu_share']:.0%} of a core while the others ran")

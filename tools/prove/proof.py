"""The order of a proof: which stages are done, which fit into the time left, and what each leaves behind.

A stage that came to an end leaves OUT/<stage>.json and is not repeated; one that the time limit cut off leaves nothing
but a note of the seconds that were not enough, so that a later call gives way to the stages behind it rather than
cutting it off at the same place again.
"""

import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import command


class Skipped(Exception):
    """The stage cannot be done on this machine; the message says why."""


class Failed(Exception):
    """The stage found something wrong; the message says what, and `data` is what was found nevertheless."""

    def __init__(self, message, data=None):
        super().__init__(message)
        self.data = data or {}


class TookTooLong(Failed):
    """A command was ended by its stage's own limit; `text` is what it had printed."""

    def __init__(self, message, text):
        super().__init__(message)
        self.text = text


class NotYet(Exception):
    """The stage waits for something that is not there."""


class CutOff(Exception):
    """The time limit of the whole proof ended a command."""


@dataclass
class Setting:
    """What all stages share."""

    root: Path  # the checkout or the staged folder
    programs: Path
    out: Path
    deadline: float  # of time.monotonic()
    library_path: str
    data: Path | None  # of CIFAR-10; None: pictures are drawn

    def left(self):
        return self.deadline - time.monotonic()

    def environment(self):
        """Of the engine's programs. Golden tensors are found beside the programs, wherever they were built."""
        variables = {"RESIDUAL_SOURCE_DIR": str(self.root)}
        if self.library_path:
            variables["LD_LIBRARY_PATH"] = self.library_path
        return variables

    def result(self, name):
        """What a stage left behind; {} where it is not done."""
        file = self.out / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else {}


def seconds_needed(seconds):
    return lambda setting: seconds


@dataclass
class Stage:
    name: str
    title: str
    work: Callable  # of (Setting, Attempt); returns the stage's data; may raise the exceptions above
    needs: Callable = field(default_factory=lambda: seconds_needed(30))  # seconds without which it is not begun
    limit: float = 3600


class Attempt:
    """One try at a stage: runs its commands and keeps their records."""

    def __init__(self, setting, stage):
        self.setting, self.stage = setting, stage
        self.start = time.monotonic()
        self.commands = []

    def seconds(self):
        return time.monotonic() - self.start

    def run(self, *words, engine=True):
        """Runs a command in the root, one of the engine's programs with its libraries. A failing one is no exception."""
        setting = self.setting
        own, whole = self.stage.limit - self.seconds(), setting.left()
        log = setting.out / "logs" / f"{self.stage.name}-{len(self.commands) + 1}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        limit = None if math.isinf(min(own, whole)) else max(min(own, whole), 0.0)
        environment = setting.environment() if engine else {}
        outcome = command.run(words, log, limit, environment, setting.root)
        self.commands.append(outcome.record())
        if outcome.status is None:
            if whole <= own:
                raise CutOff
            raise TookTooLong(f"did not end within {self.stage.limit:.0f} s: {outcome.line}", outcome.text)
        return outcome


def write_json(file, value):
    """The whole file or the one before: a proof may be ended at any moment."""
    new = file.with_name(file.name + ".new")
    new.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(new, file)


class Proof:
    def __init__(self, setting, stages, report):
        self.setting, self.stages, self.report = setting, stages, report
        self.not_reached = {}
        self.cut_off_file = setting.out / "cut-off.json"
        self.cut_off = json.loads(self.cut_off_file.read_text()) if self.cut_off_file.exists() else {}

    def results(self):
        """Of every stage, in order; what is not done says why."""
        results = {}
        for stage in self.stages:
            reason = self.not_reached.get(stage.name, "not started")
            missing = {"stage": stage.name, "state": "not reached", "note": reason, "data": {}, "commands": []}
            results[stage.name] = {"title": stage.title} | (self.setting.result(stage.name) or missing)
        return results

    def write_report(self):
        results = self.results()
        file = self.setting.out / "results.json"
        write_json(file, {"stages": results})
        try:
            write_json(file, {"stages": results, "targets": self.report.targets(results)})
            (self.setting.out / "results.md").write_text(self.report.document(results))
        except Exception as error:  # a page that cannot be written must not end the measuring
            print(f"   results.md could not be written: {type(error).__name__}: {error}", flush=True)

    def attempt(self, stage):
        """Does one stage; true where it came to an end."""
        attempt = Attempt(self.setting, stage)
        state, note, data = "passed", "", {}
        try:
            data = stage.work(self.setting, attempt) or {}
            note = data.pop("note", "")
        except Skipped as reason:
            state, note = "skipped", str(reason)
        except Failed as reason:
            state, note, data = "failed", str(reason), reason.data
        except (NotYet, CutOff) as reason:
            seconds = attempt.seconds()
            self.not_reached[stage.name] = str(reason) or f"cut off by the time limit after {seconds:.0f} s"
            if isinstance(reason, CutOff):
                self.cut_off[stage.name] = seconds
                write_json(self.cut_off_file, self.cut_off)
            return False
        except Exception as error:  # a stage that breaks must not take the later ones with it
            state, note = "failed", f"{type(error).__name__}: {error}"
        write_json(
            self.setting.out / f"{stage.name}.json",
            {
                "stage": stage.name,
                "state": state,
                "note": note,
                "seconds": round(attempt.seconds(), 2),
                "commands": attempt.commands,
                "data": data,
            },
        )
        return True

    def run(self, wanted):
        """Every wanted stage that is not done and fits into the time left, in order."""
        for stage in self.stages:
            if self.setting.result(stage.name):
                continue
            if not wanted(stage.name):
                self.not_reached[stage.name] = "not asked for"
                continue
            needs = max(stage.needs(self.setting), 1.2 * self.cut_off.get(stage.name, 0.0))
            left = self.setting.left()
            if left < needs:
                self.not_reached[stage.name] = f"needs about {needs:.0f} s, {max(left, 0.0):.0f} s were left"
                continue
            print(f"== {stage.name}: {stage.title}", flush=True)
            self.attempt(stage)
            result = self.setting.result(stage.name)
            state = result.get("state", "not reached")
            note = result.get("note") or self.not_reached.get(stage.name, "")
            print(f"   {state}" + (f": {note}" if note else ""), flush=True)
            self.write_report()
        self.write_report()
        return self.results()

"""Runs the stages of a proof in order, within a time limit, and keeps their results.

A finished stage leaves OUT/<stage>.json and is not repeated. A stage that the time limit interrupted only leaves a note
of the seconds that were not enough: a later call with no more time skips it in favour of the stages after it.
"""

import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import command
import report
import targets


class Skipped(Exception):
    """This machine cannot run the stage; the message says why."""


class Failed(Exception):
    """The stage found an error; `data` holds the results that it has nevertheless."""

    def __init__(self, message, data=None):
        super().__init__(message)
        self.data = data or {}


class TookTooLong(Failed):
    """A command was killed at its stage's own limit; `text` is its output."""

    def __init__(self, message, text):
        super().__init__(message)
        self.text = text


class NotYet(Exception):
    """The stage needs the result of one that has not run."""


class CutOff(Exception):
    """The time limit of the whole proof interrupted a command."""


@dataclass
class Setting:
    """What all stages share."""

    root: Path  # the checkout or the staged folder
    programs: Path
    out: Path
    deadline: float  # of time.monotonic()
    library_path: str
    data: Path | None  # folder of CIFAR-10; None: the runs train on synthetic images
    gpu: dict = field(default_factory=dict)  # gpu.facts()

    def exclusive(self):
        """Whether only one process at a time can use the GPU."""
        return self.gpu.get("compute_mode") == "Exclusive_Process"

    def left(self):
        return self.deadline - time.monotonic()

    def environment(self):
        """Environment of the engine's programs, which find the golden tensors under RESIDUAL_SOURCE_DIR."""
        libraries = {"LD_LIBRARY_PATH": self.library_path} if self.library_path else {}
        return {"RESIDUAL_SOURCE_DIR": str(self.root)} | libraries

    def result(self, name):
        """The stored result of a stage; {} if it has not finished."""
        file = self.out / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else {}


@dataclass
class Stage:
    name: str
    title: str
    work: Callable  # (Attempt) -> data of the stage; may raise the exceptions above
    needs: float | Callable  # seconds, or (Setting) -> seconds, without which it is not started
    limit: float = math.inf  # seconds


class Attempt:
    """One attempt at a stage: runs its commands and keeps their records."""

    def __init__(self, setting, stage):
        self.setting, self.stage = setting, stage
        self.start = time.monotonic()
        self.commands = []

    def seconds(self):
        return time.monotonic() - self.start

    def run(self, *words, engine=True):
        """Runs a command in the root; `engine`: with the environment of the engine's programs."""
        setting = self.setting
        own, whole = self.stage.limit - self.seconds(), setting.left()
        log = setting.out / "logs" / f"{self.stage.name}-{len(self.commands) + 1}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        limit = None if math.isinf(min(own, whole)) else max(min(own, whole), 0.0)
        outcome = command.run(words, log, limit, setting.environment() if engine else {}, setting.root)
        self.commands.append(outcome.record())
        if outcome.status is None:
            if whole <= own:
                raise CutOff
            raise TookTooLong(f"did not finish within {self.stage.limit:.0f} s: {outcome.line}", outcome.text)
        return outcome


def write_json(file, value):
    """Replaces the file atomically: a proof may be killed at any moment."""
    new = file.with_name(file.name + ".new")
    new.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(new, file)


class Proof:
    def __init__(self, setting, stages):
        self.setting, self.stages = setting, stages
        self.not_reached = {}  # reasons
        self.cut_off_file = setting.out / "cut-off.json"
        self.cut_off = json.loads(self.cut_off_file.read_text()) if self.cut_off_file.exists() else {}

    def results(self):
        """The result of every stage, in order; an unfinished one has the reason as its note."""
        results = {}
        for stage in self.stages:
            reason = self.not_reached.get(stage.name, "not started")
            missing = {"stage": stage.name, "state": "not reached", "note": reason, "data": {}, "commands": []}
            results[stage.name] = {"title": stage.title} | (self.setting.result(stage.name) or missing)
        return results

    def write_report(self):
        results = self.results()
        try:
            file = self.setting.out / "results.json"
            write_json(file, {"stages": results, "targets": targets.all_targets(results)})
            (self.setting.out / "results.md").write_text(report.document(results))
        except Exception as error:  # a broken report must not stop the measurements
            print(f"   results.md could not be written: {type(error).__name__}: {error}", flush=True)

    def attempt(self, stage):
        """Runs one stage. Returns its state and a note."""
        attempt = Attempt(self.setting, stage)
        state, note, data = "passed", "", {}
        try:
            data = stage.work(attempt) or {}
            note = data.pop("note", "")
        except Skipped as reason:
            state, note = "skipped", str(reason)
        except Failed as reason:
            state, note, data = "failed", str(reason), reason.data
        except NotYet as reason:
            return "not reached", str(reason)
        except CutOff:
            self.cut_off[stage.name] = attempt.seconds()
            write_json(self.cut_off_file, self.cut_off)
            return "not reached", f"cut off by the time limit after {attempt.seconds():.0f} s"
        except Exception as error:  # a bug in one stage must not stop the others
            state, note = "failed", f"{type(error).__name__}: {error}"
        result = {"stage": stage.name, "state": state, "note": note, "seconds": round(attempt.seconds(), 2)}
        write_json(self.setting.out / f"{stage.name}.json", result | {"commands": attempt.commands, "data": data})
        return state, note

    def run(self, wanted):
        """Runs every wanted stage that is not finished and fits into the time left."""
        for stage in self.stages:
            if self.setting.result(stage.name):
                continue
            if not wanted(stage.name):
                self.not_reached[stage.name] = "not requested"
                continue
            needs = stage.needs(self.setting) if callable(stage.needs) else stage.needs
            needs = max(needs, 1.2 * self.cut_off.get(stage.name, 0.0))
            left = self.setting.left()
            if left < needs:
                self.not_reached[stage.name] = f"needs about {needs:.0f} s, {max(left, 0.0):.0f} s were left"
                continue
            print(f"== {stage.name}: {stage.title}", flush=True)
            state, note = self.attempt(stage)
            if state == "not reached":
                self.not_reached[stage.name] = note
            print(f"   {state}" + (f": {note}" if note else ""), flush=True)
            self.write_report()
        self.write_report()
        return self.results()

"""Run folders that were copied, renamed or stripped of a part:

    copied_runs.py FOLDER_OF_PROGRAMS

A new run never starts in a folder that holds a checkpoint. A resumed run uses the newest checkpoint, whatever its name,
or is refused; a refused run changes nothing.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

import run_state

PROGRAMS = os.path.abspath(sys.argv[1])


def run(folder, *arguments):
    return subprocess.run([os.path.join(PROGRAMS, "few-steps"), folder, *arguments], text=True, capture_output=True,
                          check=False, timeout=60)


def require(holds, what, result):
    if not holds:
        raise AssertionError(f"{what}\n    status {result.returncode}\n    stdout {result.stdout}\n"
                             f"    stderr {result.stderr}")


def contents(folder):
    """The files but the lock, with the target of a link in place of its bytes."""
    found = {}
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.islink(path):
            found[name] = os.readlink(path)
        elif name != ".lock":
            with open(path, "rb") as file:
                found[name] = file.read()
    return found


def weights(folder, name="last.safetensors"):
    return run_state.checkpoints(folder)[name][1]


class Copies:
    """Folders with some of the files of a run of four steps, which evaluates and saves after the last."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.four = os.path.join(scratch, "four")
        self.whole = os.path.join(scratch, "whole")
        for folder, arguments in ((self.four, ["train.steps=4"]), (self.whole, [])):
            result = run(folder, *arguments)
            require(result.returncode == 0, "a run", result)

    def folder(self, **files):
        """Copies of files by their new names; links are followed, as scp does."""
        folder = tempfile.mkdtemp(dir=self.scratch)
        for name, source in files.items():
            shutil.copy(os.path.join(self.four, source), os.path.join(folder, name.replace("__", ".")))
        return folder

    def refused(self, folder, words, *arguments):
        before = contents(folder)
        result = run(folder, *arguments)
        require(result.returncode == 2 and words in result.stderr, f"refused with: {words}", result)
        require(contents(folder) == before, "a refused run changes files", result)

    def resumed(self, folder, warning, source):
        result = run(folder, "--resume")
        require(result.returncode == 0, "resumed", result)
        require(f"resuming from step 4: {os.path.join(folder, source)}" in result.stdout, "the checkpoint", result)
        require(warning in result.stderr if warning else result.stderr == "", f"the warning {warning}", result)
        require(weights(folder) == weights(self.whole), "another result", result)


def check_checkpoints(copies):
    """A single checkpoint, with and without the rows of its run."""
    for source in ("last.safetensors", "best.safetensors", "step-00000004.safetensors"):
        name = source.replace(".", "__")
        copies.refused(copies.folder(**{name: source}), "already holds a run")
        copies.resumed(copies.folder(**{name: source}), "the rows up to step 4 are missing", source)
        folder = copies.folder(**{name: source, "metrics__jsonl": "metrics.jsonl"})
        copies.resumed(folder, "", source)
        if run_state.rows(folder) != run_state.rows(copies.whole):
            raise AssertionError(f"{source}: other rows")

    # Saved before the resumed run removes it: run.keep is 2.
    folder = copies.folder(last__safetensors="last.safetensors")
    result = run(folder, "--resume", "train.steps=5")
    require(weights(folder, "step-00000004.safetensors") == weights(copies.four), "the copy is gone", result)


def check_other_names(copies):
    folder = copies.folder(final__safetensors="last.safetensors")
    copies.refused(folder, "already holds a run")
    copies.refused(folder, "final.safetensors: a checkpoint of step 4 under another name; to resume from it, rename it "
                   "to step-00000004.safetensors", "--resume")
    folder = copies.folder(**{"step-00000007__safetensors": "last.safetensors"})
    copies.refused(folder, "the checkpoint is of step 4", "--resume")


def check_foreign(copies):
    """Weights of another program under the name of a checkpoint."""
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    for name in ("last.safetensors", "best.safetensors"):
        folder = copies.folder()
        with open(os.path.join(folder, name), "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")
        copies.refused(folder, "already holds a run")
        copies.refused(folder, "give it to --init", "--resume")
        os.rename(os.path.join(folder, name), os.path.join(folder, "weights.safetensors"))
        result = run(folder)
        require(result.returncode == 0, "a run beside weights of another program", result)


def check_lost(copies):
    folder = copies.folder()
    os.symlink("step-00000004.safetensors", os.path.join(folder, "last.safetensors"))
    copies.refused(folder, "already holds a run")
    copies.refused(folder, "the checkpoint that it points to is not in this folder", "--resume")

    # A run killed before its first checkpoint was complete starts again; later rows prove that there was one.
    folder = copies.folder(metrics__jsonl="metrics.jsonl")
    result = run(folder, "--resume")
    require(result.returncode == 0 and "starting at step 0" in result.stdout, "started again", result)
    for name in list(contents(folder)):
        if name.endswith(".safetensors"):
            os.unlink(os.path.join(folder, name))
    copies.refused(folder, "metrics.jsonl: rows up to step 8, but no checkpoint is there", "--resume")
    copies.refused(folder, "already holds a run")


def check_damaged(copies):
    folder = copies.folder(last__safetensors="last.safetensors")
    with open(os.path.join(folder, "last.safetensors"), "r+b") as file:
        file.seek(-1, os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([byte ^ 1]))
    copies.refused(folder, "already holds a run")
    copies.refused(folder, "cannot be resumed", "--resume")
    shutil.copy(os.path.join(copies.four, "best.safetensors"), folder)
    copies.resumed(folder, "best.safetensors instead", "best.safetensors")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        copies = Copies(scratch)
        for check in (check_checkpoints, check_other_names, check_foreign, check_lost, check_damaged):
            check(copies)


main()

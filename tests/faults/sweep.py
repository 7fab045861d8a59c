"""Makes every call of a training run on its folder go wrong, one after the other, in every way that fits it, and lets
the run go on afterwards:

    sweep.py FOLDER_OF_PROGRAMS

After each fault: the program has said so (by its status), whatever checkpoint stands is whole, and the run that goes on
ends with the same bits as one that nothing happened to. Twice: for a new run, and for one that goes on.
"""
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import run_state

PROGRAMS = os.path.abspath(sys.argv[1])
NEEDS_ROOM = ("mkdir", "write", "fsync", "fdatasync", "symlink", "rename")
CHANGES = NEEDS_ROOM + ("unlink",)
WORDS = {"eio": "Input/output error", "enospc": "No space left on device", "erofs": "Read-only file system"}


def run(folder, *arguments, at="", kind="", log=""):
    environment = dict(os.environ, LD_PRELOAD=os.path.join(PROGRAMS, "libfaults.so"), FAULT_FOLDER=folder, FAULT_AT=at,
                       FAULT_KIND=kind, FAULT_LOG=log)
    return subprocess.run([os.path.join(PROGRAMS, "few-steps"), folder, *arguments], env=environment, text=True,
                          capture_output=True, check=False, timeout=60)


def kinds_of(key, creates):
    """The faults that can meet this call. `creates`: whether it is an open() that makes a file."""
    function = key.split()[0]
    kinds = ["kill", "eio"]
    if function == "write":
        kinds.append("half")
    if function == "symlink":
        kinds.append("eperm")
    if function in NEEDS_ROOM or creates:
        kinds.append("enospc")
    if function in CHANGES or creates:
        kinds.append("erofs")
    return kinds


def require(holds, what, result):
    if not holds:
        raise AssertionError(f"{what}\n    status {result.returncode}\n    stdout {result.stdout}\n"
                             f"    stderr {result.stderr}")


def check_fault(scratch, base, arguments, key, kind, expected):
    """One run with one fault, and the run that goes on after it."""
    folder = tempfile.mkdtemp(dir=scratch)
    os.rmdir(folder)
    if base:
        shutil.copytree(base, folder, symlinks=True)
    result = run(folder, *arguments, at=key, kind=kind)
    if kind in ("kill", "half"):
        require(result.returncode == -signal.SIGKILL, "the fault did not come to pass", result)
    elif result.returncode != 0:
        require(result.returncode in (1, 2), "an error has its exit code", result)
        require(WORDS.get(kind, "") in result.stderr, "the message has the system's reason", result)
    else:
        # What could be made good in the same run: then nothing may be missing.
        require(run_state.state(folder) == expected, "status 0, but the results are not whole", result)
        require(kind in ("eio", "eperm"), "a fault that stays was not reported", result)
    if os.path.isdir(folder):
        run_state.checkpoints(folder)

    result = run(folder, "--resume")
    require(result.returncode == 0, "the run does not go on", result)
    require(run_state.state(folder) == expected, "the run that went on ended in another state", result)
    shutil.rmtree(folder)


def sweep(name, scratch, base, arguments, expected):
    """Every call of the run that `arguments` start in a copy of `base`."""
    folder = os.path.join(scratch, "observed-" + name)
    log = folder + ".log"
    if base:
        shutil.copytree(base, folder, symlinks=True)
    result = run(folder, *arguments, log=log)
    require(result.returncode == 0 and run_state.state(folder) == expected, "the run without a fault", result)
    with open(log, encoding="utf-8") as file:
        keys = file.read().split("\n")[:-1]
    creates = {key for key in keys if key.startswith("open") and (".tmp#" in key or "metrics" in key or "lock" in key)}
    cases = [(key, kind) for key in keys for kind in kinds_of(key, key in creates)]
    failures = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        under_way = {pool.submit(check_fault, scratch, base, arguments, key, kind, expected): (key, kind)
                     for key, kind in cases}
        for done in concurrent.futures.as_completed(under_way):
            error = done.exception()
            if error:
                failures.append(f"{name}: {' '.join(under_way[done])}: {error}")
    print(f"{name}: {len(keys)} calls, {len(cases)} faults, {len(failures)} not survived")
    return len(cases), failures


def main():
    with tempfile.TemporaryDirectory() as scratch:
        whole = os.path.join(scratch, "whole")
        result = run(whole)
        require(result.returncode == 0, "a run that nothing happens to", result)
        expected = run_state.state(whole)

        # Killed with rows of later steps written and a file left unfinished: what goes on has all of it to clear away.
        killed = os.path.join(scratch, "killed")
        result = run(killed, at="fsync step-00000006.safetensors.tmp#1", kind="kill")
        require(result.returncode == -signal.SIGKILL, "a run that is killed", result)

        new = sweep("a new run", scratch, None, [], expected)
        resumed = sweep("a run that goes on", scratch, killed, ["--resume"], expected)
        failures = new[1] + resumed[1]
        print("\n".join(failures))
        if failures or new[0] < 100 or resumed[0] < 50:
            sys.exit(1)


main()

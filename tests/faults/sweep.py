"""Makes each system call of a training run on its folder fail in every applicable way, and then resumes the run:

    sweep.py FOLDER_OF_PROGRAMS

After each fault, the program's exit status must report it, every checkpoint must be complete, and the resumed run must
reach the same bits as an undisturbed one. The sweep covers a new run and a resumed one.
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
NEEDS_SPACE = ("mkdir", "write", "fsync", "fdatasync", "symlink", "rename")
CHANGES = NEEDS_SPACE + ("unlink",)
WORDS = {"eio": "Input/output error", "enospc": "No space left on device", "erofs": "Read-only file system"}


def run(folder, *arguments, at="", kind="", log=""):
    environment = dict(os.environ, LD_PRELOAD=os.path.join(PROGRAMS, "libfaults.so"), FAULT_FOLDER=folder, FAULT_AT=at,
                       FAULT_KIND=kind, FAULT_LOG=log)
    return subprocess.run([os.path.join(PROGRAMS, "few-steps"), folder, *arguments], env=environment, text=True,
                          capture_output=True, check=False, timeout=60)


def kinds_of(key, creates):
    """The faults that apply to this call. `creates`: whether it is an open() that makes a file."""
    function = key.split()[0]
    kinds = ["kill", "eio"]
    if function == "write":
        kinds.append("half")
    if function == "symlink":
        kinds.append("eperm")
    if function in NEEDS_SPACE or creates:
        kinds.append("enospc")
    if function in CHANGES or creates:
        kinds.append("erofs")
    return kinds


def require(holds, what, result):
    if not holds:
        raise AssertionError(f"{what}\n    status {result.returncode}\n    stdout {result.stdout}\n"
                             f"    stderr {result.stderr}")


def check_fault(scratch, base, arguments, key, kind, expected):
    """Runs once with one fault, then resumes."""
    folder = tempfile.mkdtemp(dir=scratch)
    os.rmdir(folder)
    if base:
        shutil.copytree(base, folder, symlinks=True)
    result = run(folder, *arguments, at=key, kind=kind)
    if kind in ("kill", "half"):
        require(result.returncode == -signal.SIGKILL, "the fault did not occur", result)
    elif result.returncode != 0:
        require(result.returncode in (1, 2), "an error has exit code 1 or 2", result)
        require(WORDS.get(kind, "") in result.stderr, "the message has the reason of the system", result)
    else:
        # The run recovered from the fault: its results must be complete.
        require(run_state.state(folder) == expected, "status 0, but the results are incomplete", result)
        require(kind in ("eio", "eperm"), "a lasting fault was not reported", result)
    if os.path.isdir(folder):
        run_state.checkpoints(folder)

    result = run(folder, "--resume")
    require(result.returncode == 0, "the run does not resume", result)
    require(run_state.state(folder) == expected, "the resumed run has another result", result)
    shutil.rmtree(folder)


def sweep(name, scratch, base, arguments, expected):
    """Tests every fault of the run that `arguments` start in a copy of `base`."""
    folder = os.path.join(scratch, "observed-" + name)
    log = folder + ".log"
    if base:
        shutil.copytree(base, folder, symlinks=True)
    result = run(folder, *arguments, log=log)
    require(result.returncode == 0 and run_state.state(folder) == expected, "the run without a fault", result)
    with open(log, encoding="utf-8") as file:
        keys = file.read().split("\n")[:-1]
    creates = {key for key in keys if key.startswith("open") and (".tmp#" in key or any(name in key for name in ("metrics", "lock", "events")))}
    cases = [(key, kind) for key in keys for kind in kinds_of(key, key in creates)]
    failures = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(check_fault, scratch, base, arguments, key, kind, expected): (key, kind)
                     for key, kind in cases}
        for done in concurrent.futures.as_completed(futures):
            error = done.exception()
            if error:
                failures.append(f"{name}: {' '.join(futures[done])}: {error}")
    print(f"{name}: {len(keys)} calls, {len(cases)} faults, {len(failures)} failed")
    return len(cases), failures


def main():
    with tempfile.TemporaryDirectory() as scratch:
        whole = os.path.join(scratch, "whole")
        result = run(whole)
        require(result.returncode == 0, "an undisturbed run", result)
        expected = run_state.state(whole)

        # Killed after rows of later steps and half a checkpoint, which the resumed run must clean up.
        killed = os.path.join(scratch, "killed")
        result = run(killed, at="fsync step-00000006.safetensors.tmp#1", kind="kill")
        require(result.returncode == -signal.SIGKILL, "a killed run", result)

        new = sweep("a new run", scratch, None, [], expected)
        resumed = sweep("a resumed run", scratch, killed, ["--resume"], expected)
        failures = new[1] + resumed[1]
        print("\n".join(failures))
        if failures or new[0] < 100 or resumed[0] < 50:
            sys.exit(1)


main()

"""Trains on file systems that do not implement a call, or with little room on the disk:

    file_systems.py FOLDER_OF_PROGRAMS

A run, stopped half-way and resumed, must reach the same bits as on a complete file system, with one warning if a
protection is missing. A call that fails for another reason is an error.
"""
import concurrent.futures
import errno
import os
import resource
import subprocess
import sys
import tempfile

import run_state

PROGRAMS = os.path.abspath(sys.argv[1])
NOT_NOTICED = "another process that trains in this folder is not noticed"
POWER_CUT = "may be missing after a power cut"
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
# The call, the errors that mean that it is not implemented, and the warning.
CALLS = (
    ("flock", (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP), NOT_NOTICED),
    ("fsync", UNSUPPORTED, POWER_CUT),
    ("fsync .", UNSUPPORTED, POWER_CUT),
    ("open .", (errno.EACCES, errno.EINVAL), POWER_CUT),
    ("fdatasync", UNSUPPORTED, ""),
    ("symlink", UNSUPPORTED + (errno.EPERM, errno.EACCES), ""),
)
ERRORS = (("flock", errno.EIO), ("fsync .lock", errno.EIO), ("fsync .", errno.EROFS), ("fsync", errno.ENOSPC),
          ("fdatasync", errno.EDQUOT), ("open .", errno.EMFILE), ("symlink", errno.ENOSPC), ("rename", errno.EACCES))


def run(folder, *arguments, at="", kind="", free="", limit=resource.RLIM_INFINITY):
    environment = dict(os.environ, LD_PRELOAD=os.path.join(PROGRAMS, "libfaults.so"), FAULT_FOLDER=folder, FAULT_AT=at,
                       FAULT_KIND=str(kind), FAULT_FREE=str(free))
    return subprocess.run([os.path.join(PROGRAMS, "few-steps"), folder, *arguments], env=environment, text=True,
                          capture_output=True, check=False, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))


def require(holds, what, result):
    if not holds:
        raise AssertionError(f"{what}\n    status {result.returncode}\n    stdout {result.stdout}\n"
                             f"    stderr {result.stderr}")


def require_warning(words, result):
    """Exactly one warning, with these words; none if there are no words."""
    require(result.returncode == 0, "the run fails", result)
    warnings = result.stderr.splitlines()
    require(len(warnings) == (1 if words else 0) and all(words in line for line in warnings), "the warnings", result)


def check_unsupported(scratch, call, error, words, expected):
    folder = tempfile.mkdtemp(dir=scratch)
    require_warning(words, run(folder, "train.steps=4", at=call, kind=error))
    require_warning(words, run(folder, "--resume", at=call, kind=error))
    if run_state.state(folder) != expected:
        raise AssertionError("another result")


def check_unlocked_files(scratch):
    """Without a lock, the unfinished file of another process is not removed."""
    folder = os.path.join(scratch, "unlocked")
    run(folder, at="flock", kind=errno.ENOLCK)
    unfinished = os.path.join(folder, "step-00000099.safetensors.tmp-1-1")
    open(unfinished, "wb").close()
    result = run(folder, at="flock", kind=errno.ENOLCK)
    require(result.returncode == 2 and os.path.exists(unfinished), "a second run removes the file", result)
    result = run(folder, "--resume", at="flock", kind=errno.ENOLCK)
    require(result.returncode == 0 and os.path.exists(unfinished), "resuming removes the file", result)
    result = run(folder, "--resume")
    require(result.returncode == 0 and not os.path.exists(unfinished), "a locked run keeps the file", result)


def check_error(scratch, call, error):
    folder = tempfile.mkdtemp(dir=scratch)
    result = run(folder, at=call, kind=error)
    require(result.returncode == 1 and os.strerror(error) in result.stderr, "the error is not reported", result)


def check_room(scratch):
    """Three numbered checkpoints, or the two that are kept, best.safetensors and an unfinished one."""
    folder = os.path.join(scratch, "room")
    result = run(folder, "train.steps=1")
    size = os.path.getsize(os.path.join(folder, "last.safetensors"))
    for name, overrides, files in (("new", [], 4), ("all", ["run.keep=all"], 5), ("short", ["train.steps=2"], 3)):
        folder = os.path.join(scratch, name)
        result = run(folder, *overrides, free=int(0.95 * files * size))
        require_warning(f"{folder}: the {files} checkpoints to come need ", result)
        require_warning("", run(folder + "-enough", *overrides, free=int(1.05 * files * size)))
    # The folder has one of two, and the best.
    folder = os.path.join(scratch, "resumed")
    require_warning("", run(folder, "train.steps=4", "run.checkpoint_every=4", "run.eval_every=1"))
    require_warning("the 2 checkpoints to come need ", run(folder, "--resume", free=size))
    require("run.keep" in result.stderr and "--out" in result.stderr, "the remedy", result)
    result = run(os.path.join(scratch, "limited"), limit=size // 2)
    require("may only write files of " in result.stderr and result.returncode != 0, "the limit on a file", result)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        whole = os.path.join(scratch, "whole")
        require_warning("", run(whole, "train.steps=4"))
        require_warning("", run(whole, "--resume"))
        expected = run_state.state(whole)
        failures = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            futures = {pool.submit(check_room, scratch): "room",
                       pool.submit(check_unlocked_files, scratch): "unfinished files without a lock"}
            for call, errors, words in CALLS:
                for error in errors:
                    futures[pool.submit(check_unsupported, scratch, call, error, words, expected)] = (call, error)
            for call, error in ERRORS:
                futures[pool.submit(check_error, scratch, call, error)] = (call, error)
            for done in concurrent.futures.as_completed(futures):
                if done.exception():
                    failures.append(f"{futures[done]}: {done.exception()}")
        print(f"{len(futures)} file systems, {len(failures)} failed")
        print("\n".join(failures))
        if failures or len(futures) < 25:
            sys.exit(1)


main()

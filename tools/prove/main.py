"""The stages of a proof in their order; called by tools/prove_gpu.sh, which says what it is for."""

import argparse
import fnmatch
import math
import signal
import sys
import time
from pathlib import Path

import checks
import machine
import report
import speed
import targets
from proof import Proof, Setting, Stage, seconds_needed

NETWORKS = ("resnet20", "resnet56", "resnet110")
OTHER_RUNS = ("resnet56", "resnet110", "plain20", "plain56")
SANITIZER_SECONDS = 240  # each; the tests of every kernel may take far longer under one of the tools
EVERYTHING_PASSED, SOMETHING_FAILED, UNUSABLE, INCOMPLETE = 0, 1, 2, 3


class Stopped(BaseException):
    """A signal asked for the end."""


def kernel_stage(batch):
    title = f"every kernel at batch {batch}"
    return Stage(f"kernel-bench-{batch}", title, speed.kernel_bench(batch), seconds_needed(60), 1800)


def step_stage(network):
    title = f"a training step of {network}, the engine's ways"
    return Stage(f"step-{network}", title, speed.engine_step(network), seconds_needed(30), 1200)


def torch_step_stage(network, name, rival, ways, seconds):
    title = f"a training step of {network} against {rival}"
    work = speed.step_against_pytorch(network, ways)
    return Stage(f"step-{network}-{name}", title, work, seconds_needed(seconds), 1200)


def engine_stage(network, seed):
    work, needs = speed.engine_run(network, seed)
    return Stage(f"train-{network}-{seed}", f"64,000 steps of {network}, seed {seed}", work, needs, math.inf)


def torch_stage(network, seed):
    work, needs = speed.torch_run(network, seed)
    return Stage(f"torch-{network}-{seed}", f"the same in PyTorch, {network}, seed {seed}", work, needs, math.inf)


def all_stages():
    stages = [
        Stage("machine", "machine facts", checks.machine_facts, seconds_needed(10), 120),
        Stage("tests", "[gpu] tests", checks.gpu_tests, seconds_needed(30), 1200),
    ]
    stages.append(Stage("golden", "agreement with PyTorch's float64", checks.golden, seconds_needed(30), 600))
    stages.append(kernel_stage(128))
    stages += [step_stage(network) for network in NETWORKS]
    stages += [torch_step_stage(network, "torch", "PyTorch", speed.PLAIN_WAYS, 90) for network in NETWORKS]
    stages.append(engine_stage("resnet20", 0))
    stages += [torch_step_stage(network, "compiled", "torch.compile", speed.COMPILED_WAYS, 240) for network in NETWORKS]
    for tool in ("memcheck", "racecheck", "initcheck"):
        title = f"compute-sanitizer's {tool} on the kernel tests"
        needs = seconds_needed(SANITIZER_SECONDS + 10)
        stages.append(Stage(tool, title, checks.sanitizer(tool), needs, SANITIZER_SECONDS))
    stages += [kernel_stage(512), kernel_stage(1024), torch_stage("resnet20", 0)]
    stages += [engine_stage(network, 0) for network in OTHER_RUNS]
    for seed in range(1, targets.SEEDS):
        stages += [engine_stage("resnet20", seed), torch_stage("resnet20", seed)]
    return stages


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seconds", type=float, default=math.inf, help="that are left")
    parser.add_argument("--only", default="*", help="pattern of stages")
    return parser.parse_args()


def check_same_machine(out, programs):
    """Results of another GPU or another build are not continued."""
    done = Setting(out, programs, out, math.inf, "", None).result("machine").get("data")
    if not done:
        return
    gpu, build = machine.gpu()["gpu"], machine.fingerprint(programs)
    if (done["gpu"], done["programs"]) != (gpu, build):
        raise machine.Unusable(
            f"{out} holds results of {done['gpu']} with programs {done['programs']}; this is {gpu} with programs "
            f"{build}: name another folder with --out"
        )


def verdict(results):
    """The exit code, and one line that says it."""
    states = [result["state"] for result in results.values()]
    count = {state: states.count(state) for state in ("passed", "failed", "skipped", "not reached")}
    line = ", ".join(f"{number} {state}" for state, number in count.items() if number)
    if count["failed"]:
        return SOMETHING_FAILED, line
    if count["not reached"]:
        return INCOMPLETE, f"{line}; the same command goes on with them"
    return EVERYTHING_PASSED, line


def stop(number, frame):
    raise Stopped(signal.Signals(number).name)


def main():
    args = parse_arguments()
    deadline = time.monotonic() + args.seconds
    stages = all_stages()
    if not any(fnmatch.fnmatch(stage.name, args.only) for stage in stages):
        print(f"prove_gpu.sh: --only {args.only} names no stage; there are {', '.join(s.name for s in stages)}")
        return UNUSABLE
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        machine.gpu()
        check_same_machine(args.out, args.programs)
        library_path = machine.library_path(args.programs / "resnet-train", args.root / "lib")
    except machine.Unusable as reason:
        print(f"prove_gpu.sh: {reason}", file=sys.stderr)
        return UNUSABLE
    setting = Setting(args.root, args.programs, args.out, deadline, library_path, args.data)
    args.out.mkdir(parents=True, exist_ok=True)
    proof = Proof(setting, stages, report)
    try:
        results = proof.run(lambda name: name == "machine" or fnmatch.fnmatch(name, args.only))
    except Stopped as signal_name:
        print(f"prove_gpu.sh: stopped by {signal_name}; what is done stays in {args.out}", file=sys.stderr)
        proof.write_report()
        results = proof.results()
    code, line = verdict(results)
    print(f"{line}\n{args.out / 'results.md'}")
    return code


if __name__ == "__main__":
    sys.exit(main())

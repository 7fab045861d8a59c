"""Stages that measure: the kernels, a training step against PyTorch, and whole runs."""

import json
import os
import shutil
import sys

import targets
from proof import Failed, NotYet, Skipped

# Steps of each side in a round: a round takes a fraction of a second.
STEPS_IN_A_ROUND = {"resnet20": 200, "resnet56": 100, "resnet110": 50}
SET_UP_SECONDS = 150  # that a side may take until it is warm, compiling included
PLAIN_WAYS = ("eager", "bf16", "graph")
COMPILED_WAYS = ("compile", "compile-graph")
PICTURES = "built-in pictures"


def kernel_bench(batch):
    """A stage: every kernel at one batch size."""

    def work(setting, attempt):
        file = setting.out / "logs" / f"kernel-bench-{batch}.rows.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        words = ("--device", "cuda", "--batch", batch, "--json", file)
        outcome = attempt.run(setting.programs / "kernel-bench", *words)
        if not file.exists():
            raise Failed(f"ended with status {outcome.status}: {outcome.last_line()}")
        data = json.loads(file.read_text())
        wrong = [row["name"] for row in data["cases"] if "wrong" in row or "failed" in row]
        if outcome.status != 0:
            raise Failed(f"status {outcome.status}; wrong or failed: {', '.join(wrong) or 'none'}", data)
        skipped = len(data["skipped"])
        return data | {"note": f"{len(data['cases'])} cases right" + (f", {skipped} skipped" if skipped else "")}

    return work


def measured_step(setting, attempt, network, words):
    """The rows of tools/bench_vs_pytorch.py for one network, all sides taking turns."""
    file = setting.out / "logs" / f"{attempt.stage.name}.rows.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    command = [sys.executable, setting.root / "tools" / "bench_vs_pytorch.py", "--device", "cuda"]
    command += ["--binary", setting.programs / "step-bench", "--networks", network, "--modes", "train"]
    command += ["--steps", STEPS_IN_A_ROUND[network], "--warm-up", 50, "--set-up-seconds", SET_UP_SECONDS]
    if setting.library_path:
        command += ["--library-path", setting.library_path]
    outcome = attempt.run(*command, "--json", file, *words, engine=False)
    if not file.exists():
        raise Failed(f"ended with status {outcome.status}: {outcome.last_line()}")
    rows = json.loads(file.read_text())["rows"]
    failures = [f"{row['side']}: {row['failure']}" for row in rows if "failure" in row]
    if failures:
        raise Failed("; ".join(failures), {"rows": rows})
    return {"rows": rows}


def engine_step(network):
    """A stage: the engine's own sides."""
    return lambda setting, attempt: measured_step(setting, attempt, network, ["--engine-only"])


def has_c_compiler():
    return bool(os.environ.get("CC")) or any(shutil.which(name) for name in ("cc", "gcc", "clang"))


def step_against_pytorch(network, ways):
    """A stage: some of PyTorch's sides, beside the fastest of the engine's."""

    def work(setting, attempt):
        facts = setting.result("machine").get("data", {})
        if not facts.get("torch_sees_gpu"):
            raise Skipped(facts.get("torch_missing", "the PyTorch of python3 sees no GPU"))
        if ways == COMPILED_WAYS and not has_c_compiler():
            raise Skipped("torch.compile needs a C compiler; there is none on PATH")
        own = setting.result(f"step-{network}")
        if not own:
            raise NotYet(f"it needs the engine's fastest way, which the stage step-{network} finds")
        rows = targets.rows_of(own, engine=True)
        if not rows:
            raise Skipped(f"no side of the engine was measured in step-{network}")
        best = min(rows, key=lambda row: row["ms_per_step"])["way"]
        return measured_step(setting, attempt, network, ["--engine-ways", best, "--ways", *ways])

    return work


def fastest_engine_way(setting, network):
    """(what to add to a configuration, ms a step) of the fastest way measured; ([], None) where none was."""
    rows = targets.rows_of(setting.result(f"step-{network}"), engine=True)
    if not rows:
        return [], None
    best = min(rows, key=lambda row: row["ms_per_step"])
    kernels = best["way"].split(",")[0]
    return ["--set", "train.precision=bf16", "--set", f"train.kernels={kernels}"], best["ms_per_step"]


def seconds_of_run(setting, network, ms_per_step, earlier):
    """What a run may take: what an earlier one took, else by the time of a step, else a guess from the target."""
    known = setting.result(earlier).get("data", {}).get("seconds")
    if known:
        return 1.1 * known
    ms = ms_per_step or 5 * targets.MS_PER_STEP.get(network, targets.MS_PER_STEP["resnet56"])
    return 20 + 1.2 * ms * targets.STEPS / 1000


def training_data(setting, attempt):
    """(folder, what it is): CIFAR-10, or pictures that the project draws where nobody has it."""
    if setting.data is not None:
        return setting.data, "CIFAR-10"
    folder = setting.out / "pictures"
    if not (folder / "test_batch.bin").exists():
        shutil.rmtree(folder, ignore_errors=True)
        outcome = attempt.run(setting.programs / "draw-images", folder)
        if outcome.status != 0:
            raise Skipped(f"there is no CIFAR-10, and draw-images failed: {outcome.last_line()}")
    return folder, PICTURES


def metrics_of(folder):
    """The last evaluation of a run, and the seconds that its training alone took."""
    evaluation, training_seconds, before = None, 0.0, 0
    batch = json.loads((folder / "config.json").read_text())["train"]["batch_size"]
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)
        if "test_accuracy" in row:
            evaluation = row
        elif "images_per_second" in row:
            training_seconds += (row["step"] - before) * batch / row["images_per_second"]
            before = row["step"]
    if evaluation is None:
        raise ValueError(f"{folder / 'metrics.jsonl'} holds no evaluation")
    return evaluation, training_seconds


def finished(outcome, folder, network, seed, data_name):
    """The stage's data, from what a run left behind."""
    if outcome.status != 0:
        raise Failed(f"ended with status {outcome.status}: {outcome.last_line()}")
    evaluation, training_seconds = metrics_of(folder)
    return {
        "network": network,
        "seed": seed,
        "data": data_name,
        "steps": evaluation["step"],
        "seconds": outcome.seconds,
        "training_seconds": training_seconds,
        "test_accuracy": evaluation["test_accuracy"],
        "note": f"{evaluation['step']} steps in {outcome.seconds:.1f} s, test accuracy "
        f"{100 * evaluation['test_accuracy']:.2f} % ({data_name})",
    }


def engine_run(network, seed):
    """A whole run by resnet-train, with the fastest kernels that the step's stage found. What was cut off starts anew."""

    def work(setting, attempt):
        folder, (data, data_name) = setting.out / "runs" / f"{network}-{seed}", training_data(setting, attempt)
        shutil.rmtree(folder, ignore_errors=True)
        options, _ = fastest_engine_way(setting, network if network in STEPS_IN_A_ROUND else "resnet20")
        command = [setting.programs / "resnet-train", setting.root / "configs" / f"{network}.json", "--data", data]
        command += ["--out", folder, "--device", "cuda", "--set", f"train.seed={seed}", *options]
        return finished(attempt.run(*command), folder, network, seed, data_name)

    def needs(setting):
        like = network.replace("plain", "resnet")
        return seconds_of_run(setting, like, fastest_engine_way(setting, like)[1], f"train-{network}-0")

    return work, needs


def torch_run(network, seed):
    """The same recipe in PyTorch, on the same data, from the configuration that the engine's run left."""

    def work(setting, attempt):
        config = setting.out / "runs" / f"{network}-0" / "config.json"
        if not config.exists():
            raise NotYet(f"it takes its recipe from {config}, which the engine's run writes")
        facts = setting.result("machine").get("data", {})
        if not facts.get("torch_sees_gpu"):
            raise Skipped(facts.get("torch_missing", "the PyTorch of python3 sees no GPU"))
        folder, (data, data_name) = setting.out / "runs" / f"torch-{network}-{seed}", training_data(setting, attempt)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(config, folder)
        command = [sys.executable, setting.root / "tools" / "bench" / "compare" / "torch_train.py", config, "--data", data]
        command += ["--out", folder, "--seed", seed]
        return finished(attempt.run(*command, engine=False), folder, network, seed, data_name)

    def needs(setting):
        rows = targets.rows_of(setting.result(f"step-{network}-torch"), engine=False)
        ms = next((row["ms_per_step"] for row in rows if row["way"] == "graph"), None)
        return seconds_of_run(setting, network, ms, f"torch-{network}-0")

    return work, needs

"""Stages that measure: kernels, a training step against PyTorch, and whole training runs."""

import json
import os
import shutil
import sys

import targets
from proof import Failed, NotYet, Skipped, Stage

STEPS_PER_ROUND = {"resnet20": 200, "resnet56": 100, "resnet110": 50}  # a round takes a fraction of a second
SET_UP_SECONDS = 150  # for a variant's warm-up, including compilation
COMPILED_WAYS = ("compile", "compile-graph")


def json_of(attempt, *words, engine=True):
    """Runs a program with --json FILE. Returns its outcome and the contents of the file."""
    file = attempt.setting.out / "logs" / f"{attempt.stage.name}.rows.json"
    file.unlink(missing_ok=True)
    outcome = attempt.run(*words, "--json", file, engine=engine)
    if not file.exists():
        raise Failed(outcome.failure())
    return outcome, json.loads(file.read_text())


def kernel_bench(batch):
    def work(attempt):
        command = [attempt.setting.programs / "kernel-bench", "--device", "cuda", "--batch", batch]
        outcome, data = json_of(attempt, *command)
        status, lost = outcome.status, data.get("device_lost_in")
        while lost:  # After an error such as an illegal address only another process can use the GPU.
            try:
                outcome, rest = json_of(attempt, *command, "--after", lost)
            except Failed as error:
                raise Failed(f"after {lost}: {error}", data) from None
            data["cases"] += rest["cases"]
            data["skipped"] += rest["skipped"]
            status, lost = max(status, outcome.status), rest.get("device_lost_in")
        if status != 0:
            wrong = [row["name"] for row in data["cases"] if "wrong" in row or "failed" in row]
            raise Failed(f"status {status}; wrong or failed: {', '.join(wrong) or 'none'}", data)
        return data | {"note": f"{len(data['cases'])} cases right, {len(data['skipped'])} skipped"}

    return Stage(f"kernel-bench-{batch}", f"every kernel at batch {batch}", work, 60, 1800)


def measured_step(attempt, network, *words):
    """The rows of tools/bench_vs_pytorch.py for one network."""
    setting = attempt.setting
    command = [sys.executable, setting.root / "tools" / "bench_vs_pytorch.py", "--device", "cuda"]
    command += ["--binary", setting.programs / "step-bench", "--networks", network, "--modes", "train"]
    command += ["--steps", STEPS_PER_ROUND[network], "--warm-up", 50, "--set-up-seconds", SET_UP_SECONDS]
    if setting.library_path:
        command += ["--library-path", setting.library_path]
    if setting.exclusive():
        command += ["--one-at-a-time"]
    data = {"rows": json_of(attempt, *command, *words, engine=False)[1]["rows"]}
    failures = [f"{row['side']}: {row['failure']}" for row in data["rows"] if "failure" in row]
    if failures:
        raise Failed("; ".join(failures), data)
    return data


def engine_step(network):
    title = f"training step of {network}, engine only"
    return Stage(f"step-{network}", title, lambda attempt: measured_step(attempt, network, "--engine-only"), 30, 1200)


def require_pytorch(setting):
    facts = setting.result("machine").get("data", {})
    if not facts.get("torch_sees_gpu"):
        raise Skipped(facts.get("torch_missing", "the PyTorch of python3 sees no GPU"))


def step_against_pytorch(network, name, ways, seconds):
    """Some variants of PyTorch, interleaved with the engine's fastest variant."""

    def work(attempt):
        require_pytorch(attempt.setting)
        if ways == COMPILED_WAYS and not os.environ.get("CC") and not any(map(shutil.which, ("cc", "gcc", "clang"))):
            raise Skipped("torch.compile needs a C compiler; there is none on PATH")
        engine = attempt.setting.result(f"step-{network}")
        if not engine:
            raise NotYet(f"it needs the engine's fastest variant, which the stage step-{network} finds")
        best = targets.fastest_engine_row(engine)
        if best is None:
            raise Skipped(f"no variant of the engine was measured in step-{network}")
        return measured_step(attempt, network, "--engine-ways", best["way"], "--ways", *ways)

    title = f"training step of {network} against {'torch.compile' if ways == COMPILED_WAYS else 'PyTorch'}"
    return Stage(f"step-{network}-{name}", title, work, seconds, 1200)


def seconds_of_run(setting, network, ms_per_step, earlier):
    """Estimated seconds of a training run: from an earlier run, else from the time of a step, else from its target."""
    known = setting.result(earlier).get("data", {}).get("seconds")
    if known:
        return 1.1 * known
    return 20 + 1.2 * (ms_per_step or 5 * targets.MS_PER_STEP[network]) * targets.STEPS / 1000


def training_data(attempt):
    """The folder of the data and their name: CIFAR-10, or the synthetic images of draw-images if there is none."""
    setting = attempt.setting
    if setting.data is not None:
        return setting.data, "CIFAR-10"
    folder = setting.out / "images"
    if not (folder / "test_batch.bin").exists():
        shutil.rmtree(folder, ignore_errors=True)
        outcome = attempt.run(setting.programs / "draw-images", folder)
        if outcome.status != 0:
            raise Skipped(f"there is no CIFAR-10, and draw-images failed: {outcome.last_line()}")
    return folder, "synthetic images"


def finished(outcome, folder, network, seed, data_name):
    """The stage's data, from the files that a training run wrote."""
    if outcome.status != 0:
        raise Failed(outcome.failure())
    evaluation, training_seconds, before = None, 0.0, 0
    batch = json.loads((folder / "config.json").read_text())["train"]["batch_size"]
    for row in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()):
        if "test_accuracy" in row:
            evaluation = row
        elif "images_per_second" in row:
            training_seconds += (row["step"] - before) * batch / row["images_per_second"]
            before = row["step"]
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
    """A training run by resnet-train with the kernels that were fastest in the step. It starts afresh each time."""
    like = network.replace("plain", "resnet")

    def work(attempt):
        setting = attempt.setting
        data, data_name = training_data(attempt)
        folder = setting.out / "runs" / f"{network}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        command = [setting.programs / "resnet-train", setting.root / "configs" / f"{network}.json", "--data", data]
        command += ["--out", folder, "--device", "cuda", "--set", f"train.seed={seed}"]
        if best := targets.fastest_engine_row(setting.result(f"step-{like}")):
            kernels = best["way"].split(",")[0]
            command += ["--set", "train.precision=bf16", "--set", f"train.kernels={kernels}"]
        return finished(attempt.run(*command), folder, network, seed, data_name)

    def needs(setting):
        best = targets.fastest_engine_row(setting.result(f"step-{like}"))
        return seconds_of_run(setting, like, best and best["ms_per_step"], f"train-{network}-0")

    return Stage(f"train-{network}-{seed}", f"64,000 steps of {network}, seed {seed}", work, needs)


def torch_run(network, seed):
    """A training run by PyTorch on the same data, with the configuration that the engine's run wrote."""

    def work(attempt):
        setting = attempt.setting
        config = setting.out / "runs" / f"{network}-0" / "config.json"
        if not config.exists():
            raise NotYet(f"it needs {config}, which the engine's run writes")
        require_pytorch(setting)
        data, data_name = training_data(attempt)
        folder = setting.out / "runs" / f"torch-{network}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(config, folder)
        script = setting.root / "tools" / "bench" / "compare" / "torch_train.py"
        command = [sys.executable, script, config, "--data", data, "--out", folder, "--seed", seed]
        return finished(attempt.run(*command, engine=False), folder, network, seed, data_name)

    def needs(setting):
        rows = targets.rows_of(setting.result(f"step-{network}-torch"), engine=False)
        ms = next((row["ms_per_step"] for row in rows if row["way"] == "graph"), None)
        return seconds_of_run(setting, network, ms, f"torch-{network}-0")

    return Stage(f"torch-{network}-{seed}", f"the same in PyTorch, {network}, seed {seed}", work, needs)

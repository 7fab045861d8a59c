"""The performance targets of the GPU path, and whether a proof met them."""

import statistics

STEPS = 64000
SEEDS = 5
MS_PER_STEP = {"resnet20": 0.30, "resnet56": 0.80, "resnet110": 1.60}  # batch 128, bfloat16, on an H200
TIMES_COMPILE, TIMES_EAGER = 3.0, 10.0
RUN_SECONDS = 25.0  # ResNet-20, all steps, evaluations included
ACCURACY_POINTS = 0.4


def rows_of(result, engine):
    """The measured rows of a step's stage: the engine's or PyTorch's."""
    rows = result.get("data", {}).get("rows", [])
    return [row for row in rows if row["engine"] == engine and "failure" not in row]


def fastest_engine_row(result):
    """None if no variant of the engine was measured."""
    return min(rows_of(result, engine=True), key=lambda row: row["ms_per_step"], default=None)


def entry(what, target, measured, verdict):
    if isinstance(verdict, bool):
        verdict = "met" if verdict else "missed"
    return {"what": what, "target": target, "measured": measured, "verdict": verdict}


def unmeasured(what, target, result):
    return entry(what, target, "", f"not measured ({result['state']}: {result['note']})")


def title_of(network):
    return network.replace("resnet", "ResNet-")


def step_targets(results):
    for network, limit in MS_PER_STEP.items():
        result = results[f"step-{network}"]
        what, target = f"{title_of(network)}, ms per step", f"{limit:.2f}"
        if best := fastest_engine_row(result):
            ms = best["ms_per_step"]
            yield entry(what, target, f"{ms:.3f} ({best['way']})", ms <= limit)
        else:
            yield unmeasured(what, target, result)


def ratios(result):
    """The engine's speed divided by that of each variant of PyTorch in a stage."""
    return {row["way"]: row["engine_ratio"] for row in rows_of(result, engine=False) if "engine_ratio" in row}


def ratio_targets(results):
    for network in MS_PER_STEP:
        compiled, plain = results[f"step-{network}-compiled"], results[f"step-{network}-torch"]
        for rival, result, ratio, factor in (
            ("torch.compile's best", compiled, min(ratios(compiled).values(), default=None), TIMES_COMPILE),
            ("eager PyTorch", plain, ratios(plain).get("eager"), TIMES_EAGER),
        ):
            what, target = f"{title_of(network)}, speed relative to {rival}", f"{factor:.0f}"
            if ratio is None:
                yield unmeasured(what, target, result)
            else:
                yield entry(what, target, f"{ratio:.2f}", ratio >= factor)


def run_target(results):
    what, target = f"ResNet-20, seconds for {STEPS:,} steps with evaluations", f"{RUN_SECONDS:.0f}"
    result = results["train-resnet20-0"]
    data = result["data"]
    if not data:
        return unmeasured(what, target, result)
    if data["steps"] != STEPS:
        return entry(what, target, "", f"not measured (the run had {data['steps']} steps)")
    return entry(what, target, f"{data['seconds']:.1f}", data["seconds"] <= RUN_SECONDS)


def accuracies(results, prefix):
    """Of the runs of ResNet-20 on CIFAR-10 that did all steps."""
    data = [results[f"{prefix}-resnet20-{seed}"]["data"] for seed in range(SEEDS)]
    return [run["test_accuracy"] for run in data if run and run["data"] == "CIFAR-10" and run["steps"] == STEPS]


def accuracy_target(results):
    what = f"ResNet-20, difference in test accuracy from PyTorch, in points (means of {SEEDS} seeds)"
    target = f"{ACCURACY_POINTS} at most"
    engine, pytorch = accuracies(results, "train"), accuracies(results, "torch")
    if len(engine) < SEEDS or len(pytorch) < SEEDS:
        counts = f"{len(engine)} of the engine, {len(pytorch)} of PyTorch"
        return entry(what, target, "", f"not measured (full runs on CIFAR-10: {counts})")
    mean, reference = 100 * statistics.mean(engine), 100 * statistics.mean(pytorch)
    return entry(what, target, f"{mean:.2f} % against {reference:.2f} %", abs(mean - reference) <= ACCURACY_POINTS)


def all_targets(results):
    """A target counts as met only if the tests of the same programs passed."""
    entries = [*step_targets(results), *ratio_targets(results), run_target(results), accuracy_target(results)]
    states = {name: results[name]["state"] for name in ("tests", "golden")}
    failed = [name for name, state in states.items() if state == "failed"]
    pending = [name for name, state in states.items() if state not in ("passed", "failed")]
    for one in entries:
        if one["verdict"] == "met" and failed:
            one["verdict"] = f"does not count: failed {' and '.join(failed)}"
        elif one["verdict"] == "met" and pending:
            one["verdict"] = f"met, but not yet run: {' and '.join(pending)}"
    return entries

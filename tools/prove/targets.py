"""The figures that the GPU path was designed for, and whether a proof met them."""

import statistics

STEPS = 64000
SEEDS = 5
MS_PER_STEP = {"resnet20": 0.30, "resnet56": 0.80, "resnet110": 1.60}  # batch 128, bfloat16, on an H200
TIMES_COMPILE, TIMES_EAGER = 3.0, 10.0
RUN_SECONDS = 25.0  # ResNet-20, all steps, evaluations included
ACCURACY_POINTS = 0.4
TITLES = {"resnet20": "ResNet-20", "resnet56": "ResNet-56", "resnet110": "ResNet-110"}


def rows_of(result, engine):
    """The measured sides of a step's stage, the engine's or PyTorch's."""
    rows = result.get("data", {}).get("rows", [])
    return [row for row in rows if row["engine"] == engine and "failure" not in row]


def why_missing(result):
    note = result.get("note", "")
    return "not measured" + (f" ({result['state']}: {note})" if note else "")


def row(what, target, measured, met):
    return {"what": what, "target": target, "measured": measured, "verdict": "met" if met else "missed"}


def unmeasured(what, target, reason):
    return {"what": what, "target": target, "measured": "", "verdict": reason}


def step_targets(results):
    rows = []
    for network, limit in MS_PER_STEP.items():
        result = results[f"step-{network}"]
        title, wanted = f"{TITLES[network]}, ms a step", f"{limit:.2f}"
        engine = rows_of(result, engine=True)
        if not engine:
            rows.append(unmeasured(title, wanted, why_missing(result)))
            continue
        best = min(engine, key=lambda side: side["ms_per_step"])
        ms = best["ms_per_step"]
        rows.append(row(title, wanted, f"{ms:.3f} ({best['way']})", ms <= limit))
    return rows


def ratios(result):
    """The engine's speed over that of each of PyTorch's ways in a stage."""
    return {side["way"]: side["engine_ratio"] for side in rows_of(result, engine=False) if "engine_ratio" in side}


def ratio_targets(results):
    rows = []
    for network in MS_PER_STEP:
        compiled, plain = results[f"step-{network}-compiled"], results[f"step-{network}-torch"]
        for rival, result, ratio, factor in (
            ("torch.compile's best", compiled, min(ratios(compiled).values(), default=None), TIMES_COMPILE),
            ("eager PyTorch", plain, ratios(plain).get("eager"), TIMES_EAGER),
        ):
            title, wanted = f"{TITLES[network]}, times {rival}", f"{factor:.0f}"
            if ratio is None:
                rows.append(unmeasured(title, wanted, why_missing(result)))
            else:
                rows.append(row(title, wanted, f"{ratio:.2f}", ratio >= factor))
    return rows


def run_target(results):
    title, wanted = f"ResNet-20, seconds for {STEPS:,} steps with evaluations", f"{RUN_SECONDS:.0f}"
    result = results["train-resnet20-0"]
    data = result["data"]
    if not data:
        return unmeasured(title, wanted, why_missing(result))
    if data["steps"] != STEPS:
        return unmeasured(title, wanted, f"not measured (the run had {data['steps']} steps)")
    return row(title, wanted, f"{data['seconds']:.1f}", data["seconds"] <= RUN_SECONDS)


def accuracies(results, prefix):
    """Of the runs of ResNet-20 on CIFAR-10 that went all the way."""
    data = [results[f"{prefix}-resnet20-{seed}"]["data"] for seed in range(SEEDS)]
    return [run["test_accuracy"] for run in data if run and run["data"] == "CIFAR-10" and run["steps"] == STEPS]


def accuracy_target(results):
    title = f"ResNet-20, points of test accuracy to PyTorch's, means of {SEEDS} seeds"
    wanted = f"{ACCURACY_POINTS} at most"
    mine, theirs = accuracies(results, "train"), accuracies(results, "torch")
    if len(mine) < SEEDS or len(theirs) < SEEDS:
        reason = f"not measured (full runs on CIFAR-10: {len(mine)} of the engine, {len(theirs)} of PyTorch)"
        return unmeasured(title, wanted, reason)
    ours, reference = 100 * statistics.mean(mine), 100 * statistics.mean(theirs)
    measured = f"{ours:.2f} % against {reference:.2f} %"
    return row(title, wanted, measured, abs(ours - reference) <= ACCURACY_POINTS)


def checked(results, entries):
    """A figure counts only where the same programs were found right."""
    states = {name: results[name]["state"] for name in ("tests", "golden")}
    failed = [name for name, state in states.items() if state == "failed"]
    open_ones = [name for name, state in states.items() if state not in ("passed", "failed")]
    for entry in entries:
        if entry["verdict"] != "met":
            continue
        if failed:
            entry["verdict"] = f"does not count: failed {' and '.join(failed)}"
        elif open_ones:
            entry["verdict"] = f"met, but not yet run: {' and '.join(open_ones)}"
    return entries


def all_targets(results):
    entries = step_targets(results) + ratio_targets(results) + [run_target(results), accuracy_target(results)]
    return checked(results, entries)

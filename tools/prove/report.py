"""Writes results.md, the readable report of a proof."""

from targets import MS_PER_STEP, all_targets

FACTS = (
    ("gpu", "GPU"),
    ("uuid", "UUID (in CUDA_VISIBLE_DEVICES)"),
    ("mig", "MIG"),
    ("compute_mode", "compute mode"),
    ("memory", "memory"),
    ("compute_capability", "compute capability"),
    ("driver", "driver"),
    ("libcudart", "CUDA runtime"),
    ("libcublas", "cuBLAS"),
    ("libcudnn", "cuDNN"),
    ("torch", "PyTorch"),
    ("torch_cuda", "its CUDA"),
    ("torch_cudnn", "its cuDNN"),
    ("programs", "fingerprint of the programs"),
)


def cell(text):
    """Text that cannot break a table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(heads, rows):
    if not rows:
        return ["Not measured."]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return lines + ["| " + " | ".join(map(cell, row)) + " |" for row in rows]


def machine_part(results):
    data = results["machine"]["data"]
    notes = []
    if data.get("mig", "").startswith("MIG "):
        notes += ["**A MIG device, which is a part of the GPU: the figures are not those of the whole GPU.**", ""]
    return notes + table(("machine", ""), [(title, data[key]) for key, title in FACTS if data.get(key)])


def target_part(results):
    rows = [(entry["what"], entry["target"], entry["measured"], entry["verdict"]) for entry in all_targets(results)]
    return ["The targets are for an H200.", "", *table(("what", "target", "measured", "verdict"), rows)]


def stage_part(results):
    rows = []
    for name, result in results.items():
        seconds = f"{result['seconds']:.0f}" if "seconds" in result else ""
        rows.append((name, result["title"], result["state"], seconds, result["note"]))
    return table(("stage", "what", "state", "s", "note"), rows)


def step_part(results):
    """One row per variant. Each comparison with PyTorch measures the engine's fastest variant again."""
    rows, notes = [], []
    if results["machine"]["data"].get("compute_mode") == "Exclusive_Process":
        notes = ["The GPU was in exclusive-process mode: the variants ran one after another, not alternating.", ""]
    names = [name for network in MS_PER_STEP for name in results if name.split("-")[:2] == ["step", network]]
    for name in names:
        for row in results[name]["data"].get("rows", []):
            if "failure" in row:
                rows.append((name, row["side"], "failed", "", "", row["failure"]))
                continue
            batch_ms = row["ms_per_step"] * row["median"]  # rates are images/s: their product is constant
            spread = f"{batch_ms / row['max']:.3f} - {batch_ms / row['min']:.3f}"
            ratio = f"{row['engine_ratio']:.2f}" if "engine_ratio" in row else ""
            rows.append((name, row["side"], f"{row['ms_per_step']:.3f}", spread, f"{row['median']:.0f}", ratio))
    heads = ("stage", "variant", "ms per step, median", "fastest - slowest round", "images/s", "engine's speed / its")
    return notes + table(heads, rows)


def share(value):
    return "" if value is None else f"{100 * value:.0f} %"


def kernel_part(results):
    """One row per case; a wrong kernel has its error but no time."""
    rows, yardsticks = [], []
    for name, result in results.items():
        data = result["data"]
        if not name.startswith("kernel-bench-") or "cases" not in data:
            continue
        products = [
            f"{'not measured' if rate is None else f'{rate / 1000:.1f} TFLOP/s'} ({source})"
            for source, rate in data["matrix_gflop_per_s"].items()
        ]
        yardsticks += [f"{name}: copy {data['copy_gb_per_s']:.0f} GB/s; {'; '.join(products)}", ""]
        for case in data["cases"]:
            what = (case["case"], case["shape"], case["batch"], case["dtype"], case["kernel"])
            error = "" if case.get("error") is None else f"{case['error']:.1e}"
            if "cold_us" not in case:
                reason = case.get("failed") or f"wrong: {case.get('wrong')}"
                rows.append((*what, reason, "", "", "", "", error))
                continue
            times = (f"{case['cold_us']:.2f}", f"{case['warm_us']:.2f}", f"{case['gb_per_s']:.0f}")
            rows.append((*what, *times, share(case["of_copy"]), share(case["of_matrix"]), error))
    figures = ("us, cold L2", "us, warm L2", "GB/s", "of copy", "of matrix rate", "error")
    heads = ("case", "shape", "batch", "type", "kernel", *figures)
    return [*yardsticks, *table(heads, rows)]


def run_part(results):
    rows = []
    for name, result in results.items():
        data = result["data"]
        if "test_accuracy" not in data:
            continue
        side = "PyTorch" if name.startswith("torch-") else "engine"
        times = (f"{data['seconds']:.1f}", f"{data['training_seconds']:.1f}")
        accuracy = f"{100 * data['test_accuracy']:.2f} %"
        rows.append((data["network"], side, data["seed"], data["steps"], *times, accuracy, data["data"]))
    heads = ("network", "side", "seed", "steps", "s, whole program", "s, training only", "test accuracy", "data")
    return table(heads, rows)


def command_part(results):
    return [
        f"    # {name}: status {record['status']}, {record['seconds']} s\n    {record['command']}"
        for name, result in results.items()
        for record in result["commands"]
    ] or ["None was run."]


def document(results):
    parts = [
        ("# Measurements on a GPU", machine_part(results)),
        ("## Targets", target_part(results)),
        ("## Stages", stage_part(results)),
        ("## A training step (batch 128)", step_part(results)),
        ("## Training runs", run_part(results)),
        ("## Kernels", kernel_part(results)),
        ("## Commands", command_part(results)),
    ]
    return "\n".join("\n".join([title, "", *lines, ""]) for title, lines in parts)

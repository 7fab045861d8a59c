"""The contents of a run folder in a form that can be compared."""
import json
import os

import checkpoint_file

CHECKPOINTS = ("step-", "best.", "last.")


def finished_names(folder):
    """All files but the unfinished ones."""
    return sorted(name for name in os.listdir(folder) if ".tmp-" not in name)


def checkpoints(folder):
    """{name: (metadata, tensors)} of every checkpoint. ValueError if one is damaged."""
    return {name: checkpoint_file.read(os.path.join(folder, name))
            for name in finished_names(folder) if name.startswith(CHECKPOINTS)}


def rows(folder):
    """The rows of the metrics without the measured times."""
    with open(os.path.join(folder, "metrics.jsonl"), encoding="ascii") as file:
        text = file.read()
    if text and not text.endswith("\n"):
        raise ValueError(f"{folder}: the last row is cut off")
    found = [json.loads(line) for line in text.splitlines()]
    for row in found:
        row.pop("images_per_second", None)
    return found


def state(folder):
    """Everything that must not depend, bit for bit, on interruptions of a run."""
    if any(".tmp-" in name for name in os.listdir(folder)):
        raise ValueError(f"{folder}: unfinished files: {os.listdir(folder)}")
    return {
        # Each process writes one more event file.
        "names": sorted(name for name in os.listdir(folder) if not name.startswith("events.")),
        "rows": rows(folder),
        "checkpoints": {
            name: (tensors, metadata["step"], metadata["rows"], metadata.get("test_accuracy"))
            for name, (metadata, tensors) in checkpoints(folder).items()
        },
    }

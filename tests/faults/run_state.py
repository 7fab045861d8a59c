"""What a run folder holds, in a form that two runs can be compared by."""
import json
import os

import checkpoint_file

CHECKPOINTS = ("step-", "best.", "last.")


def finished_names(folder):
    """The files a program may pick up: those that are not unfinished."""
    return sorted(name for name in os.listdir(folder) if ".tmp-" not in name)


def checkpoints(folder):
    """{name: (metadata, tensors)} of every checkpoint. ValueError where one is not whole."""
    return {name: checkpoint_file.read(os.path.join(folder, name))
            for name in finished_names(folder) if name.startswith(CHECKPOINTS)}


def rows(folder):
    """The rows of the metrics, without what the clock decides."""
    with open(os.path.join(folder, "metrics.jsonl"), encoding="ascii") as file:
        text = file.read()
    if text and not text.endswith("\n"):
        raise ValueError(f"{folder}: the last row is cut off")
    found = [json.loads(line) for line in text.splitlines()]
    for row in found:
        row.pop("images_per_second", None)
    return found


def state(folder):
    """All that has to be the same, bit for bit, however a run came to its end."""
    if any(".tmp-" in name for name in os.listdir(folder)):
        raise ValueError(f"{folder}: unfinished files: {os.listdir(folder)}")
    return {
        "names": sorted(os.listdir(folder)),
        "rows": rows(folder),
        "checkpoints": {
            name: (tensors, metadata["step"], metadata["rows"], metadata.get("test_accuracy"))
            for name, (metadata, tensors) in checkpoints(folder).items()
        },
    }

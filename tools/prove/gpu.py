"""The GPU under test: which one of several, and whether it is a MIG device or in exclusive-process mode."""

import os
import re
import subprocess
from dataclasses import dataclass, field

from unusable import Unusable

FIELDS = {
    "name": "gpu",
    "driver_version": "driver",
    "memory.total": "memory",
    "compute_cap": "compute_capability",
    "mig.mode.current": "mig",
    "compute_mode": "compute_mode",
}
LINE = re.compile(r"^(?P<indent>\s*)(?P<name>(?:GPU|MIG) .*?):? *\(UUID: (?P<uuid>[^)]+)\)")


@dataclass
class Listed:
    """A GPU of nvidia-smi -L; `mig` maps the UUIDs of its MIG devices to their names."""

    uuid: str
    mig: dict = field(default_factory=dict)


def listed_in(text):
    """The GPUs of nvidia-smi -L, in its order, which is that of their slots."""
    gpus = []
    for found in filter(None, map(LINE.match, text.splitlines())):
        if found["indent"]:
            gpus[-1].mig[found["uuid"]] = re.sub(r"\s+", " ", found["name"])
        else:
            gpus.append(Listed(found["uuid"]))
    return gpus


def chosen(gpus, visible):
    """The GPU and the UUID of the device on it that CUDA_VISIBLE_DEVICES = `visible` names first; without it (None) the
    first. Raises Unusable."""
    wanted = "0" if visible is None else visible.split(",")[0].strip()
    for number, gpu in enumerate(gpus):
        if wanted == str(number) or (wanted.startswith("GPU-") and gpu.uuid.startswith(wanted)):
            return gpu, gpu.uuid
        for uuid in gpu.mig:
            if wanted.startswith("MIG-") and uuid.startswith(wanted):
                return gpu, uuid
    known = ", ".join(uuid for gpu in gpus for uuid in (gpu.uuid, *gpu.mig)) or "none"
    raise Unusable(f"CUDA_VISIBLE_DEVICES is '{visible}', which names no GPU of nvidia-smi -L: {known}")


def facts():
    """Name, UUID, driver, memory, compute capability, MIG device and compute mode of the GPU under test. The UUID is
    that of the MIG device if the GPU is in MIG mode."""
    text = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
    gpu, uuid = chosen(listed_in(text), os.environ.get("CUDA_VISIBLE_DEVICES"))
    command = ["nvidia-smi", f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader", "-i", gpu.uuid]
    values = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].split(",")
    known = dict(zip(FIELDS.values(), map(str.strip, values)))
    if known["mig"] == "Enabled":
        if not gpu.mig:
            raise Unusable(
                f"the GPU {gpu.uuid} is in MIG mode without a MIG device: create one (nvidia-smi mig -cgi PROFILE -C), "
                "disable MIG (nvidia-smi -mig 0), or name another GPU in CUDA_VISIBLE_DEVICES"
            )
        if uuid == gpu.uuid:
            uuid = next(iter(gpu.mig))
        known["mig"] = gpu.mig[uuid]
    return known | {"uuid": uuid}

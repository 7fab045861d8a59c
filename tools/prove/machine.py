"""What stands on this machine: its GPU, and the libraries that the programs need from CUDA."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REMEDY = (
    "install the CUDA toolkit's runtime, cuBLAS and cuDNN 9, or point CUDA_HOME at them, or put a python3 first on PATH "
    "that has NVIDIA's wheels (pip install nvidia-cudnn-cu{major} nvidia-cublas nvidia-cuda-runtime)"
)


class Unusable(Exception):
    """The machine lacks something; the message says what, and what to do."""


def candidate_folders():
    """Where CUDA's libraries may lie: CUDA trees, then the wheels of the python3 that runs this."""
    trees = [Path(os.environ["CUDA_HOME"])] if os.environ.get("CUDA_HOME") else []
    if nvcc := shutil.which("nvcc"):
        trees.append(Path(nvcc).resolve().parent.parent)
    trees += [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
    folders = [folder for tree in trees for folder in (tree / "lib64", tree / "lib", *tree.glob("targets/*/lib"))]
    for entry in sys.path:
        folders += sorted(Path(entry or ".").glob("nvidia/*/lib"))
    return [folder for folder in folders if folder.is_dir()]


def missing_libraries(program, library_path):
    """Names that the loader does not find for a program."""
    environment = os.environ | ({"LD_LIBRARY_PATH": library_path} if library_path else {})
    result = subprocess.run(["ldd", program], capture_output=True, text=True, env=environment, check=False)
    return re.findall(r"^\s*(\S+) => not found", result.stdout, re.MULTILINE)


def joined(folders):
    inherited = os.environ.get("LD_LIBRARY_PATH", "")
    return ":".join([*map(str, folders), *([inherited] if inherited else [])])


def library_path(program, own_folder):
    """LD_LIBRARY_PATH with which the program finds everything; "" where it needs none. Throws Unusable."""
    folders = [own_folder] if own_folder.is_dir() else []
    candidates = candidate_folders()
    missing = missing_libraries(program, joined(folders) if folders else "")
    for name in missing:
        holder = next((folder for folder in candidates if (folder / name).exists()), None)
        if holder is not None and holder not in folders:
            folders.append(holder)
    # cuDNN opens NVRTC by name, when it compiles a kernel for the device.
    if missing:
        folders += [folder for folder in candidates if any(folder.glob("libnvrtc.so.*"))][:1]
    path = joined(dict.fromkeys(folders)) if folders else ""
    still = missing_libraries(program, path)
    if still:
        major = next((found.group(1) for name in still if (found := re.search(r"cudart\.so\.(\d+)", name))), "13")
        searched = ", ".join(map(str, candidates)) or "nowhere, there are no such folders"
        raise Unusable(
            f"{program} does not find {', '.join(still)} (searched: {searched}); {REMEDY.format(major=major)}"
        )
    return path


def gpu():
    """Name, driver, memory and compute capability of the first GPU. Throws Unusable."""
    if not shutil.which("nvidia-smi"):
        raise Unusable("no NVIDIA GPU: nvidia-smi is not on PATH; run this where an NVIDIA driver is installed")
    fields = ("name", "driver_version", "memory.total", "compute_cap")
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = result.stdout.strip().splitlines()
    values = [value.strip() for value in lines[0].split(",")] if lines else []
    if result.returncode or len(values) != len(fields):
        said = (result.stdout + result.stderr).strip() or "nothing"
        raise Unusable(f"no NVIDIA GPU can be used: nvidia-smi says: {said}; check the driver and the device's rights")
    return dict(zip(("gpu", "driver", "memory", "compute_capability"), values))


def torch_versions():
    """What the python3 that runs this knows of PyTorch; without one, why not."""
    code = (
        "import json, torch; seen = torch.cuda.is_available(); "
        "cudnn = torch.backends.cudnn.version() if seen else None; "
        "print(json.dumps({'torch': torch.__version__, 'torch_cuda': torch.version.cuda, 'torch_cudnn': cudnn, "
        "'torch_sees_gpu': seen}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if result.returncode:
        why = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return {"torch": None, "torch_missing": f"{sys.executable} cannot import torch: {why}"}
    return json.loads(result.stdout)


def fingerprint(folder):
    """One number for the programs of a folder: results of different builds do not mix."""
    digest = hashlib.sha256()
    for program in sorted(folder.iterdir()):
        if program.is_file():
            digest.update(program.name.encode() + b"\0" + hashlib.sha256(program.read_bytes()).digest())
    return digest.hexdigest()[:16]

"""Facts about the machine: PyTorch, and the CUDA libraries that the programs load."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from unusable import Unusable


def candidate_folders():
    """Folders that may hold CUDA's libraries: CUDA toolkits, then the wheels of this python3."""
    trees = [Path(os.environ["CUDA_HOME"])] if os.environ.get("CUDA_HOME") else []
    if nvcc := shutil.which("nvcc"):
        trees.append(Path(nvcc).resolve().parent.parent)
    trees += [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
    folders = [folder for tree in trees for folder in (tree / "lib64", tree / "lib", *tree.glob("targets/*/lib"))]
    for entry in sys.path:
        folders += sorted(Path(entry or ".").glob("nvidia/*/lib"))
    return [folder for folder in folders if folder.is_dir()]


def missing_libraries(program, library_path):
    """Names of the libraries that the loader does not find for a program."""
    environment = os.environ | ({"LD_LIBRARY_PATH": library_path} if library_path else {})
    result = subprocess.run(["ldd", program], capture_output=True, text=True, env=environment, check=False)
    return re.findall(r"^\s*(\S+) => not found", result.stdout, re.MULTILINE)


def joined(folders):
    """LD_LIBRARY_PATH with these folders before the inherited ones; "" without folders."""
    inherited = os.environ.get("LD_LIBRARY_PATH", "")
    return ":".join([*map(str, dict.fromkeys(folders)), *([inherited] if inherited else [])]) if folders else ""


def library_path(program, own_folder):
    """LD_LIBRARY_PATH with which the program finds every library; "" if it needs none. Throws Unusable."""
    folders = [own_folder] if own_folder.is_dir() else []
    candidates = candidate_folders()
    missing = missing_libraries(program, joined(folders))
    for name in missing:
        folders += [folder for folder in candidates if (folder / name).exists()][:1]
    # ldd does not list NVRTC: cuDNN loads it when it compiles a kernel.
    if missing:
        folders += [folder for folder in candidates if any(folder.glob("libnvrtc.so.*"))][:1]
    path = joined(folders)
    still = missing_libraries(program, path)
    if still:
        major = next((found.group(1) for name in still if (found := re.search(r"cudart\.so\.(\d+)", name))), "13")
        searched = ", ".join(map(str, candidates)) or "no folder, none of the usual ones exists"
        raise Unusable(
            f"{program} does not find {', '.join(still)} (searched: {searched}); install the CUDA toolkit's runtime, "
            "cuBLAS and cuDNN 9, or point CUDA_HOME at them, or put a python3 first on PATH that has NVIDIA's wheels "
            f"(pip install nvidia-cudnn-cu{major} nvidia-cublas nvidia-cuda-runtime)"
        )
    return path


TORCH_VERSIONS = """
import json, torch
seen = torch.cuda.is_available()
cudnn = torch.backends.cudnn.version() if seen else None
versions = {"torch": torch.__version__, "torch_cuda": torch.version.cuda, "torch_cudnn": cudnn}
print(json.dumps(versions | {"torch_sees_gpu": seen}))
"""


def torch_versions():
    """Versions of this python3's PyTorch, or why it cannot be imported."""
    result = subprocess.run([sys.executable, "-c", TORCH_VERSIONS], capture_output=True, text=True, check=False)
    if result.returncode:
        why = (result.stderr.strip().splitlines() or ["no message"])[-1]
        return {"torch": None, "torch_missing": f"{sys.executable} cannot import torch: {why}"}
    return json.loads(result.stdout)


def fingerprint(folder):
    """A hash of the programs in a folder, which tells builds apart."""
    digest = hashlib.sha256()
    for program in sorted(folder.iterdir()):
        if program.is_file():
            digest.update(program.name.encode() + b"\0" + hashlib.sha256(program.read_bytes()).digest())
    return digest.hexdigest()[:16]

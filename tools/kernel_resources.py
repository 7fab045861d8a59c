#!/usr/bin/env python3
"""Registers, static shared memory, stack and spills of every CUDA kernel, as ptxas reports them.

    tools/kernel_resources.py            writes docs/kernel-resources.md
    tools/kernel_resources.py --check    compares with that file instead

A kernel with a stack frame or spills uses local memory, which is an error in both modes. With --check, a table that
differs from the committed one is an error if the same compiler version made both, otherwise only a note.

Exit codes: 0 no error; 1 local memory, or a table that is not current; 2 no nvcc, or a file does not compile.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURES = (80, 90)

MEMORY = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.* (\d+) bytes smem)?")


@dataclass
class Kernel:
    """One kernel on one architecture; stack and spills in bytes per thread, shared memory in bytes per block."""

    file: str
    name: str
    architecture: int
    registers: int
    shared: int
    stack: int
    spill_stores: int
    spill_loads: int


def refuse(message):
    print(f"kernel_resources.py: {message}", file=sys.stderr)
    sys.exit(2)


def find_nvcc():
    """The nvcc that the build would use."""
    folders = [os.environ.get("PATH", ""), os.environ.get("CUDA_HOME", "/nonexistent") + "/bin", "/usr/local/cuda/bin"]
    nvcc = shutil.which("nvcc", path=os.pathsep.join(folders))
    if nvcc is None:
        refuse("no nvcc on PATH, in $CUDA_HOME/bin or in /usr/local/cuda/bin: install the CUDA toolkit, 12 or newer")
    return nvcc


def compiler_report(nvcc, file):
    """ptxas's report on one file for all architectures, with the options of the build."""
    command = [nvcc, "-std=c++20", "-O3", f"-I{ROOT}", "-Xptxas", "-v", "--fatbin", "-o", os.devnull, str(file)]
    for architecture in ARCHITECTURES:
        command += ["-gencode", f"arch=compute_{architecture},code=sm_{architecture}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        refuse(f"{file} does not compile:\n{result.stderr}")
    return result.stderr


def parse(report, file):
    """The kernels of a report. Stack and spills of a function that was not inlined count for the kernel above it."""
    kernels = []
    for part in report.split("Compiling entry function ")[1:]:
        name, architecture = re.match(r"'(\w+)' for 'sm_(\d+)'", part).groups()
        stacks, stores, loads = zip(*(map(int, numbers) for numbers in MEMORY.findall(part)))
        registers, shared = map(int, USED.search(part).groups(default=0))
        kernels.append(Kernel(file, name, int(architecture), registers, shared, max(stacks), sum(stores), sum(loads)))
    return kernels


def demangled(names):
    """Names without return type, parameters and this project's namespaces."""
    command = ["c++filt", "--no-params"]
    text = subprocess.run(command, input="\n".join(names), capture_output=True, text=True, check=True).stdout
    text = re.sub(r"\(anonymous namespace\)::|(residual::)?kernels::|\((unsigned )?(int|long|char)\)", "", text)
    return text.splitlines()


def measure(nvcc):
    files = sorted((ROOT / "kernels" / "cuda").glob("*.cu"))
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        reports = list(pool.map(lambda file: compiler_report(nvcc, file), files))
    kernels = [kernel for file, report in zip(files, reports) for kernel in parse(report, file.name)]
    for kernel, name in zip(kernels, demangled([kernel.name for kernel in kernels])):
        kernel.name = name
    return sorted(kernels, key=lambda kernel: (kernel.file, kernel.name))


def document(kernels, version):
    lines = [
        "# Resources of the CUDA kernels",
        "",
        f"nvcc {version}",
        "",
        "Stack frame and spills are in bytes per thread, static shared memory in bytes per block. A launch",
        "may request dynamic shared memory on top. No kernel may spill or have a stack frame.",
        "`python3 tools/kernel_resources.py` writes this file from `nvcc -O3 -Xptxas -v`; with `--check`, as",
        "in the tests, it compares.",
    ]
    for architecture in ARCHITECTURES:
        lines += ["", f"## sm_{architecture}", ""]
        lines.append("| file | kernel | registers | shared memory | stack | spill stores | spill loads |")
        lines.append("|---|---|---|---|---|---|---|")
        lines += [
            f"| {k.file} | `{k.name}` | {k.registers} | {k.shared} | {k.stack} | {k.spill_stores} | {k.spill_loads} |"
            for k in kernels
            if k.architecture == architecture
        ]
    return "\n".join(lines) + "\n"


def up_to_date(table, text, version):
    """False if the same compiler made another table than the committed one."""
    if not table.exists():
        print(f"{table} is missing; make it with tools/kernel_resources.py")
        return False
    committed = table.read_text()
    if committed == text:
        return True
    made_by = re.search(r"^nvcc (\S+)$", committed, re.MULTILINE)
    if made_by and made_by.group(1) != version:
        print(f"note: {table} was made by nvcc {made_by.group(1)}, this is {version}: tables are not compared")
        return True
    print(f"{table} is out of date; make it again with tools/kernel_resources.py. What differs:")
    old, new = committed.splitlines(), text.splitlines()
    rows = [f"- {line}" for line in old if line not in new] + [f"+ {line}" for line in new if line not in old]
    print("\n".join(rows))
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed table instead of writing it")
    parser.add_argument("--table", type=Path, default=ROOT / "docs" / "kernel-resources.md", help="path of the table")
    args = parser.parse_args()

    nvcc = find_nvcc()
    banner = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"V(\d+\.\d+\.\d+)", banner).group(1)
    kernels = measure(nvcc)
    if not kernels:
        refuse("nvcc reported no kernel")
    local = [kernel for kernel in kernels if kernel.stack or kernel.spill_stores or kernel.spill_loads]
    for kernel in local:
        print(
            f"local memory: {kernel.file} {kernel.name} on sm_{kernel.architecture}: {kernel.stack} bytes of stack, "
            f"{kernel.spill_stores} of spill stores, {kernel.spill_loads} of spill loads"
        )
    text = document(kernels, version)
    if not args.check:
        args.table.write_text(text)
    right = up_to_date(args.table, text, version)
    print(f"{len(kernels)} kernels, {len(local)} with local memory (nvcc {version})")
    sys.exit(0 if right and not local else 1)


if __name__ == "__main__":
    main()

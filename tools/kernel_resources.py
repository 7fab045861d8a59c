#!/usr/bin/env python3
"""Registers, static shared memory, stack and spills of every CUDA kernel, from the compiler's own report.

    tools/kernel_resources.py            writes docs/kernel-resources.md
    tools/kernel_resources.py --check    makes the tables again and compares

A stack frame or a spill is local memory, which a kernel must not have: an error either way. With --check a table that
differs from the committed one is an error where the compiler's version is the one in its header, else a note.

Exit codes: 0 fine; 1 local memory is used, or the table is out of date; 2 no nvcc, or a file does not compile.
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

ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'")
MEMORY = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
STATIC_SHARED = re.compile(r"(\d+) bytes smem")


@dataclass
class Kernel:
    """What one kernel takes on one architecture; memory in bytes a thread, shared memory in bytes a block."""

    file: str
    name: str
    architecture: int
    registers: int = 0
    shared: int = 0
    stack: int = 0
    spill_stores: int = 0
    spill_loads: int = 0

    def uses_local_memory(self):
        return self.stack > 0 or self.spill_stores > 0 or self.spill_loads > 0

    def row(self):
        numbers = (self.registers, self.shared, self.stack, self.spill_stores, self.spill_loads)
        return f"| {self.file} | `{self.name}` | {' | '.join(map(str, numbers))} |"


def refuse(message):
    print(f"kernel_resources.py: {message}", file=sys.stderr)
    sys.exit(2)


def find_nvcc():
    """nvcc on PATH, then of $CUDA_HOME, then of /usr/local/cuda, as the build looks for it."""
    for candidate in (shutil.which("nvcc"), os.environ.get("CUDA_HOME", "/nonexistent") + "/bin/nvcc"):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    if os.access("/usr/local/cuda/bin/nvcc", os.X_OK):
        return "/usr/local/cuda/bin/nvcc"
    refuse("no nvcc on PATH, in $CUDA_HOME/bin or in /usr/local/cuda/bin: install the CUDA toolkit, 12 or newer")


def compiler_version(nvcc):
    text = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"V(\d+\.\d+\.\d+)", text)
    return found.group(1) if found else "unknown"


def compiler_report(nvcc, file):
    """What ptxas says of one file, for all architectures; the options are those of the build."""
    command = [nvcc, "-std=c++20", "-O3", f"-I{ROOT}", "-Xptxas", "-v", "--fatbin", "-o", os.devnull, str(file)]
    for architecture in ARCHITECTURES:
        command += ["-gencode", f"arch=compute_{architecture},code=sm_{architecture}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        refuse(f"{file} does not compile:\n{result.stderr}")
    return result.stderr


def parse(report, file):
    """The kernels of a report. A function that was not inlined has properties of its own, which count for its caller."""
    kernels, kernel = [], None
    for line in report.splitlines():
        if found := ENTRY.search(line):
            kernel = Kernel(file, found.group(1), int(found.group(2)))
            kernels.append(kernel)
        elif kernel and (found := MEMORY.search(line)):
            stack, stores, loads = map(int, found.groups())
            kernel.stack = max(kernel.stack, stack)
            kernel.spill_stores += stores
            kernel.spill_loads += loads
        elif kernel and (found := USED.search(line)):
            kernel.registers = int(found.group(1))
            shared = STATIC_SHARED.search(line)
            kernel.shared = int(shared.group(1)) if shared else 0
    return kernels


def without_arguments(name):
    """`f<g(int)>(int)` without its last, function's, parentheses."""
    depth = 0
    for at in range(len(name) - 1, -1, -1):
        depth += (name[at] == ")") - (name[at] == "(")
        if depth == 0 and name[at] == "(":
            return name[:at]
    return name


def readable(names):
    """Demangled, without return type, arguments and this project's own namespaces."""
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    results = []
    for name in text.splitlines():
        name = without_arguments(name).replace("(anonymous namespace)::", "").replace("kernels::", "")
        name = name.removeprefix("void ").replace("(bool)0", "false").replace("(bool)1", "true")
        results.append(re.sub(r"\((?:unsigned )?(?:int|long|char)\)", "", name))
    return results


def measure(nvcc):
    files = sorted((ROOT / "kernels" / "cuda").glob("*.cu"))
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        reports = list(pool.map(lambda file: compiler_report(nvcc, file), files))
    kernels = [kernel for file, report in zip(files, reports) for kernel in parse(report, file.name)]
    for kernel, name in zip(kernels, readable([kernel.name for kernel in kernels])):
        kernel.name = name
    return sorted(kernels, key=lambda kernel: (kernel.file, kernel.name))


def document(kernels, version):
    lines = [
        "# What each kernel takes",
        "",
        f"nvcc {version}",
        "",
        "Registers, stack frame and spills are per thread, in bytes except the registers. Shared memory is what the "
        "compiler lays out;",
        "what a launch asks for beyond that stands in the kernel's own file. No kernel may spill or keep a stack frame.",
        "Made by `python3 tools/kernel_resources.py` from `nvcc -O3 -Xptxas -v`; `--check` compares, and the tests call "
        "it.",
    ]
    for architecture in ARCHITECTURES:
        lines += ["", f"## sm_{architecture}", ""]
        lines.append("| file | kernel | registers | shared memory | stack | spill stores | spill loads |")
        lines.append("|---|---|---|---|---|---|---|")
        lines += [kernel.row() for kernel in kernels if kernel.architecture == architecture]
    return "\n".join(lines) + "\n"


def differences(old, new):
    """Rows that are only in one of two documents, the old ones with a minus before them."""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    gone = [f"- {line}" for line in old_lines if line not in new_lines]
    return gone + [f"+ {line}" for line in new_lines if line not in old_lines]


def check(table, text, version):
    """True where the committed table holds, or was made by another compiler."""
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
    print("\n".join(differences(committed, text)))
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed table instead of writing it")
    parser.add_argument("--table", type=Path, default=ROOT / "docs" / "kernel-resources.md", help="the table's file")
    args = parser.parse_args()

    nvcc = find_nvcc()
    version = compiler_version(nvcc)
    kernels = measure(nvcc)
    if not kernels:
        refuse("nvcc reported no kernel")
    text = document(kernels, version)
    local = [kernel for kernel in kernels if kernel.uses_local_memory()]
    for kernel in local:
        print(
            f"local memory: {kernel.file} {kernel.name} on sm_{kernel.architecture}: {kernel.stack} bytes of stack, "
            f"{kernel.spill_stores} of spill stores, {kernel.spill_loads} of spill loads"
        )
    if args.check:
        holds = check(args.table, text, version)
    else:
        args.table.write_text(text)
        holds = True
    print(f"{len(kernels)} kernels, {len(local)} with local memory (nvcc {version})")
    sys.exit(0 if holds and not local else 1)


if __name__ == "__main__":
    main()

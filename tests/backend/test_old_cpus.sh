#!/usr/bin/env bash
# The programs on CPUs without AVX-512 and without AVX, emulated by qemu-user: they start, and train with the kernels for
# that CPU.
#     test_old_cpus.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"

if [ "$(uname -m)" != x86_64 ] || ! command -v qemu-x86_64 >/dev/null; then
    printf 'skipped: needs an x86-64 machine and qemu-x86_64 (Debian package qemu-user)\n'
    exit 0
fi
if ! grep -q '^RESIDUAL_SANITIZE:STRING=$' "$(dirname "$bin")/CMakeCache.txt"; then
    printf 'skipped: sanitizers do not run under qemu-user\n'
    exit 0
fi
# A program that restarts itself would leave the emulator. OneDNN's AVX2 code would take minutes in it.
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 ONEDNN_MAX_CPU_ISA=SSE41

# on CPU COMMAND...
on() { run qemu-x86_64 -cpu "$@"; }
step() { printf 'run 1\n' | qemu-x86_64 -cpu "$1" "$bin/step-bench" "$repository/configs/resnet20.json" --device cpu --batch 1 --set model.depth=8; }
# trains CPU TARGETS: the best of the targets is the default.
trains() {
    on "$1" "$bin/resnet-train" --help
    expect "$1: --help" exits_with 0
    run step "$1"
    expect "$1: trains a step" exits_with 0
    expect "$1: and finishes it" says '"images": 1}'
    on "$1" "$bin/tests-kernels" "cast*,ReLU*,Running*,Softmax*"
    expect "$1: tests of kernels" exits_with 0
    RESIDUAL_ISA=avx512 on "$1" "$bin/step-bench" "$repository/configs/resnet20.json" --device cpu
    expect "$1: instructions that it lacks are refused: exit 2" exits_with 2
    expect "$1: and the choices are named" last_line_is "step-bench: RESIDUAL_ISA is \"avx512\"; this CPU can run: $2"
}
trains Nehalem baseline
trains Haswell "baseline, avx2"

report

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
# A program that restarts itself would leave the emulator.
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2
# qemu takes minutes for oneDNN's AVX2 code, which is not what this tests.
export ONEDNN_MAX_CPU_ISA=SSE41

# on CPU COMMAND...
on() { run qemu-x86_64 -cpu "$1" "${@:2}"; }
# trains CPU TARGET
trains() {
    on "$1" "$bin/resnet-train" --help
    expect "$1: --help" exits_with 0
    on "$1" "$bin/few-steps" "$scratch/$1" train.steps=1 train.batch_size=1
    expect "$1: trains" exits_with 0
    expect "$1: with the kernels for this CPU" says ", $2 kernels, oneDNN "
    on "$1" "$bin/tests-kernels" "cast between float and bfloat16"
    expect "$1: tests of kernels" exits_with 0
}
trains Nehalem baseline
trains Haswell avx2

run env RESIDUAL_ISA=avx2 qemu-x86_64 -cpu Nehalem "$bin/few-steps" "$scratch/refused"
expect "instructions that the CPU lacks are refused: exit 2" exits_with 2
expect "and the choices are named" says 'RESIDUAL_ISA is "avx2"; this CPU can run: baseline'

report

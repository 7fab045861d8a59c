#!/usr/bin/env bash
# Tests and measures everything that needs an NVIDIA GPU, in the stages that docs/gpu-proof.md lists. Works from a
# checkout, which it builds, and from a folder made by tools/stage_gpu.sh, which needs no compiler.
# Exit codes: 0 every stage passed or was skipped with a reason; 1 a stage failed; 2 wrong usage, or no usable GPU,
# driver, library or Python; 3 nothing failed, but the time ran out: run the same command again to continue.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
# shellcheck source=tools/cifar.sh
. tools/cifar.sh

usage="usage: bash tools/prove_gpu.sh [--minutes M] [--out DIR] [--data DIR] [--only PATTERN]
  --minutes M      stop after M minutes; a stage starts only if it should fit into the time left (default: no limit)
  --out DIR        results; if the folder already has some, only the missing stages run (default: runs/gpu-proof)
  --data DIR       folder of CIFAR-10's six binary files. Default: \$CIFAR10_DIR if it is set, else data/ beside
                   tools/, else the cache, else synthetic images (draw-images), on which accuracy is not checked
  --only PATTERN   only stages whose names match, for example 'step-*'"

minutes="" out=$PWD/runs/gpu-proof data=${CIFAR10_DIR:-} only="*"
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            say "$usage"
            exit 0
            ;;
        --minutes | --out | --data | --only)
            [ $# -ge 2 ] || die "$1 needs a value; $usage" 2
            declare "${1#--}=$2"
            shift 2
            ;;
        *) die "unknown argument '$1'; $usage" 2 ;;
    esac
done
if [ -n "$minutes" ] && ! [[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]]; then
    die "--minutes is '$minutes'; it must be a number; $usage" 2
fi
out=$(from_caller "$out")

if [ -n "$data" ]; then
    named_cifar10 "$data" "--data or CIFAR10_DIR"
else
    candidates=("$PWD/data")
    if [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ]; then candidates+=("$(cache_folder)/cifar10"); fi
    for candidate in "${candidates[@]}"; do
        candidate=$(cifar10_files_in "$candidate")
        if [ -z "$(missing_from_cifar10 "$candidate")" ]; then
            data=$candidate
            break
        fi
    done
fi
[ -n "$data" ] || warn "no CIFAR-10 found: runs train on SYNTHETIC IMAGES, and their accuracy is not checked"

command -v python3 >/dev/null || die "python3 is missing; install it (3.10 or newer; with PyTorch for the comparison)" 2
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || die "python3 is too old: 3.10 or newer is needed" 2
command -v nvidia-smi >/dev/null ||
    die "no NVIDIA GPU: nvidia-smi is not on PATH; run this on a machine with an NVIDIA driver" 2
nvidia-smi -L >/dev/null 2>&1 || die "no NVIDIA GPU can be used: nvidia-smi says: $(nvidia-smi -L 2>&1 | head -n 1)" 2

if [ -f staged.json ]; then
    programs=$PWD/bin
else
    find_cuda || die "cannot build for the GPU: $cuda_missing; install what is missing, or copy a folder that \
tools/stage_gpu.sh made on another machine" 2
    say "== build: $cuda_found"
    build cuda || die "the build failed (see its messages above; bash tools/install.sh tests installs what it needs)"
    programs=$PWD/build/cuda/bin
fi

arguments=(--root "$PWD" --programs "$programs" --out "$out" --only "$only")
if [ -n "$data" ]; then arguments+=(--data "$data"); fi
if [ -n "$minutes" ]; then
    arguments+=(--seconds "$(awk -v m="$minutes" -v s="$SECONDS" 'BEGIN { print m * 60 - s }')")
fi
exec python3 tools/prove/main.py "${arguments[@]}"

#!/usr/bin/env bash
# From a fresh Debian 12 or 13 to a trained and evaluated ResNet-20: installs, builds, gets data, trains, evaluates,
# and writes a report.
# Packages, programs and data that are already there are reused.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
# shellcheck source=tools/cifar.sh
. tools/cifar.sh

usage="usage: bash tools/quickstart.sh [--data DIR]
  --data DIR   folder of CIFAR-10's six binary files. Default: \$CIFAR10_DIR if it is set, else the cache, else a
               download, else (without an Internet connection) synthetic images (draw-images)"
help_if_asked "$usage" "$@"
data=${CIFAR10_DIR:-} named_by=CIFAR10_DIR
while [ $# -gt 0 ]; do
    case $1 in
        --data)
            [ $# -ge 2 ] || die "--data needs a folder; $usage" 2
            data=$2 named_by=--data
            shift 2
            ;;
        --data=*)
            data=${1#--data=} named_by=--data
            shift
            ;;
        *) die "unknown argument '$1'; $usage" 2 ;;
    esac
done
if [ -n "$data" ]; then named_cifar10 "$data" "$named_by"; fi

say "== 1/6 packages"
bash tools/install.sh

say "== 2/6 build"
if find_cuda; then
    preset=cuda
    say "building for CUDA and the CPU: $cuda_found"
else
    preset=cpu
    say "building for the CPU only: $cuda_missing"
    if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
        warn "this machine has an NVIDIA GPU: install the CUDA toolkit (12 or newer) and cuDNN 9 to use it"
    fi
fi
build "$preset" resnet-train resnet-eval resnet-report draw-images || die "the build failed (see its messages above)"
bin=build/$preset/bin

# draw_images DIR: makes the whole folder or leaves it as it was; one process at a time.
draw_images() {
    mkdir -p "$(dirname "$1")"
    exec 8>"$1.lock"
    flock 8
    if [ -n "$(missing_from_cifar10 "$1")" ] || [ "$bin/draw-images" -nt "$1/test_batch.bin" ]; then
        rm -rf "$1.new"
        "$bin/draw-images" "$1.new" >/dev/null
        rm -rf "$1"
        mv -T "$1.new" "$1"
    fi
    exec 8>&-
}

say "== 3/6 data"
what="CIFAR-10"
if [ -n "$data" ]; then
    say "CIFAR-10 from $named_by: $data"
else
    cache=$(cache_folder)
    data=$(cifar10_files_in "$cache/cifar10")
    status=0
    if [ -z "$(missing_from_cifar10 "$data")" ]; then
        say "CIFAR-10 from the cache: $data"
    else
        bash tools/get_cifar.sh cifar10 "$data" || status=$?
    fi
    if [ "$status" -gt 128 ]; then exit "$status"; fi
    if [ "$status" != 0 ]; then
        what="SYNTHETIC IMAGES, not CIFAR-10"
        data=$cache/images
        warn "**********************************************************************"
        warn "CIFAR-10 could not be downloaded (see the reason above)."
        warn "Training on SYNTHETIC IMAGES instead: ten classes of scenes, generated"
        warn "from a seed. This is NOT CIFAR-10, and its accuracy says nothing about it."
        warn "**********************************************************************"
        draw_images "$data"
        say "synthetic images: $data"
    fi
fi

say "== 4/6 training"
run=runs/quickstart number=1
while [ -e "$run" ]; do run=runs/quickstart-$((number += 1)); done
if [ "$number" -gt 1 ]; then say "earlier runs are kept; this one goes into $run"; fi
"$bin/resnet-train" configs/quickstart.json --data "$data" --out "$run"

say "== 5/6 evaluation"
checkpoints=("$run"/step-*.safetensors)
checkpoint=${checkpoints[-1]}
figures=$("$bin/resnet-eval" "$checkpoint" --data "$data" --json)
accuracy=$(sed -n 's/.*"test_accuracy": *\([0-9.eE+-]*\).*/\1/p' <<<"$figures")

say "== 6/6 report"
report="$PWD/$run/report.html    (open it in a browser)"
"$bin/resnet-report" "$run" --data "$data" --out "$run/report.html" || report="none: resnet-report failed, see above"

say ""
say "test accuracy  $(awk -v a="$accuracy" 'BEGIN { printf "%.2f %%", 100 * a }')  ($what)"
say "checkpoint     $PWD/$checkpoint"
say "report         $report"
if [ "$what" = CIFAR-10 ]; then
    say "run next       cd $(printf '%q' "$PWD") && $bin/resnet-train configs/resnet20.json --data $(printf '%q' "$data")"
    say "               (the full recipe, 64,000 steps: hours on a CPU)"
else
    say "run next       bash $PWD/tools/get_cifar.sh cifar10    (with a network; then the quickstart again)"
fi

#!/usr/bin/env bash
# From a bare Debian 12 or 13 to a trained and evaluated ResNet-20: installs, builds, gets data, trains, evaluates.
# What stands already is not installed, built or downloaded again.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
# shellcheck source=tools/cifar.sh
. tools/cifar.sh

usage="usage: bash tools/quickstart.sh [--data DIR]
  --data DIR   folder of the six CIFAR-10 binary files; else \$CIFAR10_DIR, else the cache, else a download,
               else (no network) built-in pictures"
data=""
while [ $# -gt 0 ]; do
    case $1 in
        --data)
            [ $# -ge 2 ] || die "--data needs a folder; $usage" 2
            data=$2
            shift 2
            ;;
        --data=*)
            data=${1#--data=}
            shift
            ;;
        -h | --help)
            say "$usage"
            exit 0
            ;;
        *) die "unknown argument '$1'; $usage" 2 ;;
    esac
done

# A folder that the user names is taken or refused, never replaced by another one.
named_by="--data"
if [ -z "$data" ]; then
    data=${CIFAR10_DIR:-}
    named_by="CIFAR10_DIR"
fi
if [ -n "$data" ]; then
    case $data in /*) ;; *) data=$called_from/$data ;; esac
    data=$(cifar10_files_in "$data")
    problem=$(missing_from_cifar10 "$data")
    [ -z "$problem" ] ||
        die "$named_by is no CIFAR-10 folder: $problem; name a folder of the six .bin files, or none to download them" 2
fi

say "== 1/5 packages"
bash tools/install.sh

say "== 2/5 build"
if find_cuda; then
    preset=cuda
    say "building for CUDA and the CPU: $cuda_found"
else
    preset=cpu
    say "building for the CPU alone: $cuda_missing"
    if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
        warn "this machine has an NVIDIA GPU: with the CUDA toolkit (12 or newer) and cuDNN 9 installed it would be used"
    fi
fi
build "$preset" resnet-train resnet-eval draw-images || die "the build failed (its messages stand above)"
bin=build/$preset/bin

# Draws into a folder of its own and moves the finished one in place, one process at a time.
draw_images() {
    local pictures=$1
    mkdir -p "$(dirname "$pictures")"
    exec 8>"$pictures.lock"
    flock 8
    if [ -n "$(missing_from_cifar10 "$pictures")" ] || [ "$bin/draw-images" -nt "$pictures/test_batch.bin" ]; then
        rm -rf "$pictures.new"
        "$bin/draw-images" "$pictures.new" >/dev/null
        rm -rf "$pictures"
        mv -T "$pictures.new" "$pictures"
    fi
    exec 8>&-
}

say "== 3/5 data"
drawn=false
if [ -n "$data" ]; then
    say "CIFAR-10 from $named_by: $data"
else
    cache=$(cache_folder)
    data=$(cifar10_files_in "$cache/cifar10")
    if [ -z "$(missing_from_cifar10 "$data")" ]; then
        say "CIFAR-10 from the cache: $data"
    else
        status=0
        bash tools/get_cifar.sh cifar10 "$data" || status=$?
        if [ "$status" -gt 128 ]; then exit "$status"; fi
        if [ "$status" != 0 ]; then
            drawn=true
            data=$cache/pictures
            warn "**********************************************************************"
            warn "CIFAR-10 could not be downloaded (the reason stands above)."
            warn "Training on BUILT-IN PICTURES instead: ten classes of drawn scenes, made"
            warn "from a seed. This is NOT CIFAR-10, and its accuracy says nothing about it."
            warn "**********************************************************************"
            draw_images "$data"
            say "built-in pictures: $data"
        fi
    fi
fi

say "== 4/5 training"
run=runs/quickstart
number=1
while [ -e "$run" ]; do
    number=$((number + 1))
    run=runs/quickstart-$number
done
if [ "$number" -gt 1 ]; then say "earlier runs stay as they are; this one goes into $run"; fi
"$bin/resnet-train" configs/quickstart.json --data "$data" --out "$run"

say "== 5/5 evaluation"
checkpoints=("$run"/step-*.safetensors)
checkpoint=${checkpoints[-1]}
[ -f "$checkpoint" ] || die "no checkpoint in $run"
report=$("$bin/resnet-eval" "$checkpoint" --data "$data" --json)
accuracy=$(sed -n 's/.*"test_accuracy": *\([0-9.eE+-]*\).*/\1/p' <<<"$report")
[ -n "$accuracy" ] || die "resnet-eval reported no test_accuracy"

what="CIFAR-10"
if $drawn; then what="BUILT-IN PICTURES, not CIFAR-10"; fi
say ""
say "test accuracy  $(awk -v a="$accuracy" 'BEGIN { printf "%.2f %%", 100 * a }')  ($what)"
say "checkpoint     $PWD/$checkpoint"
if $drawn; then
    say "run next       bash $PWD/tools/get_cifar.sh cifar10    (once there is a network; then the quickstart again)"
else
    say "run next       cd $(printf '%q' "$PWD") && $bin/resnet-train configs/resnet20.json --data $(printf '%q' "$data")"
    say "               (the full recipe, 64,000 steps: hours on a CPU)"
fi

#!/usr/bin/env bash
# Out of memory on the host and on the emulated GPU: exit 1 with what the memory is for, the size, the limit and
# the remedy.
#     test_memory.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"
cd "$scratch"

# Black images of the first class: six sparse files, which take no space.
mkdir data
for name in "${cifar10_files[@]}"; do truncate -s 30730000 "data/$name"; done
printf '{"model": {"depth": 8}, "train": {"steps": 1}}' >config.json
matches() { grep -qE -- "$1" output; }

# within KIBIBYTES COMMAND...
within() (
    ulimit -v "$1"
    "${@:2}"
)
# train LIMIT_IN_KIBIBYTES BATCH
train() {
    rm -rf out
    run within "$1" "$bin/resnet-train" config.json --data data --out out --device cpu --set train.batch_size="$2"
}
# Sanitizers reserve terabytes of address space before main(), CUDA's libraries hundreds of megabytes.
starts_within() { within "$1" "$bin/resnet-train" --help >/dev/null 2>&1; }
if starts_within 4000000; then
    train 3000000 50000
    expect "a batch too large for memory: exit 1" exits_with 1
    expect "the memory needed, the limit and the remedy" \
        matches "^resnet-train: out of memory for a training step on 50000 images: cannot allocate 3125\.0 MiB \([0-9.]+ MiB already allocated\); [0-9.]+ of 2929\.7 MiB of the process's address space \(ulimit -v\) are free: raise this limit, or start a run with a smaller train.batch_size$"
else
    printf 'skipped: a limit on the address space: this build needs more\n'
fi
if starts_within 200000; then
    train 200000 16
    expect "no memory for the data: exit 1" exits_with 1
    expect "the limit and the remedy" \
        matches "^resnet-train: out of memory for the data set: [0-9.]+ of 195\.3 MiB of the process's address space \(ulimit -v\) are free: raise this limit$"
    expect "no C++ class name" silent_about bad_alloc
else
    printf 'skipped: a limit below the size of the loaded program\n'
fi

# Only the emulator contains this string.
if grep -q EMULATOR_MEMORY "$bin/resnet-train"; then
    run env EMULATOR_MEMORY=$((160 << 20)) "$bin/resnet-train" config.json --data data --out out --device cuda --set train.batch_size=1
    expect "a GPU with too little memory: exit 1" exits_with 1
    expect "the memory needed, the limit and the remedy of the GPU" \
        matches "^resnet-train: out of memory for the data set on the device: cannot allocate [0-9.]+ MiB \([0-9.]+ MiB already allocated\); the GPU has [0-9.]+ of 160\.0 MiB free: stop other programs that use the GPU$"
    expect "nothing is written" absent out
else
    printf 'skipped: a GPU with too little memory: only the emulator can simulate it\n'
fi

report

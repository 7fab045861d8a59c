#!/usr/bin/env bash
# The choice of a GPU, and a GPU that cannot record a step; only the emulator can imitate the latter.
#     test_devices.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$scratch"

# ---- a GPU is chosen by its number

printf '{"model": {"depth": 8}}' >config.json
for device in gpu cuda: cuda:1234; do
    run "$bin/step-bench" config.json --device "$device"
    expect "the device '$device' is refused" exits_with 2
    expect "with the valid names" says "expected a name such as \"cuda\", \"cuda:1\", \"cpu\", \"auto\", got \"$device\""
    run "$bin/kernel-bench" --list --device "$device"
    expect "kernel-bench refuses the device '$device'" exits_with 2
    expect "kernel-bench names the devices" says "$device is not a device; give cpu, cuda, cuda:N or auto"
done
for program in "step-bench config.json" "kernel-bench --list"; do
    # shellcheck disable=SC2086  # a program and its argument
    run "$bin/"$program --device cuda:999
    expect "$program refuses a GPU that does not exist" exits_with 2
    expect "$program says why CUDA cannot be used" says "CUDA"
done

emulated=false
# Only the emulator contains this string.
if grep -q EMULATOR_FAILURES "$bin/resnet-train"; then emulated=true; fi

if $emulated; then
    for number in 0 1; do
        run env EMULATOR_DEVICES=2 "$bin/few-steps" "gpu$number" "train.device=cuda:$number" train.steps=1
        expect "a run on GPU $number succeeds" exits_with 0
    done
    expect "the resolved configuration has the device" grep -q '"device": "cuda:1"' gpu1/config.json
    expect "GPU 0 is the device cuda" grep -q '"device": "cuda"' gpu0/config.json
    run env EMULATOR_DEVICES=2 "$bin/few-steps" none train.device=cuda:2
    expect "a number beyond the GPUs is refused" exits_with 2
    expect "with the numbers that there are" says "there is no GPU number 2 (cuda:2), only 2 GPUs, numbers 0 to 1"

    # ---- a step that cannot be recorded

    failing=EMULATOR_FAILURES=cudaGraphInstantiate=2
    run "$bin/few-steps" recorded train.device=cuda
    expect "a run with recorded steps succeeds" exits_with 0
    expect "and without a warning" silent_about warning
    run env "$failing" "$bin/few-steps" eager train.device=cuda
    expect "a run whose step cannot be recorded succeeds" exits_with 0
    expect "with a warning that gives the reason" says "warning: the training step could not be recorded as a CUDA graph (out of memory: cudaGraphInstantiate failed: "
    expect "with one warning" [ "$(grep -c warning output)" = 1 ]
    # The tensors of a checkpoint follow its header, which contains the name of the run folder.
    tensors() { tail -c +"$(($(od -An -t u8 -N 8 "$1") + 9))" "$1" | sha256sum; }
    expect "the weights are the same" [ "$(tensors recorded/last.safetensors)" = "$(tensors eager/last.safetensors)" ]

    # shellcheck disable=SC2016  # the inner shell expands them
    bench() { run env "$failing" bash -c 'echo "run 3" | "$0" config.json --device cuda --batch 1 "$@"' "$bin/step-bench" "$@"; }
    bench
    expect "step-bench does not time eager steps as recorded ones" exits_with 1
    expect "it names the remedy" says "measure eager steps with --eager"
    bench --eager
    expect "step-bench times eager steps on request" exits_with 0
else
    printf 'skipped: a step that cannot be recorded\n'
fi

report

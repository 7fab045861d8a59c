#!/usr/bin/env bash
# A GPU that cannot record a step, which only the emulator can imitate.
#     test_devices.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$scratch"

emulated=false
# Only the emulator contains this string.
if grep -q EMULATOR_FAILURES "$bin/resnet-train"; then emulated=true; fi

if $emulated; then
    failing=EMULATOR_FAILURES=cudaGraphInstantiate=2
    run "$bin/few-steps" recorded train.device=cuda
    expect "a run with recorded steps succeeds" exits_with 0
    expect "and without a warning" silent_about warning
    run env "$failing" "$bin/few-steps" eager train.device=cuda
    expect "a run whose step cannot be recorded succeeds" exits_with 0
    expect "with a warning that gives the reason" says "warning: the training step could not be recorded as a CUDA graph (cudaGraphInstantiate failed: "
    expect "with one warning" [ "$(grep -c warning output)" = 1 ]
    # The tensors of a checkpoint follow its header, which contains the name of the run folder.
    tensors() { tail -c +"$(($(od -An -t u8 -N 8 "$1") + 9))" "$1" | sha256sum; }
    expect "the weights are the same" [ "$(tensors recorded/last.safetensors)" = "$(tensors eager/last.safetensors)" ]

    printf '{"model": {"depth": 8}}' >config.json
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

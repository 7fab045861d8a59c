#!/usr/bin/env bash
# tools/bench_vs_pytorch.py with fake programs on both sides: alternation, medians, ratios, and failing sides.
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# Each side takes a fixed time for a step: the engine 2 ms composed and 1 ms fused, PyTorch 4 ms.
answer='while read -r word steps; do
    echo "$word $steps of $name" >>"$SCRATCH/turns"
    echo "a library says something"
    awk -v n="$steps" -v ms="$ms" -v b=128 "BEGIN { printf \"{\\\"seconds\\\": %g, \\\"images\\\": %d}\n\", n * ms / 1000, n * b }"
done'
fake_program "$scratch" step-bench 'ms=2 name=composed
case "$*" in *kernels=fused*) ms=1 name=fused ;; esac
case "$*" in *--eager*) echo "step-bench: no such option --eager" >&2; exit 2 ;; esac
echo "$LD_LIBRARY_PATH" >"$SCRATCH/library-path"
'"$answer"
fake_program "$scratch" python 'ms=4 name=torch
case "$*" in *"--way compile "*) sleep 60 ;; esac
'"$answer"
bench() {
    run env SCRATCH="$scratch" OMP_NUM_THREADS=1 python3 "$repository/tools/bench_vs_pytorch.py" --binary "$scratch/step-bench" \
        --python "$scratch/python" --networks resnet20 --rounds 3 --steps 7 --warm-up 2 --json "$scratch/rows.json" "$@"
}
# value WAY KEY: a value of the row of a variant.
value() {
    python3 -c 'import json, sys
row, = [row for row in json.load(open(sys.argv[1]))["rows"] if row["way"] == sys.argv[2]]
print(row.get(sys.argv[3]))' "$scratch/rows.json" "$1" "$2"
}

bench --modes train eval
expect "the CPU's sides run" exits_with 0
expect "every side has a row for each network and mode" [ "$(grep -c '^resnet20' "$scratch/output")" = 4 ]
expect "a round has the requested number of steps" [ "$(grep -c 'run 7 of torch' "$scratch/turns")" = 6 ]
rm "$scratch/turns"
bench --modes train
expect "after the warm-up the sides alternate, in reverse order every other round" \
    [ "$(tr '\n' ' ' <"$scratch/turns")" = "run 2 of composed run 2 of torch run 7 of composed run 7 of torch \
run 7 of torch run 7 of composed run 7 of composed run 7 of torch " ]
expect "the engine's milliseconds a step" [ "$(value "" ms_per_step)" = 2.0 ]
expect "the engine's ratio to PyTorch" [ "$(value channels-last engine_ratio)" = 2.0 ]

rm "$scratch/turns"
bench --modes train --one-at-a-time
expect "--one-at-a-time: each side runs all its rounds before the next" \
    [ "$(tr '\n' ' ' <"$scratch/turns")" = "run 2 of composed run 7 of composed run 7 of composed run 7 of composed \
run 2 of torch run 7 of torch run 7 of torch run 7 of torch " ]
expect "--one-at-a-time: the ratio" [ "$(value channels-last engine_ratio)" = 2.0 ]
fake_program "$scratch" exclusive 'mkdir "$SCRATCH/busy" || exit 1
trap "rmdir $SCRATCH/busy" EXIT
ms=1 name=exclusive
'"$answer"
bench --modes train --one-at-a-time --binary "$scratch/exclusive" --python "$scratch/exclusive"
expect "--one-at-a-time: no side starts before the one before it has exited" exits_with 0

bench --device cuda --modes train --library-path /cuda/libraries --set-up-seconds 1
expect "a failing side: exit 1" exits_with 1
expect "a failing side: it is named" says "engine fused, eager"
expect "a failing side: its status and message are printed" says "failed: exited with status 2: step-bench: no such option --eager"
expect "a side that does not answer times out" says "failed: no answer within 1 s"
expect "the other sides are measured" [ "$(value "fused, captured" ms_per_step)" = 1.0 ]
expect "ratios are against the engine's fastest variant" [ "$(value graph engine_ratio)" = 4.0 ]
expect "--library-path reaches the engine" [ "$(<"$scratch/library-path")" = /cuda/libraries ]
expect "a failing side has no time" [ "$(value compile ms_per_step)" = None ]

bench --device cuda --modes train --engine-only
expect "--engine-only leaves PyTorch out" silent_about PyTorch
bench --device cuda --modes train --engine-ways "fused, captured" --ways graph
expect "one variant of each side can be selected" exits_with 0
expect "the other variants do not run" silent_about composed
bench --device cuda --engine-ways fastest
expect "an unknown variant: exit 2" exits_with 2
expect "an unknown variant: the known ones are listed" says "composed, eager; composed, captured; fused, eager; fused, captured"
bench --networks resnet21
expect "an unknown network: exit 2" exits_with 2

report

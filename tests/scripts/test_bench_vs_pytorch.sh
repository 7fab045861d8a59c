#!/usr/bin/env bash
# tools/bench_vs_pytorch.py with stand-ins on both sides: turns, medians and ratios, and sides that fail.
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
# VALUE of the side whose way is WAY, as Python sees it.
value() {
    python3 -c 'import json, sys
row, = [row for row in json.load(open(sys.argv[1]))["rows"] if row["way"] == sys.argv[2]]
print(row.get(sys.argv[3]))' "$scratch/rows.json" "$1" "$2"
}

bench --modes train eval
expect "the CPU's sides are compared" exits_with 0
expect "each network and mode is a row of each side" [ "$(grep -c '^resnet20' "$scratch/output")" = 4 ]
expect "a round is the steps that were asked for" [ "$(grep -c 'run 7 of torch' "$scratch/turns")" = 6 ]
rm "$scratch/turns"
bench --modes train
expect "warm-up comes first, then turns that reverse from round to round" \
    [ "$(tr '\n' ' ' <"$scratch/turns")" = "run 2 of composed run 2 of torch run 7 of composed run 7 of torch \
run 7 of torch run 7 of composed run 7 of composed run 7 of torch " ]
expect "the engine's milliseconds" [ "$(value "" ms_per_step)" = 2.0 ]
expect "its ratio to PyTorch" [ "$(value channels-last engine_ratio)" = 2.0 ]

bench --device cuda --modes train --library-path /cuda/libraries --set-up-seconds 1
expect "a failing side makes the status" exits_with 1
expect "in its own words" says "engine fused, eager"
expect "with its status" says "failed: ended with status 2: step-bench: no such option --eager"
expect "one that does not answer is given up" says "failed: no answer within 1 s"
expect "the others are measured" [ "$(value "fused, captured" ms_per_step)" = 1.0 ]
expect "against the engine's fastest" [ "$(value graph engine_ratio)" = 4.0 ]
expect "the engine gets its libraries" [ "$(<"$scratch/library-path")" = /cuda/libraries ]
expect "what failed has no time" [ "$(value compile ms_per_step)" = None ]

bench --device cuda --modes train --engine-only
expect "the engine can be measured alone" silent_about PyTorch
bench --device cuda --modes train --engine-ways "fused, captured" --ways graph
expect "or in one way, beside one of PyTorch's" exits_with 0
expect "and in no other" silent_about composed
bench --device cuda --engine-ways fastest
expect "an unknown way is a wrong usage" exits_with 2
expect "with the ways there are" says "composed, eager; composed, captured; fused, eager; fused, captured"
bench --networks resnet21
expect "an unknown network is a wrong usage" exits_with 2

report

#!/usr/bin/env bash
# ONNX Runtime computes the logits of resnet-eval from the models of resnet-export: every kind of network, with random
# weights and running statistics, with and without --fold. And tools/bench_vs_onnx_runtime.py.
#     test_onnx_runtime.sh FOLDER_OF_PROGRAMS
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
python=$repository/build/python/bin/python
cd "$scratch"

"$bin/draw-images" data >/dev/null
mkdir weights models
run "$python" "$repository/tests/export/make_weights.py" weights
expect "networks are made" exits_with 0
for file in weights/*.safetensors; do
    name=$(basename "$file" .safetensors)
    config=weights/$name.json
    run "$bin/resnet-eval" "$file" --config "$config" --data data --device cpu --logits "models/$name.safetensors"
    expect "$name is evaluated" exits_with 0
    run "$bin/resnet-export" "$file" "models/$name.onnx" --config "$config"
    expect "$name is exported" exits_with 0
    run "$bin/resnet-export" "$file" "models/$name.folded.onnx" --config "$config" --fold
    expect "$name is exported with --fold" exits_with 0
done
run "$python" "$repository/tests/export/compare.py" models data/test_batch.bin
expect "ONNX Runtime computes the same logits" exits_with 0
expect "of 16 models" [ "$(grep -c 'largest difference' output)" = 16 ]

# ---- the comparison of speed
mkdir programs run
ln -s "$bin/step-bench" programs
fake_program programs resnet-export 'cp models/plain.onnx "$2"'
cp weights/plain.json run/config.json
bench() { run "$python" "$repository/tools/bench_vs_onnx_runtime.py" "$@" --bin programs --batch 2 --rounds 1 --steps 1 --warm-up 1; }
bench run
expect "the engine and two models of ONNX Runtime are timed" exits_with 0
expect "each has a row" [ "$(grep -cE '^run +eval +(engine|ONNX Runtime [0-9.]+ (plain|folded)) +[0-9.]+' output)" = 3 ]
bench weights
expect "a folder that holds no run: exit 2" exits_with 2
expect "a folder that holds no run: the message" says "weights is no run folder: it has no config.json"
fake_program programs resnet-export 'echo "resnet-export: no mean" >&2; exit 2'
bench run
expect "a failing export: its exit code" exits_with 2
expect "a failing export: its message" says "resnet-export: no mean"

report

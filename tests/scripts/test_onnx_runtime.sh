#!/usr/bin/env bash
# ONNX Runtime computes the logits of resnet-eval from the models of resnet-export: every kind of network, with random
# weights and running statistics, with and without --fold.
#     test_onnx_runtime.sh FOLDER_OF_PROGRAMS
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

report

#!/usr/bin/env bash
# Checkpoints and logits outside this project: the safetensors package of PyPI reads and writes them, and the PyTorch
# model of docs/pytorch_model.py computes the same logits.
#     test_ecosystem.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
cd "$repository"
unset CIFAR10_DIR
export XDG_CACHE_HOME=$scratch/empty-cache

python=$repository/build/python/bin/python
if ! "$python" -c 'import numpy, safetensors, torch'; then
    printf 'FAILED: %s lacks numpy, safetensors or torch; bash tools/install.sh tests installs them\n' "$python"
    exit 1
fi
package() { run "$python" "$repository/tests/scripts/ecosystem.py" "$@"; }

data=$scratch/data
"$bin/draw-images" "$data" >/dev/null
config=$scratch/tiny.json
cat >"$config" <<'JSON'
{
  "model": {"depth": 8},
  "train": {"steps": 4, "batch_size": 16, "device": "cpu"},
  "schedule": {"boundaries": [], "values": [0.05]},
  "run": {"log_every": 2, "eval_every": 100, "checkpoint_every": 100, "keep": 1}
}
JSON
train() { run "$bin/resnet-train" "$config" --data "$data" "$@"; }
pytorch() { run "$python" docs/pytorch_model.py "$@"; }

# network NAME SETTING...: trains a network and checks its files with the package and PyTorch.
network() {
    local name=$1 setting settings=()
    shift
    for setting in "$@"; do settings+=(--set "$setting"); done
    train --out "$scratch/$name" ${settings[@]+"${settings[@]}"}
    expect "$name: training succeeds" exits_with 0
    trained=$scratch/$name/step-00000004.safetensors
    run "$bin/resnet-eval" "$trained" --data "$data" --device cpu --logits "$scratch/$name.logits"
    expect "$name: evaluation succeeds" exits_with 0
    package checkpoint "$trained" 8 4
    expect "$name: names, types, shapes and metadata of the checkpoint" exits_with 0
    package logits "$scratch/$name.logits" "$data"
    expect "$name: logits and labels" exits_with 0
    pytorch "$trained" "$data" "$scratch/$name.logits"
    expect "$name: PyTorch computes the same logits" exits_with 0
    expect "$name: of all images" says "10000 images, largest relative difference"
}

network plain model.shortcut=none model.padding=symmetric
network resnet
pytorch "$trained" "$data" "$scratch/plain.logits"
expect "the logits of another network differ: exit 1" exits_with 1
expect "the logits of another network differ: the difference is printed" says "largest relative difference"

package weights "$trained" "$scratch/weights.safetensors"
expect "the package writes a file of the weights" exits_with 0
train --out "$scratch/init" --init "$scratch/weights.safetensors" --set train.steps=1 --set 'schedule.values=[0.0]'
expect "--init reads that file" exits_with 0
package same "$scratch/init/step-00000001.safetensors" "$trained"
expect "a step at learning rate 0 leaves the weights unchanged" exits_with 0

report

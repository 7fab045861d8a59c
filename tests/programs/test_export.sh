#!/usr/bin/env bash
# resnet-export: its files, errors and exit codes. scripts/test_onnx_runtime.sh checks what the models compute.
#     test_export.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"
cd "$scratch"

# Black images: sparse files, which take no space.
mkdir data
for name in "${cifar10_files[@]}"; do truncate -s 30730000 "data/$name"; done
printf '{"model": {"depth": 8}, "train": {"steps": 1, "batch_size": 16, "device": "cpu"},
    "schedule": {"boundaries": [], "values": [0.05]}}' >c.json
run "$bin/resnet-train" c.json --data data --out run
expect "training succeeds" exits_with 0
run_folder=refused.onnx
exported() { run "$bin/resnet-export" "$@"; }
export_refused() {
    local what=$1 message=$2
    shift 2
    refused "$what" "$message" "$bin/resnet-export" "$@"
}

exported run/last.safetensors a.onnx
expect "a checkpoint: exit 0" exits_with 0
expect "the network is named" says "ResNet-8 (preact, shortcut avgpool_zeropad) of run/last.safetensors"
expect "the class names are in the model" grep -qa '\["airplane","automobile"' a.onnx
exported run b.onnx
expect "a run folder gives the same model" cmp a.onnx b.onnx
exported run a.onnx --fold
expect "--fold replaces the file: exit 0" exits_with 0
expect "--fold makes it smaller" [ "$(stat -c %s a.onnx)" -lt "$(stat -c %s b.onnx)" ]
run "$bin/resnet-diagram" run
mv output of_run && run "$bin/resnet-diagram" c.json
expect "the diagram of a checkpoint is that of its configuration" cmp of_run output

# The weights without metadata, as another program might write them: with and without the mean.
"$repository/build/python/bin/python" - <<'PYTHON'
from safetensors.numpy import load_file, save_file

tensors = {name: values for name, values in load_file("run/last.safetensors").items() if "optimizer." not in name}
save_file(tensors, "weights.safetensors")
del tensors["data.mean"]
save_file(tensors, "no-mean.safetensors")
PYTHON
exported weights.safetensors c.onnx --config c.json
expect "weights of another program give the same model" cmp b.onnx c.onnx

export_refused "no mean" "no-mean.safetensors: the file has no per-pixel mean of the training images (tensor data.mean [3, 32, 32])" \
    no-mean.safetensors refused.onnx --config c.json
export_refused "no configuration" "give one with --config" weights.safetensors refused.onnx
export_refused "another network" "/model/depth is 8 in the checkpoint, but 20 was requested" \
    run refused.onnx --config "$repository/configs/resnet20.json"
export_refused "no model" "model is required" run
export_refused "no such checkpoint" "none.safetensors" none.safetensors refused.onnx
export_refused "a file that is not a checkpoint" "c.json" c.json refused.onnx
export_refused "a folder as the model" "model data: this is a folder" run data
export_refused "a folder that does not exist" "model none/m.onnx: there is no folder none" run none/m.onnx
cp -L run/last.safetensors own.safetensors
cp own.safetensors copy.safetensors
export_refused "the checkpoint itself" "model own.safetensors: this is the file to read" own.safetensors own.safetensors
expect "the checkpoint itself is kept" cmp own.safetensors copy.safetensors
mkfifo pipe
export_refused "a pipe" "model pipe: this is not a regular file" run pipe
expect "a pipe is kept" test -p pipe
if [ "$(id -u)" != 0 ]; then
    mkdir --mode=500 locked
    export_refused "a folder that cannot be written" "cannot write to the folder locked" run locked/m.onnx
fi

(
    ulimit -f 100 # KiB
    exec "$bin/resnet-export" run big.onnx
) >output 2>&1 && status=0 || status=$?
expect "no space for the model: exit 1" exits_with 1
expect "no space for the model: nothing is left" [ -z "$(find . -name 'big.onnx*')" ]

report

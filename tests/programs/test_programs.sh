#!/usr/bin/env bash
# resnet-train and resnet-eval: their files, output, errors and exit codes.
#     test_programs.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$repository"
unset CIFAR10_DIR CIFAR100_DIR
export XDG_CACHE_HOME=$scratch/empty-cache

data=$scratch/data
"$bin/draw-images" "$data" >/dev/null
config=$scratch/tiny.json
cat >"$config" <<'JSON'
{
  "model": {"depth": 8},
  "train": {"steps": 6, "batch_size": 16, "device": "cpu"},
  "schedule": {"boundaries": [3], "values": [0.05, 0.01]},
  "run": {"log_every": 2, "eval_every": 100, "checkpoint_every": 3, "keep": 2}
}
JSON
# Evaluating all 10,000 images is slow in a sanitizer build, so that few runs are complete.
train() { run "$bin/resnet-train" "$config" --data "$data" "$@"; }

lines() { grep -c "$1" "$2"; }
equal() { [ "$1" = "$2" ]; }

# ---- a run and its files
train --out "$scratch/a"
expect "training succeeds" exits_with 0
expect "the evaluation is printed" says "test accuracy"
expect "the last line names the checkpoint" says "checkpoint $scratch/a/step-00000006.safetensors"
expect "the resolved configuration is stored with the results" grep -q '"momentum": 0.9' "$scratch/a/config.json"
expect "three training rows" equal "$(lines train_cross_entropy "$scratch/a/metrics.jsonl")" 3
expect "one evaluation row, at the end" equal "$(lines '"step":6,"test_loss"' "$scratch/a/metrics.jsonl")" 1
expect "a row has the learning rate of its last step" grep -q '"step":4,.*"learning_rate":0.01' "$scratch/a/metrics.jsonl"
expect "a checkpoint at step 3" test -f "$scratch/a/step-00000003.safetensors"
expect "the best checkpoint" test -f "$scratch/a/best.safetensors"

# ---- the same command twice
train --out "$scratch/b"
without_rate() { sed 's/"images_per_second":[^,}]*//' "$1/metrics.jsonl"; }
expect "the same losses twice" equal "$(without_rate "$scratch/a")" "$(without_rate "$scratch/b")"
tensors() { tail -c +"$(($(od -An -t u8 -N 8 "$1") + 9))" "$1" | sha256sum; }
expect "the same bits twice" equal "$(tensors "$scratch/a/step-00000006.safetensors")" \
    "$(tensors "$scratch/b/step-00000006.safetensors")"

train --out "$scratch/a"
expect "a folder that contains a run is refused" exits_with 2
expect "and the remedy is named" says "choose another with --out"

# ---- evaluation
run "$bin/resnet-eval" "$scratch/a/step-00000006.safetensors" --data "$data" --device cpu --json --logits "$scratch/logits"
expect "evaluation succeeds" exits_with 0
accuracy() { sed -n 's/.*"test_accuracy":\([0-9.e-]*\).*/\1/p' "$1"; }
expect "evaluation reproduces the accuracy of the run" equal "$(accuracy "$scratch/output")" "$(accuracy "$scratch/a/metrics.jsonl")"
expect "the logits of all images" grep -qa '"logits".*"shape":\[10000,10\]' "$scratch/logits"
expect "the labels of all images" grep -qa '"labels".*"shape":\[10000\]' "$scratch/logits"

# Without this option AddressSanitizer refuses a library that is loaded before it.
ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=$scratch FAULT_AT=fsync FAULT_KIND=22 \
    LD_PRELOAD=$bin/libfaults.so run "$bin/resnet-eval" \
    "$scratch/a/step-00000006.safetensors" --data "$data" --device cpu --logits "$scratch/unflushed"
expect "evaluation on a file system that cannot flush: exit 0" exits_with 0
expect "evaluation on a file system that cannot flush: the logits" cmp "$scratch/logits" "$scratch/unflushed"

run "$bin/resnet-eval" "$scratch/a/metrics.jsonl" --data "$data"
expect "a file that is not a checkpoint is refused" exits_with 2
run "$bin/resnet-eval" "$scratch/a/best.safetensors" --config configs/plain20.json --data "$data" --device cpu
expect "a checkpoint of another network is refused" exits_with 2
expect "and both depths are named" says "/model/depth is 8 in the checkpoint, but 20 was requested"
head -c 100000 "$scratch/a/best.safetensors" >"$scratch/cut.safetensors"
run "$bin/resnet-eval" "$scratch/cut.safetensors" --data "$data"
expect "a truncated checkpoint is refused" exits_with 2
cp "$scratch/a/best.safetensors" "$scratch/flipped.safetensors"
/usr/bin/python3 -c '
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(50000)
    byte = file.read(1)[0] ^ 1
    file.seek(50000)
    file.write(bytes([byte]))' "$scratch/flipped.safetensors"
run "$bin/resnet-eval" "$scratch/flipped.safetensors" --data "$data"
expect "a corrupt checkpoint is refused" exits_with 2
expect "because of its checksum" says "checksum"

# ---- initial weights
train --out "$scratch/init" --init "$scratch/a/step-00000006.safetensors" --set train.steps=1 --set 'schedule.boundaries=[]' --set 'schedule.values=[0.0]'
expect "training starts from given weights" exits_with 0
# tensor FILE NAME: a digest of the tensor's bytes.
tensor() {
    /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import hashlib, json, struct, sys
data = open(sys.argv[1], "rb").read()
start = 8 + struct.unpack("<Q", data[:8])[0]
first, end = json.loads(data[8:start])[sys.argv[2]]["data_offsets"]
print(end - first, hashlib.sha256(data[start + first : start + end]).hexdigest())
PYTHON
}
for name in stem.weight stages.1.0.conv1.weight head.weight head.bias data.mean; do
    expect "a step with learning rate 0 keeps $name" \
        equal "$(tensor "$scratch/init/step-00000001.safetensors" $name)" "$(tensor "$scratch/a/step-00000006.safetensors" $name)"
done
expect "training had changed them" [ "$(tensor "$scratch/a/step-00000006.safetensors" head.weight)" != \
    "$(tensor "$scratch/a/step-00000003.safetensors" head.weight)" ]
train --out "$scratch/x" --init "$scratch/a/step-00000006.safetensors" --set model.depth=14
expect "weights of another depth are refused" exits_with 2
expect "and both depths are named" says "/model/depth is 8 in the checkpoint, but 14 was requested"
expect "and no folder is created" absent "$scratch/x"

# ---- wrong input
run_folder=$scratch/x
refused "no configuration" "config is required" "$bin/resnet-train"
refused "an unknown option" "--bogus" "$bin/resnet-train" "$config" --bogus
refused "no such configuration" "$scratch/none.json" "$bin/resnet-train" "$scratch/none.json" --out "$scratch/x"
refused "an unknown key" "train.batch_sise" "$bin/resnet-train" "$config" --out "$scratch/x" --set train.batch_sise=3
refused "a depth that does not exist" "8 and 14" "$bin/resnet-train" "$config" --out "$scratch/x" --set model.depth=9
refused "no data" "tools/get_cifar.sh cifar10" "$bin/resnet-train" "$config" --out "$scratch/x"
refused "a folder without data" "$scratch/nowhere" "$bin/resnet-train" "$config" --out "$scratch/x" --data "$scratch/nowhere"
refused "fused kernels on the CPU" "train.kernels is \"fused\", which needs a CUDA device; choose \"auto\" or \"composed\" on the CPU" \
    "$bin/resnet-train" "$config" --out "$scratch/x" --data "$data" --set train.kernels=fused
refused "TF32 on the CPU" "tf32" "$bin/resnet-train" "$config" --out "$scratch/x" --data "$data" --set train.precision=tf32
if ! "$bin/kernel-bench" --device cuda --list >/dev/null 2>&1; then
    refused "a missing GPU" "CUDA" "$bin/resnet-train" "$config" --out "$scratch/x" --data "$data" --device cuda
fi
run "$bin/resnet-train" --help
expect "--help succeeds" exits_with 0
expect "--help lists the exit codes" says "3 diverged"
expect "--help lists the exit codes of signals" says "129, 130, 140, 143 or 152 stopped by SIGHUP, SIGINT, SIGUSR2, SIGTERM or SIGXCPU"

# ---- divergence
train --out "$scratch/diverged" --set 'schedule.values=[1e30,1e30]'
expect "divergence: exit 3" exits_with 3
expect "and the remedy is named" says "lower learning rate"

report

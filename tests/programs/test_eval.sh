#!/usr/bin/env bash
# resnet-eval with the test images alone, and with the folder of a run.
#     test_eval.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"
cd "$scratch"

# Black images of the first class: sparse files, which take no space.
mkdir data
for name in "${cifar10_files[@]}"; do truncate -s 30730000 "data/$name"; done
printf '{"model": {"depth": 8}, "train": {"steps": 2, "batch_size": 500, "device": "cpu"}, "run": {"checkpoint_every": 1},
    "schedule": {"boundaries": [], "values": [0.05]}}' >c.json
run_folder=none
run "$bin/resnet-train" c.json --data data --out run
expect "training succeeds" exits_with 0
evaluate() { run "$bin/resnet-eval" "$@" --device cpu; }
unread="the folder has no training images to compare with the checkpoint's"

# ---- training images
evaluate run/last.safetensors --data data --json
expect "with the training images: exit 0" exits_with 0
expect "they are compared" says '"training_images_checked":true'
sed 's/,"training_images_checked.*//' output >expected
mkdir test && ln -s ../data/test_batch.bin test
evaluate run/last.safetensors --data test --json
expect "without training images: exit 0" exits_with 0
expect "JSON says that they are not compared" says '"training_images_checked":false'
expect "the same loss and accuracy" [ "$(sed 's/,"training_images_checked.*//' output)" = "$(cat expected)" ]
cp -r --sparse=always data other && printf '\x01' | dd of=other/data_batch_3.bin bs=1 seek=9 conv=notrunc status=none
refused "other training images" "trained on images with the fingerprint" \
    "$bin/resnet-eval" run/last.safetensors --data other --device cpu
rm other/data_batch_3.bin
refused "some of the training images" "other/data_batch_3.bin: No such file or directory" \
    "$bin/resnet-eval" run/last.safetensors --data other --device cpu
rm other/test_batch.bin
refused "no test images" "other/data_batch_3.bin: No such file" "$bin/resnet-eval" run --data other --device cpu

# A file without metadata and mean, as another program might write it.
/usr/bin/python3 - <<'PYTHON'
import json, struct

data = open("run/last.safetensors", "rb").read()
start = 8 + struct.unpack("<Q", data[:8])[0]
kept, body = {}, b""
for name, tensor in json.loads(data[8:start]).items():
    if name.startswith(("__", "data.", "optimizer.")):
        continue
    first, end = tensor["data_offsets"]
    kept[name] = tensor | {"data_offsets": [len(body), len(body) + end - first]}
    body += data[start + first : start + end]
header = json.dumps(kept).encode()
open("plain.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + body)
PYTHON
refused "no mean and no training images" "plain.safetensors: the file has no per-pixel mean (tensor data.mean), and test \
has no training files to compute it from; give a folder of all files with --data" \
    "$bin/resnet-eval" plain.safetensors --config c.json --data test --device cpu

# ---- run folders
chosen() { expect "$1" [ "$(head -n 1 output)" = "checkpoint $2" ]; }
evaluate run --data test
expect "a run folder: exit 0" exits_with 0
chosen "its last checkpoint" run/last.safetensors
expect "training images that are not compared are reported" last_line_is "$unread"
refused "a folder without a checkpoint" "data: this folder holds no checkpoint" "$bin/resnet-eval" data --data test
mkdir numbered && touch numbered/step-99999999.safetensors numbered/step-best.safetensors
ln -s ../run/last.safetensors numbered/step-100000000.safetensors
ln -s step-00000001.safetensors numbered/last.safetensors # its target is missing
evaluate numbered --data test
chosen "without the last one the newest" numbered/step-100000000.safetensors
mkdir best && cp run/best.safetensors best
evaluate best --data test --json
expect "the best one alone" says '"checkpoint":"best/best.safetensors"'
mkdir damaged && head -c 1000 run/last.safetensors >damaged/last.safetensors && cp run/step-00000001.safetensors damaged
refused "a damaged last checkpoint" "damaged/last.safetensors: " "$bin/resnet-eval" damaged --data test --device cpu

report

#!/usr/bin/env bash
# resnet-eval with the test images alone, with the folder of a run, and the figures and files that it computes.
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

# ---- figures and files, computed again from the logits
mkdir noise
/usr/bin/python3 - <<'PYTHON'
import random

generator = random.Random(0)
with open("noise/test_batch.bin", "wb") as file:
    for image in range(10000):
        shade = generator.randrange(1, 256)
        file.write(bytes([image % 9]) + bytes(generator.randrange(shade) for _ in range(4)) * 768)
PYTHON
evaluate run --data noise --json --logits logits --confusion confusion.csv --predictions predictions.csv
expect "figures and files: exit 0" exits_with 0
cp output figures.json
/usr/bin/python3 - >checked 2>&1 <<'PYTHON' || true
import csv, json, math, struct

raw = open("logits", "rb").read()
start = 8 + struct.unpack("<Q", raw[:8])[0]
header = json.loads(raw[8:start])
def values(name, code):
    first, end = header[name]["data_offsets"]
    return struct.unpack(f"<{(end - first) // struct.calcsize(code)}{code}", raw[start + first : start + end])
labels, flat = values("labels", "q"), values("logits", "f")
rows = [flat[at : at + 10] for at in range(0, len(flat), 10)]

confusion = [[0] * 10 for _ in range(10)]
bins = [[0, 0.0, 0.0] for _ in range(15)]
predicted, probabilities, top5 = [], [], 0
for label, row in zip(labels, rows):
    order = sorted(range(10), key=lambda k: -row[k])  # stable: of equal logits the lowest class first
    sum_of_exp = sum(math.exp(logit - row[order[0]]) for logit in row)
    predicted.append(order[0])
    probabilities.append(1 / sum_of_exp)
    top5 += label in order[:5]
    confusion[label][order[0]] += 1
    bin = bins[math.ceil(probabilities[-1] * 15) - 1]
    bin[0] += 1
    bin[1] += label == order[0]
    bin[2] += probabilities[-1]
error = sum(n / len(rows) * abs(right / n - sum_of_p / n) for n, right, sum_of_p in bins if n)

figures = json.load(open("figures.json"))
names = figures["classes"]
def same(what, found, wanted):
    print(f"{what}: {'same' if found == wanted else f'{str(found)[:80]} instead of {str(wanted)[:80]}'}")
def close(what, found, wanted):
    same(what + ", length", len(found), len(wanted))
    same(what, max(map(abs, map(float.__sub__, found, wanted))) < 1e-6, True)
same("several classes predicted", len(set(predicted)) > 1, True)
same("confusion", figures["confusion"], confusion)
same("predicted", figures["predictions"]["predicted"], predicted)
same("label", figures["predictions"]["label"], list(labels))
close("probability", figures["predictions"]["probability"], probabilities)
close("top5_accuracy and calibration_error", [figures["top5_accuracy"], figures["calibration_error"]],
      [top5 / len(rows), error])
close("class_accuracy", figures["class_accuracy"][:9], [confusion[k][k] / sum(confusion[k]) for k in range(9)])
same("class_accuracy of a class without images", figures["class_accuracy"][9], None)
table = list(csv.reader(open("confusion.csv")))
same("confusion.csv", table, [["label"] + names] + [[name] + [str(n) for n in row] for name, row in zip(names, confusion)])
table = list(csv.reader(open("predictions.csv")))
same("predictions.csv, head", table[0], ["image", "label", "prediction", "probability"])
same("predictions.csv, classes", [line[:3] for line in table[1:]],
     [[str(i), names[label], names[k]] for i, (label, k) in enumerate(zip(labels, predicted))])
close("predictions.csv, probability", [float(line[3]) for line in table[1:]], probabilities)
print("end")
PYTHON
cp checked output
expect "all of them are checked" last_line_is end
expect "and right" [ "$(grep -vc ': same$' checked)" = 1 ]
evaluate run --data noise
expect "the printed figures: top-5 and calibration" says \
    "$(/usr/bin/python3 -c 'import json; f = json.load(open("figures.json"))
print("top-5 accuracy %.2f %%, expected calibration error %.2f %%" % (100 * f["top5_accuracy"], 100 * f["calibration_error"]))')"
expect "the printed figures: a class without images" says "  truck       no images"

refused "a folder for the matrix" "--confusion test: this is a folder" "$bin/resnet-eval" run --data test --confusion test
refused "one file for two results" "--predictions x.csv: another option names the same file" \
    "$bin/resnet-eval" run --data data --confusion x.csv --predictions x.csv
refused "no folder for the predictions" "--predictions none/x.csv: there is no folder none" \
    "$bin/resnet-eval" run --data test --predictions none/x.csv

report

#!/usr/bin/env bash
# resnet-report: pages of whole, unfinished and damaged runs, and what is refused.
#     test_report.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"
cd "$scratch"
unset CIFAR10_DIR
export XDG_CACHE_HOME=$scratch/no-cache
run_folder=$scratch/report.html # `refused` checks that it does not exist

# Black images, of the second class in the test file: the network, trained on the first, is wrong.
mkdir data
for name in "${cifar10_files[@]}"; do truncate -s 30730000 "data/$name"; done
/usr/bin/python3 -c 'open("data/test_batch.bin", "wb").write((b"\x01" + bytes(3072)) * 10000)'
printf '{"model": {"depth": 8}, "train": {"steps": 4, "batch_size": 500, "device": "cpu"},
    "run": {"log_every": 2, "eval_every": 4}, "schedule": {"boundaries": [], "values": [0.05]}}' >c.json
run "$bin/resnet-train" c.json --data data --out 'runs/<a> "b" & c'
expect "training succeeds" exits_with 0
mv runs/* run

# page FILE: whether it is well-formed, refers to no other file, and has no script.
page() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import re, sys
from xml.etree import ElementTree

text = open(sys.argv[1], encoding="utf-8").read()
root = ElementTree.fromstring(text)
tags = {element.tag for element in root.iter()}
assert not tags & {"script", "link", "iframe", "object"}, tags
for element in root.iter():
    for name in ("src", "href"):
        value = element.get(name, "#")
        assert value.startswith(("data:image/png;base64,", "#")), value
assert not re.search(r"https?:|url\((?!#)|@import", text)
ids = [element.get("id") for element in root.iter() if element.get("id")]
assert len(ids) == len(set(ids)), ids
for element in root.iter("a"):
    assert element.get("href")[1:] in ids
PYTHON
}
has() { grep -qF -- "$2" "$1"; }
has_not() { ! grep -qF -- "$2" "$1"; }
report_of() { run "$bin/resnet-report" "$@" --device cpu; }

# ---- a whole run; its folder has characters that HTML and shells treat specially
mv run '<a> "b" & c'
report_of '<a> "b" & c' --data data
expect "a run: exit 0" exits_with 0
expect "report.html by default" last_line_is "report report.html"
expect "a run: the page" page report.html
for part in '&lt;a&gt; &quot;b&quot; &amp; c' "ResNet-8" "75,290" "Residual networks" "Learning rate" "Accuracy by class" \
    "Confusion matrix" "25 of 10000 misclassified images" "<b>automobile</b>" "10,000 test images of data:" "Filters of the first convolution" \
    '&quot;momentum&quot;: 0.9' "resnet-report '&lt;a&gt; &quot;b&quot; &amp; c' --data data --device cpu" \
    "resnet-train '&lt;a&gt; &quot;b&quot; &amp; c/config.json' --out NEW_FOLDER"; do
    expect "a run: $part" has report.html "$part"
done
expect "version and device" grep -qE "<td>Residual [0-9.]+ \(commit .*\); CPU, .* oneDNN .*; float32</td>" report.html
expect "no plain networks" has_not report.html "Plain networks"
expect "nothing is missing" has_not report.html '<ul class="remarks">'
mv '<a> "b" & c' run

# ---- data
cp -r --sparse=always data other && printf '\x01' | dd of=other/data_batch_3.bin bs=1 seek=9 conv=notrunc status=none
report_of run --data other -o other.html
expect "other data: exit 0" exits_with 0
expect "other data: the reason" has other.html "trained on images with the fingerprint"
expect "other data: no figures" has_not other.html "Confusion matrix"
expect "other data: the filters" has other.html "Filters of the first convolution"
mkdir test && truncate -s 30730000 test/test_batch.bin
report_of run --data test -o test.html
expect "other test images: the reason" has test.html "the accuracy is 100.00 %, but the checkpoint records 0.00 %"
expect "other test images: no figures" has_not test.html "Confusion matrix"
mv data data.away
report_of run -o none.html
mv data.away data
expect "no data: exit 0" exits_with 0
expect "no data: the page" page none.html
expect "no data: the reason" has none.html "no evaluation: no CIFAR-10 found: data (from data.dir); there is no such folder"
expect "no data: the curves" has none.html "Residual networks"
report_of run -o stored.html
expect "without --data: the data.dir of the run" has stored.html "Confusion matrix"

# ---- checkpoints of other programs, damaged ones, and those of another network
mkdir foreign nan shapeless other-network older
for folder in foreign nan shapeless other-network; do cp run/config.json $folder; done
/usr/bin/python3 - <<'PYTHON'
import json, struct

raw = open("run/last.safetensors", "rb").read()
start = 8 + struct.unpack("<Q", raw[:8])[0]
tensors = {name: tensor | {"bytes": raw[start + tensor["data_offsets"][0] : start + tensor["data_offsets"][1]]}
           for name, tensor in json.loads(raw[8:start]).items() if not name.startswith(("__", "optimizer."))}
def write(folder, stem):
    header, body = {}, b""
    for name, tensor in (tensors | {"stem.weight": tensors["stem.weight"] | stem}).items():
        end = len(body) + len(tensor["bytes"])
        header[name] = {"dtype": "F32", "shape": tensor["shape"], "data_offsets": [len(body), end]}
        body += tensor["bytes"]
    text = json.dumps(header).encode()
    open(f"{folder}/last.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + body)
write("foreign", {})
write("nan", {"bytes": struct.pack("<f", float("nan")) + tensors["stem.weight"]["bytes"][4:]})
write("shapeless", {"shape": [16, 3, 0, 0], "bytes": b""})
PYTHON
sed -i 's/"avgpool_zeropad"/"none"/' other-network/config.json && cp run/last.safetensors other-network
head -c 1000 run/last.safetensors >older/step-00000009.safetensors && ln -s step-00000009.safetensors older/last.safetensors
cp run/best.safetensors older
report_of foreign older -o used.html
expect "usable checkpoints: exit 0" exits_with 0
expect "a checkpoint without metadata: the remark" has used.html "does not record on which images it was trained"
expect "a damaged checkpoint: the remark" has used.html "older/best.safetensors is used instead"
expect "both are evaluated" [ "$(grep -o '<h3>Confusion matrix' used.html | wc -l)" = 2 ]
expect "both have filters" [ "$(grep -o '<h3>Filters of' used.html | wc -l)" = 2 ]
report_of nan shapeless other-network -o refused.html
expect "unusable checkpoints: exit 0" exits_with 0
expect "a weight that is not finite" has refused.html "stem.weight holds nan at element 0"
expect "a wrong shape" has refused.html "stem.weight has the shape [16, 3, 0, 0]"
expect "another network" has refused.html '/model/shortcut is &quot;avgpool_zeropad&quot; in the checkpoint'
expect "unusable checkpoints: no figures" has_not refused.html "<h3>Confusion matrix"
expect "unusable checkpoints: no filters" has_not refused.html "<h3>Filters of"

# ---- damaged and unfinished runs
mkdir unfinished && sed 's/"steps": 4/"steps": 9/; s/"avgpool_zeropad"/"none"/' run/config.json >unfinished/config.json
{ echo 'no row'; cat run/metrics.jsonl; printf '{"step":6,"tra'; } >unfinished/metrics.jsonl
mkdir started && cp run/config.json started
mkdir rows && cp run/metrics.jsonl rows
mkdir damaged && head -c 1000 run/last.safetensors >damaged/last.safetensors && echo '{' >damaged/config.json
cp -r rows $'rows\e'
mkdir -p folder/metrics.jsonl && cp run/config.json folder
report_of unfinished started rows $'rows\e' folder damaged "$PWD/rows" rows/. -o several.html
expect "several runs: exit 0" exits_with 0
expect "several runs: the page" page several.html
expect "several runs: the title" has several.html "<h1>6 training runs</h1>"
expect "unfinished: the steps" has several.html "not finished: 4 of 9 steps"
expect "unfinished: the first line" has several.html "line 1: this is not a row of a run"
expect "unfinished: the last line" has several.html "line 5: the last line is incomplete"
expect "unfinished: no checkpoint" has several.html "unfinished: this folder holds no checkpoint"
expect "unfinished: the figure of plain networks" has several.html "Plain networks (no shortcuts)"
expect "started: no rows" has several.html "started/metrics.jsonl is missing"
expect "rows alone: no configuration" has several.html "no configuration: rows/config.json"
expect "rows alone: their figure" has several.html "Runs without a configuration"
expect "damaged: the checkpoint" has several.html "damaged/last.safetensors"
expect "a folder instead of rows" has several.html "folder/metrics.jsonl is a folder"
expect "control characters are printed as text" says 'reading rows\x1b'
expect "the remarks are printed too" says "not finished: 4 of 9 steps"

# ---- what is refused
rm report.html
mkdir empty && touch file
refused "no folder" "none: there is no such folder" "$bin/resnet-report" run none
refused "a file" "file: this is a file; give the folder of a run" "$bin/resnet-report" file
refused "a folder without a run" "empty: this folder holds no run" "$bin/resnet-report" empty
refused "no run at all" "runs is required" "$bin/resnet-report"
refused "a folder as output" "-o empty: this is a folder" "$bin/resnet-report" run -o empty
refused "no folder for the output" "-o none/x.html: there is no folder none" "$bin/resnet-report" run -o none/x.html
refused "no folder of data" "--data none: there is no such folder" "$bin/resnet-report" run --data none
refused "an unknown device" "tpu" "$bin/resnet-report" run --device tpu

report

#!/usr/bin/env bash
# Run folders that were copied, moved, renamed or emptied: weights and rows that a run did not write stay.
#     test_run_folder.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$scratch"

# train FOLDER ARGUMENT...
train() { run "$bin/few-steps" "$@"; }
equal() { [ "$1" = "$2" ]; }
contents() { find "$1" -type f ! -name .lock -exec sha256sum {} + | sort; find "$1" -type l -printf '%p %l\n'; }
tensors() { tail -c +"$(($(od -An -t u8 -N 8 "$1") + 9))" "$1" | sha256sum; }
rows() { sed 's/"images_per_second":[^}]*//' "$1/metrics.jsonl"; }
names() { (cd "$1" && printf '%s ' *.safetensors); }
# refuses WHAT FOLDER MESSAGE ARGUMENT...: exit 2, the message, and nothing in the folder is changed.
refuses() {
    local what=$1 folder=$2 message=$3 before
    before=$(contents "$folder")
    shift 3
    train "$folder" "$@"
    expect "$what: exit 2" exits_with 2
    expect "$what: the message" says "$message"
    expect "$what: nothing is changed" equal "$before" "$(contents "$folder")"
}
# as_whole WHAT FOLDER: the run in the folder has the result of an uninterrupted one.
as_whole() {
    expect "$1: exit 0" exits_with 0
    expect "$1: the same tensors" equal "$(tensors "$2/last.safetensors")" "$(tensors whole/last.safetensors)"
}

train whole
expect "a whole run" exits_with 0
train half train.steps=5 run.eval_every=5
expect "half a run" exits_with 0
five=half/step-00000005.safetensors

# ---- without --resume
/usr/bin/python3 - foreign.safetensors <<'PYTHON'
import json, struct, sys
header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")
PYTHON
for name in last.safetensors best.safetensors step-00000005.safetensors final.safetensors; do
    mkdir "new-$name" && cp "$five" "new-$name/$name"
    refuses "a new run beside $name" "new-$name" "the folder already holds a run"
done
for name in last best step-00000005; do
    mkdir "foreign-$name" && cp foreign.safetensors "foreign-$name/$name.safetensors"
    refuses "a new run beside a foreign $name" "foreign-$name" "the folder already holds a run"
    refuses "resuming beside a foreign $name" "foreign-$name" "not written by a run" --resume
    expect "resuming beside a foreign $name: the remedy" says "--init"
done
mkdir dangling && ln -s step-00000005.safetensors dangling/last.safetensors
refuses "a new run beside a dangling link" dangling "the folder already holds a run"
refuses "resuming beside a dangling link" dangling "the checkpoint that it points to is not in this folder" --resume
mkdir weights && cp foreign.safetensors weights/pretrained.safetensors
train weights train.steps=1
expect "foreign weights under another name do not prevent a run" exits_with 0
expect "foreign weights under another name stay" cmp -s foreign.safetensors weights/pretrained.safetensors

# ---- the newest of all checkpoints
mkdir only-last && cp "$five" only-last/last.safetensors
train only-last --resume train.steps=6
expect "only last.safetensors: it is used" says "resuming from step 5"
expect "only last.safetensors: it gets the name of its step" cmp -s "$five" only-last/step-00000005.safetensors
expect "only last.safetensors: it becomes a link" equal "$(readlink only-last/last.safetensors)" step-00000006.safetensors
expect "only last.safetensors: one warning about the rows" \
    equal "$(grep -c 'warning.*metrics.jsonl: rows up to step 5 are missing; the run continues without them' output)" 1
train only-last --resume
as_whole "only last.safetensors" only-last

mkdir only-best && cp half/best.safetensors only-best
train only-best --resume train.steps=5
expect "only best.safetensors, finished: nothing to do" says "nothing to do: only-best/step-00000005.safetensors"
expect "only best.safetensors: it stays, with a copy" \
    equal "$(names only-best)" "best.safetensors last.safetensors step-00000005.safetensors "
train only-best --resume
as_whole "only best.safetensors" only-best

train older train.steps=3
cp "$five" newer.safetensors && mv newer.safetensors older/last.safetensors
train older --resume
expect "a newer last.safetensors beside older checkpoints is used" says "resuming from step 5"
as_whole "a newer last.safetensors" older

train worse train.steps=3
rm worse/last.safetensors && head -c 300000 "$five" >worse/last.safetensors
train worse --resume train.steps=4
expect "a damaged last.safetensors: the older checkpoint is used" says "resuming from worse/step-00000003.safetensors instead"
expect "a damaged last.safetensors: a run follows" exits_with 0

train flipped train.steps=3
rm flipped/last.safetensors && cp "$five" flipped/last.safetensors
printf '\377' | dd of=flipped/last.safetensors bs=1 seek=300000 conv=notrunc status=none
before=$(sha256sum <flipped/last.safetensors)
train flipped --resume train.steps=4
expect "a damaged tensor in last.safetensors: the older checkpoint is used" says "resuming from flipped/step-00000003.safetensors instead"
expect "a damaged tensor in last.safetensors: the file is kept" equal "$before" "$(sha256sum <flipped/step-00000005.safetensors)"

refuses "a checkpoint under another name" new-final.safetensors "rename it to step-00000005.safetensors" --resume
expect "a checkpoint under another name: it is named" says "new-final.safetensors/final.safetensors: a checkpoint of step 5"
mkdir wrong && cp "$five" wrong/step-00000004.safetensors
refuses "a checkpoint under the name of another step" wrong "rename it to step-00000005.safetensors" --resume

# ---- rows without checkpoints
cp -r whole rows-only && rm rows-only/*.safetensors
refuses "rows without checkpoints" rows-only "rows-only/metrics.jsonl: rows up to step 8, but no checkpoint is there" --resume
refuses "rows without checkpoints, a new run" rows-only "the folder already holds a run"
cp -r rows-only early && grep -E '"step":[24],' rows-only/metrics.jsonl >early/metrics.jsonl
cp -r early shorter
train shorter --resume run.checkpoint_every=1
expect "rows of a run killed before its first checkpoint: the interval was that of the run" exits_with 0
train early --resume
as_whole "rows of a run killed before its first checkpoint" early
expect "rows of a run killed before its first checkpoint: they are written again" equal "$(rows early)" "$(rows whole)"

# ---- rows removed during a run
"$bin/few-steps" removed train.steps=100000 run.log_every=1 run.checkpoint_every=100000 run.eval_every=100000 >output 2>&1 &
process=$!
background+=("$process")
wait_until() {
    local tries=0
    until "$@" || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
    "$@"
}
wait_until grep -qs train_loss removed/metrics.jsonl
mv removed/metrics.jsonl removed/metrics.jsonl.1
expect "renamed rows: later ones go to a new file" wait_until grep -qs train_loss removed/metrics.jsonl
steps() { grep -o '"step":[0-9]*' "$1" | tr -dc '0-9\n'; }
expect "renamed rows: no row is lost" \
    equal "$(steps removed/metrics.jsonl | head -n 1)" "$(($(steps removed/metrics.jsonl.1 | tail -n 1) + 1))"
rm removed/metrics.jsonl
expect "removed rows: later ones go to a new file" wait_until grep -qs train_loss removed/metrics.jsonl
kill -s KILL "$process"
wait "$process" 2>/dev/null || true
expect "renamed and removed rows: one warning" \
    equal "$(grep -c 'warning.*metrics.jsonl was removed or replaced' output)" 1

# ---- a run folder that was moved
train before
mv before after
run "$bin/resnet-train" after/config.json --resume
expect "config.json of a moved run: its folder is resumed" says "nothing to do: after/step-00000008.safetensors"
expect "config.json of a moved run: exit 0" exits_with 0
run "$bin/resnet-train" after/config.json --resume --out whole
expect "config.json with --out" says "nothing to do: whole/step-00000008.safetensors"
run "$bin/resnet-train" after/config.json --resume --set run.dir=whole
expect "config.json with run.dir" says "nothing to do: whole/step-00000008.safetensors"
(cd after && run "$bin/resnet-train" config.json --resume)
expect "config.json in the current folder" says "nothing to do: ./step-00000008.safetensors"
expect "config.json of a moved run: no other folder" absent before

report

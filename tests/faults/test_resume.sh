#!/usr/bin/env bash
# Interrupted runs of resnet-train: signals, --resume, and what it refuses to resume.
#     test_resume.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$repository"
data=$scratch/data
"$bin/draw-images" "$data" >/dev/null
export CIFAR10_DIR=$data
config=$scratch/tiny.json
cat >"$config" <<'JSON'
{
  "model": {"depth": 8},
  "train": {"steps": 12, "batch_size": 16, "device": "cpu"},
  "schedule": {"boundaries": [3], "values": [0.02, 0.01]},
  "run": {"log_every": 2, "eval_every": 100, "checkpoint_every": 5, "keep": 2}
}
JSON
train() { run "$bin/resnet-train" "$config" "$@"; }
# start ARGUMENT...: starts a run in the background that is too long to finish.
start() {
    "$bin/resnet-train" "$config" --set train.steps=100000 "$@" >"$scratch/output" 2>&1 &
    process=$!
    background+=("$process")
}
wait_until() {
    local tries=0
    until "$@" || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
    "$@"
}
wait_for_exit() { status=0; wait "$process" 2>/dev/null || status=$?; }

equal() { [ "$1" = "$2" ]; }
tensors() { tail -c +"$(($(od -An -t u8 -N 8 "$1") + 9))" "$1" | sha256sum; }
rows() { sed 's/"images_per_second":[^}]*//' "$1/metrics.jsonl"; }
same_run() {
    equal "$(tensors "$1/last.safetensors")" "$(tensors "$2/last.safetensors")" && equal "$(rows "$1")" "$(rows "$2")"
}
copy() { rm -rf "$2" && cp -a "$1" "$2"; }
# flip FILE BYTE: changes one bit.
flip() {
    local byte
    byte=$(od -An -t u1 -j "$2" -N 1 "$1")
    printf '%b' "\\x$(printf '%02x' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

train --out "$scratch/whole"
expect "a run succeeds" exits_with 0
expect "run.keep=2 keeps the two newest checkpoints, the best and the last" \
    equal "$(cd "$scratch/whole" && printf '%s ' *.safetensors)" \
    "best.safetensors last.safetensors step-00000010.safetensors step-00000012.safetensors "

train --out "$scratch/all" --set train.steps=4 --set run.checkpoint_every=1 --set run.keep=all
expect "run.keep=all keeps every checkpoint" equal "$(cd "$scratch/all" && printf '%s ' step-*)" \
    "step-00000001.safetensors step-00000002.safetensors step-00000003.safetensors step-00000004.safetensors "

# ---- resuming
train --out "$scratch/whole" --resume --data "$scratch/nowhere"
expect "resuming a finished run reads no data" exits_with 0
expect "resuming a finished run prints that nothing is left" says "nothing to do"
train --out "$scratch/parts" --set train.steps=6
train --out "$scratch/parts" --resume
expect "a run resumes" exits_with 0
expect "a resumed run names its checkpoint" says "resuming from step 6: $scratch/parts/step-00000006.safetensors"
expect "six steps and six more equal twelve" same_run "$scratch/parts" "$scratch/whole"
train --out "$scratch/fresh" --resume --set train.steps=2
expect "--resume without a run starts one" exits_with 0
expect "--resume without a run says that it starts one" says "starting at step 0"
train --out "$scratch/fresh" --resume --set train.steps=4 --set 'schedule.values=[0.1,0.2]' --set run.log_every=1 --set run.keep=1
expect "steps, schedule and logging may change" exits_with 0
expect "config.json has the new settings" grep -q '"log_every": 1' "$scratch/fresh/config.json"
expect "a smaller run.keep deletes old checkpoints" absent "$scratch/fresh/step-00000002.safetensors"

# ---- incompatible checkpoints and options
before=$(find "$scratch/parts" -type f -exec sha256sum {} + | sort)
refused() {
    local what=$1 message=$2
    shift 2
    train --out "$scratch/parts" --resume --set train.steps=20 --set run.keep=1 "$@"
    expect "$what: exit 2" exits_with 2
    expect "$what: both values" says "$message"
    expect "$what: nothing is changed" equal "$before" "$(find "$scratch/parts" -type f -exec sha256sum {} + | sort)"
}
refused "another depth" "/model/depth is 8 in the checkpoint, but 14 was requested" --set model.depth=14
refused "a plain network" '/model/shortcut is "avgpool_zeropad" in the checkpoint, but "none"' --set model.shortcut=none
refused "another block" '/model/block is "preact" in the checkpoint, but "postact"' --set model.block=postact
refused "another batch size" "/train/batch_size is 16 in the checkpoint, but 8" --set train.batch_size=8
refused "another seed" "/train/seed is 0 in the checkpoint, but 1" --set train.seed=1
refused "another momentum" "/optimizer/momentum is 0.9 in the checkpoint, but 0.5" --set optimizer.momentum=0.5
refused "another kind of momentum" '/optimizer/kind is "sgd" in the checkpoint, but "nesterov"' --set optimizer.kind=nesterov
refused "another epsilon" "/model/batch_norm/epsilon is 0.001 in the checkpoint, but 0.01" --set model.batch_norm.epsilon=0.01
refused "another decay" "/model/batch_norm/decay is 0.99 in the checkpoint, but 0.9" --set model.batch_norm.decay=0.9
refused "another augmentation" "/data/augment/flip is true in the checkpoint, but false" --set data.augment.flip=false
printf '{"model": {"family": "wide_resnet", "depth": 10}, "train": {"batch_size": 16}}' >"$scratch/wide.json"
run "$bin/resnet-train" "$scratch/wide.json" --out "$scratch/parts" --resume
expect "another family: exit 2" exits_with 2
expect "another family: both names" says '/model/family is "resnet" in the checkpoint, but "wide_resnet" was requested'
cp -r "$data" "$scratch/other-data"
flip "$scratch/other-data/data_batch_5.bin" 30000001
fingerprint=$(cat "$scratch"/other-data/data_batch_?.bin |
    /usr/bin/python3 -c 'import sys, zlib; print(f"{zlib.crc32(sys.stdin.buffer.read()):08x}")')
refused "other images" "holds images with $fingerprint" --data "$scratch/other-data"

run "$bin/resnet-eval" "$scratch/whole/last.safetensors" --data "$scratch/other-data" --device cpu
expect "evaluation on other images: exit 2" exits_with 2
expect "evaluation on other images: both fingerprints" says "but $scratch/other-data holds images with $fingerprint"
printf '{"model": {"depth": 8, "shortcut": "none"}}' >"$scratch/plain8.json"
run "$bin/resnet-eval" "$scratch/whole/last.safetensors" --config "$scratch/plain8.json" --device cpu
expect "a ResNet is never evaluated as a plain network" exits_with 2
expect "a ResNet as a plain network: both values are printed" says '/model/shortcut is "avgpool_zeropad" in the checkpoint, but "none" was requested'
train --out "$scratch/x" --init "$scratch/whole/last.safetensors" --set model.shortcut=none
expect "--init with another network's weights: exit 2" exits_with 2
expect "--init with another network's weights: no folder is made" absent "$scratch/x"
train --out "$scratch/x" --init "$scratch/whole/last.safetensors" --resume
expect "--init and --resume exclude each other" exits_with 2

# ---- damaged checkpoints
copy "$scratch/parts" "$scratch/damaged"
train --out "$scratch/damaged" --resume --set train.steps=14
copy "$scratch/damaged" "$scratch/expected"
flip "$scratch/damaged/step-00000014.safetensors" 300000
run "$bin/resnet-eval" "$scratch/damaged/step-00000014.safetensors" --device cpu
expect "a flipped bit: evaluation refuses" exits_with 2
expect "a flipped bit: the tensor is named" says "the tensor "
copy "$scratch/damaged" "$scratch/mended"
train --out "$scratch/mended" --resume --set train.steps=14
expect "a flipped bit: the run resumes from the best checkpoint of that step" \
    says "resuming from $scratch/mended/best.safetensors instead"
expect "a flipped bit: the best checkpoint replaces the damaged one" same_run "$scratch/mended" "$scratch/expected"
flip "$scratch/damaged/best.safetensors" 300000
train --out "$scratch/damaged" --resume --set train.steps=14
expect "a flipped bit: the run resumes from the previous checkpoint" exits_with 0
expect "a flipped bit: the warning names the damaged one" says "warning: $scratch/damaged/step-00000014.safetensors: the tensor "
expect "a flipped bit: the warning names the one taken" says "resuming from $scratch/damaged/step-00000012.safetensors instead"
expect "a flipped bit: the result is the same" same_run "$scratch/damaged" "$scratch/expected"
for name in best step-00000012 step-00000014; do truncate -s 5000 "$scratch/damaged/$name.safetensors"; done
train --out "$scratch/damaged" --resume --set train.steps=16
expect "all checkpoints damaged: exit 2" exits_with 2
expect "all checkpoints damaged: the remedy is printed" says "start again in another folder with --out"

copy "$scratch/parts" "$scratch/off"
train --out "$scratch/off" --resume --set train.steps=13
for name in best step-00000013; do flip "$scratch/off/$name.safetensors" 300000; done
train --out "$scratch/off" --resume --set train.steps=15
expect "a damaged checkpoint off the interval: the previous one is kept" test -f "$scratch/off/step-00000012.safetensors"
run "$bin/resnet-train" "$config" --out "$scratch/whole" --resume --data "$scratch/nowhere" --set run.keep=1 \
    --set train.steps=20
expect "a run that cannot resume deletes nothing" test -f "$scratch/whole/step-00000010.safetensors"

# ---- signals
for signal in INT:130 TERM:143; do
    folder=$scratch/stopped-${signal%:*}
    set -m # a background process of a script ignores SIGINT otherwise
    start --out "$folder" --set run.log_every=3
    set +m
    wait_until grep -qs train_loss "$folder/metrics.jsonl"
    kill -s "${signal%:*}" "$process"
    wait_for_exit
    expect "${signal%:*}: exit ${signal#*:}" exits_with "${signal#*:}"
    expect "${signal%:*}: the checkpoint is named" says "$folder/$(readlink "$folder/last.safetensors")"
    stopped=$(readlink "$folder/last.safetensors" | tr -dc 0-9 | sed 's/^0*//')
    train --out "$folder" --resume --set train.steps=$((stopped + 3)) --set run.log_every=3
    expect "${signal%:*}: the run resumes" exits_with 0
    train --out "$folder-whole" --set train.steps=$((stopped + 3)) --set run.log_every=3
    expect "${signal%:*}: to the same bits" same_run "$folder" "$folder-whole"
done

start --out "$scratch/asked" --set run.checkpoint_every=90000 --set run.log_every=1
wait_until grep -qs train_loss "$scratch/asked/metrics.jsonl"
kill -s USR1 "$process"
expect "USR1: a checkpoint is written" wait_until test -e "$scratch/asked/last.safetensors"
lines=$(wc -l <"$scratch/asked/metrics.jsonl")
more_lines() { [ "$(wc -l <"$scratch/asked/metrics.jsonl")" -gt "$lines" ]; }
expect "USR1: training continues" wait_until more_lines

# ---- one process per folder
train --out "$scratch/asked" --resume
expect "a second process is refused" exits_with 2
expect "a second process: the reason is printed" says "another process is training there"
train --out "$scratch/asked"
expect "a second process is refused without --resume too" exits_with 2
kill -s KILL "$process"
wait_for_exit
train --out "$scratch/asked" --resume --set train.steps=1
expect "a killed process does not lock the folder" exits_with 0

# ---- in the middle of a save
stalled() {
    export FAULT_FOLDER=$1 FAULT_AT="fsync step-00000010.safetensors.tmp#1" FAULT_KIND=stall
    set -m
    LD_PRELOAD=$bin/libfaults.so start --out "$1" --set run.keep=100
    set +m
    unset FAULT_FOLDER FAULT_AT FAULT_KIND
    wait_until compgen -G "$1/step-00000010.safetensors.tmp-*" >/dev/null
}
folder=$scratch/saving
stalled "$folder"
kill -s USR1 "$process"
off_interval() { compgen -G "$folder/step-*[1-46-9].safetensors" >/dev/null; }
expect "USR1 during a save: another checkpoint follows" wait_until off_interval
expect "USR1 during a save: the current checkpoint is completed" test -f "$folder/step-00000010.safetensors"
kill -s KILL "$process"
wait_for_exit
expect "USR1 during a save: every checkpoint is complete" \
    /usr/bin/python3 "$repository/tests/faults/checkpoint_file.py" "$folder"/*.safetensors
rm -r "$folder"
stalled "$folder"
kill -s INT "$process"
wait_for_exit
expect "INT during a save: exit 130" exits_with 130
expect "INT during a save: the current checkpoint is completed" test -f "$folder/step-00000010.safetensors"
expect "INT during a save: the last checkpoint is named" says "$folder/$(readlink "$folder/last.safetensors")"
expect "INT during a save: every checkpoint is complete" \
    /usr/bin/python3 "$repository/tests/faults/checkpoint_file.py" "$folder"/*.safetensors
folder=$scratch/hurried
stalled "$folder"
kill -s TERM "$process"
sleep 1.2
kill -s INT "$process"
wait_for_exit
expect "INT a second after TERM: exit 130" exits_with 130
expect "INT a second after TERM: no further checkpoint" silent_about "stopped after"
expect "INT a second after TERM: the previous checkpoint is kept" test -f "$folder/step-00000005.safetensors"
expect "INT a second after TERM: the unfinished checkpoint does not count" absent "$folder/step-00000010.safetensors"
train --out "$folder" --resume
expect "INT a second after TERM: the run resumes" says "resuming from step 5"
expect "INT a second after TERM: to the same bits" same_run "$folder" "$scratch/whole"
expect "INT a second after TERM: the unfinished file is removed" equal "$(find "$folder" -name '*.tmp-*')" ""

report

#!/usr/bin/env bash
# The event files of runs, also interrupted ones, as the TensorBoard of PyPI reads and serves them.
#     test_tensorboard.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
python=$repository/build/python/bin/python
if ! "$python" -c 'import tensorboard'; then
    printf 'FAILED: %s lacks tensorboard; bash tools/install.sh tests installs it\n' "$python"
    exit 1
fi
read_events() { run "$python" "$repository/tests/train/read_events.py" "$@"; }
few_steps() { run "$bin/few-steps" "$@"; }
# faulty FUNCTION_AND_FILE KIND FOLDER ARGUMENT...: few-steps with a fault (tests/faults/inject.cpp).
faulty() {
    # Without this option AddressSanitizer refuses a library that is loaded before it.
    ASAN_OPTIONS=verify_asan_link_order=0 FAULT_FOLDER=$3 FAULT_AT=$1 FAULT_KIND=$2 \
        LD_PRELOAD=$bin/libfaults.so run "$bin/few-steps" "${@:3}"
}
event_files() { find "$1" -name 'events.out.tfevents.*' | wc -l; }
equal() { [ "$1" = "$2" ]; }
runs=$scratch/runs
mkdir "$runs"

# ---- a run
few_steps "$runs/whole"
expect "training succeeds" exits_with 0
expect "one event file" equal "$(event_files "$runs/whole")" 1
read_events "$runs/whole"
expect "the event file agrees with metrics.jsonl" exits_with 0
few_steps "$scratch/off" run.tensorboard=false
expect "run.tensorboard=false: no event file" equal "$(event_files "$scratch/off")" 0
few_steps "$scratch/undecayed" optimizer.weight_decay=0
read_events "$scratch/undecayed"
expect "without weight decay there is no weight norm" exits_with 0

# ---- a longer run, killed in the middle of a record, and resumed
few_steps "$runs/resumed" train.steps=6
expect "six steps" exits_with 0
# Header, start, configuration, the four rows up to step 6 again, and the row of step 8.
faulty "write events#8" half "$runs/resumed" --resume
expect "killed in the middle of a record" exits_with 137
few_steps "$runs/resumed" --resume
expect "resumed" exits_with 0
expect "each process has written a file" equal "$(event_files "$runs/resumed")" 3
read_events "$runs/resumed"
expect "the event files agree with metrics.jsonl, without the rows that the resumed run replaced" exits_with 0

# ---- event files with gaps
few_steps "$runs/gaps" train.steps=4
expect "four steps" exits_with 0
few_steps "$runs/gaps" --resume train.steps=6 run.tensorboard=false
expect "two more steps without TensorBoard" exits_with 0
few_steps "$runs/gaps" --resume
expect "two more steps with TensorBoard" exits_with 0
read_events "$runs/gaps"
expect "a new event file also has the rows of a part without TensorBoard" exits_with 0
rm "$(find "$runs/gaps" -name 'events.out.tfevents.*' | sort | tail -n 1)"
few_steps "$runs/gaps" --resume train.steps=10
expect "two more steps after an event file was removed" exits_with 0
read_events "$runs/gaps"
expect "a new event file also has the rows of one that was removed" exits_with 0

# ---- event files that cannot be written
for fault in "open events:13:cannot create:Permission denied" "write events:28:cannot write:No space left on device"; do
    IFS=: read -r call kind action reason <<<"$fault"
    folder=$scratch/fault-$kind
    faulty "$call" "$kind" "$folder"
    expect "$reason: the run finishes" exits_with 0
    warning="few-steps: warning: $action $folder/events.out.tfevents."
    expect "$reason: one warning" equal "$(grep -c warning "$scratch/output")" 1
    expect "$reason: the warning names the file" says "$warning"
    expect "$reason: the warning has the reason" says "$reason; the run continues without TensorBoard"
    expect "$reason: the run is complete" equal "$(wc -l <"$folder/metrics.jsonl")" 6
done
faulty "write events#4" 28 "$runs/recovered"
expect "a fault that passes: one warning" equal "$(grep -c warning "$scratch/output")" 1
read_events "$runs/recovered"
expect "a fault that passes: nothing is missing" exits_with 0

# ---- TensorBoard's server, which checks the checksum of each record
"$python" -m tensorboard.main --logdir "$runs" --port 0 --load_fast true --extra_data_server_flags=--checksum \
    >"$scratch/server" 2>&1 </dev/null &
background+=("$!")
address=""
for ((wait = 0; wait < 300 && ${#address} == 0; ++wait)); do
    sleep 0.1
    address=$(sed -n 's|.*\(http://[^ ]*\)/ .*|\1|p' "$scratch/server" | head -n 1)
done
# The data server has read the files once it lists the runs.
for ((wait = 0; wait < 100; ++wait)); do
    if curl --silent "$address/data/runs" | grep -q resumed; then break; fi
    sleep 0.1
done
sleep 0.5
for name in whole resumed gaps recovered; do
    read_events "$runs/$name" "$address"
    expect "TensorBoard serves the run '$name'" exits_with 0
done

report

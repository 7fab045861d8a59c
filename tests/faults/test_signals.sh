#!/usr/bin/env bash
# Signals to resnet-train: which ones stop it with a checkpoint, repetitions, ignored signals, a terminal that is closed, a
# limit on CPU time.
#     test_signals.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
ulimit -c 0
data=$scratch/data
"$bin/draw-images" "$data" >/dev/null
export CIFAR10_DIR=$data OMP_NUM_THREADS=1
cat >"$scratch/tiny.json" <<'JSON'
{
  "model": {"depth": 8},
  "train": {"steps": 100000, "batch_size": 16, "device": "cpu"},
  "schedule": {"boundaries": [], "values": [0.01]},
  "run": {"log_every": 1, "eval_every": 100000, "checkpoint_every": 90000}
}
JSON
wait_until() {
    local tries=0
    until "$@" || [ $((tries += 1)) -gt 600 ]; do sleep 0.05; done
    "$@"
}
rows() { grep -c train_loss "$folder/metrics.jsonl" || true; }
has_rows() { [ "$(rows)" -ge "$1" ]; }
# Without job control, background processes ignore SIGINT and SIGQUIT.
set -m
# start NAME ARGUMENT...: a run in the background with a process group of its own, after its first step.
start() {
    folder=$scratch/$1
    "$bin/resnet-train" "$scratch/tiny.json" --out "$folder" "${@:2}" >"$scratch/output" 2>&1 &
    process=$!
    background+=("$process")
    wait_until test -s "$folder/metrics.jsonl"
}
wait_for_exit() { status=0; wait "$process" 2>/dev/null || status=$?; }
saved() { [ "$(readlink "$folder/last.safetensors")" = "$(printf 'step-%08d.safetensors' "$(rows)")" ]; }
# stopped WHAT STATUS
stopped() {
    wait_for_exit
    expect "$1: exit $2" exits_with "$2"
    expect "$1: a checkpoint of the last step" saved
    expect "$1: it is named" says "stopped after $(rows) steps; checkpoint $folder/step-"
}

# ---- one signal
for signal in HUP:129 INT:130 USR2:140 TERM:143 XCPU:152; do
    start "$signal"
    kill -s "${signal%:*}" "$process"
    stopped "${signal%:*}" "${signal#*:}"
done

start quit
kill -s QUIT "$process"
wait_for_exit
expect "QUIT: the process is killed" exits_with 131
expect "QUIT: no checkpoint" absent "$folder/last.safetensors"

# ---- ignored at the start, as by nohup or a script's background job
trap '' HUP INT TERM USR1
start ignored
trap - HUP INT TERM USR1
kill -s HUP "$process"
kill -s INT "$process"
seen=$(rows)
expect "HUP and INT stay ignored: training continues" wait_until has_rows $((seen + 20))
kill -s USR1 "$process"
expect "USR1 is handled even if it was ignored" wait_until test -e "$folder/last.safetensors"
kill -s TERM "$process"
stopped "TERM is handled even if it was ignored" 143

# ---- repeated
start twice
kill -s TERM "$process" "$process"
stopped "TERM twice" 143
# Writing the checkpoint of step 10 takes five seconds. A busy machine may need more than a second to send the first four
# signals; then the attempt does not count.
milliseconds() { printf '%s' $((${EPOCHREALTIME//[!0-9]/} / 1000)); }
for attempt in 1 2 3 4 5; do
    export FAULT_FOLDER=$scratch/repeated$attempt FAULT_AT="fsync step-00000010.safetensors.tmp#1" FAULT_KIND=stall
    LD_PRELOAD=$bin/libfaults.so start "repeated$attempt" --set run.checkpoint_every=10
    unset FAULT_FOLDER FAULT_AT FAULT_KIND
    wait_until compgen -G "$folder/step-00000010.safetensors.tmp-*" >/dev/null
    first=$(milliseconds)
    kill -s XCPU "$process"
    kill -s XCPU "$process"
    sleep 0.1
    kill -s TERM "$process"
    kill -s HUP "$process"
    if [ $(($(milliseconds) - first)) -lt 900 ]; then break; fi
    wait_for_exit
done
sleep 1.2
kill -s XCPU "$process"
stopped "stopping signals within a second of the first, and a later XCPU" 152

# ---- from the system
start limit
prlimit --cpu=1: --pid "$process"
stopped "the soft limit on CPU time" 152

folder=$scratch/terminal
cat >"$scratch/close_terminal.py" <<'PYTHON'
"""close_terminal.py METRICS COMMAND...: runs it on a terminal, which is closed once the file METRICS has a row."""
import os, pty, sys

process, terminal = pty.fork()
if process == 0:
    os.execv(sys.argv[2], sys.argv[2:])
while not os.path.exists(sys.argv[1]) or os.path.getsize(sys.argv[1]) == 0:
    os.read(terminal, 65536)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
PYTHON
run /usr/bin/python3 "$scratch/close_terminal.py" "$folder/metrics.jsonl" "$bin/resnet-train" "$scratch/tiny.json" \
    --out "$folder"
expect "the terminal is closed: exit 129" exits_with 129
expect "the terminal is closed: a checkpoint of the last step" saved

report

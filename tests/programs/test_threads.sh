#!/usr/bin/env bash
# The number of CPU threads, what they do while they wait, and the instructions of the kernels: the first line of a run
# and the environment.
#     test_threads.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$repository"
unset OMP_NUM_THREADS OMP_WAIT_POLICY GOMP_SPINCOUNT KMP_BLOCKTIME RESIDUAL_ISA

# ---- number of threads
steps() {
    rm -rf "$run_folder"
    run "$@" "$bin/few-steps" "$run_folder" train.steps=1
}
cpus=$(getconf _NPROCESSORS_ONLN)
allowed=$(taskset -pc $$ | sed 's/.*: //; s/[-,].*//')  # the first CPU that this test may use
steps env OMP_NUM_THREADS=3
expect "OMP_NUM_THREADS is used" says "; CPU, 3 threads (OMP_NUM_THREADS), "
if [ "$cpus" -gt 1 ]; then
    steps taskset -c "$allowed"
    expect "the affinity mask is used" says "; CPU, 1 thread (affinity mask; $cpus CPUs), "
fi
steps taskset -c "$allowed" env OMP_NUM_THREADS=2
expect "OMP_NUM_THREADS comes first" says "; CPU, 2 threads (OMP_NUM_THREADS), "

# ---- instructions
steps env RESIDUAL_ISA=baseline
expect "the kernels of RESIDUAL_ISA are used" says ", baseline kernels, oneDNN "
rm -r "$run_folder"
refused "an unknown RESIDUAL_ISA" 'RESIDUAL_ISA is "sse9"; this CPU can run: baseline' \
    env RESIDUAL_ISA=sse9 "$bin/few-steps" "$run_folder"

# ---- waiting
# started COMMAND...: starts step-bench in this environment and waits for its first step; `process` is its number.
bench=("$bin/step-bench" configs/resnet20.json --device cpu --batch 1)
started() {
    coproc { exec "$@" "${bench[@]}" 2>/dev/null; }
    process=$COPROC_PID
    background+=("$process")
    printf 'run 1\n' >&"${COPROC[1]}"
    read -r -t 60 -u "${COPROC[0]}" || true
}
environment() { tr '\0' '\n' <"/proc/$process/environ"; }
waits_with() { [ "$(environment | grep -E '^(OMP_WAIT_POLICY|GOMP_SPINCOUNT|KMP_BLOCKTIME)=')" = "$1" ]; }
stop() { { kill "$process" && wait "$process"; } 2>/dev/null || true; }

started env OMP_NUM_THREADS=2 nohup
expect "threads sleep while they wait" waits_with OMP_WAIT_POLICY=passive
expect "the process keeps its number and name" [ "$(<"/proc/$process/comm")" = step-bench ]
expect "and its arguments" [ "$(tr '\0' ' ' <"/proc/$process/cmdline")" = "${bench[*]} " ]
# Bit 0 is SIGHUP, which nohup ignores.
expect "and ignores the same signals" [ $((0x$(sed -n 's/^SigIgn:\t//p' "/proc/$process/status") & 1)) = 1 ]
stop
for choice in OMP_WAIT_POLICY=active GOMP_SPINCOUNT=5000 KMP_BLOCKTIME=10; do
    started env OMP_NUM_THREADS=2 "$choice"
    expect "$choice stays" waits_with "$choice"
    stop
done
started env OMP_NUM_THREADS=1
expect "one thread has nothing to wait for" waits_with ""
stop

loader=$(LC_ALL=C readelf --program-headers "$bin/few-steps" | sed -n 's/.*program interpreter: \(.*\)]/\1/p')
run env OMP_NUM_THREADS=2 "$loader" "$bin/few-steps" --help
expect "a program started by the dynamic loader is not restarted" exits_with 0
expect "and reads its arguments" says "Usage: few-steps"

report

#!/usr/bin/env bash
# Runs the tests that test.sh leaves out because they take long, and searches for bugs that tests miss: with
# ThreadSanitizer, with fuzzing, by killing training runs at random moments, and by letting the installed cuDNN plan
# every graph.
# Installs and builds what it needs. Exits with 0 only if nothing was found; each finding is printed, that of a fuzz
# target or a killed run with the command that reproduces it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

usage="usage: bash tools/stress.sh [SECONDS]
  SECONDS   how long each fuzz target runs (default 60); two run at a time"
help_if_asked "$usage" "$@"
[ $# -le 1 ] || die "unknown argument '$2'; $usage" 2
export seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "SECONDS is '$seconds'; it must be a whole number above 0; $usage" 2

bash tools/install.sh stress
use_ccache

# build_tests PRESET TARGET...
build_tests() {
    cmake --preset "$1" -DBUILD_TESTING=ON || return 1
    cmake --build "build/$1" --parallel "$(compile_jobs)" --target "${@:2}"
}

# fuzz TARGET: runs a fuzz target and prints one line about it. libFuzzer adds inputs to build/fuzz/corpus, from which a
# later call continues; the inputs in the repository are only read.
fuzz() {
    local target=$1 log=build/fuzz/$1.log grown=build/fuzz/corpus/$1 findings=build/fuzz/findings/$1
    local arguments=("$grown") folder status=0 found
    mkdir -p "$grown" "$findings"
    for folder in tests/fuzz/{corpus,regressions}/"$target"; do
        if [ -d "$folder" ]; then arguments+=("$folder"); fi
    done
    if [ -f "tests/fuzz/dictionaries/$target.dict" ]; then
        arguments+=("-dict=tests/fuzz/dictionaries/$target.dict")
    fi
    "build/fuzz/bin/fuzz-$target" "${arguments[@]}" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$findings/" >"$log" 2>&1 || status=$?
    if [ "$status" = 0 ]; then
        awk -v target="$target" -v seconds="$seconds" '
            $2 == "DONE" { for (i = 1; i < NF; i++) value[$i] = $(i + 1) }
            /^stat::number_of_executed_units:/ { tried = $2 }
            END {
                printf "  %-12s %6d s %10d inputs  %5d edges  %6d features  corpus %s\n",
                    target, seconds, tried, value["cov:"], value["ft:"], value["corp:"]
            }' "$log"
        return
    fi
    found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    printf '  %-12s FOUND: %s\n' "$target" "$(grep -m 1 -E 'ERROR: |SUMMARY: ' "$log" || printf 'status %s' "$status")"
    printf '  %-12s reproduce: build/fuzz/bin/fuzz-%s %s   (full report: %s)\n' '' "$target" "$found" "$log"
    return 1
}
export -f fuzz

fuzz_all() {
    local status=0 targets lines=build/fuzz/targets.txt
    targets=$(find tests/fuzz -maxdepth 1 -name 'fuzz_*.cpp' -printf '%f\n' | sed 's/^fuzz_\(.*\)\.cpp$/\1/' | LC_ALL=C sort)
    xargs -P 2 -I TARGET bash -c 'set -euo pipefail; fuzz TARGET' <<<"$targets" | tee "$lines" || status=1
    detail=$'\n'$(<"$lines")
    return "$status"
}

# The multi-threaded code. The first folder, with planted races, shows that ThreadSanitizer finds them.
threaded=(kernels data io train)
check "tsan build" build_tests tsan planted-race "${threaded[@]/#/tests-}"
for folder in races "${threaded[@]}"; do
    check "tsan $folder" run_tests tsan --tests-regex "^$folder:"
done
check "fuzz build" build_tests fuzz fuzz-targets
check fuzz fuzz_all
check "slow build" build cpu
check slow run_tests cpu --tests-regex "$slow_tests"
# A run that is killed at random moments and resumed each time; docs/faults.md has the result of 200 kills.
check kills python3 tests/faults/random_kills.py build/cpu/bin 10
# The plans of the installed cuDNN; they need no GPU.
plans() {
    build/cuda/bin/cudnn-plans docs/cudnn-graphs.json tools/cudnn_plans/gpus.json --check docs/cudnn-plans.md
}
if ! find_cuda; then
    skip sanitizers "test.sh has run all tests under them"
    skip plans "$cuda_missing"
else
    check "sanitizers build" build_tests emulator fuzz-targets "${host_folders[@]/#/tests-}"
    check sanitizers run_tests emulator --tests-regex "$host_tests"
    check "plans build" build_tests cuda tools/cudnn_plans/all
    if [ -x build/cuda/bin/cudnn-plans ]; then check plans plans; else skip plans "cudnn-plans needs cuDNN 9.8 and libcuda, or the stub of it"; fi
fi
report_checks

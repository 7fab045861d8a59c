#!/usr/bin/env bash
# tools/stress.sh with fakes of CMake, ctest and the fuzz targets: its report and its exit code.
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

tree=$scratch/tree
mkdir -p "$tree/tools" "$tree/tests/fuzz"/{corpus,regressions}/bad "$tree/tests/fuzz/corpus/good" "$tree/build"/{tsan,fuzz,cpu,emulator}
cp "$repository"/tools/{stress,lib}.sh "$tree/tools/"
echo 'echo "installs $*"' >"$tree/tools/install.sh"
touch "$tree/tests/fuzz"/fuzz_{good,bad}.cpp

programs=$scratch/bin
fake_program "$programs" cmake '[ ! -e "$SCRATCH/no_build" ]'
fake_program "$programs" ctest 'echo "ctest $*" >>"$SCRATCH/log"
echo "100% tests passed, 0 tests failed out of 1"
case "$*" in *"$(cat "$SCRATCH/racy")"*) exit 8 ;; esac'
fake_program "$programs" python3 'echo "python3 $*" >>"$SCRATCH/log"
[ ! -e "$SCRATCH/differs" ]'
fake_program "$tree/build/cuda/bin" cudnn-plans 'echo "cudnn-plans $*" >>"$SCRATCH/log"'
fake_program "$tree/build/fuzz/bin" fuzz-good 'echo "good $*" >>"$SCRATCH/log"
printf "#7\tDONE   cov: 11 ft: 22 corp: 3/4b lim: 5\nstat::number_of_executed_units: 7\n"'
fake_program "$tree/build/fuzz/bin" fuzz-bad '. "$SCRATCH/bad"'
stress() {
    : >"$scratch/log"
    run env PATH="$programs:$PATH" SCRATCH="$scratch" bash "$tree/tools/stress.sh" "$@"
}
logged() { grep -qF -- "$1" "$scratch/log"; }
row() { grep -qE -- "$1" "$scratch/output"; }

echo 'nothing' >"$scratch/racy"
echo 'exec "$(dirname "$0")/fuzz-good" "$@"' >"$scratch/bad"

for seconds in 0 -1 1.5 soon; do
    stress "$seconds"
    expect "SECONDS of '$seconds' are refused" exits_with 2
    expect "SECONDS of '$seconds': the value is printed" says "SECONDS is '$seconds'"
done
stress 1 2
expect "a second argument: exit 2" exits_with 2
expect "a second argument: it is named" says "unknown argument '2'"

stress
expect "each fuzz target runs for a minute by default" logged "-max_total_time=60"
stress 5
expect "without a finding: exit 0" exits_with 0
expect "its packages are installed" says "installs stress"
expect "each fuzz target runs for SECONDS" logged "-max_total_time=5"
expect "each fuzz target reads its corpus and regressions" logged "tests/fuzz/corpus/bad tests/fuzz/regressions/bad"
expect "the summary has the fuzzing statistics" row "good +5 s +7 inputs +11 edges +22 features +corpus 3/4b"
for folder in races kernels data io train; do
    expect "the tests of $folder run under ThreadSanitizer" logged "--no-tests=error --parallel $(nproc) --tests-regex ^$folder:"
done
if bash -c '. "$1" && find_cuda' bash "$repository/tools/lib.sh"; then
    expect "the page of plans is checked" logged "cudnn-plans docs/cudnn-graphs.json tools/cudnn_plans/gpus.json --check"
fi
expect "the slow tests run" logged "--tests-regex ^(package/|faults/sweep"
expect "the test of random kills runs" logged "python3 tests/faults/random_kills.py build/cpu/bin 10"

echo 'echo "==1==ERROR: AddressSanitizer: planted"
echo "artifact_prefix=x; Test unit written to build/fuzz/findings/bad/crash-1"
exit 77' >"$scratch/bad"
stress 5
expect "a finding: exit 1" exits_with 1
expect "a finding: it is printed" says "FOUND: ==1==ERROR: AddressSanitizer: planted"
expect "a finding: the command to reproduce it is printed" says "reproduce: build/fuzz/bin/fuzz-bad build/fuzz/findings/bad/crash-1"
expect "a finding: the other target is reported too" row "good +5 s +7 inputs"
echo 'exit 5' >"$scratch/bad"
stress 5
expect "a fuzz target that fails without a finding: exit 1" exits_with 1
expect "a fuzz target that fails without a finding: its status is printed" says "FOUND: status 5"
echo 'exec "$(dirname "$0")/fuzz-good" "$@"' >"$scratch/bad"

for folder in races train; do
    echo "^$folder:" >"$scratch/racy"
    stress 5
    expect "a failing test of $folder: exit 1" exits_with 1
    expect "a failing test of $folder: the summary shows it" row "tsan $folder +FAILED"
done
echo 'nothing' >"$scratch/racy"
touch "$scratch/differs"
stress 5
expect "a failing test of random kills: exit 1" exits_with 1
expect "a failing test of random kills: the summary shows it" row "kills +FAILED"
rm "$scratch/differs"
touch "$scratch/no_build"
stress 5
expect "a failing build: exit 1" exits_with 1

report

#!/usr/bin/env bash
# tools/stress.sh with stand-ins for CMake, ctest and the fuzz targets: what it reports, and its status.
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

tree=$scratch/tree
mkdir -p "$tree/tools" "$tree/tests/fuzz"/{corpus,regressions}/bad "$tree/tests/fuzz/corpus/good" "$tree/build"/{tsan,fuzz}
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
    expect "with the value" says "SECONDS is '$seconds'"
done
stress 1 2
expect "a second argument is refused" exits_with 2
expect "by its name" says "unknown argument '2'"

stress
expect "a minute where no SECONDS are named" logged "-max_total_time=60"
stress 5
expect "nothing found is a success" exits_with 0
expect "its packages are installed" says "installs stress"
expect "each fuzz target has the seconds" logged "-max_total_time=5"
expect "and the files kept for it" logged "tests/fuzz/corpus/bad tests/fuzz/regressions/bad"
expect "what was tried is in the summary" row "good +5 s +7 inputs +11 edges +22 features +corpus 3/4b"
for folder in races kernels data io train; do
    expect "the tests of $folder run under ThreadSanitizer" logged "--no-tests=error --parallel $(nproc) --tests-regex ^$folder:"
done
expect "a run is ended at random moments" logged "python3 tests/faults/random_kills.py build/cpu/bin 10"

echo 'echo "==1==ERROR: AddressSanitizer: planted"
echo "artifact_prefix=x; Test unit written to build/fuzz/findings/bad/crash-1"
exit 77' >"$scratch/bad"
stress 5
expect "a finding is a failure" exits_with 1
expect "the finding is named" says "FOUND: ==1==ERROR: AddressSanitizer: planted"
expect "with the command that shows it again" says "reproduce: build/fuzz/bin/fuzz-bad build/fuzz/findings/bad/crash-1"
expect "the other target is reported all the same" row "good +5 s +7 inputs"
echo 'exit 5' >"$scratch/bad"
stress 5
expect "a target that ends without a finding is a failure too" exits_with 1
expect "by its status" says "FOUND: status 5"
echo 'exec "$(dirname "$0")/fuzz-good" "$@"' >"$scratch/bad"

for folder in races train; do
    echo "^$folder:" >"$scratch/racy"
    stress 5
    expect "a failing test of $folder is a failure" exits_with 1
    expect "named in the summary" row "tsan $folder +FAILED"
done
echo 'nothing' >"$scratch/racy"
touch "$scratch/differs"
stress 5
expect "a run that went on to other bits is a failure" exits_with 1
expect "named in the summary" row "kills +FAILED"
rm "$scratch/differs"
touch "$scratch/no_build"
stress 5
expect "a failing build is a failure" exits_with 1

report

#!/usr/bin/env bash
# ThreadSanitizer is believed only where it finds the races planted for it, and nothing in the same loops and threads
# with their synchronisation:
#     bash tests/races/check_planted.sh PROGRAMS
set -euo pipefail
programs=${1:?usage: check_planted.sh PROGRAMS}
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"

for kind in openmp thread; do
    run "$programs/planted-race" "$kind" race
    expect "a planted race ($kind) ends with ThreadSanitizer's status" exits_with 66
    expect "and is reported as one" says "WARNING: ThreadSanitizer: data race"
    expect "at its place" says "tests/races/planted_race.cpp"
    run "$programs/planted-race" "$kind" sound
    expect "sound synchronisation ($kind) passes" exits_with 0
done

report

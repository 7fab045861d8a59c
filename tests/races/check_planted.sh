#!/usr/bin/env bash
# Checks ThreadSanitizer itself: it must report each planted race, and nothing in the same code with synchronisation.
#     bash tests/races/check_planted.sh PROGRAMS
set -euo pipefail
programs=${1:?usage: check_planted.sh PROGRAMS}
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"

for kind in openmp thread; do
    run "$programs/planted-race" "$kind" race
    expect "a planted race ($kind) exits with ThreadSanitizer's status" exits_with 66
    expect "the report says data race" says "WARNING: ThreadSanitizer: data race"
    expect "the report names the source file" says "tests/races/planted_race.cpp"
    run "$programs/planted-race" "$kind" sound
    expect "correct synchronisation ($kind) passes" exits_with 0
done

report

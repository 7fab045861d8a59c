#!/usr/bin/env bash
# The scripts that users call print their usage if asked.
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
cd "$scratch"

for script in get_cifar prove_gpu quickstart stage_gpu stress test; do
    for option in -h --help; do
        run bash "$repository/tools/$script.sh" "$option"
        expect "$script.sh $option: exit 0" exits_with 0
        expect "$script.sh $option: the usage is printed" says "usage: bash tools/$script.sh"
    done
    run bash "$repository/tools/$script.sh" --bogus
    expect "$script.sh with an unknown option: exit 2" exits_with 2
    expect "$script.sh with an unknown option: the usage is printed" says "usage: bash tools/$script.sh"
done

report

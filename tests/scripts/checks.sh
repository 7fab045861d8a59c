# Functions that the tests of the scripts share; sourced. A test calls `expect` for each check and `report` at its end.
# shellcheck shell=bash disable=SC2034  # the tests read these variables

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
run_folder=$scratch/run  # `refused` checks that it does not exist
failed=0
held=0

background=() # processes to kill when the test exits
clean_up() {
    local process
    for process in ${background[@]+"${background[@]}"}; do kill "$process" 2>/dev/null || true; done
    rm -rf "$scratch"
}
trap clean_up EXIT

# expect WHAT COMMAND...: checks that the command succeeds.
expect() {
    local what=$1
    shift
    if "$@"; then
        held=$((held + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n        %s\n' "$what" "$*"
        if [ -f "$scratch/output" ]; then sed 's/^/        | /' "$scratch/output"; fi
    fi
}

# run COMMAND...: stores its output in $scratch/output and its exit status in $status.
run() {
    status=0
    "$@" >"$scratch/output" 2>&1 </dev/null || status=$?
}

exits_with() { [ "$status" = "$1" ]; }
says() { grep -qF -- "$1" "$scratch/output"; }
silent_about() { ! grep -qF -- "$1" "$scratch/output"; }
last_line_is() { [ "$(tail -n 1 "$scratch/output")" = "$1" ]; }
absent() { [ ! -e "$1" ]; }

# refused WHAT MESSAGE COMMAND...: the command exits with 2, prints MESSAGE, and makes no $run_folder.
refused() {
    local what=$1 message=$2
    shift 2
    run "$@"
    expect "$what: exit 2" exits_with 2
    expect "$what: the message" says "$message"
    expect "$what: nothing is written" absent "$run_folder"
}

# fake_program FOLDER NAME BODY: writes an executable bash script.
fake_program() {
    mkdir -p "$1"
    printf '#!/bin/bash\n%s\n' "$3" >"$1/$2"
    chmod +x "$1/$2"
}

report() {
    printf '%d held, %d failed\n' "$held" "$failed"
    [ "$failed" = 0 ] && [ "$held" -gt 0 ]
}

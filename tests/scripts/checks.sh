# Shared by the tests of the scripts; sourced. A test states what must hold with `expect` and ends with `report`.
# shellcheck shell=bash disable=SC2034  # the tests read these variables

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
run_folder=$scratch/run  # where `refused` looks for what must not be there
failed=0
held=0

# Processes that a test leaves behind are listed here and ended with it.
background=()
clean_up() {
    local process
    for process in ${background[@]+"${background[@]}"}; do kill "$process" 2>/dev/null || true; done
    rm -rf "$scratch"
}
trap clean_up EXIT

# expect WHAT COMMAND...: notes whether the command succeeds.
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

# run COMMAND...: its output goes to $scratch/output, its exit status to $status.
run() {
    status=0
    "$@" >"$scratch/output" 2>&1 </dev/null || status=$?
}

exits_with() { [ "$status" = "$1" ]; }
says() { grep -qF -- "$1" "$scratch/output"; }
silent_about() { ! grep -qF -- "$1" "$scratch/output"; }
last_line_is() { [ "$(tail -n 1 "$scratch/output")" = "$1" ]; }
absent() { [ ! -e "$1" ]; }

# refused WHAT MESSAGE COMMAND...: exit 2 with a message that holds MESSAGE, and no folder of a run at $run_folder.
refused() {
    local what=$1 message=$2
    shift 2
    run "$@"
    expect "$what: exit 2" exits_with 2
    expect "$what: the message" says "$message"
    expect "$what: nothing is written" absent "$run_folder"
}

# fake_program FOLDER NAME BODY: a program of that name whose body is given.
fake_program() {
    mkdir -p "$1"
    printf '#!/bin/bash\n%s\n' "$3" >"$1/$2"
    chmod +x "$1/$2"
}

report() {
    printf '%d held, %d failed\n' "$held" "$failed"
    [ "$failed" = 0 ] && [ "$held" -gt 0 ]
}

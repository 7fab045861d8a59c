#!/usr/bin/env bash
# tools/kernel_resources.py with a fake nvcc: how it parses reports, and its errors.
# shellcheck disable=SC2016  # backquotes are Markdown's, and the bodies of fake programs expand when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# nvcc reports one kernel per file, with the numbers of $scratch/{registers,spill,stack,version}.
set_to() { printf '%s\n' "$2" >"$scratch/$1"; }
set_to version 13.0.88
set_to registers 40
set_to spill 0
set_to stack 0
fake_program "$scratch/bin" nvcc "cd '$scratch'"'
if [ "$1" = --version ]; then echo "Cuda compilation tools, release 13.0, V$(<version)"; exit; fi
if [ -e broken ]; then echo "pool.cu(1): error: expected a ;" >&2; exit 1; fi
name=_ZN7kernels12_GLOBAL__N_14stepINS_8bfloat16ELi16ELb1EEEvPT_i
for architecture in 80 90; do
    echo "ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '"'\$name'"' for '"'sm_\$architecture'"'
ptxas info    : Function properties for $name
    $(<stack) bytes stack frame, $(<spill) bytes spill stores, $(<spill) bytes spill loads
ptxas info    : Used $(<registers) registers, used 1 barriers, 512 bytes smem, 400 bytes cmem[0]
ptxas info    : Compile time = 3.1 ms" >&2
done'
resources() { run env PATH="$scratch/bin:$PATH" python3 "$repository/tools/kernel_resources.py" --table "$scratch/table.md" "$@"; }
table_has() { grep -qF -- "$1" "$scratch/table.md"; }

resources --check
expect "a missing table: exit 1" exits_with 1
expect "a missing table: it is named" says "$scratch/table.md is missing"
resources
expect "the table is written" exits_with 0
expect "the table has the compiler's version" table_has "nvcc 13.0.88"
expect "every architecture has a table" table_has "## sm_90"
expect "a row has the demangled name and every number" table_has '| pool.cu | `step<bfloat16, 16, true>` | 40 | 512 | 0 | 0 | 0 |'
resources --check
expect "the same report passes --check" exits_with 0

set_to registers 41
resources --check
expect "another number: exit 1" exits_with 1
expect "another number: the old row is printed" says '- | pool.cu | `step<bfloat16, 16, true>` | 40 |'
expect "another number: the new row is printed" says '+ | pool.cu | `step<bfloat16, 16, true>` | 41 |'
set_to version 13.1.5
resources --check
expect "tables of different compilers are not compared" exits_with 0
expect "tables of different compilers: a note says so" says "was made by nvcc 13.0.88, this is 13.1.5"

set_to spill 8
resources --check
expect "a spill: exit 1 with any compiler" exits_with 1
expect "a spill: the kernel is named" says 'local memory: pool.cu step<bfloat16, 16, true> on sm_80: 0 bytes of stack, 8 of spill'
set_to spill 0
set_to stack 16
resources
expect "a stack frame: exit 1 without --check as well" exits_with 1
expect "a stack frame: its size is printed" says "16 bytes of stack"

touch "$scratch/broken"
resources --check
expect "a file that does not compile: exit 2" exits_with 2
expect "a file that does not compile: the compiler's message is printed" says "error: expected a ;"

report

#!/usr/bin/env bash
# The GPUs that engine/backend/cuda/architectures.cmake chooses for several versions of nvcc.
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# chosen NUMBER...: runs the script with an nvcc that knows these GPUs.
chosen() {
    fake_program "$scratch/programs" nvcc "[ \"\$*\" = --list-gpu-code ] && printf 'sm_%s\n' $*"
    run cmake "-DCMAKE_CUDA_COMPILER=$scratch/programs/nvcc" -P "$repository/engine/backend/cuda/architectures.cmake"
}
chosen 75 80 86 87 88 89 90 100 110 103 120 121
expect "nvcc 13" last_line_is "-- GPU architectures: 80-real;86-real;89-real;90-real;100-real;120-real;120-virtual"
chosen 50 52 60 70 75 80 86 87 89 90
expect "nvcc 12.0 knows no Blackwell: PTX of Hopper" last_line_is "-- GPU architectures: 80-real;86-real;89-real;90-real;90-virtual"
chosen 80 90 90a 1000
expect "only whole numbers count" last_line_is "-- GPU architectures: 80-real;90-real;90-virtual"

report

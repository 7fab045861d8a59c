#!/usr/bin/env bash
# Installs what is missing, then builds and tests the presets cpu, cuda and emulator (without a CUDA toolkit: cpu and
# asan), and checks formatting, scripts, the direction of includes and the wording (tests/words). Leaves the slowest
# tests to stress.sh.
# Exits with 0 only if nothing failed; skipped checks are listed with the reason.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
usage="usage: bash tools/test.sh"
help_if_asked "$usage" "$@"
[ $# -eq 0 ] || die "unknown argument '$1'; $usage" 2

bash tools/install.sh tests

# The CUDA build repeats most of the CPU build.
use_ccache
# Fewer GPUs than a release is built for (engine/backend/cuda/architectures.cmake), to save time. CMake reads the variable
# when build/cuda is new.
export CUDAARCHS="${CUDAARCHS:-80-real;90-real;90-virtual}"

check_format() {
    find kernels engine models tools tests docs \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) -print0 |
        xargs -0 --no-run-if-empty clang-format --dry-run --Werror
}

check_scripts() {
    find tools tests .ci \( -name '*.sh' -o -path '.ci/run' \) -print0 |
        xargs -0 shellcheck --external-sources
}

test_cpu() {
    build cpu && run_tests cpu --exclude-regex "$slow_tests"
}

# Without a GPU only these tests differ from those of the CPU build. A GPU runs them all (tools/prove_gpu.sh).
test_cuda() {
    cmake --preset cuda -DBUILD_TESTING=ON &&
        cmake --build build/cuda --parallel "$(compile_jobs)" --target "${device_programs[@]}" tests-backend &&
        run_tests cuda --tests-regex "^(backend:|$device_scripts)"
}

# The emulated CUDA device under the sanitizers.
test_emulator() {
    cmake --preset emulator -DBUILD_TESTING=ON &&
        cmake --build build/emulator --parallel "$(compile_jobs)" --target "${device_folders[@]/#/tests-}" \
            tests/emulator/plants/all "${device_programs[@]}" &&
        run_tests emulator --tests-regex "$device_tests"
}

test_asan() {
    build asan && run_tests asan --exclude-regex '^(scripts|faults|package|predict|words)/'
}

# Other versions of the formatter disagree with Debian 12's, which decides.
system=$(. /etc/os-release && printf '%s %s' "${ID:-}" "${VERSION_ID:-}")
if [ "$system" = "debian 12" ]; then
    check format check_format
    check scripts check_scripts
else
    skip format "clang-format of Debian 12 decides, this is $system"
    skip scripts "shellcheck of Debian 12 decides, this is $system"
fi
check layering bash tests/layering/check_includes.sh .
check words bash tests/words/check_words.sh .
check cpu test_cpu
if find_cuda; then
    check resources python3 tools/kernel_resources.py --check
    check cuda test_cuda
    check emulator test_emulator
else
    skip resources "$cuda_missing"
    skip cuda "$cuda_missing"
    check asan test_asan
fi

report_checks

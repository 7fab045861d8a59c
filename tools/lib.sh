# Functions that the scripts share; sourced.
# shellcheck shell=bash disable=SC2034  # the callers read these variables

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die MESSAGE [EXIT_CODE]: 1 failed while running (default), 2 wrong usage or input.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

# help_if_asked USAGE [ARGUMENT]...: prints the usage and exits with 0 if an argument is -h or --help.
help_if_asked() {
    local argument
    for argument in "${@:2}"; do
        case $argument in
            -h | --help)
                say "$1"
                exit 0
                ;;
        esac
    done
}

# expand_home PATH: sets `path` to PATH with HOME in place of a leading ~, as the programs do.
expand_home() {
    path=$1
    # shellcheck disable=SC2088  # a ~ that the shell has not expanded
    case $path in
        '~' | '~/'*)
            [ -n "${HOME:-}" ] || die "$path: ~ cannot be expanded because HOME is not set; set it, or give the full path" 2
            path=$HOME${path#'~'}
            ;;
        '~'*) die "$path: ~ is expanded only in ~ and ~/...; give the full path, or ./$path for a file of that name" 2 ;;
    esac
}

# The folder in which the programs look for cifar10/ and cifar100/ by default.
cache_folder() {
    local path base=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    [ -n "$base" ] || die "neither XDG_CACHE_HOME nor HOME is set: set one, or name the data with --data DIR"
    expand_home "$base"
    say "$path/residual"
}

# Looks for a CUDA toolkit (nvcc on PATH, then $CUDA_HOME, then /usr/local/cuda) that has cuDNN and works with the
# installed g++. Found: exports CUDACXX and CUDAToolkit_ROOT for CMake, and cuda_found describes it.
# Otherwise: status 1, and cuda_missing says why.
find_cuda() {
    cuda_found="" cuda_missing=""
    local nvcc home release scratch
    nvcc=$(first_of "$(command -v nvcc || true)" "${CUDA_HOME:-/nonexistent}/bin/nvcc" /usr/local/cuda/bin/nvcc)
    if [ -z "$nvcc" ]; then
        cuda_missing="no CUDA toolkit: no nvcc on PATH, in \$CUDA_HOME/bin or in /usr/local/cuda/bin"
        return 1
    fi
    nvcc=$(readlink -f "$nvcc")
    home=$(dirname "$(dirname "$nvcc")")
    release=$("$nvcc" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\.[0-9]*\).*/\1/p')
    if [ -z "$release" ] || [ "${release%%.*}" -lt 12 ]; then
        cuda_missing="the CUDA toolkit at $home is version '${release:-unknown}', 12 or newer is needed"
        return 1
    fi
    find_cudnn "$home" || return 1
    scratch=$(mktemp -d)
    say '__global__ void probe() {}' >"$scratch/probe.cu"
    if ! "$nvcc" -c "$scratch/probe.cu" -o "$scratch/probe.o" >"$scratch/log" 2>&1; then
        cuda_missing="the CUDA toolkit at $home does not compile with this g++: $(grep -m1 -i error "$scratch/log" || head -n1 "$scratch/log")"
    fi
    rm -r "$scratch"
    [ -z "$cuda_missing" ] || return 1
    export CUDACXX=$nvcc CUDAToolkit_ROOT=$home
    cuda_found="CUDA $release at $home with cuDNN $cudnn_version"
}

# first_of PATH...: prints the first path that exists, or nothing.
first_of() {
    local path
    for path in "$@"; do
        if [ -e "$path" ]; then
            say "$path"
            return
        fi
    done
}

# find_cudnn TOOLKIT: sets cudnn_version, or cuda_missing and status 1.
find_cudnn() {
    local home=$1 header library major triplet
    triplet=$(uname -m)-linux-gnu
    header=$(first_of "$home"/{include,targets/*/include}/cudnn_version.h /usr/include{,/"$triplet"}/cudnn_version.h)
    library=$(first_of "$home"/{lib64,lib,targets/*/lib}/libcudnn.so /usr/{lib/"$triplet",lib64}/libcudnn.so)
    if [ -z "$header" ] || [ -z "$library" ]; then
        cuda_missing="the CUDA toolkit at $home has no cuDNN (cudnn_version.h and libcudnn.so)"
        return 1
    fi
    major=$(sed -n 's/^#define CUDNN_MAJOR \([0-9]*\).*/\1/p' "$header")
    cudnn_version=$major.$(sed -n 's/^#define CUDNN_MINOR \([0-9]*\).*/\1/p' "$header")
    if [ "${major:-0}" -ne 9 ]; then
        cuda_missing="cuDNN $cudnn_version ($header) cannot be used, version 9 is needed"
        return 1
    fi
}

# Makes later builds use ccache if it is installed; clones in other folders share its cache.
use_ccache() {
    command -v ccache >/dev/null || return 0
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
    export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
}

# Number of parallel compilers: one per core, each with about 2 GiB of memory.
compile_jobs() {
    awk -v cores="$(nproc)" '/^MemAvailable:/ { jobs = int($2 / 2097152) }
        END { print jobs < 1 ? 1 : jobs < cores ? jobs : cores }' /proc/meminfo
}

# build PRESET [TARGET...]: builds the targets; without targets, everything including the tests. Named targets are
# configured without the tests, which need more packages.
build() {
    local preset=$1
    shift
    if [ $# -eq 0 ]; then
        cmake --preset "$preset" -DBUILD_TESTING=ON || return 1
    elif [ ! -f "build/$preset/build.ninja" ]; then
        cmake --preset "$preset" -DBUILD_TESTING=OFF || return 1
    fi
    cmake --build "build/$preset" --parallel "$(compile_jobs)" ${1:+--target "$@"}
}

# A script calls `check` or `skip` for each of its checks, and `report_checks` at its end.
summary=() failures=0 detail=""

# check NAME COMMAND...: runs the command and records its outcome, its time and what it stored in `detail`.
check() {
    local name=$1 start=$SECONDS outcome=passed
    shift
    say "== $name"
    if ! "$@"; then
        outcome=FAILED
        failures=$((failures + 1))
    fi
    summary+=("$(printf '%-12s %-7s %4d s  %s' "$name" "$outcome" $((SECONDS - start)) "$detail")")
    detail=""
}

skip() {
    say "== $1: skipped: $2"
    summary+=("$(printf '%-12s skipped         %s' "$1" "$2")")
}

report_checks() {
    say ""
    printf '%s\n' "${summary[@]}"
    if [ "$failures" != 0 ]; then die "$failures of the checks above failed"; fi
}

# The names of tests that take long, which stress.sh runs instead of test.sh.
slow_tests='^(package/|faults/sweep|scripts/test_(download|ecosystem)\.sh)'
# The tests that differ on the emulated CUDA device, and what the scripts among them run. test.sh runs them there, under
# sanitizers; stress.sh also runs those of the other folders under the sanitizers.
device_folders=(backend cudnn_graphs emulator fakes fused_step golden kernels nn ops step)
host_folders=(autograd config core data io metrics models programs train)
device_scripts='programs/test_(devices|kernel_bench|memory|programs)\.sh'
device_programs=(resnet-train resnet-eval draw-images kernel-bench step-bench tests/faults/all)
device_tests="^($(IFS='|' && printf '%s' "${device_folders[*]}")):|^$device_scripts"
host_tests="^($(IFS='|' && printf '%s' "${host_folders[*]}")):|^fuzz:"

# run_tests PRESET [CTEST_ARGUMENT...]: stores ctest's totals in `detail`.
run_tests() {
    local preset=$1 log=build/$1/ctest.log status=0
    shift
    (cd "build/$preset" && ctest --output-on-failure --no-tests=error --parallel "$(nproc)" "$@") 2>&1 |
        tee "$log" || status=1
    detail=$(grep 'tests passed,' "$log" || say "ctest printed no totals")
    return "$status"
}

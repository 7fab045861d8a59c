# Shared by the scripts of this folder; sourced, never run.
# shellcheck shell=bash disable=SC2034  # results are variables that the callers read

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die MESSAGE [EXIT_CODE]: 1 failed while running (default), 2 wrong usage or input.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

# The folder in which the programs look for data when none is named: <this>/cifar10, <this>/cifar100.
cache_folder() {
    local base=${XDG_CACHE_HOME:-}
    if [ -z "$base" ]; then
        [ -n "${HOME:-}" ] || die "neither XDG_CACHE_HOME nor HOME is set: set one, or name the data with --data DIR"
        base=$HOME/.cache
    fi
    printf '%s/residual\n' "$base"
}

# Looks for a CUDA toolkit (nvcc on PATH, then $CUDA_HOME, then /usr/local/cuda) with cuDNN that compiles with the
# installed g++. Found: status 0, CUDACXX and CUDAToolkit_ROOT exported for CMake, cuda_found describes both.
# Otherwise: status 1, and cuda_missing says why.
find_cuda() {
    cuda_found="" cuda_missing=""
    local nvcc="" candidate home release scratch
    for candidate in "$(command -v nvcc || true)" "${CUDA_HOME:-/nonexistent}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
        if [ -n "$candidate" ] && [ -x "$candidate" ]; then
            nvcc=$(readlink -f "$candidate")
            break
        fi
    done
    if [ -z "$nvcc" ]; then
        cuda_missing="no CUDA toolkit: no nvcc on PATH, in \$CUDA_HOME/bin or in /usr/local/cuda/bin"
        return 1
    fi
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
        rm -r "$scratch"
        return 1
    fi
    rm -r "$scratch"
    export CUDACXX=$nvcc CUDAToolkit_ROOT=$home
    cuda_found="CUDA $release at $home with cuDNN $cudnn_version"
}

# find_cudnn TOOLKIT: sets cudnn_version, or cuda_missing and status 1.
find_cudnn() {
    local home=$1 triplet header="" library="" candidate major
    cudnn_version=""
    triplet=$(uname -m)-linux-gnu
    for candidate in "$home/include" "$home"/targets/*/include /usr/include "/usr/include/$triplet"; do
        if [ -f "$candidate/cudnn_version.h" ]; then
            header=$candidate/cudnn_version.h
            break
        fi
    done
    for candidate in "$home/lib64" "$home/lib" "$home"/targets/*/lib "/usr/lib/$triplet" /usr/lib64; do
        if [ -e "$candidate/libcudnn.so" ]; then
            library=$candidate/libcudnn.so
            break
        fi
    done
    if [ -z "$header" ] || [ -z "$library" ]; then
        cuda_missing="the CUDA toolkit at $home has no cuDNN beside it (cudnn_version.h and libcudnn.so)"
        return 1
    fi
    major=$(sed -n 's/^#define CUDNN_MAJOR \([0-9]*\).*/\1/p' "$header")
    cudnn_version=$major.$(sed -n 's/^#define CUDNN_MINOR \([0-9]*\).*/\1/p' "$header")
    if [ "${major:-0}" -lt 9 ]; then
        cuda_missing="cuDNN $cudnn_version ($header) is too old, 9 or newer is needed"
        return 1
    fi
}

# Lets the builds that follow go through ccache, if it is installed; a clone in another folder finds what this one
# has compiled.
use_ccache() {
    command -v ccache >/dev/null || return 0
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
    export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
}

# How many compilers may run at once: one per core, and about 2 GiB of memory for each.
compile_jobs() {
    local cores memory
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 2097152) }' /proc/meminfo)
    [ "${memory:-1}" -ge 1 ] || memory=1
    if [ "$memory" -lt "$cores" ]; then cores=$memory; fi
    say "$cores"
}

# build PRESET [TARGET...]: compiles what is out of date. Without a target all is built, tests included; programs alone
# are configured without the tests, which need packages of their own.
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

# A script of checks calls `check` or `skip` for each and ends with `report_checks`.
summary=()
failures=0
detail=""

# check NAME COMMAND...: runs it, notes the outcome, the time and what it leaves in `detail`, goes on after a failure.
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

# run_tests PRESET [CTEST_ARGUMENT...]: ctest's own line of totals becomes the detail of the check.
run_tests() {
    local preset=$1 log=build/$1/ctest.log status=0
    shift
    (cd "build/$preset" && ctest --output-on-failure --no-tests=error --parallel "$(nproc)" "$@") 2>&1 |
        tee "$log" || status=1
    detail=$(grep 'tests passed,' "$log" || say "ctest printed no totals")
    return "$status"
}

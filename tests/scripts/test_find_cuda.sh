#!/usr/bin/env bash
# find_cuda of tools/lib.sh with toolkits that work, are too old, incomplete or broken.
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# toolkit FOLDER RELEASE CUDNN: a fake nvcc, which fails to compile if $scratch/broken exists, and the files of cuDNN.
toolkit() {
    rm -rf "$1"
    mkdir -p "$1/include" "$1/lib64"
    fake_program "$1/bin" nvcc "if [ \"\$1\" = --version ]; then echo 'Cuda compilation tools, release $2, V$2.1'; exit; fi
if [ -e '$scratch/broken' ]; then echo 'host_config.h: error: unsupported GNU version' >&2; exit 1; fi"
    if [ -n "$3" ]; then
        printf '#define CUDNN_MAJOR %s\n#define CUDNN_MINOR %s\n' "${3%.*}" "${3#*.}" >"$1/include/cudnn_version.h"
        touch "$1/lib64/libcudnn.so"
    fi
}
find_it() {
    # shellcheck disable=SC2016
    run env PATH="$1:/usr/bin:/bin" CUDA_HOME="$2" bash -c '. "$1/tools/lib.sh"
        if find_cuda; then say "found $cuda_found; $CUDACXX; $CUDAToolkit_ROOT"; else say "$cuda_missing"; exit 1; fi
    ' find_cuda "$repository"
}

toolkit "$scratch/new" 13.0 9.19
toolkit "$scratch/other" 12.4 9.1
find_it "$scratch/new/bin" ""
expect "a toolkit on PATH is found" exits_with 0
expect "and its versions and paths are reported" says \
    "found CUDA 13.0 at $scratch/new with cuDNN 9.19; $scratch/new/bin/nvcc; $scratch/new"
find_it "$scratch/new/bin" "$scratch/other"
expect "PATH comes before CUDA_HOME" says "found CUDA 13.0 at $scratch/new"
if [ ! -e /usr/bin/nvcc ]; then
    find_it "$scratch" "$scratch/other"
    expect "CUDA_HOME is searched" says "found CUDA 12.4 at $scratch/other"
fi
mkdir "$scratch/links"
ln -s "$scratch/new/bin/nvcc" "$scratch/links/nvcc"
find_it "$scratch/links" ""
expect "a symbolic link to nvcc is resolved" says "at $scratch/new with"

touch "$scratch/broken"
find_it "$scratch/new/bin" ""
expect "a toolkit that does not compile is refused" exits_with 1
expect "the compiler's message is printed" says "does not compile with this g++: host_config.h: error: unsupported GNU version"
rm "$scratch/broken"

toolkit "$scratch/new" 11.8 9.19
find_it "$scratch/new/bin" ""
expect "an old toolkit is refused" says "is version '11.8', 12 or newer is needed"
for version in 8.9 10.0; do
    toolkit "$scratch/new" 12.0 "$version"
    find_it "$scratch/new/bin" ""
    expect "cuDNN $version is refused" says \
        "cuDNN $version ($scratch/new/include/cudnn_version.h) cannot be used, version 9 is needed"
    echo "#define CUDNN_PATCHLEVEL 1" >>"$scratch/new/include/cudnn_version.h"
    run cmake "-DCUDNN_INCLUDE_DIR=$scratch/new/include" "-DCUDNN_LIBRARY=$scratch/new/lib64/libcudnn.so" \
        -P "$repository/engine/backend/cuda/cudnn.cmake"
    expect "CMake refuses cuDNN $version" exits_with 1
    expect "CMake's message gives the version" says "cuDNN $version.1 in"
    expect "CMake's message gives the remedy" says "-DCUDNN_ROOT="
done
if ! find /usr/include /usr/lib /usr/lib64 -name 'cudnn_version.h' -o -name 'libcudnn.so' 2>/dev/null | grep -q .; then
    toolkit "$scratch/new" 12.0 ""
    find_it "$scratch/new/bin" ""
    expect "a toolkit without cuDNN is refused" says "has no cuDNN (cudnn_version.h"
fi
if [ ! -e /usr/bin/nvcc ] && [ ! -e /usr/local/cuda/bin/nvcc ]; then
    find_it "$scratch" ""
    expect "without a toolkit, the message says so" says "no CUDA toolkit: no nvcc on PATH"
fi

report

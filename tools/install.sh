#!/usr/bin/env bash
# Installs the packages of Debian or Ubuntu needed to build, and checks that the compiler and CMake are new enough.
# `bash tools/install.sh tests` also installs those needed by the tests and creates build/python, a virtual environment
# with packages of PyPI; `bash tools/install.sh stress` also installs those needed by tools/stress.sh. Only missing
# packages are fetched: if there are none, neither root nor an Internet connection is needed.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
root=$(dirname "${BASH_SOURCE[0]}")/..
environment=$root/build/python
usage="usage: bash tools/install.sh [tests|stress]"

# ocl-icd-opencl-dev: oneDNN's CMake files require OpenCL, which libdnnl-dev only recommends.
packages=(g++ cmake ninja-build pkg-config libdnnl-dev ocl-icd-opencl-dev nlohmann-json3-dev libcli11-dev
    libfmt-dev libbenchmark-dev libonnx-dev libprotobuf-dev zlib1g-dev libpng-dev libturbojpeg0-dev libexif-dev
    curl ca-certificates tar)
help_if_asked "$usage" "$@"
[ $# -le 1 ] || die "unknown argument '$2'; $usage" 2
case "${1:-}" in
    "") ;;
    tests) packages+=(catch2 ccache libboost-context-dev clang-format dpkg-dev file graphviz locales shellcheck python3
        python3-jsonschema python3-numpy python3-pil python3-torch python3-venv qemu-user) ;;
    stress) packages+=(catch2 python3 clang libclang-rt-dev libomp-dev llvm) ;;
    *) die "unknown argument '$1'; $usage" 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is not Debian: install the equivalents of these packages by hand: ${packages[*]}"
fi
# The tests set OS_RELEASE to the os-release file of another system.
# shellcheck disable=SC1090
system=$(. "${OS_RELEASE:-/etc/os-release}" && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-unknown}")
unpackaged=()
case "$system" in
    "debian 12" | "debian 13") ;;
    "ubuntu 22.04") unpackaged=(libclang-rt-dev) ;; # part of its package clang
    "ubuntu 24.04") unpackaged=(python3-torch) ;;   # PyPI has it: make_environment
    *) warn "Debian 12 and 13 and Ubuntu 22.04 and 24.04 are supported, this is '$system'; trying its packages" ;;
esac

missing=()
for package in "${packages[@]}"; do
    if [[ " ${unpackaged[*]} " = *" $package "* ]]; then continue; fi
    status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    if [ "$status" != installed ]; then missing+=("$package"); fi
done

if [ "${#missing[@]}" -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "these packages are missing: ${missing[*]}; run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    say "installing packages: ${missing[*]}"
    "${apt[@]}" update --quiet || warn "apt-get update failed; using the present package lists"
    "${apt[@]}" install --quiet --yes --no-install-recommends "${missing[@]}" ||
        die "apt-get could not install: ${missing[*]} (see its message above)"
else
    say "every package needed is installed"
fi

# at_least OLDEST VERSION
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort --version-sort | head -n 1)" = "$1" ]; }

oldest=$(sed -n 's/^cmake_minimum_required(VERSION \([0-9.]*\)).*/\1/p' "$root/CMakeLists.txt")
version=$(cmake --version | sed -n '1s/.* //p')
at_least "$oldest" "$version" || die "CMake $version is too old, $oldest or newer is needed: \
\`python3 -m pip install cmake\` has one, and so has https://apt.kitware.com; put it first on PATH and call again"
# CXX selects another compiler.
version=$(g++ -dumpfullversion)
[ -n "${CXX:-}" ] || at_least 11 "$version" || die "g++ $version is too old, 11 or newer is needed: \
install one (\`apt-cache search '^g[+][+]-[0-9]+$'\` lists them) and set CXX, for example: export CXX=g++-12"

# make_environment PACKAGE...: build/python with these packages of PyPI, on top of the first python3 that has PyTorch; if
# there is none, on the last one on PATH, the system's, with PyTorch from PyPI.
make_environment() {
    local candidate python=""
    for candidate in $(type -aP python3); do
        if "$candidate" -c 'import numpy, torch' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        python=$candidate
        set -- "$@" numpy torch
    fi
    say "making build/python with ${python}: $*"
    rm -rf "$environment"
    "$python" -m venv --system-site-packages "$environment" ||
        die "$python could not make a virtual environment; the package is python3-venv"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
        die "pip could not install $* (see its message above); the tests need it from PyPI"
}

if [ "${1:-}" = tests ] &&
    ! "$environment/bin/python" -c 'import numpy, onnx, onnxruntime, safetensors, tensorboard, torch' 2>/dev/null; then
    make_environment safetensors==0.8.0 onnx==1.18.0 onnxruntime==1.23.2 tensorboard==2.21.0
fi

if find_cuda; then say "found $cuda_found"; else say "$cuda_missing: builds are for the CPU only"; fi

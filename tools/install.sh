#!/usr/bin/env bash
# Installs what building needs from Debian's packages; `bash tools/install.sh tests` adds what the tests need.
# Only packages that are missing are fetched: where all stand, neither root nor a network is needed.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# ocl-icd-opencl-dev: oneDNN's CMake files ask for OpenCL, though its package only recommends it.
packages=(g++ cmake ninja-build pkg-config libdnnl-dev ocl-icd-opencl-dev nlohmann-json3-dev libcli11-dev
    libfmt-dev libbenchmark-dev zlib1g-dev curl ca-certificates tar)
case "${1:-}" in
    "") ;;
    tests) packages+=(catch2 ccache libboost-context-dev clang-format locales shellcheck python3 python3-jsonschema) ;;
    *) die "unknown argument '$1'; usage: bash tools/install.sh [tests]" 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is no Debian: install the counterparts of these packages by hand: ${packages[*]}"
fi
system=$(. /etc/os-release && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-unknown}")
case "$system" in
    "debian 12" | "debian 13") ;;
    *) warn "supported are Debian 12 and 13, this is '$system'; going on with its own packages" ;;
esac

missing=()
for package in "${packages[@]}"; do
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
    say "installing from Debian's packages: ${missing[*]}"
    "${apt[@]}" update --quiet || warn "apt-get update failed; trying with the package lists that are here"
    "${apt[@]}" install --quiet --yes --no-install-recommends "${missing[@]}" ||
        die "apt-get could not install: ${missing[*]} (its own message stands above)"
else
    say "every package needed is installed"
fi

if find_cuda; then say "found $cuda_found"; else say "$cuda_missing: builds are for the CPU alone"; fi

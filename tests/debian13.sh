#!/usr/bin/env bash
# Runs tools/test.sh and tools/stress.sh of the committed tree on Debian 13, in a chroot created by debootstrap. Run
# manually, as root:
#     bash tests/debian13.sh FOLDER
# FOLDER is created if it does not exist, and kept for the next call. The chroot uses the host's apt configuration,
# certificates and name server. It has no CUDA, so only the CPU build is tested.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

[ $# -eq 1 ] || die "usage: bash tests/debian13.sh FOLDER" 2
[ "$(id -u)" = 0 ] || die "must run as root (debootstrap and chroot need it)" 2
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap" 2
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=$(realpath -m "$1")
[ "$root" != / ] || die "FOLDER must not be the root of this system" 2

if [ ! -f "$root/etc/debian_version" ]; then
    debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-trixie-automatic.gpg \
        trixie "$root" "$mirror"
fi
# shellcheck disable=SC1091
release=$(. "$root/etc/os-release" && printf '%s' "${VERSION_ID:-}")
[ "$release" = 13 ] || die "$root contains Debian '$release', not 13: choose another folder" 2

cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/"
if [ -f /etc/ssl/certs/ca-certificates.crt ] && [ ! -f "$root/etc/ssl/certs/ca-certificates.crt" ]; then
    mkdir -p "$root/etc/ssl/certs"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
fi
# The package ca-certificates regenerates that file, so the host's local certificates must be in the chroot as well.
mkdir -p "$root/usr/local/share/ca-certificates"
cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
if [ -x "$root/usr/sbin/update-ca-certificates" ]; then chroot "$root" /usr/sbin/update-ca-certificates >/dev/null; fi

rm -rf "$root/residual"
mkdir "$root/residual"
git archive HEAD | tar --extract --directory "$root/residual"

# The mount namespace unmounts /proc even if the script is killed.
# shellcheck disable=SC2016
unshare --mount --fork bash -c '
    set -euo pipefail
    mount -t proc proc "$1/proc"
    exec chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        bash -c "cd /residual && bash tools/test.sh && bash tools/stress.sh"
' debian13 "$root"

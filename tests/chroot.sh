# Chroots of Debian and Ubuntu releases for the tests that run in one; sourced, after tools/lib.sh.
# shellcheck shell=bash

# make_chroot FOLDER RELEASE: FOLDER becomes a chroot of this release (bookworm, trixie, jammy, noble) by debootstrap, or
# is one already. It uses the host's apt configuration, certificates and name server. Sets `root` to its full path.
# DEBIAN_MIRROR and UBUNTU_MIRROR replace the public mirrors; ARCHIVE_KEYRING is the file with the keys of the archive,
# by default that of the distribution's keyring package.
make_chroot() {
    local release=$2 found mirror components=main distribution=debian script=sid
    [ "$(id -u)" = 0 ] || die "must run as root (debootstrap and chroot need it)" 2
    command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap" 2
    root=$(realpath -m "$1")
    [ "$root" != / ] || die "FOLDER must not be the root of this system" 2
    mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
    case "$release" in
        jammy | noble)
            mirror=${UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}
            components=main,universe distribution=ubuntu script=gutsy
            ;;
    esac

    if [ ! -f "$root/etc/debian_version" ]; then
        debootstrap --variant=minbase --components="$components" \
            --keyring="${ARCHIVE_KEYRING:-/usr/share/keyrings/$distribution-archive-keyring.gpg}" \
            "$release" "$root" "$mirror" "$script"
    fi
    # shellcheck disable=SC1091
    found=$(. "$root/etc/os-release" && printf '%s' "${VERSION_CODENAME:-}")
    [ "$found" = "$release" ] || die "$root contains the release '$found', not $release: choose another folder" 2

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
}

# in_chroot COMMAND: runs this line of bash in `root`, with /proc, which is unmounted even if the script is killed.
in_chroot() {
    # shellcheck disable=SC2016
    unshare --mount --fork bash -c '
        set -euo pipefail
        mount -t proc proc "$1/proc"
        exec chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            LANG=C.UTF-8 ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
            bash -c "$2"
    ' chroot "$root" "$1"
}

#!/usr/bin/env bash
# Runs tools/test.sh and tools/stress.sh of the committed tree on another release of Debian or Ubuntu, in a chroot. Run
# manually, as root:
#     bash tests/release.sh trixie|jammy|noble FOLDER [COMMAND]
# FOLDER is created by debootstrap if it does not exist, and kept for the next call. COMMAND, a line of bash, runs in the
# root of the tree instead. A chroot has no CUDA, so only the CPU build is tested. On Debian, Ubuntu's releases need
# ARCHIVE_KEYRING (tests/chroot.sh): Debian has no package of Ubuntu's keys.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
# shellcheck source=tests/chroot.sh
. tests/chroot.sh

[ $# = 2 ] || [ $# = 3 ] || die "usage: bash tests/release.sh trixie|jammy|noble FOLDER [COMMAND]" 2
make_chroot "$2" "$1"
rm -rf "$root/residual"
mkdir "$root/residual"
git archive HEAD | tar --extract --directory "$root/residual"
in_chroot "cd /residual && ${3:-bash tools/test.sh && bash tools/stress.sh}"

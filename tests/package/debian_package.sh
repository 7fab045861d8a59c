#!/usr/bin/env bash
# Makes the two Debian packages, and installs, uses and removes them in a chroot of this machine's release. Run manually,
# as root:
#     bash tests/package/debian_package.sh FOLDER
# FOLDER becomes the chroot, or is one already (tests/chroot.sh). What the packages depend on comes from the mirror.
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tests/chroot.sh
. "$repository/tests/chroot.sh"

[ $# -eq 1 ] || die "usage: bash tests/package/debian_package.sh FOLDER" 2
# shellcheck disable=SC1091
make_chroot "$1" "$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
cd "$repository"
use_ccache
build cpu resnet-train resnet-eval resnet-report resnet-diagram draw-images residual-models
for program in resnet-predict resnet-export kernel-bench; do
    if cmake --build build/cpu --target help | grep -q "^$program:"; then build cpu $program; fi
done

# in_it COMMAND: like `run`, in the chroot; shows the command and the end of its output.
in_it() {
    say "\$ $1"
    run in_chroot "$1"
    tail -n 6 "$scratch/output"
}
gone() { ! in_chroot "dpkg-query --show residual libresidual-dev" >/dev/null 2>&1; }
apt="DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends"

rm -rf "$root/test"
mkdir "$root/test"
run cpack -G DEB --config build/cpu/CPackConfig.cmake -B "$root/test"
expect "cpack makes the packages" exits_with 0
in_it "apt-get -qq update && dpkg --purge residual libresidual-dev && $apt install ca-certificates"
in_it "$apt install /test/residual_*.deb"
expect "apt installs the programs with what they need" exits_with 0
in_it "resnet-train --version"
expect "an installed program runs" exits_with 0
in_it "draw-images /test/data"
expect "draw-images writes its images" exits_with 0
in_it "cd /test && resnet-train /usr/share/residual/configs/quickstart.json --data /test/data --set train.steps=2"
expect "resnet-train takes two steps" exits_with 0
in_it "resnet-eval /test/runs/quickstart/last.safetensors --data /test/data"
expect "resnet-eval evaluates them" exits_with 0
in_it "resnet-report /test/runs/quickstart --data /test/data -o /test/report.html"
expect "resnet-report writes a page" exits_with 0

in_it "$apt install /test/libresidual-dev_*.deb cmake make pkg-config"
expect "apt installs the library with what it needs" exits_with 0
in_it "cmake -S /usr/share/doc/libresidual-dev/examples -B /test/mlp && cmake --build /test/mlp && /test/mlp/mlp"
expect "CMake builds the example" exits_with 0
expect "and it learns" says "test accuracy"
in_it "cd /test && g++ -std=c++20 /usr/share/doc/libresidual-dev/examples/mlp.cpp \$(pkg-config --cflags --libs residual) -o by-pkg-config && ./by-pkg-config"
expect "pkg-config builds it" exits_with 0
expect "and it learns as well" says "test accuracy"

in_it "$apt remove residual libresidual-dev"
expect "both are removed" exits_with 0
in_it "dpkg --purge residual libresidual-dev"
expect "both are purged" exits_with 0
expect "dpkg does not know them any more" gone
rm -r "$root/test"
in_it "find / -xdev -iname '*residual*'"
expect "no file is left" [ ! -s "$scratch/output" ]

report
